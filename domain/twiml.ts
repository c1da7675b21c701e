/**
 * Plans and steps of a mentor call, turned into TwiML. Pure: no clock, no I/O; the same arguments give the same
 * document, so a request that Twilio repeats gets the same answer. To be sent as `text/xml` (anything else is
 * Twilio's error 11200).
 */
import VoiceResponse from 'twilio/lib/twiml/VoiceResponse';
import { dialledAs, helplinesFor } from './helplines';
import type { CallPlan } from './mentor-call';
import { countryOfNumber } from './phone-number';
import { type Prompts, promptsFor, spokenNumber, wordsBeforeDial } from './prompts';
import type { SealedValue } from './sealed';
import type { UserLegIds, WebhookUrls } from './webhook-urls';

/** What every document of one call needs to know. */
export interface TwimlContext extends UserLegIds {
  readonly urls: WebhookUrls;
  /** `CALL_GREETING_NAME`; null says no name at all. */
  readonly greetingName: string | null;
  /** ISO country of the person on the user's leg, for the helpline. */
  readonly country: string;
  /** `FALLBACK_CRISIS_NUMBER`. */
  readonly crisisOverride: string | null;
}

/** Seconds to press a key. Enough to take a phone from the ear and find the keypad. */
const KEY_SECONDS = 8;
/** How long "one moment" lasts before the same question is asked again. */
const MOMENT_SECONDS = 5;
const HELPLINE_RING_SECONDS = 60;

/** The user's first words. Static: needs no database, no workflow and no key ring. */
export function greetingTwiml(ctx: TwimlContext, tryNumber: number): string {
  const { speech, neutral } = promptsFor(ctx.language);
  const words = tryNumber <= 1 ? neutral.greeting(ctx.greetingName) : neutral.greetingAgain(ctx.greetingName);
  const response = new VoiceResponse();
  gatherKey(response, ctx.urls.confirmed(ctx, { tryNumber })).say(speech, words);
  response.hangup();
  return response.toString();
}

/** Both greetings went without key 1: nothing more is said, to a person or to a voicemail. */
export function noKeyTwiml(ctx: TwimlContext): string {
  return say(promptsFor(ctx.language), (prompts) => prompts.neutral.goodbye, 'hang-up');
}

/**
 * What a mentor's phone says when it is picked up. Ends with a hang-up: where a whisper simply ends, Twilio
 * bridges, and a voicemail would get the caller.
 */
export function whisperTwiml(ctx: Omit<TwimlContext, 'dispatchId'>, step: number, confirmSeconds?: number): string {
  const { speech, neutral } = promptsFor(ctx.language);
  const leg = { callId: ctx.callId, step, language: ctx.language };
  const response = new VoiceResponse();
  gatherKey(response, ctx.urls.mentorConfirm(leg), confirmSeconds).say(speech, neutral.whisper(ctx.greetingName));
  response.hangup();
  return response.toString();
}

/**
 * The workflow's plan as TwiML.
 * @param reveal the mentor's number, needed for `dial-mentor` only and exposed nowhere but in the document
 */
export function planTwiml(plan: CallPlan, ctx: TwimlContext, reveal?: { readonly mentorNumber: SealedValue }): string {
  const prompts = promptsFor(ctx.language);
  switch (plan.do) {
    case 'dial-mentor': {
      if (reveal === undefined) throw new TypeError('A mentor cannot be dialled without their number');
      return dialMentor(plan, ctx, prompts, reveal.mentorNumber);
    }
    case 'offer': {
      const words = plan.offer === 'helpline' ? prompts.confirmed.offerHelpline : prompts.confirmed.offerReconnect;
      const response = new VoiceResponse();
      const action = ctx.urls.offer(ctx, { step: plan.step, offer: plan.offer });
      gatherKey(response, action).say(prompts.speech, words);
      response.hangup();
      return response.toString();
    }
    case 'dial-helpline':
      return dialHelpline(plan, ctx, prompts);
    case 'bridge':
      // On the mentor's leg: the document ends here, and an empty rest of a whisper bridges.
      return say(prompts, ({ confirmed }) => confirmed.mentorConnected, 'go-on');
    case 'goodbye':
      return say(prompts, () => goodbyeWords(plan.words, ctx, prompts), 'hang-up');
    case 'hang-up':
    default:
      return hangUpTwiml();
  }
}

/** We cannot answer in time: say so, wait, and let Twilio ask the same question again at `redirectUrl`. */
export function oneMomentTwiml(ctx: Pick<TwimlContext, 'language'>, redirectUrl: string): string {
  const { speech, neutral } = promptsFor(ctx.language);
  const response = new VoiceResponse();
  response.say(speech, neutral.oneMoment);
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
}): string {
  const prompts = promptsFor(options.language);
  const { crisis, country } = helplinesFor(options.country, options.crisisOverride);
  const number = dialledAs(crisis, country, countryOfNumber(options.callerId));
  const ctx = { country: options.country, crisisOverride: options.crisisOverride };
  if (number === null) return say(prompts, () => callYourself(ctx, prompts), 'hang-up');
  const response = new VoiceResponse();
  response.say(prompts.speech, prompts.fallback);
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
  ctx: Pick<TwimlContext, 'language' | 'country' | 'crisisOverride'>,
): string {
  const prompts = promptsFor(ctx.language);
  const { crisis } = helplinesFor(ctx.country, ctx.crisisOverride);
  return say(
    prompts,
    ({ neutral }) => (who === 'mentor' ? neutral.inboundMentor : neutral.inboundStranger(spoken(crisis.number))),
    'hang-up',
  );
}

function dialMentor(
  plan: Extract<CallPlan, { do: 'dial-mentor' }>,
  ctx: TwimlContext,
  prompts: Prompts,
  mentorNumber: SealedValue,
): string {
  const response = new VoiceResponse();
  response.say(prompts.speech, wordsBeforeDial(prompts, plan.words, plan.timeLimitSeconds));
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
      url: ctx.urls.whisper({ callId: ctx.callId, step: plan.step, language: ctx.language }),
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
  const { crisis, country } = helplinesFor(plan.country, ctx.crisisOverride);
  const number = dialledAs(crisis, country, countryOfNumber(plan.callerId));
  if (number === null) return say(prompts, () => callYourself({ ...ctx, country: plan.country }, prompts), 'hang-up');
  const { confirmed, speech } = prompts;
  const words = {
    nobody: confirmed.helplineNobody,
    asked: confirmed.helplineAsked,
    waited: confirmed.helplineWaited,
  }[plan.because];
  const response = new VoiceResponse();
  response.say(speech, words);
  const dial = response.dial({
    callerId: plan.callerId,
    timeout: HELPLINE_RING_SECONDS,
    action: ctx.urls.helplineOver(ctx),
    method: 'POST',
  });
  dial.number(
    {
      statusCallback: ctx.urls.callStatus({ callId: ctx.callId, leg: 'helpline' }),
      statusCallbackMethod: 'POST',
      statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
    },
    number,
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
  response.say(prompts.speech, words(prompts));
  if (then === 'hang-up') response.hangup();
  return response.toString();
}

function goodbyeWords(
  words: Extract<CallPlan, { do: 'goodbye' }>['words'],
  ctx: TwimlContext,
  { confirmed }: Prompts,
): string {
  if (words === 'caller-gone') return confirmed.callerGone;
  if (words === 'call-over') return confirmed.callOver;
  const { crisis, emergency } = helplinesFor(ctx.country, ctx.crisisOverride);
  return confirmed.helplineNotReached(spoken(crisis.number), spoken(emergency.number));
}

function callYourself(ctx: Pick<TwimlContext, 'country' | 'crisisOverride'>, { confirmed }: Prompts): string {
  const { crisis, emergency } = helplinesFor(ctx.country, ctx.crisisOverride);
  return confirmed.callHelplineYourself(spoken(crisis.number), spoken(emergency.number));
}

function spoken(number: string | null): string | null {
  return number === null ? null : spokenNumber(number);
}
