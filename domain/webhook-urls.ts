/**
 * Every URL that Twilio gets from us, built here and nowhere else: the query holds ids and small operational words
 * only (Twilio keeps URLs in its logs), and each ends in the connection overrides.
 */
import { withOverrides } from './connection-overrides';
import type { Leg, OfferKind } from './mentor-call';

/** The value of `step=` under `/twiml/connect-mentor`. */
export const TWIML_STEPS = ['greeting', 'confirmed', 'dial-over', 'offer', 'helpline-over'] as const;
export type TwimlStep = (typeof TWIML_STEPS)[number];

/** What names the user's leg in every question it asks. */
export interface UserLegIds {
  readonly callId: string;
  readonly dispatchId: string;
  readonly language: string;
  /** ISO country of a user who called from the app: their leg has no number that would tell it. */
  readonly appCountry?: string | undefined;
}

/** What names a mentor's leg in every question it asks. */
export interface MentorLegIds {
  readonly callId: string;
  readonly step: number;
  readonly language: string;
  /** `ask`: after key 1 they are asked whether it may be recorded. `answer`: they have pressed 1, and were asked. */
  readonly recording?: 'ask' | 'answer';
}

/** What a call from the app carries on while its workflow is not begun. */
export interface AppCallIds {
  readonly language: string;
  readonly country: string;
  /** Version and language of the consent text that was agreed to, or is about to be by key 1; null: none yet. */
  readonly consent: { readonly textVersion: string; readonly language: string } | null;
}

/** The value of `step=` under `/twiml/voice-app`: it is asked anew, or after a consent text was spoken. */
export type AppStep = 'begin' | 'agreed';

/**
 * What Twilio said when it first asked. A `<Redirect>` to the same step does not repeat `Digits` or
 * `DialCallStatus`, so a question that has to wait carries them along in its URL.
 */
export interface CarriedAnswer {
  readonly digits?: string;
  readonly dialStatus?: string;
  readonly dialSeconds?: number;
}

/** How often this step has been put off with "one moment"; 0 at first. */
interface Asked {
  readonly loop?: number;
  readonly carried?: CarriedAnswer;
}

/** The value of `step=` under `/twiml/alert`. */
export const ALERT_STEPS = ['greeting', 'confirmed', 'answered'] as const;
export type AlertStep = (typeof ALERT_STEPS)[number];

/** What names the leg of an alert in every question it asks. */
export interface AlertLegIds {
  readonly alertId: string;
  /** Of the leg; the dispatch is another one when the first was refused. */
  readonly legId: string;
  readonly dispatchId: string;
  readonly language: string;
  /** Whether neutral words and a key come before the message. */
  readonly neutralFirst: boolean;
}

/** `n` is the step number of the mentor call's plan, `try` the number of the greeting. */
export interface WebhookUrls {
  greeting(ids: UserLegIds, asked?: { readonly tryNumber?: number }): string;
  confirmed(ids: UserLegIds, asked: Asked & { readonly tryNumber: number }): string;
  dialOver(ids: UserLegIds, asked: Asked & { readonly step: number }): string;
  offer(ids: UserLegIds, asked: Asked & { readonly step: number; readonly offer: OfferKind }): string;
  /** `step`: which helpline it was, counted from 1. */
  helplineOver(ids: UserLegIds, asked?: Asked & { readonly step?: number }): string;
  whisper(leg: MentorLegIds): string;
  mentorConfirm(leg: MentorLegIds, asked?: Asked): string;
  /** What a phone that was rung for an alert is to say; `n` is how often the message was spoken before. */
  alert(
    leg: AlertLegIds,
    step: AlertStep,
    asked?: Asked & { readonly tryNumber?: number; readonly n?: number },
  ): string;
  /** What the TwiML app asks. Without `ids` as it is configured at Twilio; with them where it was put off to. */
  voiceApp(ids?: AppCallIds & { readonly step: AppStep }, asked?: Asked): string;
  callStatus(leg: {
    readonly callId: string;
    readonly alertId?: string;
    readonly leg: Leg;
    readonly step?: number;
    readonly dispatchId?: string;
  }): string;
  /** Where Twilio tells what becomes of a recording. */
  recordingStatus(ids: { readonly callId: string; readonly recordingId: string }): string;
  /** Where Twilio tells what becomes of a text. */
  messageStatus(ids: { readonly messageId: string; readonly dispatchId: string }): string;
  /** What is asked when somebody calls one of our numbers. */
  inbound(): string;
  /** Where the end of such a call is told; it names no call, because the number belongs to none. */
  inboundStatus(): string;
  /** What is asked when somebody texts one of our numbers. */
  inboundText(): string;
  /** The static document for a country, or null when no `VOICE_FALLBACK_URL` is configured. */
  fallback(country: string): string | null;
}

/**
 * @param base the public base URL Twilio reaches us by, e.g. `https://calls.example.org`
 * @param fallbackTemplate `VOICE_FALLBACK_URL`, containing `{country}`
 */
export function createWebhookUrls(base: string, fallbackTemplate: string | null): WebhookUrls {
  const root = base.replace(/\/+$/, '');
  const url = (path: string, query: Record<string, string | number | undefined>): string => {
    const params = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) params.append(name, String(value));
    const text = params.toString();
    return withOverrides(root + path + (text === '' ? '' : `?${text}`));
  };
  const question = (step: TwimlStep, ids: UserLegIds, more: Record<string, string | number | undefined>) =>
    url('/twiml/connect-mentor', {
      call: ids.callId,
      dispatch: ids.dispatchId,
      step,
      ...more,
      lang: ids.language,
      app: ids.appCountry,
    });
  return {
    greeting: (ids, asked) => question('greeting', ids, { try: asked?.tryNumber ?? 1 }),
    confirmed: (ids, asked) => question('confirmed', ids, { try: asked.tryNumber, ...again(asked) }),
    dialOver: (ids, asked) => question('dial-over', ids, { n: asked.step, ...again(asked) }),
    offer: (ids, asked) => question('offer', ids, { n: asked.step, offer: asked.offer, ...again(asked) }),
    helplineOver: (ids, asked) => question('helpline-over', ids, { n: asked?.step, ...again(asked) }),
    whisper: (leg) =>
      url('/twiml/mentor-whisper', { call: leg.callId, n: leg.step, rec: leg.recording, lang: leg.language }),
    mentorConfirm: (leg, asked) =>
      url('/twiml/mentor-confirm', {
        call: leg.callId,
        n: leg.step,
        rec: leg.recording,
        lang: leg.language,
        ...again(asked),
      }),
    alert: (leg, step, asked) =>
      url('/twiml/alert', {
        alert: leg.alertId,
        call: leg.legId,
        dispatch: leg.dispatchId,
        step,
        first: leg.neutralFirst ? 'key' : 'words',
        try: asked?.tryNumber,
        n: asked?.n,
        ...again(asked),
        lang: leg.language,
      }),
    voiceApp: (ids, asked) =>
      url('/twiml/voice-app', {
        step: ids?.step,
        text: ids?.consent?.textVersion,
        tl: ids?.consent?.language,
        ...again(asked),
        lang: ids?.language,
        app: ids?.country,
      }),
    callStatus: (leg) =>
      url('/call-status', {
        call: leg.callId,
        alert: leg.alertId,
        leg: leg.leg,
        n: leg.step,
        dispatch: leg.dispatchId,
      }),
    // Its dispatch has the same id.
    recordingStatus: ({ callId, recordingId }) => url('/recording-status', { call: callId, recording: recordingId }),
    messageStatus: (ids) => url('/message-status', { message: ids.messageId, dispatch: ids.dispatchId }),
    inbound: () => url('/twiml/inbound', {}),
    inboundStatus: () => url('/call-status', {}),
    inboundText: () => url('/twiml/inbound-text', {}),
    fallback: (country) =>
      fallbackTemplate === null ? null : withOverrides(fallbackTemplate.replaceAll('{country}', country)),
  };
}

/** Query of a question that is asked again: `loop`, `digits`, `ds` (dial status), `dd` (dial seconds). */
function again(asked: Asked | undefined): Record<string, string | number | undefined> {
  return {
    loop: asked?.loop,
    digits: asked?.carried?.digits,
    ds: asked?.carried?.dialStatus,
    dd: asked?.carried?.dialSeconds,
  };
}
