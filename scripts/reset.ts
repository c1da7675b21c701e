/** `npm run reset`: removes what `npm start` keeps, and what killed test runs left behind. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, runCommand } from './command-error';
import { commandLine, PidFile } from './leftovers';
import { removePostgresHome } from './postgres-home';
import { built, STATE_DIR } from './project';

async function main(): Promise<void> {
  if (!existsSync(STATE_DIR)) {
    process.stdout.write('There is nothing to remove.\n');
    return;
  }
  for (const entry of readdirSync(STATE_DIR)) {
    const dir = join(STATE_DIR, entry);
    const starter = new PidFile(join(dir, 'processes')).read().find(({ name }) => name === 'starter');
    if (starter !== undefined && commandLine(starter.pid).includes(built('scripts'))) {
      throw new CommandError(`It still runs, as process ${starter.pid}. Stop it first.`);
    }
    removePostgresHome(dir);
    rmSync(dir, { recursive: true, force: true });
  }
  rmSync(STATE_DIR, { recursive: true, force: true });
  process.stdout.write('Removed .kindline/: the next start begins afresh.\n');
}

void runCommand(main);
