import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { COMMANDS, commandLine, endLeftover, endLeftovers, runningStarter } from './leftovers';
import { dataDirHolder, removePostgresHome } from './postgres-home';
import { STATE_DIR } from './project';

/** Stacks that a test starts by itself are kept below the directory of the run. */
export const STACKS = 'stacks';

/** A directory for one run of a command, named after its process; those of runs that are over are removed. */
export async function runDir(command: 'bench' | 'demo' | 'test'): Promise<string> {
  mkdirSync(STATE_DIR, { recursive: true });
  for (const entry of readdirSync(STATE_DIR)) {
    const dir = join(STATE_DIR, entry);
    if (RUN.test(entry) && runningCommand(dir) === null) {
      await endRun(dir);
      removeRun(dir);
    }
  }
  const dir = join(STATE_DIR, `${command}-${process.pid}`);
  mkdirSync(dir, { recursive: true });
  return dir;
}

const RUN = /^(?:bench|demo|test)-(\d+)$/;

/** The command whose directory this is, while it runs; null when it is over. */
export function runningCommand(dir: string): number | null {
  const pid = Number(RUN.exec(basename(dir))?.[1] ?? Number.NaN);
  if (commandLine(pid).includes(COMMANDS)) return pid;
  return runningStarter(dir);
}

/** Ends what is left of a run whose command was killed: under a living process, data is not removed. */
export async function endRun(dir: string): Promise<void> {
  const stacks = join(dir, STACKS);
  const names = existsSync(stacks) ? readdirSync(stacks) : [];
  for (const stack of [dir, ...names.map((name) => join(stacks, name))]) {
    await endLeftovers(stack);
    const { pid, dataDir } = dataDirHolder(stack);
    await endLeftover(pid, dataDir);
  }
}

/** Removes everything a run has left on disk. */
export function removeRun(dir: string): void {
  const stacks = join(dir, STACKS);
  mkdirSync(stacks, { recursive: true });
  for (const stack of readdirSync(stacks)) removePostgresHome(join(stacks, stack));
  removePostgresHome(dir);
  rmSync(dir, { recursive: true, force: true });
}
