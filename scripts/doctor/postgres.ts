import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { sqlState } from '../../db/query';
import { built } from '../project';
import { examined, fail, type Finding, ok, type Patient, reasonOf, warn } from './finding';

const CONNECT_WITHIN_MS = 5_000;
/** Bits of `pg_trigger.tgtype`. */
const DELETE = 8;
const UPDATE = 16;
const TRUNCATE = 32;

/** Is the database there, is its schema ours, and can nobody change what was audited? */
export async function postgresChecks({ config }: Patient): Promise<readonly Finding[]> {
  const { url, workerUrl, migrationUrl } = config.database;
  const app = await connected(url).catch((error: unknown) => reasonOf(error));
  if (typeof app === 'string') {
    return [fail('postgres', `Postgres does not let the application in (${app}).`, TODO_BY_CODE[app] ?? TODO_REACH)];
  }
  try {
    const findings = [ok('postgres', 'Postgres answers.')];
    findings.push(...(await examined('migrations', TODO_MIGRATE, () => migrations(app, migrationUrl))));
    findings.push(...(await examined('grants', TODO_MIGRATE, () => grants(app))));
    findings.push(
      ...(await examined('worker role', TODO_WORKER, () => workerRole(app, workerUrl === url ? null : workerUrl))),
    );
    findings.push(...(await examined('audit', TODO_MIGRATE, () => auditTriggers(app))));
    return findings;
  } finally {
    await app.end();
  }
}

const TODO_MIGRATE = 'Run npm run migrate.';
const TODO_WORKER = 'Is DATABASE_WORKER_URL its address? npm run migrate makes the role and sets its password.';
const TODO_REACH = 'Is it running, and is DATABASE_URL its address?';
const TODO_BY_CODE: Readonly<Record<string, string>> = {
  '28P01': 'The password in DATABASE_URL is not the one of its role: npm run migrate sets it.',
  '28000': 'The role in DATABASE_URL may not sign in: npm run migrate makes it.',
  '42501': 'The role in DATABASE_URL may not connect to this database: npm run migrate lets it in.',
  '3D000': 'The database in DATABASE_URL does not exist: create it, then run npm run migrate.',
};

export async function connected(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString, connectionTimeoutMillis: CONNECT_WITHIN_MS, query_timeout: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function migrations(app: Client, ownerUrl: string | null): Promise<Finding> {
  const done = await doneMigrations(app, ownerUrl);
  if (done === null) {
    return warn(
      'migrations',
      'The application may not see which migrations have run.',
      'Set DATABASE_MIGRATION_URL to have them compared.',
    );
  }
  const files = readdirSync(join(built('db'), 'migrations')).map((file) => file.replace(/\.sql$/, ''));
  const missing = files.filter((name) => !done.includes(name));
  const unknown = done.filter((name) => !files.includes(name));
  if (missing.length > 0) return fail('migrations', `Not yet run: ${missing.join(', ')}.`, TODO_MIGRATE);
  if (unknown.length > 0) {
    return fail('migrations', `The database is newer than this build: ${unknown.join(', ')}.`, 'Deploy a newer build.');
  }
  return ok('migrations', `All ${files.length} migrations have run.`);
}

async function doneMigrations(app: Client, ownerUrl: string | null): Promise<readonly string[] | null> {
  const read = async (client: Client) => {
    const { rows } = await client.query<{ name: string }>('SELECT name FROM schema_migrations ORDER BY name');
    return rows.map(({ name }) => name);
  };
  if (ownerUrl !== null) {
    const owner = await connected(ownerUrl);
    try {
      return await read(owner);
    } finally {
      await owner.end();
    }
  }
  try {
    return await read(app);
  } catch (error) {
    // Undefined table, or no privilege.
    if (sqlState(error) === '42501') return null;
    if (sqlState(error) === '42P01') return [];
    throw error;
  }
}

/** The application reads and writes rows; it changes no table and nothing that was audited. */
async function grants(app: Client): Promise<Finding> {
  const { rows } = await app.query<Record<string, boolean>>(
    `SELECT NOT rolsuper AS "it is a superuser",
            NOT has_schema_privilege('public', 'CREATE') AS "it may create tables",
            NOT has_table_privilege('audit_entries', 'UPDATE') AS "it may change audit entries",
            NOT has_table_privilege('audit_entries', 'DELETE') AS "it may delete audit entries",
            NOT has_table_privilege('audit_entries', 'TRUNCATE') AS "it may empty the audit entries",
            has_any_column_privilege('audit_entries', 'INSERT') AS "it may not write audit entries",
            has_table_privilege('call_logs', 'SELECT') AND has_table_privilege('call_logs', 'INSERT')
              AS "it may not write calls",
            has_table_privilege('vault_records', 'DELETE') OR has_table_privilege('vault_records', 'UPDATE')
              AS "it may not destroy sealed records"
       FROM pg_roles WHERE rolname = current_user`,
  );
  const wrong = Object.entries(rows[0] ?? {}).flatMap(([says, isRight]) => (isRight ? [] : [says]));
  if (wrong.length === 0) return ok('grants', "The application's role may do what it needs and no more.");
  return fail(
    'grants',
    `The role of DATABASE_URL is not as it should be: ${wrong.join('; ')}.`,
    'Use the role that npm run migrate makes from DATABASE_URL; the owner belongs in DATABASE_MIGRATION_URL only.',
  );
}

/** The worker alone writes the chain over what was audited: whoever takes over the API cannot forge it. */
async function workerRole(app: Client, url: string | null): Promise<Finding> {
  const { rows } = await app.query<{ may: boolean }>(`SELECT has_table_privilege('audit_chain', 'INSERT') AS may`);
  const appMayChain = rows[0]?.may === true;
  if (url === null) {
    return appMayChain
      ? warn(
          'worker role',
          'The role of DATABASE_URL may write the audit chain: right for the worker, wrong for the API.',
          'Give the API the role that npm run migrate makes from DATABASE_URL, and the worker that of DATABASE_WORKER_URL.',
        )
      : warn(
          'worker role',
          'The role that writes the audit chain was not looked at.',
          'Set DATABASE_WORKER_URL to have it examined too.',
        );
  }
  const worker = await connected(url);
  try {
    const found = await worker.query<Record<string, boolean>>(
      `SELECT NOT rolsuper AS "it is a superuser",
              NOT has_schema_privilege('public', 'CREATE') AS "it may create tables",
              NOT (has_table_privilege('audit_entries', 'UPDATE') OR has_table_privilege('audit_entries', 'DELETE')
                OR has_table_privilege('audit_entries', 'TRUNCATE')) AS "it may change audit entries",
              NOT (has_table_privilege('audit_chain', 'UPDATE') OR has_table_privilege('audit_chain', 'DELETE')
                OR has_table_privilege('audit_chain', 'TRUNCATE')) AS "it may change the audit chain",
              has_table_privilege('audit_chain', 'INSERT') AS "it may not write the audit chain"
         FROM pg_roles WHERE rolname = current_user`,
    );
    const wrong = Object.entries(found.rows[0] ?? {}).flatMap(([says, isRight]) => (isRight ? [] : [says]));
    if (appMayChain) wrong.push('the role of DATABASE_URL may write the audit chain as well');
    if (wrong.length === 0) return ok('worker role', 'The worker may chain what was audited, and nobody else may.');
    return fail(
      'worker role',
      `The role of DATABASE_WORKER_URL is not as it should be: ${wrong.join('; ')}.`,
      TODO_WORKER,
    );
  } finally {
    await worker.end();
  }
}

/** Grants stop the application; only triggers that always fire stop the owner too. */
async function auditTriggers(app: Client): Promise<Finding> {
  const { rows } = await app.query<{ table: string; guarded: number }>(
    `SELECT c.relname AS "table", coalesce(bit_or(t.tgtype) FILTER (WHERE t.tgenabled = 'A'), 0)::int AS guarded
       FROM pg_class c LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
      WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
        AND c.relname IN ('audit_entries', 'audit_chain', 'erasures')
      GROUP BY c.relname ORDER BY c.relname`,
  );
  const all = DELETE | UPDATE | TRUNCATE;
  const open = rows.filter(({ guarded }) => (guarded & all) !== all).map(({ table }) => table);
  if (rows.length === 0) return fail('audit', 'There are no audit tables.', TODO_MIGRATE);
  if (open.length > 0) {
    return fail(
      'audit',
      `Triggers that keep rows from being changed are off or gone on ${open.join(', ')}.`,
      'Find out who switched them off; ALTER TABLE … ENABLE ALWAYS TRIGGER switches them on. Then npm run audit:verify.',
    );
  }
  return ok('audit', `Nobody but a superuser can change ${rows.map(({ table }) => table).join(', ')}.`);
}
