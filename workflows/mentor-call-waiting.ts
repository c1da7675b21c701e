import { allHandlersFinished, condition, patched } from '@temporalio/workflow';
import type { ReservedMentor } from '../activities/mentors';
import type { CallPlan } from '../domain/mentor-call';
import { LOOK_EVERY, type WaitingTerms } from '../domain/mentor-queue';
import { records } from './activity-options';
import type { MentorCallState } from './mentor-call-state';
import { tell, upsertState } from './visibility';

/** What a spoken sentence and a slow network may take until the user's leg is over (ms). */
const UNTIL_HUNG_UP = 30_000;

/** Whether it makes sense to ask the user if they want to wait. */
export async function isWorthWaiting(call: MentorCallState, terms: WaitingTerms): Promise<boolean> {
  const outlook = await records.queueOutlook({ terms, tried: call.tried });
  // Who has waited before keeps their turn, and needs no place of the limit.
  return outlook === 'open' || (outlook === 'full' && call.waitingSince !== null);
}

/** They pressed key 2. Null: the queue has filled up meanwhile. */
export async function startWaiting(call: MentorCallState): Promise<CallPlan | null> {
  const { waiting: terms } = call.input;
  if (terms === undefined || !(await join(call, terms))) return null;
  call.enter('waiting', UNTIL_HUNG_UP);
  return willRing(call);
}

/** Somebody who waits is told so again when they call us. */
export function willRing(call: MentorCallState): CallPlan {
  const withinSeconds = Math.max(1, Math.round((call.waitUntil - Date.now()) / 1_000));
  return { do: 'will-ring', withinSeconds };
}

async function join(call: MentorCallState, terms: WaitingTerms): Promise<boolean> {
  const { callId } = call.input;
  const since = call.waitingSince;
  const joined = await records.joinQueue({ callId, terms, ...(since === null ? {} : { since }) });
  if (joined.state !== 'waiting') return false;
  if (since === null) call.waitUntil = Date.now() + terms.longestWait;
  call.waitingSince = joined.since;
  call.isWaiting = true;
  return true;
}

/**
 * Whoever pressed key 2 is rung each time it is their turn, until they get to talk, are not reached, or give up.
 * @param first how their first leg ended
 * @param how what the call as a whole does about it
 */
export async function ringWhenFree<Ending>(
  call: MentorCallState,
  terms: WaitingTerms,
  first: Ending,
  how: { readonly ring: () => Promise<Ending>; readonly stopped: () => Ending; readonly inVain: () => Ending },
): Promise<Ending> {
  let latest = first;
  for (;;) {
    // They may have hung up while their key was still being written down. A cancel waits for us, not we for it.
    await condition(() => call.stop !== null || allHandlersFinished());
    if (!call.isWaiting) return latest;
    const turn = await turnInQueue(call, terms);
    call.isWaiting = false;
    if (turn !== 'turn') return turn === 'stopped' ? how.stopped() : how.inVain();
    latest = await how.ring();
    await giveKeptPlaceBack(call);
  }
}

/**
 * Waits, with no phone on the line, until a place is kept for this call and taken by it; the user has then to be rung.
 * Looks when it is told of an offer, and now and then by itself, because what tells it may be lost.
 */
async function turnInQueue(call: MentorCallState, terms: WaitingTerms): Promise<'turn' | 'in-vain' | 'stopped'> {
  if (call.stop !== null) return 'stopped';
  call.enter('waiting', null);
  upsertState('waiting');
  tell('Waiting until a mentor is free. The user has hung up and will be rung.');
  for (;;) {
    // Before the look: an offer that comes while we look is worth another one.
    call.isOffered = false;
    const step = call.step + 1;
    const { mentor, queue, isGone, isHopeless } = await records.takeTurn({ ...asking(call), step });
    if (mentor !== null) return keep(call, step, mentor);
    if (isGone === true) {
      // A step remembers its mentor for ever: asked again it would find the same one who is no more.
      call.step = step;
      if (isStopped(call)) return 'stopped';
      continue;
    }
    if (queue === 'gone' && !(await join(call, terms))) return 'in-vain';
    const left = call.waitUntil - Date.now();
    // Nobody will come any more: they are told now, and not when the time is over.
    if (left <= 0 || isHopeless === true) return 'in-vain';
    const awake = () => call.isOffered || call.stop !== null;
    await condition(awake, Math.min(left, LOOK_EVERY), { summary: 'next look at the queue' });
    if (isStopped(call)) return 'stopped';
  }
}

async function keep(call: MentorCallState, step: number, mentor: ReservedMentor): Promise<'turn' | 'stopped'> {
  call.step = step;
  call.kept = { step, mentor };
  if (isStopped(call)) {
    // Closing the call would give it back too, and take it for a ring.
    if (patched('kept-place-was-not-rung')) await giveKeptPlaceBack(call);
    return 'stopped';
  }
  upsertState('running');
  return 'turn';
}

/** Read anew: it changes while we wait. */
function isStopped(call: MentorCallState): boolean {
  return call.stop !== null;
}

/** The user did not answer: nobody is rung for nobody, and the place is somebody else's. */
export async function giveKeptPlaceBack(call: MentorCallState): Promise<void> {
  if (call.kept === null) return;
  const { step } = call.kept;
  call.kept = null;
  await records.releaseMentor({ callId: call.input.callId, step, result: 'not-rung' });
}

/** What a reservation asks for, whoever makes it. */
export function asking({ input, tried }: MentorCallState) {
  return {
    callId: input.callId,
    exclude: tried,
    preferences: input.preferences,
    country: input.country,
    leaseMs: input.times.maxDuration + 5 * 60_000,
  };
}
