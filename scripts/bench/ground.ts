import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from 'pg';
import { z } from 'zod';
import { Child } from '../child';
import { freePort, freeStackPorts } from '../ports';
import { APP_ROLE } from '../postgres';
import { built, progress, PROJECT_ROOT } from '../project';
import { removeRun, runDir } from '../run-dirs';
import { Stack } from '../stack';

/** The tables of the baselines: nothing but a key, in the database that ours uses too. */
const BASELINE_TABLES = `
  CREATE SCHEMA baseline;
  CREATE TABLE baseline.calls (call_id uuid PRIMARY KEY, account text, phone text, requested_at timestamptz);
  CREATE TABLE baseline.events (call_sid text, status text, sequence int, call_id uuid, leg text,
                                received_at timestamptz DEFAULT now(), PRIMARY KEY (call_sid, status, sequence));
  CREATE TABLE baseline.entries (entry_id uuid PRIMARY KEY, at timestamptz, actor text, action text, object_id text,
                                 purpose text, outcome text, canonical bytea);
  CREATE TABLE baseline.scores (event_id uuid PRIMARY KEY, user_id uuid, score float8, risk text,
                                measured_at timestamptz);
  GRANT USAGE ON SCHEMA baseline TO ${APP_ROLE};
  GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA baseline TO ${APP_ROLE};`;

/** As in production, except for the limits, which would refuse what is measured, and times of phones that play along. */
const SETTINGS: NodeJS.ProcessEnv = {
  REQUESTS_PER_USER_PER_HOUR: '1000',
  REQUESTS_PER_TARGET_PER_HOUR: '1000',
  RATE_LIMIT_USER: '1000000/1m',
  RATE_LIMIT_ADDRESS: '1000000/1m',
  RATE_LIMIT_ENDPOINT: '1000000/1m',
  RECIPIENT_LIMITS: '1000000/1m',
  RECIPIENT_LIMITS_SAFETY: '1000000/1m',
  // Twilio's own limit, from 1 up by contract: with it the wait of many at once would be that of its queue.
  TWILIO_CALLS_PER_SECOND: '1000',
  SMS_ENABLED: 'true',
  TWILIO_MESSAGES_PER_SECOND: '1000',
};

const tokenAnswer = z.object({ access_token: z.string() });

/** A bare server beside ours. */
export interface BaselineServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** A whole stack of its own, as `npm start` runs it, and the bare servers that it is compared with. */
export class BenchGround {
  private readonly baselines: Child[] = [];

  private constructor(
    readonly stack: Stack,
    private readonly stateDir: string,
    /** As the owner of the tables. */
    readonly owner: Pool,
  ) {}

  /** @param cancel ends what is being started */
  static async start(cancel: AbortSignal): Promise<BenchGround> {
    const stateDir = await runDir('bench');
    const stack = await Stack.start({
      stateDir,
      ports: await freeStackPorts(),
      durable: false,
      cancel,
      env: SETTINGS,
      onDeath: (name, how) => progress(`${name} ended by itself: ${how}.`),
    });
    const owner = new Pool({ connectionString: stack.database?.ownerUrl, max: 2 });
    owner.on('error', () => undefined);
    await owner.query(BASELINE_TABLES);
    return new BenchGround(stack, stateDir, owner);
  }

  /** Of everything that this stack keeps. */
  get stateDirectory(): string {
    return this.stateDir;
  }

  get apiUrl(): string {
    return this.stack.services.apiUrl;
  }

  /** The environment of our services: account, issuer, addresses. */
  get env(): NodeJS.ProcessEnv {
    return this.stack.services.environment;
  }

  /** Access tokens of as many users. */
  async userTokens(count: number): Promise<string[]> {
    const tokens: string[] = [];
    for (let user = 0; user < count; user += 1) tokens.push(await this.tokenOf('user'));
    return tokens;
  }

  /** An access token of somebody new. */
  async tokenOf(role: 'user' | 'staff' | 'service'): Promise<string> {
    const answer = await fetch(`${this.stack.services.simulatorUrl}/oidc/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ role, subject: crypto.randomUUID() }),
    });
    return tokenAnswer.parse(await answer.json()).access_token;
  }

  /** Resident memory of both processes, MB, as the kernel counts it. */
  memory(): { readonly worker: number; readonly api: number } {
    const of = (name: 'worker' | 'api'): number => {
      const { pid } = this.stack.services.child(name);
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1_024;
    };
    return { worker: of('worker'), api: of('api') };
  }

  /** Nobody takes up what is started from now on: what is measured is the accepting, the same on both sides. */
  async stopWorker(): Promise<void> {
    await this.stack.services.child('worker').stop();
  }

  /** @param name of `scripts/bench/baseline-<name>.ts`; it runs in a process of its own, as our API does */
  async startBaseline(name: 'connect-mentor' | 'call-status' | 'scores'): Promise<BaselineServer> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const child = new Child({
      name: `baseline-${name}`,
      command: process.execPath,
      args: ['--enable-source-maps', built(`scripts/bench/baseline-${name}.js`)],
      env: { ...this.env, PORT: String(port), PUBLIC_BASE_URL: url, TWILIO_WEBHOOK_BASE_URL: url },
      logFile: join(this.stack.logDir, `baseline-${name}.log`),
      isReady: (log) => log.includes('"msg":"baseline ready"'),
      readyWithinMs: 60_000,
      cwd: PROJECT_ROOT,
    });
    this.baselines.push(child);
    await child.start();
    return { url, stop: () => child.stop() };
  }

  async stop(): Promise<void> {
    await Promise.all(this.baselines.map((child) => child.stop()));
    await this.owner.end();
    await this.stack.stop();
    removeRun(this.stateDir);
  }
}
