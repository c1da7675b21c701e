import {
  allHandlersFinished,
  ApplicationFailure,
  CancelledFailure,
  CancellationScope,
  condition,
  defineSignal,
  defineUpdate,
  patched,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import { isTerminal } from '../domain/call-status';
import {
  MENTOR_CALL,
  userLegKey,
  type CallPlan,
  type EndReason,
  type LegEnded,
  type MentorCallInput,
  type MentorCallResult,
  type Outcome,
  type TwimlQuestion,
} from '../domain/mentor-call';
import { dialling, legs, lookingBack, records } from './activity-options';
import { MentorCallState, type MentorTurn, type UserLeg } from './mentor-call-state';
import { answerTwiml, endBridge } from './twiml-answers';
import { tell, upsertState } from './visibility';

const answerTwimlUpdate = defineUpdate<CallPlan, [TwimlQuestion]>(MENTOR_CALL.answerTwiml);
const cancelUpdate = defineUpdate<MentorCallResult>(MENTOR_CALL.cancel);
const legEndedSignal = defineSignal<[LegEnded]>(MENTOR_CALL.legEnded);

/** Twilio's `Timeout` ends the ringing; our net comes this much later (ms). */
const RING_NET = 15_000;
/** A leg that has not begun to ring by then never will in time: Twilio may hold it for hours (ms). */
const LONGEST_QUEUE = 60_000;
/** When a net finds the call still going on, it looks again after this (ms). */
const LOOK_AGAIN = 60_000;
/** Twilio's last action request may come after the leg's end (ms). */
const LATE_ACTION = 3_000;
/** A conversation shorter than this was probably cut, when the user's side ended first (ms). */
const CUT_SHORT = 60_000;

type Ending = { readonly outcome: Outcome; readonly reason: EndReason; readonly mergedInto?: string };

/**
 * One masked mentor call, from the request to the last phone that hangs up. The user is rung, asked for key 1
 * by neutral words, and then led by the TwiML questions Twilio asks (`twiml-answers.ts`); this function owns
 * the user's leg, the nets below what Twilio times itself, and the ending, which always releases everything.
 */
export async function mentorCall(input: MentorCallInput): Promise<MentorCallResult> {
  const call = new MentorCallState(input);
  listen(call);
  // Cancelling from the Web UI must leave no ringing phone and no slot, so nothing below is cancelled with it.
  CancellationScope.current().cancelRequested.catch(() => {
    call.stop ??= 'operator';
  });
  const result = await CancellationScope.nonCancellable(() => run(call));
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  if (call.stop === 'operator') throw new CancelledFailure('the call was stopped by an operator');
  return result;
}

function listen(call: MentorCallState): void {
  const answer = (question: TwimlQuestion) => CancellationScope.nonCancellable(() => answerTwiml(call, question));
  setHandler(answerTwimlUpdate, answer, {
    // A question nobody waits for any more is refused: a mentor would be rung for nobody.
    validator: (question) => {
      if (Date.now() > question.validUntil) throw ApplicationFailure.nonRetryable('too late', 'QuestionTooLate');
    },
  });
  setHandler(cancelUpdate, async (): Promise<MentorCallResult> => {
    if (call.phase !== 'over') call.stop ??= 'user';
    await condition(() => call.result !== null);
    return call.result ?? { status: 'cancelled', endReason: 'cancelled-by-user' };
  });
  setHandler(legEndedSignal, (event) => {
    if (!call.ended.has(event.callSid)) call.ended.set(event.callSid, event);
  });
}

async function run(call: MentorCallState): Promise<MentorCallResult> {
  const opened = await records.openCall(call.input);
  if (opened.state === 'merged') {
    return finish(call, { outcome: 'merged', reason: 'merged', mergedInto: opened.mergedInto });
  }
  if (opened.state === 'limited') return close(call, { outcome: 'failed', reason: 'too-many-requests' });

  let ending = await ringAndAccompany(call, 1, null, null);
  if (mayRingBack(call)) {
    tell('The conversation was cut. Ringing the user back once.');
    const again = await ringAndAccompany(call, 2, Date.now() + call.input.times.ringBackWindow, ending);
    // The first conversation took place, whatever became of the second attempt.
    ending = again.reason === 'helpline-over' || again.reason === 'ended-by-user' ? again : ending;
  }
  return close(call, ending);
}

/** The user's leg was over first, early or by failure, and the request said that we may ring back. */
function mayRingBack(call: MentorCallState): boolean {
  const { turn, user, input } = call;
  if (!input.mayCallBack || call.stop !== null || !user?.sid || call.phase !== 'bridged' || !turn) return false;
  const failed = call.ended.get(user.sid)?.status === 'failed';
  return failed || endBridge(call) < CUT_SHORT;
}

/** @param before how the conversation ended for which the user is rung back; null for the first ring */
async function ringAndAccompany(
  call: MentorCallState,
  nth: number,
  giveUpAt: number | null,
  before: Ending | null,
): Promise<Ending> {
  const user: UserLeg = { nth, dispatchId: uuid4(), sid: null, dispatchedSid: null, placedAt: null, refusal: null };
  call.user = user;
  call.calledIn = false;
  call.confirmedAt = null;
  call.enter('reaching', null);
  tell('Ringing the user.');
  const placing = placeCall(call, user);
  const unreached = await reachUser(call, user, giveUpAt);
  if (unreached) return letGo(call, user, placing, unreached, before ?? unreached);
  if (call.calledIn) await withdrawDispatch(user, placing);
  tell('The user is on the line.');
  await accompany(call);
  if (call.stop !== null) return letGo(call, user, placing, stopped(call), stopped(call));
  if (call.phase === 'helpline') await condition(() => call.helplineOver !== null, LATE_ACTION);
  return ordinaryEnding(call);
}

/** Never rejects: what became of the dispatch is written into `user`. */
async function placeCall(call: MentorCallState, user: UserLeg): Promise<void> {
  const { input } = call;
  try {
    const { sid } = await dialling.placeCall({
      dispatchId: user.dispatchId,
      businessKey: userLegKey(input.callId, user.nth),
      callId: input.callId,
      workflowId: workflowInfo().workflowId,
      recordId: input.recordId,
      recipientToken: input.recipientToken,
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
async function reachUser(call: MentorCallState, user: UserLeg, giveUpAt: number | null): Promise<Ending | null> {
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
    const { status } = await legs.readCall({ sid: user.sid });
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

/** Stays until the user's leg is over, looking itself whenever a phase shows nothing for too long. */
async function accompany(call: MentorCallState): Promise<void> {
  while (!(await call.untilGoneOrDue())) {
    const turn = call.turn;
    if (call.phase === 'dialling' && turn && !turn.looked) {
      await lookAtSilentDial(call);
      continue;
    }
    // Longer than any phone rings, and Twilio has not told how the Dial ended: it may be with its fallback by now.
    if (call.phase === 'dialling' && turn && !turn.givenBack) await giveBack(call, turn, 'no-answer');
    const sid = call.user?.sid;
    if (!sid) return;
    const { status } = await legs.readCall({ sid });
    // A read may be older than the state; only what says that the leg is over, or gone, ends anything.
    if (!isTerminal(status) && status !== 'unknown') call.deadline = Date.now() + LOOK_AGAIN;
    else noteEnd(call, sid, status);
  }
}

/** The callback was lost; Twilio's own word ends the leg. */
function noteEnd(call: MentorCallState, sid: string, status: string): void {
  if (call.ended.has(sid)) return;
  call.ended.set(sid, { seenKey: `read:${sid}`, callSid: sid, status, dispatchId: null, errorCode: null });
}

/** A served Dial whose leg shows no callback in time was never dialled: its slot goes to somebody else. */
async function lookAtSilentDial(call: MentorCallState): Promise<void> {
  const turn = call.turn;
  if (!turn) return;
  turn.looked = true;
  const { callId, times } = call.input;
  const seen = await records.legSeen({ callId, step: turn.step });
  if (call.turn !== turn || call.phase !== 'dialling') return;
  if (!seen) await giveBack(call, turn, 'silent');
  if (call.turn === turn && call.phase === 'dialling') {
    call.deadline = Date.now() + times.mentorRing + times.mentorConfirm + RING_NET;
  }
}

/** The mentor of this turn is free for others, and comes too late for this call. */
async function giveBack(call: MentorCallState, turn: MentorTurn, result: 'silent' | 'no-answer'): Promise<void> {
  turn.givenBack = true;
  call.answers.clear();
  await records.releaseMentor({ callId: call.input.callId, step: turn.step, result });
}

function stopped(call: MentorCallState): Ending {
  if (call.stop === 'operator') return { outcome: 'cancelled', reason: 'stopped-by-operator' };
  return call.everBridged
    ? { outcome: 'completed', reason: 'ended-by-user' }
    : { outcome: 'cancelled', reason: 'cancelled-by-user' };
}

function ordinaryEnding(call: MentorCallState): Ending {
  if (call.phase === 'helpline') {
    if (call.helplineOver === 'not-reached') return { outcome: 'failed', reason: 'helpline-not-reached' };
    if (call.helplineOver === 'left') return { outcome: 'cancelled', reason: 'user-hung-up' };
    return { outcome: 'fallback-completed', reason: 'helpline-over' };
  }
  if (call.everBridged) return { outcome: 'completed', reason: 'bridge-over' };
  return { outcome: 'cancelled', reason: 'user-hung-up' };
}

/**
 * Ends a leg that is not wanted any more. An attempt under way is never abandoned: its row is marked, its
 * outcome awaited, and what came out is ended.
 *
 * @param told how the call as a whole has ended, should the app have to be told before that
 */
async function letGo(
  call: MentorCallState,
  user: UserLeg,
  placing: Promise<void>,
  ending: Ending,
  told: Ending,
): Promise<Ending> {
  const { callId } = call.input;
  // A user who called in and left again has a phone that our own call may still be ringing.
  if (call.userIsGone() && !call.calledIn) return ending;
  if (ending.reason === 'provider-unavailable' && user.placedAt === null) {
    // The app is told at once; the number is still needed to ask Twilio what became of the attempt.
    call.enter('over', null);
    await records.closeCall({ ...closing(call, told), keepNumber: true });
    await withdrawDispatch(user, placing);
    await records.destroyCallNumber({ callId });
    return ending;
  }
  await withdrawDispatch(user, placing);
  if (user.sid && user.sid !== user.dispatchedSid && !call.userIsGone()) await legs.endCall({ sid: user.sid });
  return ending;
}

async function withdrawDispatch(user: UserLeg, placing: Promise<void>): Promise<void> {
  const abandoned = await records.abandonDispatch({ dispatchId: user.dispatchId });
  await placing;
  const sid = user.dispatchedSid ?? abandoned.sid;
  if (sid) await legs.endCall({ sid });
}

/** Null when Twilio does not tell in time: nobody's slot, and no next call, waits for this. */
async function wentToFallback(call: MentorCallState, sid: string): Promise<boolean | null> {
  try {
    return (await lookingBack.wentToFallback({ callId: call.input.callId, sid })).fallback;
  } catch {
    return null;
  }
}

/** Writes the ending, frees every slot, destroys a number given for this call only. May be repeated. */
async function close(call: MentorCallState, ending: Ending): Promise<MentorCallResult> {
  endBridge(call);
  call.enter('over', null);
  const sid = call.user?.sid;
  let told = ending;
  // Somebody who was left with nobody of ours may have been served by the static document: ask Twilio.
  if (sid && (ending.reason === 'user-not-reached' || ending.reason === 'user-hung-up')) {
    const answered = call.ended.get(sid)?.status === 'completed';
    if (answered && (await wentToFallback(call, sid))) {
      told = { outcome: 'fallback-completed', reason: 'fallback-static' };
    }
  }
  await records.closeCall(closing(call, told));
  return finish(call, told);
}

function closing(call: MentorCallState, ending: Ending) {
  return {
    callId: call.input.callId,
    outcome: ending.outcome,
    endReason: ending.reason,
    endedAt: new Date(Date.now()).toISOString(),
    durationSeconds: call.talkedSeconds,
  };
}

function finish(call: MentorCallState, ending: Ending): MentorCallResult {
  call.enter('over', null);
  upsertState('ended');
  tell(`Over: ${ending.outcome} (${ending.reason}).`);
  call.result = {
    status: ending.outcome,
    endReason: ending.reason,
    ...(ending.mergedInto ? { mergedInto: ending.mergedInto } : {}),
  };
  return call.result;
}
