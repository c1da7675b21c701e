import type { CallPlan, DialWords, OfferKind, TwimlQuestion } from '../domain/mentor-call';
import { promptsFor, spokenMs, wordsBeforeDial } from '../domain/prompts';
import { records } from './activity-options';
import type { MentorCallState } from './mentor-call-state';
import { upsertState } from './visibility';

/** A bridge shorter than this was cut off, not ended: the mentor is rung again unasked (ms). */
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
  if (nobodyWaits(call) && q.kind !== 'helpline-over') return q.kind === 'mentor-answered' ? CALLER_GONE : HANG_UP;
  switch (q.kind) {
    case 'mentor-answered':
      return mentorAnswered(call, q.step, q.digits);
    case 'user-called-in':
      return userCalledIn(call, q.callSid);
    default:
  }
  const user = call.user;
  // Two legs may come out of one dispatch when nobody can know; only one of them ever speaks.
  if (!user || (user.sid !== null && user.sid !== q.callSid)) return HANG_UP;
  user.sid = q.callSid;
  switch (q.kind) {
    case 'user-confirmed':
      return userConfirmed(call);
    case 'dial-over':
      return dialOver(call, q.step, q.dialStatus);
    case 'offer-answered':
      return offerAnswered(call, q.offer, q.digits);
    case 'helpline-over':
      return helplineOver(call, q.dialStatus);
  }
}

async function userConfirmed(call: MentorCallState): Promise<CallPlan> {
  if (call.phase === 'reaching') {
    const answeredAt = new Date(Date.now()).toISOString();
    call.confirmedAt = Date.now();
    call.enter('looking', SLACK);
    await records.noteCall({
      callId: call.input.callId,
      status: 'finding-mentor',
      answeredAt,
      ...(call.user?.sid ? { callSid: call.user.sid } : {}),
    });
    if (nobodyWaits(call)) return HANG_UP;
  }
  // Rung back after a cut: the mentor they were talking with is asked first, once.
  if (call.everBridged && !call.reconnectedSame) return sameMentorAgain(call);
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
  if (!only && call.tried.length >= input.maxMentors) return offer(call, 'helpline');
  call.step += 1;
  const step = call.step;
  const { mentor } = await records.reserveMentor({
    callId: input.callId,
    step,
    exclude: only ? [] : call.tried,
    ...(only ? { only } : {}),
    preferences: input.preferences,
    country: input.country,
    leaseMs: input.times.maxDuration + 5 * 60_000,
  });
  if (nobodyWaits(call)) {
    // They left while we looked: nobody is rung for them.
    if (mentor) await records.releaseMentor({ callId: input.callId, step, result: 'caller-gone' });
    return HANG_UP;
  }
  if (!mentor) return only ? nextMentor(call, 'still-looking') : helpline(call, 'nobody');
  if (!call.tried.includes(mentor.mentorId)) call.tried.push(mentor.mentorId);
  call.turn = {
    step,
    mentorId: mentor.mentorId,
    bridgedAt: null,
    bridgeEndedAt: null,
    givenBack: false,
    looked: false,
  };
  const timeLimitSeconds = Math.round(input.times.maxDuration / 1000);
  // Twilio dials when the sentence before the Dial has been spoken; only from then on is a silent leg a sign.
  const sentence = wordsBeforeDial(promptsFor(input.language), words, timeLimitSeconds);
  call.enter('dialling', spokenMs(sentence) + input.times.legSilence);
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
  };
}

/** Only our own record of the mentor's key 1 makes a bridge, never Twilio's DialCallStatus. */
async function mentorAnswered(call: MentorCallState, step: number, digits: string): Promise<CallPlan> {
  const turn = call.turn;
  if (!turn || turn.step !== step || turn.givenBack || call.phase !== 'dialling' || call.userIsGone()) {
    return CALLER_GONE;
  }
  if (digits !== '1') return HANG_UP;
  turn.bridgedAt = Date.now();
  call.everBridged = true;
  call.enter('bridged', call.input.times.maxDuration + SLACK);
  await records.noteCall({
    callId: call.input.callId,
    status: 'connected',
    mentorId: turn.mentorId,
    bridgedAt: new Date(turn.bridgedAt).toISOString(),
  });
  return { do: 'bridge' };
}

async function dialOver(call: MentorCallState, step: number, dialStatus: string): Promise<CallPlan> {
  const turn = call.turn;
  if (!turn || turn.step !== step) return nextMentor(call, 'still-looking');
  if (turn.bridgedAt !== null) return bridgeOver(call, dialStatus);
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
async function bridgeOver(call: MentorCallState, dialStatus: string): Promise<CallPlan> {
  const bridged = endBridge(call);
  if (dialStatus === 'failed' || bridged < SHORT_BRIDGE) return sameMentorAgain(call);
  return offer(call, 'reconnect');
}

/** Closes the conversation in our books; milliseconds it lasted. */
export function endBridge(call: MentorCallState): number {
  const turn = call.turn;
  if (!turn || turn.bridgedAt === null) return 0;
  if (turn.bridgeEndedAt === null) {
    turn.bridgeEndedAt = Date.now();
    call.talkedSeconds += Math.round((turn.bridgeEndedAt - turn.bridgedAt) / 1000);
  }
  return turn.bridgeEndedAt - turn.bridgedAt;
}

/** The same mentor once, then another, then the helpline. */
async function sameMentorAgain(call: MentorCallState): Promise<CallPlan> {
  const turn = call.turn;
  call.enter('looking', SLACK);
  // What was waited for before the conversation does not count against looking again after it.
  call.confirmedAt = Date.now();
  if (turn) await records.releaseMentor({ callId: call.input.callId, step: turn.step, result: 'completed' });
  if (nobodyWaits(call)) return HANG_UP;
  if (turn && !call.reconnectedSame) {
    call.reconnectedSame = true;
    return nextMentor(call, 'again', turn.mentorId);
  }
  return nextMentor(call, 'still-looking');
}

function offer(call: MentorCallState, kind: OfferKind): CallPlan {
  call.offers += 1;
  call.enter('offering', SLACK);
  return { do: 'offer', offer: kind, step: call.offers };
}

async function offerAnswered(call: MentorCallState, kind: OfferKind, digits: string): Promise<CallPlan> {
  if (digits === '0') return helpline(call, 'asked');
  if (kind === 'reconnect') {
    if (digits === '1') return sameMentorAgain(call);
    call.enter('offering', SLACK);
    return CALL_OVER;
  }
  return nextMentor(call, 'still-looking');
}

async function helpline(call: MentorCallState, because: 'nobody' | 'asked' | 'waited'): Promise<CallPlan> {
  const { input } = call;
  // A helpline conversation has no limit of ours but Twilio's own of four hours.
  call.enter('helpline', 4 * 60 * 60_000 + SLACK);
  upsertState('helpline');
  await records.noteCall({ callId: input.callId, status: 'helpline' });
  return { do: 'dial-helpline', country: input.country, callerId: input.organisationNumber, because };
}

function helplineOver(call: MentorCallState, dialStatus: string): CallPlan {
  const reached = dialStatus === 'completed' || dialStatus === 'answered';
  if (dialStatus === 'canceled') call.helplineOver = 'left';
  else call.helplineOver = reached ? 'reached' : 'not-reached';
  if (call.phase !== 'over') call.enter('helpline', SLACK);
  return { do: 'goodbye', words: reached ? 'call-over' : 'helpline-not-reached' };
}
