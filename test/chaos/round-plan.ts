import type { HandsetScript, TextScript } from '../../simulator/client';
import { SeededRandom } from './seeded-random';

/** What is hit, and how. `SIGSTOP` is undone after five seconds; what was killed is started again at once. */
export interface Blow {
  readonly target: 'worker' | 'api' | 'temporal' | 'postgres';
  readonly signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP';
  /** After the first request of the round (ms). */
  readonly at: number;
}

export interface PlannedCall {
  readonly userPhone: string;
  readonly userScript: HandsetScript;
  /** When the app asks for the call (ms into the round). */
  readonly requestAt: number;
  /** When the app cancels it, if it does (ms into the round). */
  readonly cancelAt: number | null;
  readonly mayCallBack: boolean;
  /** Wants to be rung when a mentor is free. */
  readonly mayWait: boolean;
  /** Has agreed that the conversation is recorded; the mentor is asked. */
  readonly recording: boolean;
}

/** Somebody who taps "call" in the app, and has agreed there. */
export interface PlannedAppCall {
  readonly requestAt: number;
  readonly script: HandsetScript;
}

export interface PlannedText {
  readonly phone: string;
  readonly messageClass: 'ordinary' | 'safety';
  /** When it is asked for (ms into the round). */
  readonly requestAt: number;
  readonly script: TextScript;
}

export interface PlannedAlert {
  /** Rung in this order. */
  readonly phones: readonly { readonly number: string; readonly script: HandsetScript }[];
  readonly requestAt: number;
}

/** Everybody on the list gets the same words; the last one stands there twice. */
export interface PlannedBatch {
  readonly phones: readonly string[];
  readonly requestAt: number;
}

/** Three who are asked, each by their own user: one agrees and answers a check-in, one declines, one answers an alert. */
export interface PlannedBuddies {
  /** Of the first two. */
  readonly phones: readonly [string, string];
  /** When their users name them (ms into the round). */
  readonly invitedAt: number;
  readonly declinedAt: number;
  /** When the scores come that begin the alert (ms into the round), and which of the two it asks has been in touch. */
  readonly alertAt: number;
  readonly answering: 0 | 1;
  /** Neither of the first two can: it is one of the next two. */
  readonly goesOn: boolean;
}

export interface RoundPlan {
  readonly seed: number;
  readonly calls: readonly PlannedCall[];
  readonly appCalls: readonly PlannedAppCall[];
  readonly texts: readonly PlannedText[];
  readonly alerts: readonly PlannedAlert[];
  readonly batch: PlannedBatch;
  readonly buddies: PlannedBuddies;
  /** One script a mentor's phone. */
  readonly mentorScripts: readonly HandsetScript[];
  /** Of the first and the second helpline; sometimes one of them is busy, sometimes both. */
  readonly helplineScripts: readonly [HandsetScript, HandsetScript];
  readonly listLagMs: number;
  readonly blow: Blow;
}

const CALLS = 8;
const APP_CALLS = 2;
const TEXTS = 8;
const ALERTS = 2;
/** Beside these one who has opted out, and one who stands in the list twice. */
const IN_BATCH = 4;

/** The user's phones of a round; 555-01xx numbers, two series so that neighbouring rounds never share one. */
function userPhone(seed: number, n: number): string {
  return `+1${seed % 2 === 0 ? '415' : '628'}55501${String(20 + ((seed * CALLS + n) % 80)).padStart(2, '0')}`;
}

/** Everything that happens in a round, decided by its seed alone. */
export function planRound(seed: number, mentors: number): RoundPlan {
  const random = new SeededRandom(seed);
  return {
    seed,
    calls: Array.from({ length: CALLS }, (_, n) => planCall(random, userPhone(seed, n))),
    appCalls: Array.from({ length: APP_CALLS }, () => planAppCall(random)),
    texts: Array.from({ length: TEXTS }, (_, n) => planText(random, onePhone(seed, n))),
    alerts: Array.from({ length: ALERTS }, (_, n) =>
      planAlert(
        random,
        [10, 11].map((at) => onePhone(seed, at + 2 * n)),
      ),
    ),
    mentorScripts: Array.from({ length: mentors }, () => mentorScript(random)),
    helplineScripts: [helplineScript(random), helplineScript(random)],
    listLagMs: random.between(0, 800),
    blow: planBlow(random),
    batch: {
      phones: Array.from({ length: IN_BATCH }, (_, n) => batchPhone(seed, n)),
      requestAt: random.between(0, 3_000),
    },
    // Last, so that the calls and texts of a seed stay what they were.
    buddies: planBuddies(random, seed),
  };
}

function planBuddies(random: SeededRandom, seed: number): PlannedBuddies {
  const phone = (n: number) => `+130355501${String((seed * 2 + n) % 96).padStart(2, '0')}`;
  return {
    phones: [phone(0), phone(1)],
    invitedAt: random.between(0, 2_500),
    declinedAt: random.between(0, 4_000),
    alertAt: random.between(0, 4_000),
    answering: random.next() < 0.5 ? 0 : 1,
    goesOn: seed % 3 === 0,
  };
}

/** In an area of their own; as many rounds pass before one comes again as fit into the series. */
function batchPhone(seed: number, n: number): string {
  return `+164655501${String((seed * IN_BATCH + n) % 95).padStart(2, '0')}`;
}

/** Phones for texts and alerts, in areas of their own; neighbouring rounds share none. */
function onePhone(seed: number, n: number): string {
  return `+1${seed % 2 === 0 ? '212' : '312'}55501${String((seed * 14 + n) % 100).padStart(2, '0')}`;
}

function planText(random: SeededRandom, phone: string): PlannedText {
  return {
    phone,
    messageClass: random.next() < 0.4 ? 'safety' : 'ordinary',
    requestAt: random.between(0, 5_000),
    script: random.next() < 0.2 ? { outcome: 'undelivered', errorCode: 30005 } : {},
  };
}

function planAlert(random: SeededRandom, numbers: readonly string[]): PlannedAlert {
  const [first = '', second = ''] = numbers;
  const answerAfterMs = random.between(100, 1_000);
  const keys = [
    { when: 'greeting', press: '1', afterMs: 100 },
    { when: 'gather', press: '1', afterMs: 200 },
  ];
  const outcome = random.pick(['decline', 'busy', 'answer'] as const);
  return {
    phones: [
      { number: first, script: outcome === 'answer' ? { outcome, answerAfterMs, keys } : { outcome, answerAfterMs } },
      { number: second, script: { outcome: 'answer', answerAfterMs, keys } },
    ],
    requestAt: random.between(0, 4_000),
  };
}

function planCall(random: SeededRandom, phone: string): PlannedCall {
  const requestAt = random.between(0, 2_000);
  return {
    userPhone: phone,
    userScript: userScript(random),
    requestAt,
    cancelAt: random.next() < 0.15 ? requestAt + random.between(0, 4_000) : null,
    mayCallBack: random.next() < 0.5,
    mayWait: random.next() < 0.7,
    recording: random.next() < 0.5,
  };
}

/** Everybody hangs up in the end, some of them while they still wait; some lines are lost instead. */
function planAppCall(random: SeededRandom): PlannedAppCall {
  const after = random.next() < 0.2 ? 'words' : 'bridged';
  return {
    requestAt: random.between(0, 4_000),
    script: { hangUp: { after, ms: random.between(500, 3_000), isLost: random.next() < 0.3 } },
  };
}

function userScript(random: SeededRandom): HandsetScript {
  const answerAfterMs = random.between(100, 1_500);
  const fate = random.next();
  if (fate < 0.08) return { outcome: 'busy', answerAfterMs };
  if (fate < 0.16) return { outcome: 'decline', answerAfterMs };
  if (fate < 0.24) return { outcome: 'voicemail', answerAfterMs, hangUp: { after: 'answered', ms: 1_500 } };
  const keys = [
    { when: 'greeting', press: '1', afterMs: random.between(50, 600) },
    { when: 'All mentors are talking', press: '2', times: 1 },
    { when: 'helpline', press: '0', times: 1 },
    // Whose mentor's line has ended asks for another conversation, once.
    { when: 'connected again', press: '1', times: 1 },
    { when: 'how was it', press: '5', times: 1 },
  ];
  // Everybody hangs up in the end, some of them while they still wait; some lines are lost instead.
  const after = fate < 0.32 ? 'answered' : 'bridged';
  const isLost = random.next() < 0.3;
  return { outcome: 'answer', answerAfterMs, keys, hangUp: { after, ms: random.between(500, 3_000), isLost } };
}

function helplineScript(random: SeededRandom): HandsetScript {
  const answerAfterMs = random.between(50, 500);
  if (random.next() < 0.5) return { outcome: 'busy', answerAfterMs };
  return { outcome: 'answer', answerAfterMs, hangUp: { after: 'bridged', ms: random.between(300, 1_500) } };
}

function mentorScript(random: SeededRandom): HandsetScript {
  const answerAfterMs = random.between(100, 1_200);
  const fate = random.next();
  if (fate < 0.08) return { outcome: 'busy', answerAfterMs };
  if (fate < 0.15) return { outcome: 'no-answer' };
  if (fate < 0.3) return { outcome: 'decline', answerAfterMs };
  if (fate < 0.4) return { outcome: 'voicemail', answerAfterMs };
  return {
    outcome: 'answer',
    answerAfterMs,
    keys: [
      { when: 'whisper', press: '1', afterMs: random.between(50, 500) },
      { when: 'would be recorded', press: random.next() < 0.8 ? '1' : '2', afterMs: 100 },
    ],
    ...(fate < 0.65
      ? { hangUp: { after: 'bridged', ms: random.between(500, 2_000), isLost: random.next() < 0.4 } }
      : {}),
  };
}

function planBlow(random: SeededRandom): Blow {
  const target = random.pick(['worker', 'api', 'temporal', 'postgres'] as const);
  const signal = random.pick(['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGSTOP'] as const);
  return { target, signal, at: random.between(0, 5_000) };
}
