/**
 * The schema, up and down: SQL files in `db/migrations`, run in order by node-pg-migrate in one transaction under
 * an advisory lock. The application's own role is made here too and can do no more than the files grant.
 */
import { join } from 'node:path';
import { runner } from 'node-pg-migrate';
import { Client } from 'pg';
import { sqlState } from './query';

/** The role that the migrations grant to; login roles of the application are members of it. */
const GROUP_ROLE = 'kindline_application';

export interface MigrateOptions {
  readonly direction: 'up' | 'down';
  /** How many files; all when left out. */
  readonly count?: number;
  /** The login role of the application: made, or given this password. Left out, only the schema changes. */
  readonly appRole?: { readonly name: string; readonly password: string };
}

/**
 * Changes the schema as the owner.
 * @returns the names of the files that were run
 */
export async function migrate(ownerUrl: string, options: MigrateOptions): Promise<string[]> {
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await ensureRoles(client, options.appRole);
    const done = await runner({
      dbClient: client,
      dir: join(__dirname, 'migrations'),
      direction: options.direction,
      count: options.count ?? Number.POSITIVE_INFINITY,
      migrationsTable: 'schema_migrations',
      advisoryLockMode: 'wait',
      // Its log lines quote whole statements; errors are thrown anyway.
      log: () => undefined,
    });
    return done.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

/** Makes the group role and the application's login role. Roles belong to the whole server, so others may race us. */
async function ensureRoles(client: Client, appRole: MigrateOptions['appRole']): Promise<void> {
  await createRole(client, GROUP_ROLE, 'NOLOGIN');
  if (appRole === undefined) return;
  const name = client.escapeIdentifier(appRole.name);
  await createRole(client, appRole.name, 'LOGIN');
  await atomically(client, `ALTER ROLE ${name} PASSWORD ${client.escapeLiteral(appRole.password)}`);
  const { rows } = await client.query(`SELECT pg_has_role($1, $2, 'USAGE') AS member`, [appRole.name, GROUP_ROLE]);
  if (rows[0]?.member !== true) await atomically(client, `GRANT ${GROUP_ROLE} TO ${name}`);
}

async function createRole(client: Client, name: string, login: 'LOGIN' | 'NOLOGIN'): Promise<void> {
  const { rows } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [name]);
  if (rows.length > 0) return;
  try {
    await client.query(`CREATE ROLE ${client.escapeIdentifier(name)} ${login} NOSUPERUSER NOCREATEDB NOCREATEROLE`);
  } catch (error) {
    // Another migration of the same server made it between our look and our statement.
    if (sqlState(error) !== '42710' && sqlState(error) !== '23505') throw error;
  }
}

/** Postgres answers `tuple concurrently updated` when two sessions change one role: then once more is enough. */
async function atomically(client: Client, statement: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.query(statement);
      return;
    } catch (error) {
      if (sqlState(error) !== 'XX000' || attempt === 10) throw error;
    }
  }
}
