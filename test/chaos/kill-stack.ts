import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool } from 'pg';
import { Stack } from '../../scripts/stack';
import { SimulatorClient } from '../../simulator/client';

/** Short enough for a round to take seconds; the proportions are those of the defaults. */
const TIMES = {
  DISPATCH_LEASE: '2s',
  DISPATCH_SETTLE: '1s',
  DISPATCH_HTTP_TIMEOUT: '800ms',
  DISPATCH_SEND_MARGIN: '900ms',
  CALL_USER_RING: '10s',
  CALL_USER_CONFIRM: '15s',
  CALL_MENTOR_RING: '5s',
  CALL_MENTOR_CONFIRM: '3s',
  CALL_MENTOR_SEARCH: '15s',
  CALL_OVERALL_WAIT: '30s',
  CALL_RING_BACK_WINDOW: '20s',
  SWEEP_INTERVAL: '5s',
  REQUESTS_PER_USER_PER_HOUR: '1000',
  REQUESTS_PER_TARGET_PER_HOUR: '1000',
  TWILIO_CALLS_PER_SECOND: '50',
};

/** A stack of its own, because everything in it will be killed. */
export class KillStack {
  private constructor(
    readonly stack: Stack,
    readonly sim: SimulatorClient,
    readonly pool: Pool,
  ) {}

  static async start(): Promise<KillStack> {
    const [api, simulator, postgres, temporal, temporalHttp] = await freePorts(5);
    const stateDir = mkdtempSync(join(process.env['KINDLINE_TEST_STATE_DIR'] ?? tmpdir(), 'kindline-kill-'));
    const stack = await Stack.start({
      stateDir,
      // A killed Postgres must find its data again; a machine that loses power is not part of this test.
      durable: true,
      ports: { api, simulator, postgres, temporal, temporalHttp, temporalUi: null },
      env: TIMES,
    });
    if (!stack.database) throw new Error('the kill test needs a Postgres of its own');
    const pool = new Pool({ connectionString: stack.database.ownerUrl, max: 2 });
    // Postgres is killed under it now and then.
    pool.on('error', () => {});
    const sim = new SimulatorClient(stack.services.simulatorUrl);
    await sim.settings({ wordMs: 5, webhookRetryMs: [300, 600, 1_200] });
    return new KillStack(stack, sim, pool);
  }

  async token(role: string, subject: string): Promise<string> {
    const answer = await fetch(`${this.stack.services.simulatorUrl}/oidc/token`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ role, subject }),
    });
    return ((await answer.json()) as { access_token: string }).access_token;
  }

  /** One HTTP request to the API; null when it was not answered or answered 5xx: an app would try again. */
  async request(method: string, path: string, token: string, body?: unknown, key?: string) {
    try {
      const answer = await fetch(`${this.stack.services.apiUrl}${path}`, {
        method,
        headers: {
          Authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...(key ? { 'Idempotency-Key': key } : {}),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(10_000),
      });
      const json = (await answer.json().catch(() => null)) as Record<string, unknown> | null;
      return answer.status >= 500 ? null : { status: answer.status, json };
    } catch {
      return null;
    }
  }

  /** Rows by a query, asked again while Postgres is coming back. */
  async rows(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    return until(`the answer to a query`, 60_000, async () => {
      try {
        return (await this.pool.query(sql, values)).rows as Record<string, unknown>[];
      } catch (error) {
        if (error instanceof Error && 'position' in error && error.position !== undefined) throw error;
        return null;
      }
    });
  }

  async stop(): Promise<void> {
    await this.pool.end().catch(() => {});
    await this.stack.stop();
  }
}

/** Asks until the answer is neither null nor false. */
export async function until<T>(what: string, withinMs: number, ask: () => Promise<T | null | false>): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${withinMs / 1000} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function freePorts(count: 5): Promise<[number, number, number, number, number]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          const answer = () => {
            const address = server.address();
            resolve(typeof address === 'object' && address ? address.port : 0);
          };
          if (server.listening) answer();
          else server.once('listening', answer);
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports as [number, number, number, number, number];
}
