/**
 * A real Postgres for suites: a fresh database each, copied from a template that is migrated once per state of the
 * migration files. `scripts/test.ts` shares one server between all suites; a suite run by itself starts its own.
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Pool } from 'pg';
import { type LoginRole, migrate } from '../db/migrate';
import { freePort } from '../scripts/ports';
import { APP_ROLE, LocalPostgres, WORKER_ROLE } from '../scripts/postgres';
import { removePostgresHome } from '../scripts/postgres-home';
import { beyondTheList, saidByEntries } from './audit-entries';

const OWNER_ROLE = 'kindline_owner';
/** Any number: the lock under which templates are made and copied, on the server's `postgres` database. */
const TEMPLATE_LOCK = 7_305_551;

export interface TestDatabase {
  readonly name: string;
  readonly adminUrl: string;
  readonly ownerUrl: string;
  /** Of the role that the API uses. */
  readonly appUrl: string;
  /** Of the role that the worker uses. */
  readonly workerUrl: string;
  readonly owner: Pool;
  readonly app: Pool;
  readonly worker: Pool;
  /** Another pool of the application, e.g. to be a second process; ended with the database. */
  anotherPool(size?: number): Pool;
  /** Ends all pools and removes the database. */
  drop(): Promise<void>;
}

interface DatabaseOptions {
  /** False: an empty one. */
  readonly migrated?: boolean;
  /** True: on a server of this suite's own. The chain of the audit trail waits for transactions in any of its databases. */
  readonly alone?: boolean;
}

export async function createTestDatabase(options: DatabaseOptions = {}): Promise<TestDatabase> {
  const server = await findServer(options.alone === true);
  const name = `kindline_test_${randomBytes(6).toString('hex')}`;
  await withAdmin(server.adminUrl, async (admin) => {
    await admin.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const template = options.migrated === false ? 'template0' : await ensureTemplate(admin, server.adminUrl);
    await admin.query(`CREATE DATABASE ${name} OWNER ${OWNER_ROLE} TEMPLATE ${template}`);
  });
  const pools: Pool[] = [];
  const pool = (connectionString: string, max: number): Pool => {
    const made = new Pool({ connectionString, max });
    made.on('error', () => undefined);
    pools.push(made);
    return made;
  };
  const [ownerUrl, appUrl] = [urlFor(server.adminUrl, name, OWNER_ROLE), urlFor(server.adminUrl, name, APP_ROLE)];
  const workerUrl = urlFor(server.adminUrl, name, WORKER_ROLE);
  return {
    name,
    adminUrl: urlFor(server.adminUrl, name),
    ownerUrl,
    appUrl,
    workerUrl,
    owner: pool(ownerUrl, 4),
    app: pool(appUrl, 10),
    worker: pool(workerUrl, 4),
    anotherPool: (size = 10) => pool(appUrl, size),
    async drop() {
      if (options.migrated !== false) await withAdmin(urlFor(server.adminUrl, name), refuseUnlistedEntries);
      await Promise.all(pools.map((open) => open.end()));
      await withAdmin(server.adminUrl, (admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
      await server.stop();
    },
  };
}

/** What suites leave in their databases is held against the closed list of actions, before it is gone. */
async function refuseUnlistedEntries(admin: Client): Promise<void> {
  const beyond = beyondTheList(await saidByEntries(admin));
  if (beyond.length > 0) throw new Error(`Audit entries say what is not on the list: ${beyond.join(', ')}`);
}

/** The migrated database that all others are copied from; made when the migration files have changed. */
async function ensureTemplate(admin: Client, adminUrl: string): Promise<string> {
  const dir = join(__dirname, '..', 'db', 'migrations');
  const hash = createHash('sha256');
  for (const file of readdirSync(dir).toSorted()) hash.update(file).update(readFileSync(join(dir, file)));
  const name = `kindline_template_${hash.digest('hex').slice(0, 12)}`;
  const { rows } = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
  if (rows.length > 0) return name;
  // Under another name until it is complete: a test run that is killed leaves no half template behind.
  const half = `${name}_${randomBytes(3).toString('hex')}`;
  await ensureOwner(admin, passwordOf(adminUrl));
  await admin.query(`CREATE DATABASE ${half} OWNER ${OWNER_ROLE}`);
  await migrate(urlFor(adminUrl, half, OWNER_ROLE), { direction: 'up', ...roles(adminUrl) });
  await admin.query(`ALTER DATABASE ${half} RENAME TO ${name}`);
  return name;
}

async function ensureOwner(admin: Client, password: string): Promise<void> {
  const { rows } = await admin.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [OWNER_ROLE]);
  if (rows.length === 0) {
    await admin.query(`CREATE ROLE ${OWNER_ROLE} LOGIN CREATEROLE PASSWORD ${admin.escapeLiteral(password)}`);
  }
}

/** For suites that migrate a database themselves. */
export function roles(adminUrl: string): { appRole: LoginRole; workerRole: LoginRole } {
  const password = passwordOf(adminUrl);
  return { appRole: { name: APP_ROLE, password }, workerRole: { name: WORKER_ROLE, password } };
}

interface Server {
  readonly adminUrl: string;
  stop(): Promise<void>;
}

let ownServer: { server: LocalPostgres; stateDir: string; users: number } | null = null;

async function findServer(alone: boolean): Promise<Server> {
  const shared = process.env['KINDLINE_TEST_DATABASE_ADMIN_URL'];
  if (!alone && shared !== undefined && shared !== '') return { adminUrl: shared, stop: () => Promise.resolve() };
  if (ownServer === null) {
    const stateDir = mkdtempSync(join(tmpdir(), 'kindline-postgres-test-'));
    const server = await LocalPostgres.start({
      stateDir,
      logDir: stateDir,
      port: await freePort(),
      password: 'postgres-of-one-suite',
      durable: false,
    });
    if (server.pid !== null) endWithUs(server.pid);
    ownServer = { server, stateDir, users: 0 };
  }
  const own = ownServer;
  own.users += 1;
  return {
    adminUrl: own.server.superuserUrl('postgres'),
    async stop() {
      own.users -= 1;
      if (own.users > 0) return;
      ownServer = null;
      await own.server.stop();
      removePostgresHome(own.stateDir);
      rmSync(own.stateDir, { recursive: true, force: true });
    },
  };
}

/** A test run that is killed cannot stop its server; a process beside it does. */
function endWithUs(pid: number): void {
  const watch = `while kill -0 ${process.pid} && kill -0 ${pid}; do sleep 1; done; kill -INT ${pid}`;
  spawn('sh', ['-c', watch], { detached: true, stdio: 'ignore' }).unref();
}

async function withAdmin(url: string, use: (admin: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

function passwordOf(url: string): string {
  return decodeURIComponent(new URL(url).password);
}

function urlFor(adminUrl: string, database: string, role?: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  if (role !== undefined) url.username = role;
  return url.href;
}
