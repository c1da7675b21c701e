/**
 * The schema, up and down: SQL files in `db/migrations`, run in order by node-pg-migrate, each in a transaction
 * of its own, under an advisory lock. The roles of the API and the worker are made here too and can do no more than the files grant;
 * nobody else's can connect.
 */
import { join } from 'node:path';
import { runner } from 'node-pg-migrate';
import { Client } from 'pg';
import { sqlState } from './query';

/** The roles that the migrations grant to; login roles are members of one of them. */
const GROUP_ROLE = 'kindline_application';
/** Everything the application may do, and the audit chain. */
const WORKER_GROUP_ROLE = 'kindline_worker';

export interface LoginRole {
  readonly name: string;
  readonly password: string;
}

export interface MigrateOptions {
  readonly direction: 'up' | 'down';
  /** How many files; all when left out. */
  readonly count?: number;
  /** The login role of the API: made, or given this password. Left out, only the schema changes. */
  readonly appRole?: LoginRole;
  /** The same for the worker, the only process that may write the audit chain. */
  readonly workerRole?: LoginRole;
}

/**
 * Changes the schema as the owner.
 * @returns the names of the files that were run
 */
export async function migrate(ownerUrl: string, options: MigrateOptions): Promise<string[]> {
  const client = new Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await ensureRoles(client, options);
    await closeToOthers(client);
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

/** Makes the group roles and the login roles. Roles belong to the whole server, so others may race us. */
async function ensureRoles(client: Client, { appRole, workerRole }: MigrateOptions): Promise<void> {
  await createRole(client, GROUP_ROLE, 'NOLOGIN');
  await createRole(client, WORKER_GROUP_ROLE, 'NOLOGIN');
  await ensureMember(client, WORKER_GROUP_ROLE, GROUP_ROLE);
  if (appRole !== undefined) await ensureLogin(client, appRole, GROUP_ROLE);
  if (workerRole !== undefined) await ensureLogin(client, workerRole, WORKER_GROUP_ROLE);
}

/**
 * Unless told otherwise, Postgres lets every role of the server into every database; other databases on it (Temporal's)
 * have roles of their own.
 */
async function closeToOthers(client: Client): Promise<void> {
  const { rows } = await client.query(
    `SELECT current_database() AS name, has_database_privilege('public', current_database(), 'CONNECT') AS open,
            has_database_privilege($1, current_database(), 'CONNECT') AS ours`,
    [GROUP_ROLE],
  );
  const database = client.escapeIdentifier(String(rows[0]?.name));
  if (rows[0]?.open === true || rows[0]?.ours !== true) {
    await atomically(client, `GRANT CONNECT ON DATABASE ${database} TO ${GROUP_ROLE}`);
  }
  if (rows[0]?.open === true) await atomically(client, `REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`);
}

async function ensureLogin(client: Client, { name, password }: LoginRole, group: string): Promise<void> {
  await createRole(client, name, 'LOGIN');
  const role = client.escapeIdentifier(name);
  await atomically(client, `ALTER ROLE ${role} PASSWORD ${client.escapeLiteral(password)}`);
  await ensureMember(client, name, group);
}

async function ensureMember(client: Client, name: string, group: string): Promise<void> {
  const { rows } = await client.query(`SELECT pg_has_role($1, $2, 'USAGE') AS member`, [name, group]);
  if (rows[0]?.member !== true) await atomically(client, `GRANT ${group} TO ${client.escapeIdentifier(name)}`);
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
