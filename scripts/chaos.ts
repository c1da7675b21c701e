/**
 * `npm run chaos -- --rounds 1000 [--seed N]`: the kill test, as long as you like. Each round prints its seed, and a
 * seed alone decides everything that happens in it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CommandError, runCommand } from './command-error';
import { PROJECT_ROOT } from './project';
import { testEnvironment } from './test-environment';

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '25' }, seed: { type: 'string' } } });
  for (const [name, value] of Object.entries(values)) {
    if (!/^\d+$/.test(value)) throw new CommandError(`--${name}: expected a number`);
  }
  const jest = spawn(join(PROJECT_ROOT, 'node_modules', '.bin', 'jest'), ['--verbose', 'test/chaos'], {
    cwd: PROJECT_ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...testEnvironment(process.env),
      KINDLINE_TEST_CHAOS_ROUNDS: values.rounds,
      ...(values.seed === undefined ? {} : { KINDLINE_TEST_CHAOS_SEED: values.seed }),
    },
  });
  // To jest alone if the signal came to us alone; its suites end their stacks.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => jest.kill(signal));
  await once(jest, 'exit');
  return jest.exitCode ?? 1;
}

void runCommand(main);
