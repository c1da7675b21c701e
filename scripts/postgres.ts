import { chownSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { Child } from './child';
import { CommandError } from './command-error';
import { initialise, lockHolder, type PostgresHome, postgresHome } from './postgres-home';
import { endLeftover } from './leftovers';

export interface PostgresOptions {
  readonly stateDir: string;
  readonly logDir: string;
  readonly port: number;
  /** Of every role that we make; only this machine can connect. */
  readonly password: string;
  /** False for tests: a killed process loses nothing then either, only a machine that loses power does. */
  readonly durable: boolean;
  readonly onDeath?: (name: string, how: string) => void;
}

/** The role that owns the tables and runs migrations. */
const OWNER = 'kindline_owner';
/** The role of the API: no more than it needs. Made by the migrations. */
export const APP_ROLE = 'kindline_app';
/** The role of the worker: the same, and the audit chain. */
export const WORKER_ROLE = 'kindline_work';
const SUPERUSER = 'postgres';

/** How long a killed server's shared memory may still be held by its dying children. */
const LEFTOVER_PATIENCE_MS = 20_000;

/** A Postgres of our own, on this machine only. */
export class LocalPostgres {
  private constructor(
    private readonly child: Child,
    private readonly options: PostgresOptions,
    readonly dataDir: string,
  ) {}

  /** Starts it, over the data of an earlier start where there is some. */
  static async start(options: PostgresOptions): Promise<LocalPostgres> {
    const home = postgresHome(options.stateDir);
    await endLeftover(lockHolder(home.dataDir), home.dataDir);
    withPasswordFile(home, options.password, (file) => initialise(home, SUPERUSER, file));
    const url = connectionUrl(SUPERUSER, options.password, options.port, 'postgres');
    const child = new Child(
      {
        name: 'postgres',
        command: join(home.bin, 'postgres'),
        args: ['-D', home.dataDir, '-p', String(options.port), ...settings(options)],
        env: { LC_ALL: 'C', TZ: 'UTC' },
        logFile: join(options.logDir, 'postgres.log'),
        isReady: () => answers(url),
        readyWithinMs: 30_000,
        stopSignal: 'SIGINT',
        cwd: '/',
        ...home.user,
      },
      options.onDeath,
    );
    const postgres = new LocalPostgres(child, options, home.dataDir);
    try {
      await postgres.restart();
      await postgres.query(SUPERUSER, ownerRole(options.password));
    } catch (error) {
      await postgres.stop();
      throw error;
    }
    return postgres;
  }

  get pid(): number | null {
    return this.child.pid;
  }

  get port(): number {
    return this.options.port;
  }

  superuserUrl(database: string): string {
    return connectionUrl(SUPERUSER, this.options.password, this.port, database);
  }

  ownerUrl(database: string): string {
    return connectionUrl(OWNER, this.options.password, this.port, database);
  }

  appUrl(database: string): string {
    return connectionUrl(APP_ROLE, this.options.password, this.port, database);
  }

  workerUrl(database: string): string {
    return connectionUrl(WORKER_ROLE, this.options.password, this.port, database);
  }

  /** Makes the database when there is none of that name. */
  async ensureDatabase(name: string, template = 'template0'): Promise<void> {
    await ensureDatabase(this.superuserUrl('postgres'), name, template);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Starts again after any kind of death; waits for what a killed server still holds. */
  async restart(): Promise<void> {
    await this.child.stop();
    const deadline = Date.now() + LEFTOVER_PATIENCE_MS;
    for (;;) {
      try {
        await this.child.start();
        return;
      } catch (error) {
        const isHeld = /still in use|lock file .* already exists/.test(this.child.log());
        if (!isHeld || Date.now() > deadline) throw error;
        await delay(100);
      }
    }
  }

  async stop(): Promise<void> {
    await this.child.stop();
  }

  private async query(user: string, sql: string): Promise<void> {
    await withClient(connectionUrl(user, this.options.password, this.port, 'postgres'), (client) => client.query(sql));
  }
}

/** Makes a database owned by the owner role, as a copy of a template. */
export async function ensureDatabase(superuserUrl: string, name: string, template = 'template0'): Promise<void> {
  await withClient(superuserUrl, async (client) => {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (found.rowCount !== 0) return;
    const [database, from] = [client.escapeIdentifier(name), client.escapeIdentifier(template)];
    await client.query(`CREATE DATABASE ${database} OWNER ${OWNER} TEMPLATE ${from}`);
  });
}

export async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  // A server that is killed while we are connected must not end our process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** The ways into a database of a local server that runs in another process. */
export function localDatabaseUrls(password: string, port: number, database: string) {
  return {
    ownerUrl: connectionUrl(OWNER, password, port, database),
    appUrl: connectionUrl(APP_ROLE, password, port, database),
    workerUrl: connectionUrl(WORKER_ROLE, password, port, database),
  };
}

function connectionUrl(user: string, password: string, port: number, database: string): string {
  return `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
}

async function answers(url: string): Promise<boolean> {
  await withClient(url, (client) => client.query('SELECT 1'));
  return true;
}

function settings({ durable }: PostgresOptions): string[] {
  const values: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '300',
    log_timezone: 'UTC',
    // A statement or a detail in the log could quote what a row holds.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function ownerRole(password: string): string {
  if (!/^[\w-]+$/.test(password)) throw new CommandError('a password of our own has only letters, digits, _ and -');
  return `DO $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '${OWNER}') THEN CREATE ROLE ${OWNER}; END IF;
  END $$;
  ALTER ROLE ${OWNER} LOGIN CREATEROLE PASSWORD '${password}';`;
}

function withPasswordFile(home: PostgresHome, password: string, use: (file: string) => void): void {
  const file = join(tmpdir(), `kindline-${process.pid}-${Date.now()}`);
  writeFileSync(file, password, { mode: 0o600 });
  if (home.user !== null) chownSync(file, home.user.uid, home.user.gid);
  try {
    use(file);
  } finally {
    rmSync(file, { force: true });
  }
}
