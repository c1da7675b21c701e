/**
 * `npm run test:all`: every check there is. `npm test`: all but the suites of `test/long-suites.json`.
 * `npm test -- <word>` runs only the suites whose path has the word, long ones too.
 *
 * Static checks first (each counts as one), then all suites against one Postgres and one Temporal that are started
 * here, then the canary, which searches everything they left behind, then how many lines have run: each gate counts
 * as one. `npm test -- --coverage <word>` shows the lines of a part and judges nothing.
 * Closes with the line `N passed, N failed`.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command-error';
import { COVERAGE_DIR, collectCoverage, prepareCoverage } from './coverage';
import { judge, table, writeReports } from './coverage-report';
import { failedTests, jestReport } from './failed-tests';
import { PROJECT_ROOT, progress } from './project';
import { testEnvironment } from './test-environment';
import { stopSignal } from './stop-signal';
import { startTestParts, type TestParts } from './test-parts';

interface Count {
  passed: number;
  failed: number;
  /** What failed, named again at the end. */
  readonly names: string[];
}

/** Name and command line of each check that needs no running part. */
const STATIC_CHECKS: readonly (readonly [name: string, program: string, ...args: string[]])[] = [
  ['format', 'biome', 'format', '.'],
  ['lint', 'oxlint', '--type-aware', '--deny-warnings'],
  ['types', 'tsc', '--noEmit'],
  ['unused code', 'knip', '--no-progress'],
  ['imports between rooms', 'depcruise', '--config', '.dependency-cruiser.cjs', '--output-type', 'err', 'dist'],
];

const FLAGS: readonly string[] = ['--all', '--coverage'];

/** Ctrl-C or SIGTERM: what runs is ended, then the parts in good order. */
const asked = stopSignal();

async function main(): Promise<number> {
  const words = process.argv.slice(2).filter((word) => !FLAGS.includes(word));
  const isWhole = words.length === 0;
  const isShort = isWhole && !process.argv.includes('--all');
  const counting = isWhole || process.argv.includes('--coverage') ? prepareCoverage() : null;
  const env = {
    ...testEnvironment(process.env),
    ...counting?.env,
    KINDLINE_TEST_PHASE: isShort ? 'short' : '',
  };
  const count: Count = { passed: 0, failed: 0, names: [] };
  if (isWhole) await runStaticChecks(count, env);

  if (isShort) progress('The longest suites are left to npm run test:all.');
  progress('Starting Postgres and Temporal for the tests …');
  const parts = await startTestParts();
  try {
    await runSuites(count, { ...env, ...parts.env }, parts, [...words, ...(counting?.jestArgs ?? [])]);
    if (asked.aborted) return 130;
    // Postgres and Temporal write everything to their files when they end.
    await parts.stop();
    await runCanary(count, { ...env, ...parts.env }, parts, words);
  } finally {
    await parts.stop();
  }
  if (counting !== null) await judgeCoverage(count, isWhole);
  if (count.passed + count.failed === 0) {
    progress(`No suite has ${words.join(' ')} in its path.`);
    count.failed = 1;
  }
  if (count.failed === 0) parts.remove();
  else progress(`Logs of the parts: ${parts.stateDir}`);
  for (const name of count.names) progress(`Failed: ${name}`);
  process.stdout.write(`${count.passed} passed, ${count.failed} failed\n`);
  return count.failed === 0 ? 0 : 1;
}

async function runStaticChecks(count: Count, env: NodeJS.ProcessEnv): Promise<void> {
  for (const [name, program, ...args] of STATIC_CHECKS) {
    const began = Date.now();
    const code = await run(program, args, env);
    progress(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${secondsSince(began)})`);
    note(count, name, code === 0);
  }
}

function note(count: Count, name: string, isGood: boolean): void {
  if (isGood) count.passed += 1;
  else {
    count.failed += 1;
    count.names.push(name);
  }
}

async function runSuites(count: Count, env: NodeJS.ProcessEnv, parts: TestParts, args: string[]): Promise<void> {
  await runJest(count, env, join(parts.stateDir, 'jest.json'), ['--passWithNoTests', ...args]);
}

/** Last, because it searches what all suites have left in Postgres, Temporal and the logs. */
async function runCanary(count: Count, env: NodeJS.ProcessEnv, parts: TestParts, words: string[]): Promise<void> {
  const dir = join(PROJECT_ROOT, 'test', 'canary');
  const isWanted = words.length === 0 || words.some((word) => 'test/canary'.includes(word));
  if (!isWanted || !existsSync(dir) || !readdirSync(dir).some((file) => file.endsWith('.test.ts'))) return;
  await runJest(count, { ...env, KINDLINE_TEST_PHASE: 'canary' }, join(parts.stateDir, 'canary.json'), ['test/canary']);
}

/** @param isGate whether what is missing fails the run: a part of the tests cannot reach what all of them must */
async function judgeCoverage(count: Count, isGate: boolean): Promise<void> {
  const began = Date.now();
  const coverage = await collectCoverage();
  const results = judge(coverage, PROJECT_ROOT);
  for (const line of table(results)) progress(line);
  writeReports(coverage, PROJECT_ROOT, COVERAGE_DIR);
  progress(`       Every line: ${join(COVERAGE_DIR, 'lcov-report', 'index.html')} (${secondsSince(began)})`);
  for (const { group, isEnough } of isGate ? results : []) note(count, `coverage of ${group.name}`, isEnough);
}

async function runJest(count: Count, env: NodeJS.ProcessEnv, report: string, args: string[]): Promise<void> {
  const code = await run('jest', ['--json', `--outputFile=${report}`, ...args], env);
  if (!existsSync(report)) return note(count, 'jest, which wrote no report', false);
  const result = jestReport.parse(JSON.parse(readFileSync(report, 'utf8')));
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  count.passed += result.numPassedTests;
  count.failed += failed;
  count.names.push(...failedTests(result, PROJECT_ROOT));
  // Jest can also fail as a whole, e.g. when a suite leaves something open.
  if (code !== 0 && failed === 0) note(count, 'jest as a whole', false);
  if (result.numPendingTests > 0) progress(`${result.numPendingTests} skipped: their suites say why.`);
}

/** Runs a program of `node_modules` to its end; everything it prints goes to stderr. @returns its exit code */
function run(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(PROJECT_ROOT, 'node_modules', '.bin', program), args, {
      cwd: PROJECT_ROOT,
      env,
      stdio: ['ignore', 2, 2],
      signal: asked,
    });
    child.once('error', (error) => (asked.aborted ? resolve(130) : reject(error)));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function secondsSince(began: number): string {
  return `${((Date.now() - began) / 1000).toFixed(1)} s`;
}

void runCommand(main);
