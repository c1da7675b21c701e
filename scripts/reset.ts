/** `npm run reset`: removes what `npm start` keeps, and what killed test runs left behind. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, runCommand } from './command-error';
import { STATE_DIR } from './project';
import { endRun, removeRun, runningCommand } from './run-dirs';

async function main(): Promise<void> {
  if (!existsSync(STATE_DIR)) {
    process.stdout.write('There is nothing to remove.\n');
    return;
  }
  const dirs = readdirSync(STATE_DIR).map((entry) => join(STATE_DIR, entry));
  for (const dir of dirs) {
    const running = runningCommand(dir);
    if (running !== null) throw new CommandError(`It still runs, as process ${running}. Stop it first.`);
  }
  for (const dir of dirs.filter((entry) => statSync(entry).isDirectory())) {
    await endRun(dir);
    removeRun(dir);
  }
  rmSync(STATE_DIR, { recursive: true, force: true });
  process.stdout.write('Removed .kindline/: the next start begins afresh.\n');
}

void runCommand(main);
