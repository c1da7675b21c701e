/** `npm run reset`: removes what `npm start` keeps, and what killed test runs left behind. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, runCommand } from './command-error';
import { COMMANDS, commandLine, PidFile } from './leftovers';
import { STATE_DIR } from './project';
import { removeRun } from './run-dirs';

async function main(): Promise<void> {
  if (!existsSync(STATE_DIR)) {
    process.stdout.write('There is nothing to remove.\n');
    return;
  }
  for (const entry of readdirSync(STATE_DIR)) {
    const dir = join(STATE_DIR, entry);
    const starter = new PidFile(join(dir, 'processes')).read().find(({ name }) => name === 'starter');
    if (starter !== undefined && commandLine(starter.pid).includes(COMMANDS)) {
      throw new CommandError(`It still runs, as process ${starter.pid}. Stop it first.`);
    }
    removeRun(dir);
  }
  rmSync(STATE_DIR, { recursive: true, force: true });
  process.stdout.write('Removed .kindline/: the next start begins afresh.\n');
}

void runCommand(main);
