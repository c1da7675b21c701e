import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CommandError } from './command-error';
import { built, progress } from './project';

/**
 * Ends a process that an earlier start of ours left behind because it was killed itself.
 *
 * @param mark what stands in its command line and in no other's: the number may belong to somebody else by now
 */
export async function endLeftover(pid: number | null, mark: string): Promise<void> {
  if (pid === null || !commandLine(pid).includes(mark)) return;
  progress(`Ending process ${pid}, left over from an earlier start …`);
  const deadline = Date.now() + 15_000;
  signal(pid, 'SIGINT');
  while (commandLine(pid).includes(mark)) {
    if (Date.now() > deadline) {
      signal(pid, 'SIGKILL');
      if (Date.now() > deadline + 5_000) throw new CommandError(`Process ${pid} does not end; please end it.`);
    }
    await delay(50);
  }
}

/** What stands in the command line of every command of ours, however it was started. */
export const COMMANDS = 'dist/scripts/';

/** The command line of a process, empty when there is none (or when it has ended and waits for its parent). */
export function commandLine(pid: number): string {
  // Small containers have no ps.
  if (existsSync('/proc/self/cmdline')) {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    } catch (error) {
      // No file, or, where the process ends between opening and reading it, no process.
      if (isGone(error)) return '';
      throw error;
    }
  }
  const { stdout } = spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
  return (stdout ?? '').includes('<defunct>') ? '' : (stdout ?? '').trim();
}

function isGone(error: unknown): boolean {
  // No `instanceof`: under jest Node's own errors are of another realm.
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return code === 'ENOENT' || code === 'ESRCH';
}

/** One line a process: `pid name`. Written as parts start, so that the next start can end what a SIGKILL left. */
export class PidFile {
  private readonly file: string;

  constructor(stateDir: string) {
    this.file = join(stateDir, 'processes');
  }

  /** Processes of an earlier start, by name. */
  read(): { name: string; pid: number }[] {
    if (!existsSync(this.file)) return [];
    const lines = readFileSync(this.file, 'utf8').split('\n');
    return lines.flatMap((line) => {
      const [pid, name] = line.split(' ');
      return name === undefined || !/^\d+$/.test(pid ?? '') ? [] : [{ name, pid: Number(pid) }];
    });
  }

  write(processes: readonly { name: string; pid: number | null }[]): void {
    writeFileSync(this.file, processes.map(({ name, pid }) => `${pid} ${name}\n`).join(''));
  }

  remove(): void {
    rmSync(this.file, { force: true });
  }
}

/** The command of ours that runs its parts over this state directory at this moment; null when none does. */
export function runningStarter(stateDir: string): number | null {
  const starter = new PidFile(stateDir).read().find(({ name }) => name === 'starter');
  return starter !== undefined && commandLine(starter.pid).includes(COMMANDS) ? starter.pid : null;
}

/** Ends what a start that was killed left behind; Postgres is found by the lock on its data, when that is used again. */
export async function endLeftovers(stateDir: string): Promise<void> {
  const pids = new PidFile(stateDir);
  for (const { name, pid } of pids.read()) {
    if (name === 'temporal') await endLeftover(pid, stateDir);
    else if (name !== 'starter' && name !== 'postgres') await endLeftover(pid, built(''));
  }
  pids.remove();
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended in between.
  }
}
