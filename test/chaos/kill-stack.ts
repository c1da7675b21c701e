import { createHash } from 'node:crypto';
import { ORGANISATION_NUMBERS } from '../../scripts/services';
import { eventually, startStack, type TestStack } from '../stack';

/** Short enough for a round to take seconds; the proportions are those of the defaults. */
const TIMES = {
  CALL_USER_RING: '5s',
  CALL_USER_CONFIRM: '7s',
  CALL_MENTOR_RING: '4s',
  CALL_MENTOR_CONFIRM: '3s',
  CALL_MENTOR_SEARCH: '12s',
  CALL_OVERALL_WAIT: '20s',
  CALL_RING_BACK_WINDOW: '15s',
  // So that some conversations end, and others are cut off.
  CALL_SHORT_BRIDGE: '1s',
  CALL_FEEDBACK_AFTER: '1s',
  // The first look at a call whose end nobody heard; as long as the latest ring that is promised.
  CALL_PROVIDER_PATIENCE: '30s',
  ALERT_RING: '5s',
  // Long enough for a conversation of somebody else to end.
  QUEUE_LONGEST_WAIT: '15s',
  // What was told while nobody listened is asked for by the next sweep.
  MESSAGE_RECEIPT_SILENCE: '10s',
  // An answer may be corrected until then; longer than the longest way of a text to it.
  BUDDY_CHECK_IN_CLOSES: '75s',
  // The same user has an alert in every round.
  WELLBEING_ALERT_SPACING: '1s',
};

const RECORDED = { CALL_RECORDING: 'on' };

/** Neighbouring rounds text and ring the same few phones. */
const LIMITS = {
  RECIPIENT_LIMITS: '1000/1m',
  RECIPIENT_LIMITS_SAFETY: '1000/1m',
  BUDDY_INVITATION_LIMITS: '1000/1m',
  BUDDY_TARGET_LIMITS: '1000/1m',
  BUDDY_CHECK_IN_TARGET_LIMITS: '1000/1m',
};

/**
 * Empty: its lines are not counted, and it reads no source maps, which takes a third of its start. What is killed counts
 * nothing anyway, and counting makes it fall in other ways.
 */
const NOT_COUNTED = { NODE_V8_COVERAGE: '', NODE_OPTIONS: '' };

/** A whole service with a Postgres and a Temporal of its own, because everything in it will be killed. */
export async function startKillStack(): Promise<TestStack> {
  const stack = await startStack({
    own: true,
    // Node itself has felled a worker (nodejs/node#60034, temporalio/sdk-typescript#939): what runs us starts it again.
    isSupervised: true,
    lease: '2s',
    settle: '1s',
    env: { ...TIMES, ...RECORDED, ...LIMITS, ...NOT_COUNTED, TRUST_PROXY_HOPS: '1' },
  });
  // As often as Twilio comes again, within the 15 s it takes in all; how long it pauses nobody knows. An API that is killed
  // beside two other suites needs up to 7 s to be back, and longer on a machine that has more to do.
  await stack.sim.settings({ wordMs: 5, webhookRetryMs: [250, 3_000, 6_500] });
  await stack.sim.sendText({ from: OPTED_OUT, to: ORGANISATION_NUMBERS[0], body: 'STOP' });
  await until('the opt-out', 30_000, async () => (await rows(stack, 'SELECT FROM opt_outs')).length === 1);
  return stack;
}

/** Has said STOP before the first round. */
export const OPTED_OUT = '+16465550199';

type Who = Parameters<TestStack['api']>[2];

/** One request as an app would make it: again until it is answered, and not by a 5xx. */
export async function persistently(
  stack: TestStack,
  path: string,
  init: Parameters<TestStack['api']>[1],
  who: Who,
): Promise<{ status: number; body: Record<string, unknown> }> {
  return eventually(
    async () => {
      const answer = await stack.api(path, { ...init, signal: AbortSignal.timeout(10_000) }, who);
      if (answer.status >= 500) throw new Error(`${path} was answered ${answer.status}`);
      return { status: answer.status, body: (answer.body ?? {}) as Record<string, unknown> };
    },
    90_000,
    250,
  );
}

/** Rows by a query, asked again while Postgres is coming back. */
export function rows(stack: TestStack, sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return eventually(async () => (await stack.pool.query(sql, values)).rows as Record<string, unknown>[], 60_000, 100);
}

/** Waits until it is true. */
export async function until(
  what: string,
  withinMs: number,
  ask: () => Promise<boolean>,
  // Dozens wait at once, by requests to a service that shares two cores with its killer.
  everyMs = 250,
): Promise<void> {
  await eventually(
    async () => {
      if (!(await ask())) throw new Error(`waited ${withinMs / 1000} s in vain for ${what}`);
    },
    withinMs,
    everyMs,
  );
}

/** Whether a link's token is the one whose hash is kept. */
export function isTokenOf(token: string, kept: Buffer): boolean {
  return createHash('sha256').update(token).digest().equals(kept);
}
