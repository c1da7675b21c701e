/**
 * The application over real Postgres and real HTTP, with a Temporal that says what a test tells it to: everything but
 * the workflows is the service's own.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { Pool } from 'pg';
import { createApi } from '../../../api/app';
import type { Role } from '../../../api/authentication';
import { SERVER_TIMEOUTS } from '../../../api/limits';
import { type ApiMetrics, createApiMetrics } from '../../../api/metrics';
import type {
  ApiDeps,
  BuddyEndings,
  MentorCallProcess,
  MessageBatchProcess,
  MessageProcess,
  VoiceAlertProcess,
  WellbeingProcess,
} from '../../../api/deps';
import type { PartState } from '../../../api/part-watch';
import { type Config, loadConfig } from '../../../config/config';
import type { EndingToTell } from '../../../db/buddy-endings';
import { ensureServiceKeys } from '../../../db/service-keys';
import { createVault } from '../../../db/vault-records';
import type { CallPlan, LegEnded, MentorCallInput, TwimlQuestion } from '../../../domain/mentor-call';
import type { BatchState, MessageBatchInput } from '../../../domain/message-batch';
import type { MessageInput, MessageReceipt, MessageResult } from '../../../domain/message';
import { createWebhookUrls } from '../../../domain/webhook-urls';
import { ProcessIsOver } from '../../../temporal/errors';
import type { Media } from '../../../providers/twilio-media';
import type { ProviderRecording, RecordingProvider } from '../../../providers/twilio-recordings';
import { openPrompts } from '../../../providers/prompts-file';
import { createSignIn } from '../../../providers/sign-in';
import { createSnsReader } from '../../../providers/sns-messages';
import { createVoiceTokens } from '../../../providers/voice-tokens';
import { createCallLog } from '../../../vault/call-log';
import { createCookieSeal } from '../../../vault/cookie-seal';
import { createLogger } from '../../../vault/logger';
import { openLocalKeyRing } from '../../../vault/local-key-ring';
import { createSubjectKeyCache } from '../../../vault/subject-key-cache';
import { createTokenizer } from '../../../vault/tokens';
import { FakeAlerts } from './fake-alerts';
import { FakeCheckIns } from './fake-check-ins';
import { FakeBuddies } from './fake-buddies';
import { FakeWellbeing } from './fake-wellbeing';
import { undocumented } from '../../openapi-conformance';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { mentorCallInput, type RingingInput } from '../../mentor-call-input';

const ISSUER = 'http://issuer.test/oidc';
export const WEBHOOK_BASE = 'https://calls.example.org';
export const ACCOUNT_SID = `AC${'a1'.repeat(16)}`;
export const AUTH_TOKEN = 'the-current-auth-token-of-tests';
export const SECOND_AUTH_TOKEN = 'the-other-auth-token-of-tests';

export const API_KEY = `SK${'b2'.repeat(16)}`;
export const API_SECRET = 'the-secret-of-the-api-key-of-tests';
export const TWIML_APP_SID = `AP${'c3'.repeat(16)}`;

/** Batches as the API asks for them; what the workflow would do is up to the test. */
export class FakeBatches implements MessageBatchProcess {
  readonly started: MessageBatchInput[] = [];
  readonly told: { batchId: string; what: string }[] = [];
  onStart: (input: MessageBatchInput) => Promise<void> = async () => undefined;
  onTell: (batchId: string, what: 'pause' | 'resume' | 'cancel') => Promise<BatchState | 'going-on' | 'over'> =
    async () => 'over';

  async start(input: MessageBatchInput): Promise<'running' | 'over'> {
    if (this.started.some(({ batchId }) => batchId === input.batchId)) return 'running';
    this.started.push(input);
    await this.onStart(input);
    return 'running';
  }

  async tell(batchId: string, what: 'pause' | 'resume' | 'cancel'): Promise<BatchState | 'going-on' | 'over'> {
    this.told.push({ batchId, what });
    return this.onTell(batchId, what);
  }
}

/** Plays the workflows: remembers what it was asked, answers what `plans` holds. */
export class FakeProcess implements MentorCallProcess {
  readonly started: MentorCallInput[] = [];
  readonly asked: { callId: string; question: TwimlQuestion; updateId: string }[] = [];
  readonly ended: LegEnded[] = [];
  readonly cancelled: string[] = [];
  plan: CallPlan = { do: 'hang-up' };
  /** Thrown by everything, when set: Temporal is down. */
  down: Error | null = null;
  /** Calls whose workflow is over or never was. */
  readonly over = new Set<string>();
  /** Runs once a call was started, as the workflow's first activity would. */
  onStart: (input: MentorCallInput) => Promise<void> = async () => undefined;

  async start(input: MentorCallInput): Promise<'running' | 'over'> {
    this.fail();
    if (!this.started.some(({ callId }) => callId === input.callId)) {
      this.started.push(input);
      await this.onStart(input);
    }
    return 'running';
  }

  async ask(callId: string, question: TwimlQuestion, updateId: string): Promise<CallPlan> {
    this.fail();
    if (this.over.has(callId)) throw new ProcessIsOver();
    this.asked.push({ callId, question, updateId });
    return this.plan;
  }

  async begin(input: MentorCallInput, question: TwimlQuestion, updateId: string): Promise<CallPlan> {
    await this.start(input);
    return this.ask(input.callId, question, updateId);
  }

  async legEnded(callId: string, event: LegEnded): Promise<'signalled' | 'closed'> {
    this.fail();
    if (this.over.has(callId)) return 'closed';
    this.ended.push(event);
    return 'signalled';
  }

  async cancel(callId: string) {
    this.fail();
    this.cancelled.push(callId);
    if (!this.started.some((input) => input.callId === callId)) return 'not-found' as const;
    return { status: 'cancelled', endReason: 'cancelled-by-user' } as const;
  }

  async describe(callId: string) {
    this.fail();
    const input = this.started.find((one) => one.callId === callId);
    return input === undefined ? null : { owner: input.userId, requestHash: input.requestHash, running: true };
  }

  private fail(): void {
    if (this.down !== null) throw this.down;
  }
}

/** Plays Twilio's recordings: what it is asked for, and what it gives. */
export class FakeRecordings implements Pick<RecordingProvider, 'open' | 'read'> {
  readonly opened: { sid: string; signal: AbortSignal }[] = [];
  onOpen: (sid: string) => Promise<Media | null> = async () => null;
  onRead: (sid: string) => Promise<ProviderRecording | null> = async () => null;

  async open(sid: string, signal: AbortSignal): Promise<Media | null> {
    this.opened.push({ sid, signal });
    return this.onOpen(sid);
  }

  read(sid: string): Promise<ProviderRecording | null> {
    return this.onRead(sid);
  }
}

/** Plays the workflows of messages. */
export class FakeMessages implements MessageProcess {
  readonly started: MessageInput[] = [];
  readonly receipts: { messageId: string; receipt: MessageReceipt }[] = [];
  readonly cancelled: string[] = [];
  readonly over = new Set<string>();
  onStart: (input: MessageInput) => Promise<void> = async () => undefined;
  onCancel: (messageId: string) => Promise<MessageResult | 'too-late' | 'not-found'> = async () => 'not-found';

  async start(input: MessageInput): Promise<'running' | 'over'> {
    if (!this.started.some(({ messageId }) => messageId === input.messageId)) {
      this.started.push(input);
      await this.onStart(input);
    }
    return 'running';
  }

  async receipt(messageId: string, receipt: MessageReceipt): Promise<'signalled' | 'closed'> {
    if (this.over.has(messageId)) return 'closed';
    this.receipts.push({ messageId, receipt });
    return 'signalled';
  }

  async cancel(messageId: string): Promise<MessageResult | 'too-late' | 'not-found'> {
    this.cancelled.push(messageId);
    return this.onCancel(messageId);
  }

  async describe(messageId: string) {
    const input = this.started.find((one) => one.messageId === messageId);
    if (input === undefined) return null;
    const { requestedBy, subjectId, requestHash } = input;
    return { requestedBy, subjectId, requestHash, running: true };
  }
}

/** Plays the workflows of buddies: who was told that they are not asked any more. */
export class FakeEndings implements BuddyEndings {
  readonly told: EndingToTell[] = [];

  async tell(ending: EndingToTell): Promise<void> {
    this.told.push(ending);
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: any; // oxlint-disable-line typescript/no-explicit-any
}

export interface Who {
  readonly role: Role;
  readonly subject?: string;
}

export class ApiUnderTest {
  readonly process = new FakeProcess();
  readonly alerts = new FakeAlerts();
  readonly checkIns = new FakeCheckIns();
  readonly wellbeing = new FakeWellbeing();
  readonly batches = new FakeBatches();
  readonly messageProcess = new FakeMessages();
  readonly endings = new FakeEndings();
  readonly endedByRest: string[] = [];
  /** The recordings at Twilio. */
  readonly recordings = new FakeRecordings();
  readonly logLines: string[] = [];
  twilioState: PartState = 'up';
  kmsState: PartState = 'up';
  isDraining = false;

  private constructor(
    readonly database: TestDatabase,
    readonly deps: ApiDeps,
    readonly metrics: ApiMetrics,
    /** The workflows of buddies; what they write is written. */
    readonly buddies: FakeBuddies,
    private readonly server: Server,
    private readonly signToken: (claims: JWTPayload) => Promise<string>,
    private readonly closeAll: () => Promise<void>,
  ) {}

  static async start(env: Record<string, string> = {}, { postgres = true, port = 0 } = {}): Promise<ApiUnderTest> {
    const database = await createTestDatabase();
    const dir = mkdtempSync(join(tmpdir(), 'kindline-api-test-'));
    const config = testConfig(database.appUrl, join(dir, 'root-key.json'), env);
    const keyRing = await openLocalKeyRing(config.keys.localKeyFile, { nodeEnv: 'test' });
    const keys = await ensureServiceKeys(database.app, keyRing);
    const parts: { api: ApiUnderTest | null } = { api: null };
    const logger = createLogger({
      name: 'api',
      level: 'debug',
      destination: { write: (line: string) => void parts.api?.logLines.push(line) },
    });
    const vault = createVault({
      pool: database.app,
      keyRing,
      cache: createSubjectKeyCache(),
      logger,
      databaseUrl: database.appUrl,
    });
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'test', alg: 'RS256' };
    const process: MentorCallProcess = {
      start: (input) => the(parts).process.start(input),
      ask: (callId, question, updateId) => the(parts).process.ask(callId, question, updateId),
      begin: (input, question, updateId) => the(parts).process.begin(input, question, updateId),
      legEnded: (callId, event) => the(parts).process.legEnded(callId, event),
      cancel: (callId) => the(parts).process.cancel(callId),
      describe: (callId) => the(parts).process.describe(callId),
    };
    const metrics = createApiMetrics({ pool: database.app, logger });
    const fakeMessages = (): FakeMessages => {
      // Temporal is down for all of them.
      if (the(parts).process.down !== null) throw the(parts).process.down;
      return the(parts).messageProcess;
    };
    const messages: MessageProcess = {
      start: async (input) => fakeMessages().start(input),
      receipt: async (messageId, receipt) => fakeMessages().receipt(messageId, receipt),
      cancel: async (messageId) => fakeMessages().cancel(messageId),
      describe: async (messageId) => fakeMessages().describe(messageId),
    };
    const alerts: VoiceAlertProcess = {
      start: (input) => the(parts).alerts.start(input),
      ask: (alertId, question, updateId) => the(parts).alerts.ask(alertId, question, updateId),
      legEnded: (alertId, event) => the(parts).alerts.legEnded(alertId, event),
      cancel: (alertId) => the(parts).alerts.cancel(alertId),
      describe: (alertId) => the(parts).alerts.describe(alertId),
    };
    const tokenizer = createTokenizer(keys.all('token'));
    const buddies = new FakeBuddies({
      pool: database.app,
      vault,
      tokenizer,
      config,
      linkKey: keys.current('link'),
    });
    const wellbeing: WellbeingProcess = {
      start: (input) => the(parts).wellbeing.start(input),
      close: (alertId, by) => the(parts).wellbeing.close(alertId, by),
      confirmEmergency: (alertId, actor) => the(parts).wellbeing.confirmEmergency(alertId, actor),
      contactAnswers: (asked, response) => the(parts).wellbeing.contactAnswers(asked, response),
    };
    const deps: ApiDeps = {
      config,
      wellbeing,
      alerts,
      checkIns: {
        begin: (input) => the(parts).checkIns.begin(input),
        opened: (requestId, visit) => the(parts).checkIns.opened(requestId, visit),
        respond: (requestId, answer, updateId) => the(parts).checkIns.respond(requestId, answer, updateId),
        texted: (answer) => the(parts).checkIns.texted(answer),
      },
      buddyEndings: {
        tell: async (ending) => {
          if (the(parts).process.down !== null) throw the(parts).process.down;
          await the(parts).endings.tell(ending);
        },
      },
      buddies,
      logger,
      callLog: createCallLog(logger, keys.all('token')),
      pool: postgres ? database.app : noPostgres(),
      vault,
      tokenizer,
      process,
      sns: createSnsReader(config.mailEvents),
      batches: {
        start: (input) => the(parts).batches.start(input),
        tell: (batchId, what) => the(parts).batches.tell(batchId, what),
      },
      messages,
      voice: {
        endCall: async (sid) => {
          the(parts).endedByRest.push(sid);
          return { status: 'completed' };
        },
      },
      recordings: {
        open: (sid, signal) => the(parts).recordings.open(sid, signal),
        read: (sid) => the(parts).recordings.read(sid),
      },
      voiceTokens: createVoiceTokens(config.twilio),
      urls: createWebhookUrls(WEBHOOK_BASE, null),
      promptsOf: openPrompts(config.mentorCall.promptsFile),
      twilio: {
        state: () => the(parts).twilioState,
        report: () => ({ state: the(parts).twilioState, checkedAt: new Date() }),
      },
      kms: { report: () => ({ state: the(parts).kmsState, checkedAt: new Date() }) },
      metrics,
      isDraining: () => the(parts).isDraining,
      temporalAnswers: async () => the(parts).process.down === null,
      signingKeys: createLocalJWKSet({ keys: [jwk] }),
      signIn: createSignIn(config.oidc, config.api.publicBaseUrl),
      cookies: createCookieSeal(keys.all('link')),
    };
    const server = createServer(SERVER_TIMEOUTS, createApi(deps));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const signToken = (claims: JWTPayload) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'test' }).sign(privateKey);
    parts.api = new ApiUnderTest(database, deps, metrics, buddies, server, signToken, async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await vault.close();
      await database.drop();
      rmSync(dir, { recursive: true, force: true });
    });
    return parts.api;
  }

  /** What the workflows of messages were started with. */
  get messages(): MessageInput[] {
    return this.messageProcess.started;
  }

  /** What the workflows of messages were told. */
  get receipts(): { messageId: string; receipt: MessageReceipt }[] {
    return this.messageProcess.receipts;
  }

  stop(): Promise<void> {
    return this.closeAll();
  }

  token({ role, subject = `the-${role}` }: Who, claims: Record<string, unknown> = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return this.signToken({
      iss: this.deps.config.oidc.issuer,
      aud: 'kindline',
      sub: subject,
      iat: now,
      exp: now + 600,
      roles: [role],
      ...claims,
    });
  }

  /** Asks as an app would; `json` becomes the body. */
  async ask(
    method: string,
    path: string,
    options: { who?: Who; json?: unknown; raw?: RequestInit } = {},
  ): Promise<Answer> {
    const headers = new Headers(options.raw?.headers);
    if (options.who !== undefined) headers.set('Authorization', `Bearer ${await this.token(options.who)}`);
    if (options.json !== undefined) headers.set('Content-Type', 'application/json');
    return this.fetch(path, {
      ...options.raw,
      method,
      headers,
      ...(options.json === undefined ? {} : { body: JSON.stringify(options.json) }),
    });
  }

  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async fetch(path: string, init: RequestInit): Promise<Answer> {
    const answer = await fetch(`http://127.0.0.1:${this.port}${path}`, { redirect: 'manual', ...init });
    const text = await answer.text();
    const contentType = answer.headers.get('content-type');
    const body = contentType?.includes('json') === true ? JSON.parse(text) : undefined;
    const { status, headers } = answer;
    // Every answer of every test: what the document does not say must not happen.
    const wrong = undocumented(init.method ?? 'GET', path, { status, headers, contentType, body });
    if (wrong.length > 0) throw new Error(`not as documented: ${wrong.join('; ')}`);
    return { status, headers, text, body };
  }

  /** Asks as Twilio would: a form, signed. Every part can be made wrong. */
  async twilio(path: string, fields: Record<string, string> = {}, wrong: WrongWebhook = {}): Promise<Answer> {
    const all = { AccountSid: ACCOUNT_SID, ApiVersion: '2010-04-01', ...fields };
    const body = new URLSearchParams(all);
    const url = wrong.signedUrl ?? `${WEBHOOK_BASE}${path}`;
    const signature = wrong.signature !== undefined ? wrong.signature : sign(wrong.token ?? AUTH_TOKEN, url, all);
    const headers = new Headers({ 'Content-Type': 'application/x-www-form-urlencoded', ...wrong.headers });
    if (signature !== null) headers.set('X-Twilio-Signature', signature);
    return this.fetch(path, { method: 'POST', headers, body: wrong.body ?? body.toString() });
  }

  /** How many rows each table holds that a request could have changed. */
  async footprint(): Promise<Record<string, number>> {
    const tables = [
      'app_events',
      'buddy_check_in_requests',
      'buddy_contacts',
      'buddy_invitations',
      'buddy_verification_audit',
      'call_logs',
      'voice_alerts',
      'contact_points',
      'dispatches',
      'mentor_call_access',
      'mentor_exceptions',
      'mentors',
      'user_profiles',
      'vault_records',
      'voice_identities',
      'webhook_events',
      'audit_entries',
    ];
    const counts: Record<string, number> = {};
    for (const table of tables) {
      const { rows } = await this.database.owner.query(`SELECT count(*)::int AS n FROM ${table}`);
      counts[table] = rows[0].n;
    }
    const { process: calls, alerts, checkIns } = this;
    return {
      ...counts,
      started: calls.started.length + alerts.started.length + checkIns.begun.length,
      asked: calls.asked.length + alerts.asked.length,
      signalled: calls.ended.length + alerts.ended.length,
    };
  }
}

export interface WrongWebhook {
  readonly signedUrl?: string;
  /** null: none at all. */
  readonly signature?: string | null;
  readonly token?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** Written apart from the service's own: two readings of Twilio's rule that must agree. */
export function sign(token: string, url: string, fields: Record<string, string>): string {
  const text = Object.keys(fields)
    .toSorted()
    .reduce((all, name) => all + name + fields[name], url);
  return createHmac('sha1', token).update(text).digest('base64');
}

export function newCallSid(): string {
  return `CA${randomBytes(16).toString('hex')}`;
}

export const CONSENT = { textVersion: '2026-11', language: 'en' } as const;

/** What the workflow's first activity writes. */
export function callInput(userId: string, recordId: string, more: Partial<RingingInput> = {}): RingingInput {
  const { times } = testConfig('postgres://nobody@127.0.0.1/none', 'none', {}).mentorCall;
  return mentorCallInput({ userId, recordId, consent: CONSENT, times, ...more });
}

export function testConfig(databaseUrl: string, keyFile: string, env: Record<string, string>): Config {
  return loadConfig({
    NODE_ENV: 'test',
    DATABASE_URL: databaseUrl,
    TWILIO_ACCOUNT_SID: ACCOUNT_SID,
    TWILIO_AUTH_TOKEN: AUTH_TOKEN,
    TWILIO_SECONDARY_AUTH_TOKEN: SECOND_AUTH_TOKEN,
    TWILIO_API_KEY: API_KEY,
    TWILIO_API_SECRET: API_SECRET,
    TWIML_APP_SID,
    TWILIO_PHONE_NUMBER: '+14155550100,+447700900100',
    TWILIO_WEBHOOK_BASE_URL: WEBHOOK_BASE,
    PUBLIC_BASE_URL: 'https://api.example.org',
    OIDC_ISSUER: ISSUER,
    KEY_RING: 'local',
    LOCAL_KEY_FILE: keyFile,
    REQUESTS_PER_USER_PER_HOUR: '1000',
    REQUESTS_PER_TARGET_PER_HOUR: '1000',
    RATE_LIMIT_USER: '1000000/1m',
    RATE_LIMIT_ADDRESS: '1000000/1m',
    RATE_LIMIT_ENDPOINT: '1000000/1m',
    RECIPIENT_LIMITS: '1000000/1m',
    RECIPIENT_LIMITS_SAFETY: '1000000/1m',
    ...env,
  });
}

/** Nobody listens there. */
function noPostgres(): Pool {
  return new Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none', connectionTimeoutMillis: 500 });
}

function the(parts: { api: ApiUnderTest | null }): ApiUnderTest {
  if (parts.api === null) throw new Error('the API has not started yet');
  return parts.api;
}
