import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS, commandLine } from './leftovers';
import { removePostgresHome } from './postgres-home';
import { STATE_DIR } from './project';

/** Stacks that a test starts by itself are kept below the directory of the run. */
export const STACKS = 'stacks';

/** A directory for one run of a command, named after its process; those of runs that are over are removed. */
export function runDir(command: 'demo' | 'test'): string {
  mkdirSync(STATE_DIR, { recursive: true });
  for (const entry of readdirSync(STATE_DIR)) {
    const [, pid] = /^(?:demo|test)-(\d+)$/.exec(entry) ?? [];
    if (pid !== undefined && !commandLine(Number(pid)).includes(COMMANDS)) removeRun(join(STATE_DIR, entry));
  }
  const dir = join(STATE_DIR, `${command}-${process.pid}`);
  mkdirSync(dir, { recursive: true });
  return dir;
}

/** Removes everything a run has left on disk. */
export function removeRun(dir: string): void {
  const stacks = join(dir, STACKS);
  mkdirSync(stacks, { recursive: true });
  for (const stack of readdirSync(stacks)) removePostgresHome(join(stacks, stack));
  removePostgresHome(dir);
  rmSync(dir, { recursive: true, force: true });
}
