import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/activity';
import { type MetricMeter, noopMetricMeter } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import type { Pool } from 'pg';
import { createPlaceCall, type PlaceCall } from '../../../activities/place-call';
import { createSendText, type SendText } from '../../../activities/send-text';
import type { ActivityDependencies } from '../../../activities/dependencies';
import { adoptCallSid, findDispatch, knowsSid, noteReceiptSid, type Dispatch } from '../../../db/dispatches';
import { openCall } from '../../../db/calls';
import { createMentor } from '../../../db/mentors';
import { createSubject } from '../../../db/subjects';
import { createVault, type Vault } from '../../../db/vault-records';
import { storeEvent } from '../../../db/webhook-events';
import { USUAL_POINTS } from '../../../domain/match-scorers';
import { SealedValue } from '../../../domain/sealed';
import { RETENTION } from '../../../domain/retention';
import { createWebhookUrls } from '../../../domain/webhook-urls';
import { createTwilioMessages, type MessagingProvider } from '../../../providers/twilio-messages';
import { createTwilioRecordings } from '../../../providers/twilio-recordings';
import { createTwilioInsights } from '../../../providers/twilio-insights';
import { createTwilioVoice, type VoiceProvider } from '../../../providers/twilio-voice';
import { SimulatorClient } from '../../../simulator/client';
import { startSimulator, type Simulator } from '../../../simulator/server';
import type { TextEntry } from '../../../simulator/text-types';
import type { LedgerEntry } from '../../../simulator/types';
import { openLocalKeyRing } from '../../../vault/local-key-ring';
import { createLogger } from '../../../vault/logger';
import { createSubjectKeyCache } from '../../../vault/subject-key-cache';
import { createTokenizer } from '../../../vault/tokens';
import { mentorCallInput } from '../../mentor-call-input';
import { PATIENCE_MS } from '../../patience';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { ALWAYS } from '../db/people';

export const SERVICE = `MG${'5'.repeat(32)}`;
export const OUR_NUMBERS = ['+14155550100', '+14155550101'] as const;
/** Far shorter than in production; long enough between claim and call for a process that stands still for a second. */
export const TIMES = { leaseMs: 3_000, settleMs: 1_000, httpTimeoutMs: 800, sendMarginMs: 900 } as const;

const ACCOUNT = { accountSid: `AC${'5'.repeat(32)}`, authToken: 'of-the-simulator', apiKey: null, apiSecret: null };

/** Of a service whose token key was never replaced. */
export const TOKEN_KEY = { version: 1, key: Buffer.alloc(32, 9) } as const;
const TOKENIZER = createTokenizer([TOKEN_KEY]);

/** What of Twilio's webhooks reaches us. */
interface Hearing {
  callbacks: boolean;
}

/**
 * A real Postgres, the simulator over HTTP, and a small stand-in for the API's two webhooks. A test places calls as
 * Temporal would: again after each failure that may be retried, with what was last heartbeated.
 */
export class DispatchWorld {
  readonly hears: Hearing = { callbacks: true };
  logLines: readonly string[] = [];
  /** What the counters of the worker's metrics say, by name. */
  readonly counted = new Map<string, number>();
  private phones = 0;

  private constructor(
    readonly db: TestDatabase,
    readonly sim: SimulatorClient,
    readonly vault: Vault,
    readonly deps: ActivityDependencies,
    private readonly close: () => Promise<void>,
  ) {}

  static async open(): Promise<DispatchWorld> {
    const db = await createTestDatabase();
    const dir = mkdtempSync(join(tmpdir(), 'kindline-dispatch-'));
    const keyRing = await openLocalKeyRing(join(dir, 'root-key.json'), { nodeEnv: 'test' });
    const lines: string[] = [];
    const logger = createLogger({
      name: 'test',
      level: 'info',
      destination: { write: (line) => void lines.push(line) },
    });
    const cache = createSubjectKeyCache();
    const vault = createVault({ pool: db.app, keyRing, cache, logger, databaseUrl: db.appUrl });
    const simulator = await startSimulator({
      ...ACCOUNT,
      port: 0,
      numbers: OUR_NUMBERS.map((number) => ({ number, voiceUrl: 'http://127.0.0.1:9/none' })),
      services: [{ sid: SERVICE, senders: OUR_NUMBERS }],
      settings: { callsPerSecond: 0, messagesPerSecond: 0, wordMs: 0, webhookRetryMs: [50] },
    });
    const voice = createTwilioVoice({ ...ACCOUNT, apiBaseUrl: simulator.url }, TIMES);
    const recordings = createTwilioRecordings({ ...ACCOUNT, apiBaseUrl: simulator.url }, TIMES);
    const insights = createTwilioInsights({ ...ACCOUNT, apiBaseUrl: simulator.url }, TIMES);
    const messaging = createTwilioMessages({ ...ACCOUNT, apiBaseUrl: simulator.url }, TIMES);
    let world: DispatchWorld | null = null;
    const webhooks = await listen((url, form, answer) => answerWebhook(db, world?.hears, url, form).then(answer));
    const deps: ActivityDependencies = {
      insights,
      maxDurationMs: 3_600_000,
      pool: db.app,
      vault,
      voice,
      recordings,
      messaging,
      messagingServiceSid: null,
      mail: {
        provider: null,
        from: 'Kindline <no-reply@kindline.example.org>',
        linkKey: { version: 1, key: Buffer.alloc(32, 7) },
        publicBaseUrl: 'https://api.example.org',
      },
      urls: createWebhookUrls(webhooks.url, null),
      temporal: null as never,
      logger,
      callLog: { note: () => undefined },
      dispatch: TIMES,
      enabled: { voice: true, sms: true, email: true },
      whenSwitchedOff: 'wait',
      lineProbeIntervalMs: 200,
      privacyPolicyUrl: null,
      allowedCountries: ['US'],
      limits: { perUser: 100, perTarget: 100 },
      retention: RETENTION,
      messages: { quietHours: null, receiptPatienceMs: 43_200_000, receiptSilenceMs: 600_000 },
      recipientLimits: { ordinary: [], safety: [] },
      phoneNumbers: OUR_NUMBERS,
      // Nothing here asks a buddy.
      buddies: null as never,
      wellbeing: null as never,
      matching: { scorer: 'default', points: USUAL_POINTS },
      crisisOverride: null,
      voiceAlert: {
        times: { ring: 30_000, providerPatience: 60_000, longestCall: 300_000 },
        attempts: 3,
        backoff: { firstMs: 30_000, factor: 2, longestMs: 600_000 },
        escalationDelayMs: 0,
      },
      // Nothing here seals the audit trail.
      auditKeys: null as never,
      checkpoints: null as never,
      appWebhook: null,
      watchdog: null as never,
      alertWebhook: null,
      tokenizer: TOKENIZER,
      callRetentionMs: 1_000,
      monotonicMs: () => performance.now(),
    };
    world = new DispatchWorld(db, new SimulatorClient(simulator.url), vault, deps, async () => {
      voice.close();
      insights.close();
      messaging.close();
      recordings.close();
      await close(simulator, webhooks.server);
      await vault.close();
      await db.drop();
      rmSync(dir, { recursive: true, force: true });
    });
    world.logLines = lines;
    return world;
  }

  async end(): Promise<void> {
    await this.close();
  }

  /** A person with a phone nobody has rung yet, and the request to ring it. */
  async somebody(): Promise<{ number: string; asked: PlaceCall }> {
    this.phones += 1;
    const number = `+1415555${String(110 + this.phones).padStart(4, '0')}`;
    const subjectId = await createSubject(this.db.app, 'system');
    const recordId = await this.vault.seal({ subjectId, kind: 'phone', value: SealedValue.of('phone', number) });
    const callId = randomUUID();
    return {
      number,
      asked: {
        dispatchId: randomUUID(),
        businessKey: `mentor-call:${callId}:user:1`,
        callId,
        workflowId: `mentor-call:${callId}`,
        recordId,
        recipientToken: TOKENIZER.token(SealedValue.of('phone', number)).toString('hex'),
        country: 'US',
        from: OUR_NUMBERS[0],
        language: 'en',
        ringSeconds: 30,
        amd: false,
      },
    };
  }

  /** The same person, to be texted these words. */
  async somebodyToText(body: string, change: Partial<SendText> = {}): Promise<{ number: string; asked: SendText }> {
    const { number, asked } = await this.somebody();
    const { dispatchId, recordId, recipientToken, country } = asked;
    const subjectId = await createSubject(this.db.app, 'system');
    const words = SealedValue.of('text', JSON.stringify({ text: body }));
    const messageId = randomUUID();
    const content = {
      templateId: null,
      templateVersion: null,
      recordId: await this.vault.seal({ subjectId, kind: 'text', value: words }),
    };
    const ids = { dispatchId, recordId, recipientToken, country, messageId, content, subjectId };
    const workflowId = `message:${messageId}`;
    return {
      number,
      asked: {
        ...ids,
        workflowId,
        businessKey: `${workflowId}:1`,
        sender: null,
        urgency: 'normal',
        zone: null,
        unreachedBy: null,
        language: 'en',
        kind: 'update',
        messageClass: 'ordinary',
        ...change,
      },
    };
  }

  /** A live call, and mentors who are on shift at any time. */
  async callWithMentors(count: number): Promise<{ callId: string; mentorIds: string[] }> {
    const mentorIds: string[] = [];
    for (let n = 0; n < count; n += 1) {
      const subjectId = await createSubject(this.db.app, 'system');
      const nameRecordId = await this.vault.seal({
        subjectId,
        kind: 'name',
        value: SealedValue.of('name', `Mentor ${n}`),
      });
      const phone = SealedValue.of('phone', `+1415555019${n}`);
      const phoneRecordId = await this.vault.seal({ subjectId, kind: 'phone', value: phone });
      const mentor = {
        subjectId,
        nameRecordId,
        phoneRecordId,
        country: 'US',
        zone: 'UTC',
        windows: ALWAYS,
        specialties: [],
        languages: ['en'],
        available: true,
        maxConcurrentCalls: 1,
        phoneToken: Buffer.alloc(32, n + 1),
      };
      mentorIds.push((await createMentor(this.db.app, mentor, 'system')).mentorId);
    }
    const { asked } = await this.somebody();
    await openCall(
      this.db.app,
      mentorCallInput({
        callId: asked.callId,
        recordId: asked.recordId,
        recipientToken: asked.recipientToken,
        userId: await createSubject(this.db.app, 'system'),
        numberIsForThisCallOnly: false,
      }),
      this.deps.limits,
    );
    return { callId: asked.callId, mentorIds };
  }

  /** Runs the activity once, as one attempt of Temporal's. */
  attempt(asked: PlaceCall, change: Partial<ActivityDependencies> = {}, heartbeat?: unknown): Attempt {
    return once((ask: PlaceCall) => createPlaceCall({ ...this.deps, ...change })(ask), asked, heartbeat, this.meter());
  }

  /** The same of a text. */
  attemptText(asked: SendText, change: Partial<ActivityDependencies> = {}, heartbeat?: unknown): Attempt {
    return once((ask: SendText) => createSendText({ ...this.deps, ...change })(ask), asked, heartbeat, this.meter());
  }

  /** Runs the activity until it succeeds or fails for good. */
  place(asked: PlaceCall, change: Partial<ActivityDependencies> = {}, heartbeat?: unknown): Promise<{ sid: string }> {
    return again((last) => this.attempt(asked, change, last), heartbeat);
  }

  /** The same of a text. */
  text(asked: SendText, change: Partial<ActivityDependencies> = {}, heartbeat?: unknown): Promise<{ sid: string }> {
    return again((last) => this.attemptText(asked, change, last), heartbeat);
  }

  private meter(): MetricMeter {
    const createCounter: MetricMeter['createCounter'] = (name) => ({
      ...noopMetricMeter.createCounter(name),
      add: (value) => void this.counted.set(name, (this.counted.get(name) ?? 0) + value),
    });
    return Object.assign(Object.create(noopMetricMeter) as MetricMeter, { createCounter });
  }

  async row(dispatchId: string): Promise<Dispatch> {
    const row = await findDispatch(this.db.app, dispatchId);
    if (row === null) throw new Error('no such dispatch');
    return row;
  }

  /** Every ring of one phone. */
  async rings(number: string): Promise<LedgerEntry[]> {
    return (await this.sim.ledger()).filter((entry) => entry.to === number);
  }

  /** Every text to one phone. */
  async texts(number: string): Promise<TextEntry[]> {
    return (await this.sim.messages()).filter((entry) => entry.to === number);
  }

  /** The provider, with one method replaced. */
  messagingWith(change: Partial<MessagingProvider>): { messaging: MessagingProvider } {
    return { messaging: { ...this.deps.messaging, ...change } };
  }

  voiceWith(change: Partial<VoiceProvider>): { voice: VoiceProvider } {
    return { voice: { ...this.deps.voice, ...change } };
  }
}

/** The same pool to look at, with some of its methods failing. */
export function poolWith(pool: Pool, change: Partial<Pool>): Pool {
  return Object.assign(Object.create(pool) as Pool, { query: pool.query.bind(pool) }, change);
}

export interface Attempt {
  readonly told: { last: unknown };
  readonly done: Promise<{ sid: string }>;
}

/** Runs an activity once, as one attempt of Temporal's. */
export function once<A>(
  activity: (asked: A) => Promise<{ sid: string }>,
  asked: A,
  heartbeat: unknown,
  metricMeter: MetricMeter = noopMetricMeter,
): Attempt {
  const env = new MockActivityEnvironment(
    { heartbeatDetails: heartbeat },
    { logger: new DefaultLogger('ERROR', () => undefined), metricMeter },
  );
  const told: { last: unknown } = { last: heartbeat };
  env.on('heartbeat', (details: unknown) => (told.last = details ?? told.last));
  return { told, done: env.run(activity, asked) };
}

/** Runs one until it succeeds or fails for good, with what was last heartbeated. */
export async function again(attempt: (heartbeat: unknown) => Attempt, heartbeat: unknown): Promise<{ sid: string }> {
  const deadline = Date.now() + PATIENCE_MS;
  for (let last = heartbeat; ; ) {
    const { told, done } = attempt(last);
    try {
      return await done;
    } catch (error) {
      const final = error instanceof ApplicationFailure && error.nonRetryable === true;
      if (final || Date.now() > deadline) throw error;
      const delay = error instanceof ApplicationFailure ? error.nextRetryDelay : undefined;
      await sleep(typeof delay === 'number' ? delay : 100);
      last = told.last;
    }
  }
}

/** Polls until something is so. */
export async function until<T>(what: string, look: () => Promise<T | null | undefined | false>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > deadline) throw new Error(`never came: ${what}`);
    await sleep(25);
  }
}

/** A process that dies here: what it was doing neither succeeds nor fails. */
export function dead(): Promise<never> {
  return new Promise(() => undefined);
}

type Answer = (xml: string | null) => void;

async function listen(handle: (url: URL, form: URLSearchParams, answer: Answer) => Promise<void>) {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      void handle(url, new URLSearchParams(body), (xml) => {
        response.writeHead(xml === null ? 204 : 200, xml === null ? {} : { 'content-type': 'text/xml' });
        response.end(xml ?? '');
      }).catch(() => response.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { server, url: `http://127.0.0.1:${port}` };
}

/** As the API does it: a greeting makes its CallSid the dispatch's own, any other call hangs up unspoken. */
async function answerWebhook(
  db: TestDatabase,
  hears: Hearing | undefined,
  url: URL,
  form: URLSearchParams,
): Promise<string | null> {
  const dispatchId = url.searchParams.get('dispatch') ?? '';
  const callSid = form.get('CallSid') ?? '';
  if (url.pathname === '/message-status') {
    if (hears?.callbacks === true) {
      const [sid, status] = [form.get('MessageSid'), form.get('MessageStatus')];
      const none = { callId: null, leg: null, step: null, sequence: null };
      const ids = { dispatchId, messageId: url.searchParams.get('message') };
      const seenKey = `${sid}:${status}`;
      const errorCode = form.get('ErrorCode');
      await storeEvent(db.app, { ...none, ...ids, seenKey, type: 'message-status', sid, status, errorCode });
      if (!(await knowsSid(db.app, dispatchId, sid ?? ''))) await noteReceiptSid(db.app, dispatchId, sid ?? '');
    }
    return null;
  }
  if (url.pathname === '/recording-status') {
    const recordingId = url.searchParams.get('recording');
    const [sid, status] = [form.get('RecordingSid'), form.get('RecordingStatus')];
    const none = { leg: null, step: null, sequence: null, errorCode: null };
    const ids = { dispatchId: recordingId, callId: url.searchParams.get('call') };
    const event = { ...none, ...ids, seenKey: `${sid}:${status}`, type: 'recording-status', sid, status };
    if (hears?.callbacks === true) await storeEvent(db.app, event);
    return null;
  }
  if (url.pathname === '/twiml/connect-mentor') {
    const adoption = await adoptCallSid(db.app, dispatchId, callSid);
    if (adoption !== 'own') return '<Response><Hangup/></Response>';
    return '<Response><Say>Hello, this is the call you asked for.</Say><Pause length="3600"/></Response>';
  }
  if (hears?.callbacks === true) {
    const sequence = Number(form.get('SequenceNumber'));
    await storeEvent(db.app, {
      seenKey: `${callSid}:${sequence}`,
      type: 'call-status',
      sid: callSid,
      dispatchId,
      callId: url.searchParams.get('call'),
      leg: 'user',
      step: null,
      status: form.get('CallStatus'),
      sequence,
      errorCode: null,
    });
  }
  return null;
}

async function close(simulator: Simulator, server: Server): Promise<void> {
  await simulator.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
