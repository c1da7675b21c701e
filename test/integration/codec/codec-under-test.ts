/** The codec server over real Postgres and real HTTP, asked as the Web UI in a browser would. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Payload } from '@temporalio/common';
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { subjectOfAccounts } from '../../../api/accounts';
import { createAuthentication } from '../../../api/authentication';
import { createCodecServer } from '../../../api/codec-server';
import { listen, portOf } from '../../../api/serving';
import { loadCodecConfig } from '../../../config/codec';
import { ensureServiceKeys } from '../../../db/service-keys';
import { createPayloadCodec } from '../../../temporal/payload-codec';
import { createLogger } from '../../../vault/logger';
import { openLocalKeyRing } from '../../../vault/local-key-ring';
import { createTokenizer } from '../../../vault/tokens';
import { createTestDatabase, type TestDatabase } from '../../postgres';

export const UI = 'http://127.0.0.1:8233';
const ISSUER = 'http://issuer.test/oidc';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface WirePayload {
  readonly metadata: Record<string, string>;
  readonly data: string;
}

export class CodecUnderTest {
  private constructor(
    readonly database: TestDatabase,
    readonly logLines: readonly string[],
    private readonly url: string,
    private readonly encode: (payloads: Payload[]) => Promise<Payload[]>,
    private readonly sign: (claims: JWTPayload) => Promise<string>,
    readonly stop: () => Promise<void>,
  ) {}

  /** Asks nobody for a token, as on a developer's machine, unless `env` names an issuer: see {@link SIGNED_IN}. */
  static async start(env: NodeJS.ProcessEnv = {}): Promise<CodecUnderTest> {
    const database = await createTestDatabase();
    const dir = mkdtempSync(join(tmpdir(), 'kindline-codec-test-'));
    const config = loadCodecConfig({
      NODE_ENV: 'test',
      DATABASE_URL: database.appUrl,
      TEMPORAL_UI_URL: UI,
      CODEC_REQUESTS_PER_MINUTE: '100000',
      LOCAL_KEY_FILE: join(dir, 'root-key.json'),
      ...env,
    });
    const keyRing = await openLocalKeyRing(config.keys.localKeyFile, { nodeEnv: 'test' });
    const keys = await ensureServiceKeys(database.app, keyRing);
    const logLines: string[] = [];
    const logger = createLogger({
      name: 'codec',
      level: 'debug',
      destination: { write: (line: string) => void logLines.push(line) },
    });
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'test', alg: 'RS256' };
    const codec = createPayloadCodec(keys.all('payload-codec'));
    const authenticate =
      config.signIn === null
        ? null
        : createAuthentication({
            ...config.signIn,
            keys: createLocalJWKSet({ keys: [jwk] }),
            subjectOf: subjectOfAccounts(database.app, createTokenizer(keys.all('token'))),
          });
    const app = createCodecServer({ config, logger, pool: database.app, codec, authenticate });
    const server = await listen(app, { port: 0, host: '127.0.0.1' });
    return new CodecUnderTest(
      database,
      logLines,
      `http://127.0.0.1:${portOf(server)}`,
      (payloads) => codec.encode(payloads),
      (claims) => new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'test' }).sign(privateKey),
      async () => {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
        await database.drop();
        rmSync(dir, { recursive: true, force: true });
      },
    );
  }

  token(role: string, claims: JWTPayload = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const about = { iss: ISSUER, aud: 'the-web-ui', sub: `the-${role}`, iat: now, exp: now + 600, roles: [role] };
    return this.sign({ ...about, ...claims });
  }

  /** A payload as Temporal stores it. */
  async stored(value: unknown): Promise<WirePayload> {
    const [sealed] = await this.encode([
      { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(value)) },
    ]);
    return wire(sealed ?? {});
  }

  /** What the Web UI sends; `change` replaces headers, null leaves one out. */
  decode(
    payloads: unknown,
    change: { headers?: Record<string, string | null>; body?: string; token?: string } = {},
  ): Promise<Answer> {
    const headers = new Headers({ Origin: UI, 'Content-Type': 'application/json', 'X-Namespace': 'default' });
    if (change.token !== undefined) headers.set('Authorization', `Bearer ${change.token}`);
    for (const [name, value] of Object.entries(change.headers ?? {})) {
      if (value === null) headers.delete(name);
      else headers.set(name, value);
    }
    return this.ask('/decode', { method: 'POST', headers, body: change.body ?? JSON.stringify({ payloads }) });
  }

  async ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const answer = await fetch(`${this.url}${path}`, init);
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }

  /** The entries of decoding so far, oldest first. */
  async entries(): Promise<{ actor: string; object_id: string; purpose: string; outcome: string }[]> {
    const { rows } = await this.database.owner.query(
      `SELECT actor, object_id, purpose, outcome FROM audit_entries WHERE action = 'payload.decoded' ORDER BY at`,
    );
    return rows;
  }
}

/** As anywhere but on a developer's machine: only with a token of the Web UI's issuer. */
export const SIGNED_IN = { CODEC_OIDC_ISSUER: ISSUER, CODEC_OIDC_AUDIENCE: 'the-web-ui' } as const;

/** What the Web UI makes of an answer: the values, parsed. */
export function valuesIn(answer: Answer): unknown[] {
  const { payloads } = JSON.parse(answer.text) as { payloads: WirePayload[] };
  return payloads.map(({ data }) => JSON.parse(Buffer.from(data, 'base64').toString('utf8')));
}

function wire({ metadata, data }: Payload): WirePayload {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
  return {
    metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)])),
    data: base64(data ?? new Uint8Array()),
  };
}
