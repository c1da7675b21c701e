import { ApplicationFailure, CancellationScope, condition, patched, workflowInfo } from '@temporalio/workflow';
import { isTerminal } from '../domain/call-status';
import { type EndReason, userLegKey } from '../domain/mentor-call';
import { dialling, legs, records } from './activity-options';
import { type Ending, stopped, wentToFallback } from './call-endings';
import type { MentorCallState, UserLeg } from './mentor-call-state';

/** Twilio's `Timeout` ends the ringing; our net comes this much later (ms). */
export const RING_NET = 15_000;
/** A leg that has not begun to ring by then never will in time: Twilio may hold it for hours (ms). */
const LONGEST_QUEUE = 60_000;
/** When a net finds the call still going on, it looks again after this (ms). */
export const LOOK_AGAIN = 60_000;

/** Never rejects: what became of the dispatch is written into `user`. */
export async function placeCall(call: MentorCallState, user: UserLeg): Promise<void> {
  const { input } = call;
  const { recordId, recipientToken } = input;
  if (recordId === null || recipientToken === null) {
    user.refusal = 'record-destroyed';
    return;
  }
  try {
    const { sid } = await dialling.placeCall({
      dispatchId: user.dispatchId,
      businessKey: userLegKey(input.callId, user.nth),
      callId: input.callId,
      workflowId: workflowInfo().workflowId,
      recordId,
      recipientToken,
      country: input.country,
      from: input.organisationNumber,
      language: input.language,
      ringSeconds: Math.round(input.times.userRing / 1000),
      amd: input.detectMachines,
    });
    // An inbound call of the user's may have become their leg meanwhile.
    user.dispatchedSid = sid;
    user.sid ??= sid;
    user.placedAt = Date.now();
  } catch (error) {
    user.refusal = refusalOf(error);
  }
}

function refusalOf(error: unknown): EndReason {
  const cause = error instanceof Error ? error.cause : undefined;
  const type = cause instanceof ApplicationFailure ? cause.type : undefined;
  if (type === 'RecordDestroyed') return 'record-destroyed';
  return type === 'DispatchAbandoned' ? 'user-not-reached' : 'provider-refused';
}

/**
 * Waits for the user's key 1. One timer serves the provider's patience and the ring net, because Twilio times
 * the ringing and the Gather itself; when it is due we look before we end anything.
 */
export async function reachUser(call: MentorCallState, user: UserLeg, giveUpAt: number | null): Promise<Ending | null> {
  const { times } = call.input;
  let deadline = giveUpAt ?? Date.now() + times.providerPatience;
  let answered = false;
  const confirmed = () => call.confirmedAt !== null;
  const settled = () =>
    confirmed() || call.stop !== null || call.userIsGone() || (user.refusal !== null && !call.calledIn);
  for (;;) {
    await condition(settled, Math.max(1, deadline - Date.now()), { summary: 'net below: reaching the user' });
    if (call.stop !== null) return stopped(call);
    if (call.userIsGone()) return { outcome: 'no-answer', reason: 'user-not-reached' };
    if (confirmed()) return null;
    if (user.refusal !== null) return { outcome: 'failed', reason: user.refusal };
    if (user.placedAt === null && patched('asks-before-giving-up')) await findPlaced(user);
    if (user.sid === null || user.placedAt === null) return { outcome: 'failed', reason: 'provider-unavailable' };
    const ringOver = user.placedAt + times.userRing + RING_NET;
    if (Date.now() < ringOver && giveUpAt === null) {
      deadline = ringOver;
      continue;
    }
    const status = await statusOf(call, user.sid);
    if (isTerminal(status)) {
      noteEnd(call, user.sid, status);
      continue;
    }
    const helped = status === 'in-progress' && answered && (await wentToFallback(call, user.sid)) !== false;
    // They pressed 1 or hung up while we looked.
    if (settled()) continue;
    if (status === 'in-progress' && !answered) {
      answered = true;
      deadline = Date.now() + times.userConfirm;
    } else if ((status === 'queued' || status === 'initiated') && Date.now() < user.placedAt + LONGEST_QUEUE) {
      deadline = user.placedAt + LONGEST_QUEUE;
    } else if (helped) {
      // Twilio could not reach us, and they may be talking with the helpline: that is not ours to end.
      deadline = Date.now() + LOOK_AGAIN;
    } else {
      return status === 'queued' || status === 'initiated'
        ? { outcome: 'failed', reason: 'provider-unavailable' }
        : { outcome: 'no-answer', reason: 'user-not-reached' };
    }
  }
}

/** No worker may have been there to tell us of a phone that rings; only what Twilio has not taken is unavailable. */
async function findPlaced(user: UserLeg): Promise<void> {
  const { sid } = await records.placedCall({ dispatchId: user.dispatchId });
  if (sid === null) return;
  user.dispatchedSid ??= sid;
  user.sid ??= sid;
  user.placedAt ??= Date.now();
}

/**
 * Twilio's word on the user's leg; `unknown` as soon as its end was told by a callback. While its API is away a call whose
 * phones have been hung up must not stay open until that is back.
 */
export async function statusOf(call: MentorCallState, sid: string): Promise<string> {
  const read = () => legs.readCall({ sid });
  if (!patched('heeds-the-end-while-asking')) return (await read()).status;
  return (await unlessOver(call, sid, read))?.status ?? 'unknown';
}

/** Ends a leg at Twilio, or finds that it is over. */
export async function endLeg(call: MentorCallState, sid: string): Promise<void> {
  const end = () => legs.endCall({ sid });
  if (patched('heeds-the-end-while-ending')) await unlessOver(call, sid, end);
  else await end();
}

/** What Twilio answers; null, and the question is taken back, as soon as the leg's end was told. */
async function unlessOver<T>(call: MentorCallState, sid: string, ask: () => Promise<T>): Promise<T | null> {
  if (call.ended.has(sid)) return null;
  const scope = new CancellationScope();
  const asking = scope.run(ask);
  const answer = await Promise.race([asking, condition(() => call.ended.has(sid)).then(() => null)]);
  asking.catch(() => undefined);
  scope.cancel();
  return answer;
}

/** The callback was lost; Twilio's own word ends the leg. */
export function noteEnd(call: MentorCallState, sid: string, status: string): void {
  if (call.ended.has(sid)) return;
  call.ended.set(sid, { seenKey: `read:${sid}`, callSid: sid, status, dispatchId: null, errorCode: null });
}

export async function withdrawDispatch(call: MentorCallState, user: UserLeg, placing: Promise<void>): Promise<void> {
  const abandoned = await records.abandonDispatch({ dispatchId: user.dispatchId });
  await placing;
  const sid = user.dispatchedSid ?? abandoned.sid;
  if (sid) await endLeg(call, sid);
}
