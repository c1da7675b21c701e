import { condition, patched } from '@temporalio/workflow';
import type { Reserved, ReservedMentor } from '../activities/mentors';
import type { CallPlan, DialWords, OfferKind, TwimlQuestion } from '../domain/mentor-call';
import { promptsFor, sentencesBeforeDial, spokenMs } from '../domain/prompts';
import { records } from './activity-options';
import { beginRecording, endRecording } from './call-recording';
import { asking, isWorthWaiting, startWaiting, willRing } from './mentor-call-waiting';
import type { KeptPlace, MentorCallState, MentorTurn } from './mentor-call-state';
import { mayConnectAgain, timeLeft, whoAgain } from './reconnecting';
import { upsertState } from './visibility';

/** The same as `DropRules.shortBridge`, for calls of before (ms). */
const SHORT_BRIDGE = 20_000;
/** What a spoken sentence and a slow network may add to what Twilio times itself (ms). */
const SLACK = 30_000;

const HANG_UP: CallPlan = { do: 'hang-up' };
const CALLER_GONE: CallPlan = { do: 'goodbye', words: 'caller-gone' };
const CALL_OVER: CallPlan = { do: 'goodbye', words: 'call-over' };

/**
 * Answers a TwiML question. The same question gets the same plan, however often it is asked: Twilio asks again
 * when an answer is lost, and a mentor must not be rung twice for it.
 */
export async function answerTwiml(call: MentorCallState, question: TwimlQuestion): Promise<CallPlan> {
  const key = questionKey(question);
  const given = call.answers.get(key);
  if (given) return given;
  const plan = decide(call, question);
  call.answers.set(key, plan);
  plan.catch(() => call.answers.delete(key));
  return plan;
}

function questionKey(q: TwimlQuestion): string {
  if (q.kind === 'offer-answered') return `${q.kind}:${q.offer}:${q.step}`;
  return 'step' in q ? `${q.kind}:${q.step}` : `${q.kind}:${q.callSid}`;
}

async function decide(call: MentorCallState, q: TwimlQuestion): Promise<CallPlan> {
  // Whoever waits, and calls us meanwhile, has no leg of ours and is not gone.
  if (q.kind === 'user-called-in' && call.isWaiting && call.stop === null) return willRing(call);
  // It came with the start, before anything is known: first the row says whether this call may be.
  if (q.kind === 'app-called') await condition(() => call.phase !== 'opening');
  if (q.kind === 'app-called' && call.turnedAway) return { do: 'goodbye', words: call.turnedAway };
  if (nobodyWaits(call) && q.kind !== 'helpline-over') return q.kind === 'mentor-answered' ? CALLER_GONE : HANG_UP;
  switch (q.kind) {
    case 'mentor-answered':
      return mentorAnswered(call, q.step, q.digits, q.recording === true);
    case 'user-called-in':
      return userCalledIn(call, q.callSid);
    default:
  }
  const user = call.user;
  // Two legs may come out of one dispatch when nobody can know; only one of them ever speaks.
  if (!user || (user.sid !== null && user.sid !== q.callSid)) return HANG_UP;
  // Late news of a leg that is over: were it taken for the one that is being rung now, that would be given up.
  if (user.sid === null && call.ended.has(q.callSid) && q.kind !== 'helpline-over' && patched('hears-no-dead-leg')) {
    return HANG_UP;
  }
  user.sid = q.callSid;
  switch (q.kind) {
    case 'user-confirmed':
      return userConfirmed(call);
    // In the app nobody else picks up, and what they tapped says more than a key would.
    case 'app-called':
      return userConfirmed(call);
    case 'dial-over':
      return dialOver(call, q.step, q.dialStatus, q.dialSeconds);
    case 'offer-answered':
      return offerAnswered(call, q.offer, q.digits);
    case 'helpline-over':
      return helplineOver(call, q);
  }
}

async function userConfirmed(call: MentorCallState): Promise<CallPlan> {
  const isReached = call.phase === 'reaching';
  if (isReached) {
    const answeredAt = new Date(Date.now()).toISOString();
    call.confirmedAt = Date.now();
    call.firstConfirmedAt ??= call.confirmedAt;
    call.enter('looking', SLACK);
    await records.noteCall({
      callId: call.input.callId,
      status: 'finding-mentor',
      answeredAt,
      ...(call.user?.sid ? { callSid: call.user.sid } : {}),
    });
    if (nobodyWaits(call)) return HANG_UP;
  }
  if (call.kept !== null) return dialKept(call, call.kept);
  // Rung back after a cut: the mentor they were talking with is asked first, once.
  const isRungBack = call.everBridged && (call.input.drops ? isReached : !call.reconnectedSame);
  if (isRungBack) return connectAgain(call, 'rung-back');
  return nextMentor(call, 'first');
}

/** The user rang our number while we were ringing them: that call becomes their leg. */
async function userCalledIn(call: MentorCallState, callSid: string): Promise<CallPlan> {
  if (call.phase !== 'reaching' || !call.user) return HANG_UP;
  call.calledIn = true;
  call.user.sid = callSid;
  return userConfirmed(call);
}

/** True once the user has left, stopped the call, or the call was closed while we were looking. */
function nobodyWaits(call: MentorCallState): boolean {
  return call.stop !== null || call.userIsGone() || call.phase === 'over';
}

/**
 * Rings the next mentor, or says why not: too long or too many → the helpline is offered; much too long, or
 * nobody left → it is taken.
 */
async function nextMentor(call: MentorCallState, words: DialWords, only?: string): Promise<CallPlan> {
  const { input } = call;
  const left = input.times.overallWait - call.searchedFor();
  if (left <= 0) return helpline(call, 'waited');
  // The mentor they were talking with was counted when they were rung first.
  if (!only && call.othersLeft === null && call.tried.length >= input.maxMentors) return offer(call, 'helpline');
  if (!only && call.othersLeft !== null) {
    if (call.othersLeft <= 0) return helpline(call, 'waited');
    call.othersLeft -= 1;
  }
  const { step, mentor, why } = await reserveNext(call, only);
  if (nobodyWaits(call)) {
    // They left while we looked: nobody is rung for them.
    if (mentor) await records.releaseMentor({ callId: input.callId, step, result: 'not-rung' });
    return HANG_UP;
  }
  if (!mentor) return only ? nextMentor(call, 'still-looking') : nobodyFree(call, why);
  return dial(call, step, mentor, words, left);
}

/** A step whose mentor was deleted meanwhile is passed over: others may be free. */
async function reserveNext(call: MentorCallState, only?: string): Promise<Reserved & { readonly step: number }> {
  for (;;) {
    call.step += 1;
    const step = call.step;
    const found = await records.reserveMentor({ ...asking(call), step, ...(only ? { only, exclude: [] } : {}) });
    if (found.why !== 'gone' || nobodyWaits(call)) return { ...found, step };
  }
}

/** The helpline at once; where the request said so, the choice to be rung when somebody is free. */
async function nobodyFree(call: MentorCallState, why: Reserved['why']): Promise<CallPlan> {
  const { waiting: terms } = call.input;
  if (terms === undefined || why !== 'all-busy') return helpline(call, 'nobody');
  const isWorthIt = await isWorthWaiting(call, terms);
  if (nobodyWaits(call)) return HANG_UP;
  return isWorthIt ? offer(call, 'wait') : helpline(call, 'nobody');
}

/** They have waited for this place, and are rung for it. */
function dialKept(call: MentorCallState, { step, mentor }: KeptPlace): CallPlan {
  call.kept = null;
  return dial(call, step, mentor, 'turn', call.input.times.overallWait);
}

/** @param left of the longest wait on the line, ms */
function dial(call: MentorCallState, step: number, mentor: ReservedMentor, said: DialWords, left: number): CallPlan {
  const { input } = call;
  if (!call.tried.includes(mentor.mentorId)) call.tried.push(mentor.mentorId);
  const timeLimit = Math.min(input.times.maxDuration, timeLeft(call));
  call.turn = {
    step,
    timeLimit,
    mentorId: mentor.mentorId,
    bridgedAt: null,
    bridgeEndedAt: null,
    givenBack: false,
    looked: false,
  };
  const timeLimitSeconds = Math.round(timeLimit / 1000);
  const words = said === 'again' && timeLimit < input.times.maxDuration ? 'last' : said;
  // Twilio dials when the sentence before the Dial has been spoken; only from then on is a silent leg a sign.
  const mayBeRecorded = input.recording === true;
  const ours = () =>
    sentencesBeforeDial(promptsFor(input.language), words, timeLimitSeconds, mayBeRecorded)
      .map((sentence) => spokenMs(sentence))
      .reduce((sum, ms) => sum + ms, 0);
  call.enter('dialling', (input.spokenMs?.[words] ?? ours()) + input.times.legSilence);
  return {
    do: 'dial-mentor',
    step,
    mentorId: mentor.mentorId,
    mentorRecordId: mentor.recordId,
    callerId: mentor.callerId,
    // The last ring is cut short rather than making anybody wait longer than promised; Twilio's least is 5 s.
    ringSeconds: Math.max(5, Math.round(Math.min(input.times.mentorRing, left) / 1000)),
    confirmSeconds: Math.round(input.times.mentorConfirm / 1000),
    timeLimitSeconds,
    words,
    ...(mayBeRecorded ? { mayBeRecorded } : {}),
  };
}

/** Only our own record of the mentor's key 1 makes a bridge, never Twilio's DialCallStatus. */
async function mentorAnswered(
  call: MentorCallState,
  step: number,
  digits: string,
  mentorAgrees: boolean,
): Promise<CallPlan> {
  const turn = call.turn;
  if (!turn || turn.step !== step || turn.givenBack || call.phase !== 'dialling' || call.userIsGone()) {
    return CALLER_GONE;
  }
  if (digits !== '1') return HANG_UP;
  turn.bridgedAt = Date.now();
  call.everBridged = true;
  // Whoever comes back into the queue after this has been served once, and waits anew.
  call.waitingSince = null;
  call.enter('bridged', call.input.times.maxDuration + SLACK);
  await records.noteCall({
    callId: call.input.callId,
    status: 'connected',
    mentorId: turn.mentorId,
    bridgedAt: new Date(turn.bridgedAt).toISOString(),
  });
  if (call.input.recording !== true) return { do: 'bridge' };
  if (mentorAgrees && !nobodyWaits(call)) beginRecording(call, turn);
  return { do: 'bridge', isRecorded: mentorAgrees };
}

async function dialOver(
  call: MentorCallState,
  step: number,
  dialStatus: string,
  dialSeconds: number,
): Promise<CallPlan> {
  const turn = call.turn;
  if (!turn || turn.step !== step) return nextMentor(call, 'still-looking');
  if (turn.bridgedAt !== null) return bridgeOver(call, dialStatus, dialSeconds);
  call.enter('looking', SLACK);
  if (!turn.givenBack) {
    await records.releaseMentor({ callId: call.input.callId, step, result: turnResult(dialStatus) });
    // They left meanwhile: a call that is being closed must not open again.
    if (nobodyWaits(call)) return HANG_UP;
  }
  // The star key ends the ringing with `canceled` while the caller is still there: they asked for the helpline.
  if (dialStatus === 'canceled') return helpline(call, 'asked');
  if (call.searchedFor() >= call.input.times.mentorSearch) return offer(call, 'helpline');
  return nextMentor(call, 'still-looking');
}

function turnResult(dialStatus: string): 'no-answer' | 'busy' | 'failed' | 'declined' | 'caller-gone' {
  if (dialStatus === 'busy' || dialStatus === 'no-answer' || dialStatus === 'failed') return dialStatus;
  // `completed` or `answered` without our record of key 1: a voicemail, or a mentor who did not press it.
  return dialStatus === 'canceled' ? 'caller-gone' : 'declined';
}

/** The mentor's line has ended and the user is still there (DESIGN: dropped cannot be told from goodbye). */
async function bridgeOver(call: MentorCallState, dialStatus: string, dialSeconds: number): Promise<CallPlan> {
  const bridged = endBridge(call);
  if (call.recording !== null) {
    await endRecording(call);
    // They left meanwhile.
    if (nobodyWaits(call)) return HANG_UP;
  }
  const may = mayConnectAgain(call);
  // Twilio ends the longest conversation as it ends any other. Calls begun before there was a word for it have none.
  if (isTimeOver(call, bridged, dialSeconds) && call.input.spokenMs)
    return offer(call, may ? 'more-time' : 'time-over');
  if (dialStatus === 'failed' || bridged < (call.input.drops?.shortBridge ?? SHORT_BRIDGE)) {
    call.isCutOff = true;
    return connectAgain(call, 'unasked');
  }
  return offer(call, may ? 'reconnect' : 'over');
}

/**
 * Whether the Dial's `timeLimit` has ended the conversation. It cannot be told from a goodbye but by how long it was:
 * as Twilio counted it, from the mentor's answer or from the bridge, or as we did.
 */
function isTimeOver({ input, turn }: MentorCallState, bridgedMs: number, dialSeconds: number): boolean {
  const { maxDuration, mentorConfirm } = input.times;
  const limit = turn?.timeLimit ?? maxDuration;
  const counted = Math.max(bridgedMs, dialSeconds * 1_000);
  // Never so near that a short limit, as in a test, takes every conversation for one that was too long.
  return counted >= limit - Math.min(mentorConfirm, limit / 10);
}

/** Closes the conversation in our books; milliseconds it lasted. */
export function endBridge(call: MentorCallState): number {
  const turn = call.turn;
  if (!turn || turn.bridgedAt === null) return 0;
  if (turn.bridgeEndedAt === null) {
    turn.bridgeEndedAt = Date.now();
    call.lastBridge = { mentorId: turn.mentorId, endedAt: turn.bridgeEndedAt };
    call.talkedSeconds += Math.round((turn.bridgeEndedAt - turn.bridgedAt) / 1000);
  }
  return turn.bridgeEndedAt - turn.bridgedAt;
}

/** Whole seconds of a conversation that is over; null: there was none. */
function talkedWith(turn: MentorTurn | null): number | null {
  if (turn === null || turn.bridgedAt === null) return null;
  return Math.max(0, Math.round(((turn.bridgeEndedAt ?? Date.now()) - turn.bridgedAt) / 1_000));
}

/** The same mentor once, then another, then the helpline. */
async function connectAgain(call: MentorCallState, why: 'key' | 'unasked' | 'rung-back'): Promise<CallPlan> {
  const { turn } = call;
  call.enter('looking', SLACK);
  // What was waited for before the conversation does not count against looking again after it.
  call.confirmedAt = Date.now();
  const talkedSeconds = talkedWith(turn);
  const result = talkedSeconds === null ? 'caller-gone' : 'completed';
  const again = whoAgain(call, why);
  // A conversation that was cut goes before those who wait for one.
  const isForSameCall = again === 'same';
  const { callId } = call.input;
  if (turn) {
    const talked = talkedSeconds === null ? {} : { talkedSeconds };
    await records.releaseMentor({ callId, step: turn.step, result, isForSameCall, ...talked });
  }
  if (nobodyWaits(call)) return HANG_UP;
  if (again === 'helpline') return helpline(call, 'waited');
  // Nobody is to be told that they talk while a phone rings.
  if (talkedSeconds !== null && patched('says-what-happens-again')) {
    await records.noteCall({ callId, status: 'finding-mentor' });
    if (nobodyWaits(call)) return HANG_UP;
  }
  const before = call.lastBridge?.mentorId ?? turn?.mentorId;
  if (again === 'same' && before) return nextMentor(call, 'again', before);
  return nextMentor(call, 'still-looking');
}

function offer(call: MentorCallState, kind: OfferKind): CallPlan {
  call.offers += 1;
  call.enter('offering', SLACK);
  return { do: 'offer', offer: kind, step: call.offers };
}

async function offerAnswered(call: MentorCallState, kind: OfferKind, digits: string): Promise<CallPlan> {
  if (kind === 'feedback') return rated(call, digits);
  if (digits === '0') return helpline(call, 'asked');
  if (kind === 'helpline') return nextMentor(call, 'still-looking');
  // Without a key nobody is left waiting for what they did not ask for.
  if (kind === 'wait') return (digits === '2' ? await startWaiting(call) : null) ?? helpline(call, 'nobody');
  // After a whole conversation it is no lost line that is mended: they go on with whom they talked to.
  if (kind === 'more-time') call.reconnectedSame = false;
  if ((kind === 'reconnect' || kind === 'more-time') && digits === '1') return connectAgain(call, 'key');
  if (mayAskHowItWas(call)) {
    call.askedForFeedback = true;
    return offer(call, 'feedback');
  }
  call.enter('offering', SLACK);
  return CALL_OVER;
}

/** They have stayed on the line, and were told that they could hang up. */
function mayAskHowItWas({ input, talkedSeconds, mayAskByKey, askedForFeedback }: MentorCallState): boolean {
  const { feedback } = input;
  return feedback?.byKey === true && mayAskByKey && !askedForFeedback && talkedSeconds >= feedback.afterSeconds;
}

/** No key, or another one, is an answer too: they are not asked twice. */
async function rated(call: MentorCallState, digits: string): Promise<CallPlan> {
  call.enter('offering', SLACK);
  if (!/^[1-5]$/.test(digits)) return CALL_OVER;
  await records.noteFeedback({ callId: call.input.callId, rating: Number(digits) });
  return { do: 'goodbye', words: 'rated' };
}

async function helpline(call: MentorCallState, because: 'nobody' | 'asked' | 'waited'): Promise<CallPlan> {
  const { input } = call;
  // A helpline conversation has no limit of ours but Twilio's own of four hours.
  call.enter('helpline', 4 * 60 * 60_000 + SLACK);
  upsertState('helpline');
  await freeMentor(call);
  await records.noteCall({ callId: input.callId, status: 'helpline' });
  if (input.helplinesToDial === 0) {
    call.missedHelpline = true;
    call.helplineOver = 'not-reached';
    return { do: 'goodbye', words: 'no-helpline-from-here' };
  }
  return dialHelpline(call, because);
}

/** Whoever they have talked with does not stay taken for as long as they talk with the helpline. */
async function freeMentor({ input, turn }: MentorCallState): Promise<void> {
  const talkedSeconds = talkedWith(turn);
  if (turn === null || talkedSeconds === null || !patched('helpline-frees-the-mentor')) return;
  await records.releaseMentor({ callId: input.callId, step: turn.step, result: 'completed', talkedSeconds });
}

function dialHelpline(call: MentorCallState, because: 'nobody' | 'asked' | 'waited' | 'first-not-reached'): CallPlan {
  const { country, organisationNumber: callerId, helplinesToDial } = call.input;
  const nth = helplinesToDial === undefined ? {} : { nth: call.helplineNth };
  // How the one before ended says nothing of this one.
  call.helplineOver = null;
  return { do: 'dial-helpline', country, callerId, because, ...nth };
}

/** Busy or without an answer: the second one of the country, where there is one. */
function helplineOver(call: MentorCallState, q: Extract<TwimlQuestion, { kind: 'helpline-over' }>): CallPlan {
  const reached = q.dialStatus === 'completed' || q.dialStatus === 'answered';
  if (q.dialStatus === 'canceled') call.helplineOver = 'left';
  else call.helplineOver = reached ? 'reached' : 'not-reached';
  const { helplinesToDial: many } = call.input;
  if (call.helplineOver === 'not-reached' && many !== undefined) {
    call.missedHelpline = true;
    if (call.helplineNth < many && !nobodyWaits(call)) {
      call.helplineNth += 1;
      return dialHelpline(call, 'first-not-reached');
    }
  }
  if (call.phase !== 'over') call.enter('helpline', SLACK);
  return { do: 'goodbye', words: reached ? 'call-over' : 'helpline-not-reached' };
}
