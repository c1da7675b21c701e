import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { MESSAGE_OUTCOMES } from '../../domain/message';
import { ALERT_OUTCOMES } from '../../domain/voice-alert';
import { MARKED } from '../marked-people';
import type { TestStack } from '../stack';
import { persistently, rows, until } from './kill-stack';
import type { PlannedAlert, PlannedText } from './round-plan';

export const STAFF = { role: 'staff', subject: 'staff-of-the-kill-test' } as const;

/** What was asked for, and how it ended. */
export interface EndedText {
  readonly phone: string;
  readonly messageClass: PlannedText['messageClass'];
  /** How it has to end, as its phone says. */
  readonly wanted: string;
  readonly messageId: string;
  readonly state: string;
}
export interface EndedAlert {
  readonly alertId: string;
  readonly state: string;
}

/** Asks for it at its time, as an app that asks until it is answered, and waits for its end. */
export async function sendText(stack: TestStack, planned: PlannedText): Promise<EndedText> {
  await delay(planned.requestAt);
  const { phone, messageClass } = planned;
  const json = { recipient: { phoneNumber: phone }, text: MARKED.messageWords, messageClass };
  const messageId = await accepted(stack, '/messages', json, 'messageId');
  const wanted = planned.script.outcome ?? 'delivered';
  const state = await endOf(stack, `/messages/${messageId}`, MESSAGE_OUTCOMES);
  return { phone, messageClass, wanted, messageId, state };
}

export async function raiseAlert(stack: TestStack, planned: PlannedAlert): Promise<EndedAlert> {
  await delay(planned.requestAt);
  const recipients = planned.phones.map(({ number }) => ({ phoneNumber: number }));
  const times = { attempts: 2, retryAfterSeconds: 1, escalationDelaySeconds: 0 };
  const alertId = await accepted(
    stack,
    '/alerts/voice',
    { recipients, text: MARKED.messageWords, ...times },
    'alertId',
  );
  return { alertId, state: await endOf(stack, `/alerts/voice/${alertId}`, ALERT_OUTCOMES) };
}

async function accepted(stack: TestStack, path: string, json: object, id: string): Promise<string> {
  const init = { json, headers: { 'Idempotency-Key': randomUUID() } };
  const answer = await persistently(stack, path, init, STAFF);
  if (answer.status !== 202) throw new Error(`${path} was refused: ${JSON.stringify(answer)}`);
  return String(answer.body[id]);
}

export async function endOf(stack: TestStack, path: string, ends: readonly string[]): Promise<string> {
  let state = '';
  await until(`the end of ${path}`, 120_000, async () => {
    state = String((await persistently(stack, path, {}, STAFF)).body['state']);
    return ends.includes(state);
  });
  return state;
}

/**
 * How many texts or rings there have to be of a dispatch. One that was withdrawn while its attempt was under way may have
 * left all the same, and then its row must know it: who was about to be told "withdrawn" is told "sent".
 */
function actsOf({ state, sid }: Record<string, unknown>): 0 | 1 {
  return state === 'accepted' || (state === 'abandoned' && sid !== null) ? 1 : 0;
}

function named({ state, sid, dispatch_id: id }: Record<string, unknown>): string {
  return `the ${String(state)} dispatch ${String(id)} ${sid === null ? 'without' : 'with'} a SID`;
}

export interface OthersTexts {
  readonly callIds?: readonly string[];
  readonly userIds?: readonly string[];
  readonly from?: Date;
}

/**
 * One text a dispatch that was accepted (or left while it was withdrawn), none without one, and every message ended as its phone says.
 * @param others calls that may have ended with a text, and users whose buddies were texted from an instant on
 */
export async function textFaults(
  stack: TestStack,
  ended: readonly EndedText[],
  { callIds = [], userIds = [], from = new Date() }: OthersTexts = {},
): Promise<string[]> {
  const faults: string[] = [];
  const sent = (await stack.sim.messages()).filter(({ direction }) => direction !== 'inbound');
  const dispatches = await rows(
    stack,
    `SELECT * FROM dispatches
      WHERE message_id = ANY($1::uuid[])
         OR message_id IN (SELECT message_id FROM messages JOIN call_logs USING (record_id) WHERE call_id = ANY($2::uuid[]))
         OR message_id IN (SELECT message_id FROM messages
                            WHERE requested_by = ANY($3::uuid[]) AND channel = 'sms' AND opened_at >= $4)`,
    [ended.map(({ messageId }) => messageId), callIds, userIds, from],
  );
  for (const dispatch of dispatches) {
    const id = String(dispatch['dispatch_id']);
    const texts = sent.filter(({ statusCallback }) => statusCallback?.includes(id));
    if (texts.length !== actsOf(dispatch)) faults.push(`${texts.length} texts for ${named(dispatch)}`);
    if (dispatch['doubled_count'] !== 0) faults.push(`dispatch ${id} counts as doubled`);
    if (['ready', 'attempting', 'unknown'].includes(String(dispatch['state'])))
      faults.push(`dispatch ${id} was left ${String(dispatch['state'])}`);
  }
  const known = new Set(dispatches.map((dispatch) => dispatch['sid']));
  for (const { sid, statusCallback } of sent) {
    if (statusCallback?.includes('/message-status') && !known.has(sid))
      faults.push(`a text without a dispatch: ${sid}`);
  }
  for (const { phone, messageClass, wanted, messageId, state } of ended) {
    const texts = sent.filter(({ to, body }) => to === phone && body === MARKED.messageWords);
    // Of an ordinary text nobody can know whether it left: it is not repeated, and the message says so.
    const isLostByRule = state === 'lost' && messageClass === 'ordinary' && texts.length === 0;
    if (state !== wanted && !isLostByRule) faults.push(`message ${messageId} ended ${state}, not ${wanted}`);
    if (texts.length > (wanted === 'suppressed' ? 0 : 1))
      faults.push(`${texts.length} texts to one phone for message ${messageId}`);
  }
  return faults;
}

/** One ring a dispatch that was accepted or left while it was withdrawn, nothing left open, and somebody acknowledged: the second phone always does. */
export async function alertFaults(stack: TestStack, ended: readonly EndedAlert[]): Promise<string[]> {
  const faults = ended
    .filter(({ state }) => state !== 'acknowledged')
    .map(({ alertId, state }) => `alert ${alertId} ended ${state}`);
  const ledger = await stack.sim.ledger();
  const dispatches = await rows(stack, 'SELECT * FROM dispatches WHERE alert_id = ANY($1::uuid[])', [
    ended.map(({ alertId }) => alertId),
  ]);
  for (const dispatch of dispatches) {
    const id = String(dispatch['dispatch_id']);
    const legs = ledger.filter((leg) => leg.direction === 'outbound-api' && leg.urls.some((url) => url.includes(id)));
    if (legs.length !== actsOf(dispatch)) faults.push(`${legs.length} rings for ${named(dispatch)}`);
    if (dispatch['doubled_count'] !== 0) faults.push(`dispatch ${id} counts as doubled`);
    if (['ready', 'attempting', 'unknown'].includes(String(dispatch['state'])))
      faults.push(`dispatch ${id} was left ${String(dispatch['state'])}`);
  }
  return faults;
}

/** The provider has taken every text and answers late; the worker dies with all answers on their way. */
export async function killedBeforeItWasWritten(stack: TestStack, count: number): Promise<string[]> {
  await stack.sim.reset();
  await stack.sim.faults([{ on: 'create-message', kind: 'late', delayMs: 5_000, times: count }]);
  const texts = Array.from({ length: count }, (_, n) => ({
    phone: `+1404555${String(100 + n).padStart(4, '0')}`,
    messageClass: 'ordinary' as const,
    requestAt: 0,
    script: {},
  }));
  const ending = Promise.all(texts.map((text) => sendText(stack, text)));
  await until('the provider to have every text', 30_000, async () => (await stack.sim.messages()).length === count);
  stack.kill('worker', 'SIGKILL');
  await stack.restart('worker');
  return textFaults(stack, await ending);
}
