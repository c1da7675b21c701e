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
} from '@temporalio/workflow';
import { isTerminal } from '../domain/call-status';
import {
  MENTOR_CALL,
  type CallPlan,
  type EndReason,
  type LegEnded,
  type MentorCallInput,
  type MentorCallResult,
  type TwimlQuestion,
} from '../domain/mentor-call';
import { records } from './activity-options';
import { leaveRecording, settleRecordings } from './call-recording';
import { MentorCallState, type MentorTurn, type UserLeg } from './mentor-call-state';
import { mayRingBack } from './reconnecting';
import { textDue, textUser } from './text-afterwards';
import { giveKeptPlaceBack, ringWhenFree } from './mentor-call-waiting';
import { answerTwiml, endBridge } from './twiml-answers';
import { type Ending, closing, ordinaryEnding, stopped, wentToFallback } from './call-endings';
import {
  endLeg,
  LOOK_AGAIN,
  noteEnd,
  placeCall,
  reachUser,
  RING_NET,
  statusOf,
  withdrawDispatch,
} from './reaching-user';
import { tell, upsertState } from './visibility';

const answerTwimlUpdate = defineUpdate<CallPlan, [TwimlQuestion]>(MENTOR_CALL.answerTwiml);
const cancelUpdate = defineUpdate<MentorCallResult>(MENTOR_CALL.cancel);
const legEndedSignal = defineSignal<[LegEnded]>(MENTOR_CALL.legEnded);
const placeOfferedSignal = defineSignal(MENTOR_CALL.placeOffered);

/** A mentor who is asked whether the conversation may be recorded takes this much longer (ms). */
const RECORDING_QUESTION = 20_000;
/** Twilio's last action request may come after the leg's end (ms). */
const LATE_ACTION = 3_000;
/** The same as `DropRules.cutShort`, for calls of before (ms). */
const CUT_SHORT = 60_000;

const TOLD_AFTER_RING_BACK: readonly EndReason[] = [
  'helpline-over',
  'helpline-not-reached',
  'ended-by-user',
  'stopped-by-operator',
];
const WAITED_IN_VAIN: Ending = { outcome: 'no-answer', reason: 'waited-in-vain' };

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
  await CancellationScope.nonCancellable(() => settleRecordings(call));
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
  setHandler(placeOfferedSignal, () => {
    call.isOffered = true;
  });
}

async function run(call: MentorCallState): Promise<MentorCallResult> {
  const opened = await records.openCall(call.input);
  if (opened.state === 'merged') {
    call.turnedAway = 'already-in-call';
    return finish(call, { outcome: 'merged', reason: 'merged', mergedInto: opened.mergedInto });
  }
  if (opened.state === 'limited') {
    call.turnedAway = 'no-mentor-now';
    return close(call, { outcome: 'failed', reason: 'too-many-requests' });
  }
  if (opened.refusesSurveyCalls) call.mayAskByKey = false;
  const { fromApp } = call.input;
  if (fromApp) return close(call, await accompanyFromApp(call, fromApp.callSid));

  let ending = await rungWhenFree(call, await ringAndAccompany(call, 1, null, null));
  const cutShort = call.input.drops?.cutShort ?? CUT_SHORT;
  if (mayRingBack(call, endBridge(call), cutShort)) {
    tell('The conversation was cut. Ringing the user back once.');
    const giveUpAt = Date.now() + call.input.times.ringBackWindow;
    const again = await rungWhenFree(call, await ringAndAccompany(call, nextRing(call), giveUpAt, ending));
    // The first conversation took place, whatever became of the second attempt; unless there is more to say of it.
    if (TOLD_AFTER_RING_BACK.includes(again.reason)) ending = again;
  }
  return close(call, ending);
}

/** Whoever pressed key 2 while they were on the line, also after they were rung back, is rung when somebody is free. */
async function rungWhenFree(call: MentorCallState, ending: Ending): Promise<Ending> {
  const { waiting } = call.input;
  if (waiting === undefined) return ending;
  return ringWhenFree(call, waiting, ending, {
    ring: () => ringAndAccompany(call, nextRing(call), null, null),
    stopped: () => stopped(call),
    inVain: () => (call.everBridged ? ordinaryEnding(call) : WAITED_IN_VAIN),
  });
}

function nextRing(call: MentorCallState): number {
  return (call.user?.nth ?? 0) + 1;
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
  leaveRecording(call);
  call.calledIn = false;
  call.confirmedAt = null;
  call.isCutOff = false;
  call.enter('reaching', null);
  tell('Ringing the user.');
  if (before !== null && patched('says-what-happens-again')) {
    await records.noteCall({ callId: call.input.callId, status: 'ringing-user' });
  }
  const placing = placeCall(call, user);
  const unreached = await reachUser(call, user, giveUpAt);
  if (unreached) return letGo(call, user, placing, unreached, before ?? unreached);
  // What their own call made needless: it is withdrawn while they talk, however long Twilio takes to answer.
  if (call.calledIn && patched('withdraws-meanwhile')) call.withdrawals.push(withdrawDispatch(call, user, placing));
  else if (call.calledIn) await withdrawDispatch(call, user, placing);
  tell('The user is on the line.');
  await accompany(call);
  if (call.stop !== null) return letGo(call, user, placing, stopped(call), stopped(call));
  if (call.phase === 'helpline') await condition(() => call.helplineOver !== null, LATE_ACTION);
  return ordinaryEnding(call);
}

/** The user is on the line already, by a call of their own: nobody is rung, and nobody is ever rung back. */
async function accompanyFromApp(call: MentorCallState, sid: string): Promise<Ending> {
  call.user = { nth: 1, dispatchId: uuid4(), sid, dispatchedSid: null, placedAt: null, refusal: null };
  call.enter('reaching', LOOK_AGAIN);
  tell('The user is on the line, from the app.');
  await accompany(call);
  if (call.stop !== null) {
    if (!call.userIsGone()) await endLeg(call, sid);
    return stopped(call);
  }
  if (call.phase === 'helpline') await condition(() => call.helplineOver !== null, LATE_ACTION);
  return ordinaryEnding(call);
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
    const status = await statusOf(call, sid);
    // A read may be older than the state; only what says that the leg is over, or gone, ends anything.
    if (call.userIsGone()) continue;
    if (!isTerminal(status) && status !== 'unknown') call.deadline = Date.now() + LOOK_AGAIN;
    else noteEnd(call, sid, status);
  }
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
    const question = call.input.recording === true ? RECORDING_QUESTION : 0;
    call.deadline = Date.now() + times.mentorRing + times.mentorConfirm + question + RING_NET;
  }
}

/** The mentor of this turn is free for others, and comes too late for this call. */
async function giveBack(call: MentorCallState, turn: MentorTurn, result: 'silent' | 'no-answer'): Promise<void> {
  turn.givenBack = true;
  call.answers.clear();
  await records.releaseMentor({ callId: call.input.callId, step: turn.step, result });
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
    if (patched('gives-back-before-closing')) await giveKeptPlaceBack(call);
    await records.closeCall({ ...closing(call, told), keepNumber: true });
    await withdrawDispatch(call, user, placing);
    await records.destroyCallNumber({ callId });
    return ending;
  }
  await withdrawDispatch(call, user, placing);
  if (user.sid && user.sid !== user.dispatchedSid && !call.userIsGone()) await endLeg(call, user.sid);
  return ending;
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
  const text = textDue(call, told);
  // Nobody's slot, and no next call, waits for a text: only the number is kept for it.
  const isNumberNeeded = text !== null || call.withdrawals.length > 0;
  await records.closeCall({ ...closing(call, told), ...(isNumberNeeded ? { keepNumber: true } : {}) });
  const result = finish(call, told);
  // By its number Twilio is asked what became of a call that nobody needs.
  if (call.withdrawals.length > 0) await Promise.all(call.withdrawals);
  if (text !== null) await textUser(call, text);
  else if (isNumberNeeded) await records.destroyCallNumber({ callId: call.input.callId });
  return result;
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
