/**
 * Plans and steps of a mentor call, turned into TwiML. Pure: no clock, no I/O; the same arguments give the same
 * document, so a request that Twilio repeats gets the same answer. To be sent as `text/xml` (anything else is
 * Twilio's error 11200).
 */
import VoiceResponse from 'twilio/lib/twiml/VoiceResponse';
import { type Disclosed, type DisclosureKind, disclosureSentence } from './disclosures';
import { dialledAs, helplineNumbers, type Helplines, helplinesFor, helplinesToDial } from './helplines';
import type { CallPlan, DialWords, GoodbyeWords } from './mentor-call';
import { countryOfNumber } from './phone-number';
import { offerWords, type Prompts, type PromptsOf, sentencesBeforeDial, spokenDuration, spokenNumber } from './prompts';
import type { SealedValue } from './sealed';
import { speak } from './speech';
import type { UserLegIds, WebhookUrls } from './webhook-urls';

/** What every document of one call needs to know. */
export interface TwimlContext extends UserLegIds {
  readonly urls: WebhookUrls;
  readonly promptsOf: PromptsOf;
  /** `CALL_GREETING_NAME`; null says no name at all. */
  readonly greetingName: string | null;
  /** ISO country of the person on the user's leg, for the helpline. */
  readonly country: string;
  /** `FALLBACK_CRISIS_NUMBER`. */
  readonly crisisOverride: string | null;
  /** `SPOKEN_DISCLOSURES`: said once, after key 1 and before the search. */
  readonly spokenDisclosures: readonly DisclosureKind[];
  /** What the one about retention says. */
  readonly kept: Disclosed['kept'];
}

/** Seconds to press a key. Enough to take a phone from the ear and find the keypad. */
const KEY_SECONDS = 8;
/** How long "one moment" lasts before the same question is asked again. */
const MOMENT_SECONDS = 5;
const HELPLINE_RING_SECONDS = 60;

/** The user's first words. Static: needs no database, no workflow and no key ring. */
export function greetingTwiml(ctx: TwimlContext, tryNumber: number): string {
  const prompts = ctx.promptsOf(ctx.language);
  const { neutral } = prompts;
  const words = tryNumber <= 1 ? neutral.greeting(ctx.greetingName) : neutral.greetingAgain(ctx.greetingName);
  const response = new VoiceResponse();
  speak(gatherKey(response, ctx.urls.confirmed(ctx, { tryNumber })), prompts, words);
  response.hangup();
  return response.toString();
}

/** Both greetings went without key 1: nothing more is said, to a person or to a voicemail. */
export function noKeyTwiml(ctx: TwimlContext): string {
  return say(ctx.promptsOf(ctx.language), (prompts) => prompts.neutral.goodbye, 'hang-up');
}

/**
 * What a mentor's phone says when it is picked up. Ends with a hang-up: where a whisper simply ends, Twilio
 * bridges, and a voicemail would get the caller.
 */
export function whisperTwiml(
  ctx: Omit<TwimlContext, 'dispatchId'>,
  step: number,
  confirmSeconds?: number,
  mayBeRecorded = false,
): string {
  const prompts = ctx.promptsOf(ctx.language);
  const leg = { callId: ctx.callId, step, language: ctx.language, ...(mayBeRecorded ? TO_BE_ASKED : {}) };
  const response = new VoiceResponse();
  const gather = gatherKey(response, ctx.urls.mentorConfirm(leg), confirmSeconds);
  speak(gather, prompts, prompts.neutral.whisper(ctx.greetingName));
  response.hangup();
  return response.toString();
}

const TO_BE_ASKED = { recording: 'ask' } as const;

/**
 * What a mentor hears who has taken the call by key 1, where the user has agreed to a recording. Static, so that the
 * workflow is asked once for both keys; without a key they are connected, and nothing is recorded.
 */
export function recordingQuestionTwiml(ctx: Omit<TwimlContext, 'dispatchId'>, step: number): string {
  const prompts = ctx.promptsOf(ctx.language);
  const leg = { callId: ctx.callId, step, language: ctx.language, recording: 'answer' } as const;
  const response = new VoiceResponse();
  speak(gatherKey(response, ctx.urls.mentorConfirm(leg)), prompts, prompts.confirmed.askMentorToRecord);
  response.hangup();
  return response.toString();
}

/**
 * The workflow's plan as TwiML.
 * @param reveal the mentor's number, needed for `dial-mentor` only and exposed nowhere but in the document
 */
export function planTwiml(plan: CallPlan, ctx: TwimlContext, reveal?: { readonly mentorNumber: SealedValue }): string {
  const prompts = ctx.promptsOf(ctx.language);
  switch (plan.do) {
    case 'dial-mentor': {
      if (reveal === undefined) throw new TypeError('A mentor cannot be dialled without their number');
      return dialMentor(plan, ctx, prompts, reveal.mentorNumber);
    }
    case 'offer': {
      const response = new VoiceResponse();
      const action = ctx.urls.offer(ctx, { step: plan.step, offer: plan.offer });
      speak(gatherKey(response, action), prompts, offerWords(prompts, plan.offer));
      response.hangup();
      return response.toString();
    }
    case 'dial-helpline':
      return dialHelpline(plan, ctx, prompts);
    case 'will-ring': {
      const { crisis } = helplinesFor(ctx.country, ctx.crisisOverride);
      const words = prompts.confirmed.willRing(spokenDuration(Math.max(1, plan.withinSeconds)), spoken(crisis.number));
      return say(prompts, () => words, 'hang-up');
    }
    case 'bridge':
      // On the mentor's leg: the document ends here, and an empty rest of a whisper bridges.
      return say(prompts, (words) => connectedWords(words, plan.isRecorded), 'go-on');
    case 'goodbye':
      return say(prompts, () => goodbyeWords(plan.words, ctx, prompts), 'hang-up');
    case 'hang-up':
    default:
      return hangUpTwiml();
  }
}

/** We cannot answer in time: say so, wait, and let Twilio ask the same question again at `redirectUrl`. */
export function oneMomentTwiml(ctx: Pick<TwimlContext, 'language' | 'promptsOf'>, redirectUrl: string): string {
  const prompts = ctx.promptsOf(ctx.language);
  const response = new VoiceResponse();
  speak(response, prompts, prompts.neutral.oneMoment);
  response.pause({ length: MOMENT_SECONDS });
  response.redirect({ method: 'POST' }, redirectUrl);
  return response.toString();
}

/**
 * The document for when we are gone: the static fallback, and the end of four "one moment"s. Without an action
 * URL, so that nothing of ours has to be up; with our number as caller id, so that the user's is not shown.
 */
export function helplineTwiml(options: {
  readonly country: string;
  readonly language: string;
  readonly callerId: string;
  readonly crisisOverride: string | null;
  readonly promptsOf: PromptsOf;
}): string {
  const prompts = options.promptsOf(options.language);
  const { crisis, country } = helplinesFor(options.country, options.crisisOverride);
  // Nobody is there to say the numbers should this one not be reached, so no other one is tried in its place.
  const number = dialledAs(crisis, country, countryOfNumber(options.callerId));
  const ctx = { country: options.country, crisisOverride: options.crisisOverride };
  if (number === null) return say(prompts, () => callYourself(ctx, prompts), 'hang-up');
  const response = new VoiceResponse();
  speak(response, prompts, prompts.fallback);
  response.dial({ callerId: options.callerId, timeout: HELPLINE_RING_SECONDS }).number(number);
  return response.toString();
}

/** Nothing is said: an abandoned dispatch, or a second leg of the same dispatch. */
export function hangUpTwiml(): string {
  const response = new VoiceResponse();
  response.hangup();
  return response.toString();
}

/** Nothing is said and nothing answered: for a text, where hanging up has no meaning. */
export function silentTwiml(): string {
  return new VoiceResponse().toString();
}

/** Somebody calls one of our numbers. Says what the number is; never that the caller knows anybody here. */
export function inboundTwiml(
  who: 'mentor' | 'stranger',
  ctx: Pick<TwimlContext, 'language' | 'country' | 'crisisOverride' | 'promptsOf'>,
): string {
  const prompts = ctx.promptsOf(ctx.language);
  const { crisis } = helplinesFor(ctx.country, ctx.crisisOverride);
  return say(
    prompts,
    ({ neutral }) => (who === 'mentor' ? neutral.inboundMentor : neutral.inboundStranger(spoken(crisis.number))),
    'hang-up',
  );
}

/** Whoever waited in the queue may have heard nothing of it on the line that they are on now. */
const HEARD_BEFORE: readonly DialWords[] = ['first', 'turn'];

function dialMentor(
  plan: Extract<CallPlan, { do: 'dial-mentor' }>,
  ctx: TwimlContext,
  prompts: Prompts,
  mentorNumber: SealedValue,
): string {
  const response = new VoiceResponse();
  for (const kind of HEARD_BEFORE.includes(plan.words) ? ctx.spokenDisclosures : [])
    speak(response, prompts, disclosureSentence(prompts, kind, { ...plan, country: ctx.country, kept: ctx.kept }));
  const mayBeRecorded = plan.mayBeRecorded === true;
  for (const sentence of sentencesBeforeDial(prompts, plan.words, plan.timeLimitSeconds, mayBeRecorded))
    speak(response, prompts, sentence);
  const dial = response.dial({
    callerId: plan.callerId,
    timeout: plan.ringSeconds,
    timeLimit: plan.timeLimitSeconds,
    hangupOnStar: true,
    action: ctx.urls.dialOver(ctx, { step: plan.step }),
    method: 'POST',
  });
  dial.number(
    {
      url: ctx.urls.whisper({
        callId: ctx.callId,
        step: plan.step,
        language: ctx.language,
        ...(mayBeRecorded ? TO_BE_ASKED : {}),
      }),
      method: 'POST',
      statusCallback: ctx.urls.callStatus({ callId: ctx.callId, leg: 'mentor', step: plan.step }),
      statusCallbackMethod: 'POST',
      statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
    },
    mentorNumber.expose(),
  );
  return response.toString();
}

function dialHelpline(plan: Extract<CallPlan, { do: 'dial-helpline' }>, ctx: TwimlContext, prompts: Prompts): string {
  const nth = plan.nth ?? 1;
  const lines = helplinesToDial(plan.country, countryOfNumber(plan.callerId), ctx.crisisOverride);
  const line = lines[nth - 1];
  if (line === undefined)
    return say(prompts, () => callYourself({ ...ctx, country: plan.country }, prompts), 'hang-up');
  const { confirmed } = prompts;
  const words = {
    nobody: confirmed.helplineNobody,
    asked: confirmed.helplineAsked,
    waited: confirmed.helplineWaited,
    'first-not-reached': confirmed.helplineSecond,
  }[plan.because];
  const response = new VoiceResponse();
  speak(response, prompts, words);
  const dial = response.dial({
    callerId: plan.callerId,
    timeout: HELPLINE_RING_SECONDS,
    action: ctx.urls.helplineOver(ctx, { step: nth }),
    method: 'POST',
  });
  dial.number(
    {
      statusCallback: ctx.urls.callStatus({ callId: ctx.callId, leg: 'helpline', step: nth }),
      statusCallbackMethod: 'POST',
      statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
    },
    line.number,
  );
  return response.toString();
}

/** One key, and an action that is requested in any case: without it, silence would run into what follows. */
export function gatherKey(
  response: VoiceResponse,
  action: string,
  seconds: number = KEY_SECONDS,
): VoiceResponse.Gather {
  return response.gather({ numDigits: 1, timeout: seconds, action, method: 'POST', actionOnEmptyResult: true });
}

export function say(prompts: Prompts, words: (prompts: Prompts) => string, then: 'hang-up' | 'go-on'): string {
  const response = new VoiceResponse();
  speak(response, prompts, words(prompts));
  if (then === 'hang-up') response.hangup();
  return response.toString();
}

function connectedWords({ confirmed }: Prompts, isRecorded: boolean | undefined): string {
  if (isRecorded === undefined) return confirmed.mentorConnected;
  return isRecorded ? confirmed.mentorConnectedRecorded : confirmed.mentorConnectedUnrecorded;
}

function goodbyeWords(words: GoodbyeWords, ctx: TwimlContext, { confirmed }: Prompts): string {
  switch (words) {
    case 'caller-gone':
      return confirmed.callerGone;
    case 'call-over':
      return confirmed.callOver;
    case 'rated':
      return confirmed.rated;
    case 'no-helpline-from-here':
      return callYourself(ctx, { confirmed });
    case 'already-in-call':
      return confirmed.alreadyInCall;
    case 'no-mentor-now':
    case 'helpline-not-reached':
    default: {
      const lines = helplinesFor(ctx.country, ctx.crisisOverride);
      const sentence = words === 'no-mentor-now' ? confirmed.noMentorNow : confirmed.helplineNotReached;
      return sentence(spokenLines(lines), spoken(lines.emergency.number));
    }
  }
}

function callYourself(
  ctx: Pick<TwimlContext, 'country' | 'crisisOverride'>,
  { confirmed }: Pick<Prompts, 'confirmed'>,
): string {
  const lines = helplinesFor(ctx.country, ctx.crisisOverride);
  return confirmed.callHelplineYourself(spokenLines(lines), spoken(lines.emergency.number));
}

/** Both, one after the other; a pause is heard where the comma is. */
function spokenLines(lines: Helplines): string | null {
  const numbers = helplineNumbers(lines).map(spokenNumber);
  return numbers.length === 0 ? null : numbers.join(', ');
}

function spoken(number: string | null): string | null {
  return number === null ? null : spokenNumber(number);
}
