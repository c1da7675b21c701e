/**
 * `npm run fuzz [-- --rounds 100000] [--seed N] [--tampers 10000]`: forged webhooks, odd bodies and forms, and
 * changed audit entries, many more of each than `npm run test:all` takes the time for. A seed that failed does the same again.
 *
 * Progress on stderr; the last line counts what was tried.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { CommandError, runCommand } from './command-error';
import { PROJECT_ROOT } from './project';
import { testEnvironment } from './test-environment';

/** Directories below `test/`; the second tampers with the audit chain. */
const SUITES = ['test/fuzz', 'test/integration/audit/tampers'];

const report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numRuntimeErrorTestSuites: z.number(),
});

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '100000' },
      tampers: { type: 'string', default: '10000' },
      seed: { type: 'string' },
    },
  });
  for (const [name, value] of Object.entries(values)) {
    if (!/^\d{1,9}$/.test(value)) throw new CommandError(`--${name}: expected a number`);
  }
  const dir = mkdtempSync(join(tmpdir(), 'kindline-fuzz-'));
  try {
    const file = join(dir, 'jest.json');
    const code = await runJest(file, {
      KINDLINE_TEST_FUZZ_ROUNDS: values.rounds,
      KINDLINE_TEST_TAMPERS: values.tampers,
      ...(values.seed === undefined ? {} : { KINDLINE_TEST_FUZZ_SEED: values.seed, KINDLINE_TEST_SEED: values.seed }),
    });
    const result = existsSync(file) ? report.parse(JSON.parse(readFileSync(file, 'utf8'))) : null;
    const failed = (result?.numFailedTests ?? 0) + (result?.numRuntimeErrorTestSuites ?? 0);
    process.stdout.write(
      `${values.rounds} forged webhooks, ${values.rounds} odd bodies, ${values.rounds} odd forms, ${values.tampers} tampered audit entries: ` +
        `${result?.numPassedTests ?? 0} passed, ${code === 0 ? 0 : Math.max(1, failed)} failed\n`,
    );
    return code;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function runJest(file: string, settings: NodeJS.ProcessEnv): Promise<number> {
  const jest = spawn(
    join(PROJECT_ROOT, 'node_modules', '.bin', 'jest'),
    ['--runInBand', '--json', `--outputFile=${file}`, ...SUITES],
    { cwd: PROJECT_ROOT, stdio: ['ignore', 2, 2], env: { ...testEnvironment(process.env), ...settings } },
  );
  // To jest alone if the signal came to us alone; its suites end what they started.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => jest.kill(signal));
  await once(jest, 'exit');
  return jest.exitCode ?? 1;
}

void runCommand(main);
