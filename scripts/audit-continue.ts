/**
 * `npm run audit:continue`: lets the audit trail go on after its database was brought back from a logical dump, whose
 * new server numbers transactions lower than the chain does. Changes nothing where the numbers are right. Needs the
 * owner's role: `DATABASE_MIGRATION_URL`. docs/audit.md says what to do before and after.
 */
import { parseArgs } from 'node:util';
import { Pool } from 'pg';
import { continueAuditNumbers } from '../db/audit-numbers';
import { sqlState } from '../db/query';
import { openSecrets } from '../providers/secrets';
import { CommandError, runCommand } from './command-error';
import { loadDotEnv } from './dot-env';

const KNOWN = new Map([
  [
    '42501',
    'Only the owner of the tables may do this: set DATABASE_MIGRATION_URL to the role that npm run migrate uses.',
  ],
  ['42P01', 'This database has no audit chain yet: npm run migrate -- up.'],
  [
    '55P03',
    'Somebody has used the audit trail for more than ten seconds without an end: stop the services, and try again.',
  ],
]);

async function main(): Promise<void> {
  parseArgs({ options: {} });
  loadDotEnv();
  const { env } = await openSecrets(process.env, ['DATABASE_MIGRATION_URL']);
  const { DATABASE_MIGRATION_URL: ownerUrl } = env;
  if (ownerUrl === undefined)
    throw new CommandError('DATABASE_MIGRATION_URL: expected a postgres:// URL of the owner role');
  const owner = new Pool({ connectionString: ownerUrl, max: 1, connectionTimeoutMillis: 5_000 });
  owner.on('error', () => undefined);
  try {
    const renumbered = await continueAuditNumbers(owner).catch((error: unknown) => {
      const known = KNOWN.get(sqlState(error) ?? '');
      throw known === undefined ? error : new CommandError(known);
    });
    process.stdout.write(
      renumbered === null
        ? 'Nothing to do: this database numbers its transactions higher than the audit chain does.\n'
        : `The audit trail goes on. ${renumbered} entries that were written here before are chained next.\n`,
    );
  } finally {
    await owner.end();
  }
}

void runCommand(main);
