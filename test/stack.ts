/**
 * The whole service for a test: real Postgres, real Temporal, the simulator, the API and a worker as processes of
 * their own, spoken to as an app and as Twilio would.
 *
 * Postgres and Temporal are those that `scripts/test.ts` shares between the suites (each stack has a database and a
 * namespace to itself), or the stack's own: for tests that kill them, and for a suite that is run by itself.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { Pool } from 'pg';
import { localSecrets } from '../scripts/local-secrets';
import { removePostgresHome } from '../scripts/postgres-home';
import { freePort, freeStackPorts } from '../scripts/ports';
import { STACKS } from '../scripts/run-dirs';
import { Services } from '../scripts/services';
import { type PartName, Stack } from '../scripts/stack';
import { prepareNamespace } from '../scripts/temporal-server';
import { SimulatorClient } from '../simulator/client';
import { gatherEvidence } from './evidence';
import { PATIENCE_MS } from './patience';
import { createTestDatabase } from './postgres';

export type Role = 'user' | 'mentor' | 'staff' | 'admin' | 'service';

export interface StackSettings {
  /** `DISPATCH_LEASE` and `DISPATCH_SETTLE`; 2 s and 1 s unless named. */
  readonly lease?: string;
  readonly settle?: string;
  /** More variables for the API and the worker, e.g. shorter timers. */
  readonly env?: NodeJS.ProcessEnv;
  /** True: Postgres and Temporal of this stack alone, so that they can be killed. */
  readonly own?: boolean;
  /** True: a process of ours that falls by itself is started again, as a process manager does it (only with `own`). */
  readonly isSupervised?: boolean;
  /** True: with Temporal's Web UI and the codec server, as `npm start` has them; the stack then has its own Temporal. */
  readonly webUi?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed JSON; undefined when the answer holds none. */
  readonly body: any; // oxlint-disable-line typescript/no-explicit-any
}

export interface TestStack {
  readonly apiUrl: string;
  readonly sim: SimulatorClient;
  /** As the owner of the tables: sees everything. */
  readonly pool: Pool;
  readonly appUrl: string;
  /** Of the worker's role: it alone sees the audit chain. */
  readonly workerUrl: string;
  /** Without the payload codec: ids, states and raw histories. */
  readonly temporal: Client;
  readonly temporalAddress: { readonly address: string; readonly namespace: string };
  /** The environment of the services, to build a client of one's own from `loadConfig`. */
  readonly env: NodeJS.ProcessEnv;
  readonly stateDir: string;
  /** Null unless it was asked for. */
  readonly webUi: { readonly url: string; readonly codecUrl: string } | null;
  /** The auth token that signs webhooks, for tests that play Twilio themselves. */
  readonly twilioAuthToken: string;
  /** Asks the API; `who` adds an access token, and an object as `json` a JSON body. */
  api(path: string, init?: RequestInit & { json?: unknown }, who?: { role: Role; subject?: string }): Promise<Answer>;
  token(role: Role, subject?: string): Promise<string>;
  /** Postgres and Temporal only when they are the stack's own. */
  kill(name: PartName, signal: NodeJS.Signals): void;
  /** Starts what was killed (or ends it first) and waits until it is ready. */
  restart(name: PartName): Promise<void>;
  pid(name: 'api' | 'worker' | 'simulator'): number | null;
  /** Processes of ours that fell by themselves, each with how. */
  readonly fallen: readonly string[];
  /** Everything the parts have written, by part. */
  logs(): Record<string, string>;
  stop(): Promise<void>;
}

/** What the parts below must bring; the rest of a `TestStack` is built from it. */
interface Ground {
  readonly stateDir: string;
  readonly services: Services;
  readonly ownerUrl: string;
  readonly appUrl: string;
  readonly workerUrl: string;
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly webUi: TestStack['webUi'];
  readonly fallen: readonly string[];
  kill(name: PartName, signal: NodeJS.Signals): void;
  restart(name: PartName): Promise<void>;
  stop(): Promise<void>;
}

export async function startStack(settings: StackSettings = {}): Promise<TestStack> {
  const shared = process.env.KINDLINE_TEST_TEMPORAL_ADDRESS ?? '';
  const isOwn = settings.own === true || settings.webUi === true || shared === '';
  const ground = isOwn ? await ownGround(settings) : await sharedGround(settings, shared);
  const { services, temporal: temporalAddress } = ground;

  const pool = new Pool({ connectionString: ground.ownerUrl, max: 4 });
  pool.on('error', () => undefined);
  const connection = Connection.lazy({ address: temporalAddress.address });
  const tokens = new Map<string, Promise<string>>();
  const token = (role: Role, subject?: string) => {
    const key = `${role} ${subject ?? ''}`;
    const known = tokens.get(key) ?? fetchToken(services.simulatorUrl, role, subject);
    tokens.set(key, known);
    return known;
  };

  return {
    apiUrl: services.apiUrl,
    sim: new SimulatorClient(services.simulatorUrl),
    pool,
    appUrl: ground.appUrl,
    workerUrl: ground.workerUrl,
    temporal: new Client({ connection, namespace: temporalAddress.namespace }),
    temporalAddress,
    env: services.environment,
    stateDir: ground.stateDir,
    webUi: ground.webUi,
    twilioAuthToken: services.options.secrets.twilioAuthToken,
    token,
    api: async (path, init = {}, who) => {
      const { json, ...rest } = init;
      const headers = new Headers(rest.headers);
      if (who !== undefined) headers.set('authorization', `Bearer ${await token(who.role, who.subject)}`);
      if (json !== undefined) headers.set('content-type', 'application/json');
      const body = json === undefined ? {} : { body: JSON.stringify(json), method: rest.method ?? 'POST' };
      return answerOf(await fetch(`${services.apiUrl}${path}`, { ...rest, ...body, headers }));
    },
    kill: (name, signal) => ground.kill(name, signal),
    restart: (name) => ground.restart(name),
    pid: (name) => services.child(name).pid,
    fallen: ground.fallen,
    logs: () => readLogs(join(ground.stateDir, 'logs')),
    stop: async () => {
      const witness = { pool, sim: new SimulatorClient(services.simulatorUrl), temporalAddress };
      if (isKept()) {
        await gatherEvidence({ ...witness, env: services.environment, stateDir: ground.stateDir });
      }
      await pool.end();
      await ground.stop();
      // Last: closing under a call that is being retried throws where nobody catches.
      await connection.close();
    },
  };
}

/** Asks again until the answer is given; a test's only way to wait. @throws the last error when time is over */
export async function eventually<T>(ask: () => Promise<T> | T, withinMs = PATIENCE_MS, everyMs = 50): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}

async function sharedGround(settings: StackSettings, address: string): Promise<Ground> {
  const stateDir = newStateDir();
  const database = await createTestDatabase();
  const namespace = `test-${randomBytes(6).toString('hex')}`;
  await prepareNamespace(address, namespace);
  const { ownerUrl, appUrl, workerUrl } = database;
  const services = new Services({
    stateDir,
    logDir: join(stateDir, 'logs'),
    secrets: localSecrets(stateDir),
    database: { ownerUrl, appUrl, workerUrl },
    temporal: { address, namespace },
    ports: { api: await freePort(), simulator: await freePort(), smtp: await freePort() },
    env: await environment(settings),
  });
  await services.start();
  const ours = (name: PartName) => {
    if (name === 'postgres' || name === 'temporal')
      throw new Error(`${name} is shared: start the stack with own: true`);
    return name;
  };
  return {
    stateDir,
    services,
    ownerUrl,
    appUrl,
    workerUrl,
    temporal: { address, namespace },
    webUi: null,
    fallen: [],
    kill: (name, signal) => services.kill(ours(name), signal),
    restart: (name) => services.restart(ours(name)),
    stop: async () => {
      await services.stop();
      // The search for what must not be stored looks at all databases when every suite is over.
      if (isKept()) await Promise.all([database.owner.end(), database.app.end(), database.worker.end()]);
      else await database.drop();
      leave(stateDir);
    },
  };
}

async function ownGround(settings: StackSettings): Promise<Ground> {
  const stateDir = newStateDir();
  const webUi = { temporalUi: await freePort(), codec: await freePort() };
  const ports = { ...(await freeStackPorts()), ...(settings.webUi === true ? webUi : {}) };
  const fallen: string[] = [];
  let running: Stack | null = null;
  const stack = await Stack.start({
    stateDir,
    ports,
    durable: false,
    env: await environment(settings),
    isQuiet: true,
    onDeath: (name, how) => {
      // A Postgres or Temporal that is started again may need more than one try, and whoever does that sees to it.
      if (!isOurs(name)) return;
      fallen.push(`${name}: ${how}`);
      if (settings.isSupervised === true) void running?.restart(name);
    },
  });
  running = stack;
  const { services, database } = stack;
  if (database === null) throw new Error('a stack of its own has a database of its own');
  return {
    stateDir,
    services,
    ownerUrl: database.ownerUrl,
    appUrl: services.options.database.appUrl,
    workerUrl: services.options.database.workerUrl,
    temporal: stack.temporalAddress,
    webUi: webUiOf(stack),
    fallen,
    kill: (name, signal) => stack.kill(name, signal),
    restart: (name) => stack.restart(name),
    stop: async () => {
      await stack.stop();
      leave(stateDir);
    },
  };
}

const OURS: readonly string[] = ['simulator', 'api', 'worker', 'codec'] satisfies PartName[];

function isOurs(name: string): name is PartName {
  return OURS.includes(name);
}

function webUiOf({ temporalUiUrl: url, services: { codecUrl } }: Stack): TestStack['webUi'] {
  return url === null || codecUrl === null ? null : { url, codecUrl };
}

async function environment(settings: StackSettings): Promise<NodeJS.ProcessEnv> {
  return {
    NODE_ENV: 'test',
    ...counting(),
    DISPATCH_LEASE: settings.lease ?? '2s',
    DISPATCH_SETTLE: settings.settle ?? '1s',
    // They must fit into the short lease.
    DISPATCH_HTTP_TIMEOUT: '800ms',
    DISPATCH_SEND_MARGIN: '900ms',
    TWILIO_CALLS_PER_SECOND: '100',
    TWILIO_MESSAGES_PER_SECOND: '100',
    REQUESTS_PER_USER_PER_HOUR: '1000',
    REQUESTS_PER_TARGET_PER_HOUR: '1000',
    RATE_LIMIT_USER: '1000000/1m',
    RATE_LIMIT_ADDRESS: '1000000/1m',
    RATE_LIMIT_ENDPOINT: '1000000/1m',
    RECIPIENT_LIMITS: '1000000/1m',
    RECIPIENT_LIMITS_SAFETY: '1000000/1m',
    SWEEP_INTERVAL: '5s',
    RELAY_INTERVAL: '500ms',
    AUDIT_SEAL_INTERVAL: '5s',
    METRICS_PORT: String(await freePort()),
    API_METRICS_PORT: String(await freePort()),
    ...settings.env,
  };
}

/** Only where lines are counted; see child-coverage.ts. */
function counting(): NodeJS.ProcessEnv {
  const { NODE_V8_COVERAGE } = process.env;
  if (NODE_V8_COVERAGE === undefined) return {};
  return {
    NODE_V8_COVERAGE,
    NODE_OPTIONS: `--enable-source-maps --require=${join(__dirname, 'no-thread-coverage.cjs')}`,
  };
}

/** Set by `scripts/test.ts`: what the suites leave there is searched at the end, then removed. */
function keptDir(): string {
  return process.env.KINDLINE_TEST_STATE_DIR ?? '';
}

function isKept(): boolean {
  return keptDir() !== '';
}

function newStateDir(): string {
  const parent = isKept() ? join(keptDir(), STACKS) : tmpdir();
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, 'kindline-stack-'));
}

function leave(stateDir: string): void {
  if (isKept()) return;
  removePostgresHome(stateDir);
  rmSync(stateDir, { recursive: true, force: true });
}

async function fetchToken(issuerUrl: string, role: Role, subject?: string): Promise<string> {
  const response = await fetch(`${issuerUrl}/oidc/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ role, ...(subject === undefined ? {} : { subject }) }),
  });
  const answer = await answerOf(response);
  if (answer.status !== 200) throw new Error(`the local issuer answered ${answer.status}: ${answer.text}`);
  return answer.body.access_token;
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  const body = isJson && text !== '' ? JSON.parse(text) : undefined;
  return { status: response.status, headers: response.headers, text, body };
}

function readLogs(dir: string): Record<string, string> {
  const files = readdirSync(dir).filter((file) => file.endsWith('.log'));
  return Object.fromEntries(files.map((file) => [file.replace(/\.log$/, ''), readFileSync(join(dir, file), 'utf8')]));
}
