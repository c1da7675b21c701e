/**
 * `npm run migrate -- up|down [--count N]`: changes the schema of the database at DATABASE_MIGRATION_URL, and gives
 * the roles of DATABASE_URL (the API's) and DATABASE_WORKER_URL (the worker's) their passwords and their few rights.
 */
import { parseArgs } from 'node:util';
import { type LoginRole, migrate } from '../db/migrate';
import { openSecrets } from '../providers/secrets';
import { CommandError, runCommand } from './command-error';
import { loadDotEnv } from './dot-env';

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: { count: { type: 'string' } }, allowPositionals: true });
  const [direction = 'up'] = positionals;
  if (direction !== 'up' && direction !== 'down') {
    throw new CommandError('usage: npm run migrate -- up|down [--count N]');
  }
  loadDotEnv();
  const { env } = await openSecrets(process.env, ['DATABASE_MIGRATION_URL', 'DATABASE_URL', 'DATABASE_WORKER_URL']);
  const { DATABASE_MIGRATION_URL: ownerUrl, DATABASE_URL: appUrl, DATABASE_WORKER_URL: workerUrl } = env;
  if (ownerUrl === undefined)
    throw new CommandError('DATABASE_MIGRATION_URL: expected a postgres:// URL of the owner role');
  if (values.count !== undefined && !/^[1-9]\d{0,3}$/.test(values.count)) {
    throw new CommandError('--count: expected a number from 1');
  }
  // Down by one unless told otherwise: all of it would be the end of the data.
  const count = values.count === undefined ? (direction === 'down' ? 1 : undefined) : Number(values.count);
  const done = await migrate(ownerUrl, {
    direction,
    ...(count === undefined ? {} : { count }),
    ...(appUrl === undefined || direction === 'down' ? {} : { appRole: roleOf('DATABASE_URL', appUrl) }),
    ...(workerUrl === undefined || direction === 'down'
      ? {}
      : { workerRole: roleOf('DATABASE_WORKER_URL', workerUrl) }),
  });
  process.stdout.write(done.length === 0 ? 'Nothing to do.\n' : `${done.join('\n')}\n`);
}

function roleOf(variable: string, url: string): LoginRole {
  if (!URL.canParse(url)) throw new CommandError(`${variable}: expected a postgres:// URL`);
  const { username, password } = new URL(url);
  return { name: decodeURIComponent(username), password: decodeURIComponent(password) };
}

void runCommand(main);
