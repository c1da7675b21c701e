/**
 * How many lines of the sources run in the tests: what jest counts in its own processes, and what V8 counts in the
 * processes and threads that the tests start (services, commands, the sandboxes of workflow tests), added up by line.
 *
 * A process that is killed with SIGKILL writes nothing: what only the kill test runs does not count.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { createCoverageMap } from 'istanbul-lib-coverage';
import { z } from 'zod';
import { bundleOptions } from '../workers/bundle';
import { LineCoverage, linesThatRan, MappedScript, type ScriptCoverage } from './coverage-lines';
import { PROJECT_ROOT } from './project';

/** Git-ignored; the pages to read are in `lcov-report/`. */
export const COVERAGE_DIR = join(PROJECT_ROOT, 'coverage');
const RAW = join(COVERAGE_DIR, 'raw');
const FROM_JEST = join(COVERAGE_DIR, 'jest');
const DIST = join(PROJECT_ROOT, 'dist');

const sourceMap = z.object({
  sources: z.array(z.string()),
  sourceRoot: z.string().optional(),
  mappings: z.string(),
});

const bundleMap = sourceMap.extend({ file: z.string() });

const rawCoverage = z.object({
  result: z.array(z.custom<ScriptCoverage>((one) => typeof one === 'object' && one !== null && 'functions' in one)),
});

/** Makes room for a new count. @returns what jest must be told, and what its environment must say */
export function prepareCoverage(): { readonly jestArgs: string[]; readonly env: NodeJS.ProcessEnv } {
  rmSync(COVERAGE_DIR, { recursive: true, force: true });
  mkdirSync(RAW, { recursive: true });
  return {
    jestArgs: [
      '--coverage',
      // Not V8: it keeps what every suite has ever loaded in the worker's memory, gigabytes in the end, and slows down.
      '--coverageProvider=babel',
      '--coverageReporters=json',
      `--coverageDirectory=${FROM_JEST}`,
      // Our own sources; what stands in test/ is not counted.
      '--coveragePathIgnorePatterns=/node_modules/',
      '--coveragePathIgnorePatterns=/test/',
    ],
    env: { KINDLINE_TEST_COVERAGE_DIR: RAW },
  };
}

/** Adds everything up once the tests are over, and removes what it was made of. */
export async function collectCoverage(): Promise<LineCoverage> {
  const coverage = new LineCoverage();
  const scripts = compiledScripts();
  for (const script of scripts.values()) coverage.expect(script);
  const workflows = await bundles();
  addJest(coverage);
  for (const script of rawScripts()) {
    const mapped = workflows.get(bundleName(script.url)) ?? scripts.get(distPath(script.url) ?? '');
    if (mapped !== undefined) coverage.ran(mapped, script);
  }
  rmSync(RAW, { recursive: true, force: true });
  rmSync(FROM_JEST, { recursive: true, force: true });
  return coverage;
}

/** By path below `dist/`. */
function compiledScripts(): Map<string, MappedScript> {
  const files = readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
  const mapped = files.filter((file) => existsSync(join(DIST, `${file}.map`)));
  return new Map(
    mapped.map((file) => {
      const mapFile = join(DIST, `${file}.map`);
      const map = sourceMap.parse(JSON.parse(readFileSync(mapFile, 'utf8')));
      return [file, new MappedScript(readFileSync(join(DIST, file), 'utf8'), map, mapFile)];
    }),
  );
}

function bundleName(url: string): string {
  return /workflow-bundle[\w-]*\.js$/.exec(url)?.[0] ?? '';
}

/** Also of a copy of the project: the tests of the commands run in one. */
function distPath(url: string): string | null {
  return /^file:.*\/dist\/((?!.*node_modules\/).+\.js)$/.exec(url)?.[1] ?? null;
}

/**
 * The workflows as the tests bundle them, and as the worker does, made again: V8 knows a bundle by its name, which has
 * a hash of its contents, and says nothing about where its lines came from.
 */
async function bundles(): Promise<Map<string, MappedScript>> {
  const logger = new DefaultLogger('ERROR');
  const workflowsPath = join(PROJECT_ROOT, 'workflows', 'index.ts');
  const failureConverterPath = join(PROJECT_ROOT, 'temporal', 'failure-converter.ts');
  const found = new Map<string, MappedScript>();
  for (const options of [{ workflowsPath }, { workflowsPath, failureConverterPath }, bundleOptions()]) {
    const { code } = await bundleWorkflowCode({ ...options, logger });
    const { name, script } = bundledScript(code);
    found.set(name, script);
  }
  const prebuilt = join(DIST, 'workflow-bundle.js');
  if (existsSync(prebuilt)) found.set(basename(prebuilt), bundledScript(readFileSync(prebuilt, 'utf8')).script);
  return found;
}

/** @param code with its source map at the end, as the bundler writes it */
function bundledScript(code: string): { name: string; script: MappedScript } {
  const [, inline = ''] = /\n\/\/# sourceMappingURL=data:[^,]*;base64,(\S+)\s*$/.exec(code) ?? [];
  const map = bundleMap.parse(JSON.parse(Buffer.from(inline, 'base64').toString('utf8')));
  return { name: map.file, script: new MappedScript(code, map, join(PROJECT_ROOT, map.file)) };
}

function addJest(coverage: LineCoverage): void {
  const file = join(FROM_JEST, 'coverage-final.json');
  if (!existsSync(file)) return;
  const map = createCoverageMap(JSON.parse(readFileSync(file, 'utf8')));
  for (const source of map.files()) {
    for (const line of linesThatRan(map.fileCoverageFor(source))) coverage.mark(source, line);
  }
}

/** One file after the other: together they are more than a gigabyte. */
function* rawScripts(): Generator<ScriptCoverage> {
  for (const file of readdirSync(RAW)) {
    const raw = rawCoverage.safeParse(readJson(join(RAW, file)));
    if (raw.success) yield* raw.data.result;
  }
}

/** null for a file that was cut off: its process was killed while it wrote. */
function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}
