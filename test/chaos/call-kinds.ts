import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { LedgerEntry } from '../../simulator/client';
import type { TestStack } from '../stack';
import { persistently, rows, until } from './kill-stack';
import type { PlannedAppCall } from './round-plan';

/** What is not the same for every call: those from an app, those that wait, those that are recorded. */

/** Gets a token, and calls by it. @returns the SID of the app's call */
export async function callFromApp(stack: TestStack, planned: PlannedAppCall): Promise<string> {
  await delay(planned.requestAt);
  const who = { role: 'user', subject: randomUUID() } as const;
  const path = '/voice-token?format=json&textVersion=app-2026-11&language=en';
  const answer = await persistently(stack, path, {}, who);
  if (answer.status !== 200) throw new Error(`no token: ${JSON.stringify(answer)}`);
  const { sid, number } = await stack.sim.callFromApp(String(answer.body['token']));
  await stack.sim.script(number, planned.script);
  return sid;
}

export interface EndedAppCalls {
  readonly callIds: readonly string[];
  readonly faults: readonly string[];
}

/** What is said where the process cannot be asked, and how long it is silent before it is asked again (ms). */
const ONE_MOMENT = 'One moment, please.';
const ASKED_AGAIN_AFTER = 5_000;

/** Who hangs up before they were put through to anything has been taken by nobody, and nobody is to blame. */
function hungUpWaiting({ heard, answeredAt, endedAt }: LedgerEntry): boolean {
  if (answeredAt === null || endedAt === null) return false;
  return heard.join() === ONE_MOMENT && Date.parse(endedAt) - Date.parse(answeredAt) < ASKED_AGAIN_AFTER;
}

/**
 * Each was taken, and is over, or Twilio has played the static document to it because nobody answered, or they hung up
 * while they were told to wait a moment.
 */
export async function endedAppCalls(stack: TestStack, sids: readonly string[]): Promise<EndedAppCalls> {
  const look = () =>
    rows(stack, 'SELECT call_id, call_sid, live, outcome FROM call_logs WHERE call_sid = ANY($1)', [sids]);
  const isOver = async () => (await look()).every(({ live, outcome }) => live === false && outcome !== null);
  await until('the end of the calls from apps', 120_000, isOver).catch(() => undefined);
  const known = await look();
  const ledger = await stack.sim.ledger();
  const faults = sids.flatMap((sid) => {
    const leg = ledger.find((each) => each.sid === sid);
    const call = known.find((each) => each['call_sid'] === sid);
    if (call !== undefined)
      return call['live'] === false && call['outcome'] ? [] : [`the app call ${sid} is still live`];
    if (leg !== undefined && hungUpWaiting(leg)) return [];
    return leg?.wentToFallback === true ? [] : [`nobody has taken the app call ${sid}: ${JSON.stringify(leg)}`];
  });
  return { callIds: known.map((call) => String(call['call_id'])), faults };
}

/**
 * Each recording belongs to one dispatch, each accepted dispatch has one, and nothing is left in between. One that could
 * not be stopped in time, because a blow came between, heard somebody who had not agreed: it is deleted, and its row says so.
 */
export async function recordingsOf(
  stack: TestStack,
  callIds: readonly string[],
): Promise<{ readonly recorded: number; readonly faults: readonly string[] }> {
  const dispatches = await rows(
    stack,
    `SELECT d.dispatch_id, d.state, d.sid, coalesce(r.delete_because = 'not-agreed', false) AS goes
       FROM dispatches d LEFT JOIN call_recordings r ON r.recording_id = d.dispatch_id
      WHERE d.channel = 'recording' AND d.call_id = ANY($1::uuid[])`,
    [callIds],
  );
  const recordings = (await stack.sim.recordings()).map(({ sid }) => sid);
  const accepted = dispatches.filter(({ state }) => state === 'accepted');
  const owned = accepted.map(({ sid }) => String(sid));
  const kept = accepted.filter(({ goes }) => goes !== true).map(({ sid }) => String(sid));
  return {
    recorded: recordings.length,
    faults: [
      ...recordings.filter((sid) => !owned.includes(sid)).map((sid) => `the recording ${sid} has no dispatch`),
      ...kept.filter((sid) => !recordings.includes(sid)).map((sid) => `there is no recording ${sid}`),
      ...dispatches
        .filter(({ state }) => ['ready', 'attempting', 'unknown'].includes(String(state)))
        .map(({ dispatch_id: id, state }) => `the recording of dispatch ${String(id)} was left ${String(state)}`),
    ],
  };
}

/** How many of these calls were in the queue: its events outlive the row. */
export async function waitedOf(stack: TestStack, callIds: readonly string[]): Promise<number> {
  const [row] = await rows(
    stack,
    `SELECT count(DISTINCT object_id)::int AS n FROM app_events 
      WHERE type LIKE 'mentor-call%' AND state = 'waiting' AND object_id = ANY($1::uuid[])`,
    [callIds],
  );
  return Number(row?.['n']);
}
