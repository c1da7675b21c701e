import { findVoiceIdentity, type VoiceIdentity } from '../db/voice-identities';
import { agreeTwiml, rejectTwiml } from '../domain/app-twiml';
import { appConsentTextFor, findAppConsentText } from '../domain/app-consent-texts';
import { isTerminal } from '../domain/call-status';
import type { CallPlan, MentorCallInput } from '../domain/mentor-call';
import { SPOKEN_LANGUAGES } from '../domain/prompts';
import { hangUpTwiml, noKeyTwiml } from '../domain/twiml';
import type { AppCallIds, AppStep } from '../domain/webhook-urls';
import type { Tokenizer } from '../vault/tokens';
import type { ApiDeps } from './deps';
import { LOOK_UP_WITHIN } from './limits';
import { areCallsOpenTo } from './mentor-call-access';
import { mentorCallTerms } from './mentor-call-terms';
import { Problem } from './problems';
import type { Routes } from './routes';
import { refuseWhenOff } from './switches';
import { isWhole } from './twilio-voice-webhooks';
import type { TwilioRequest } from './twilio-requests';
import { answeredInTime, helplineFromMemory, planDocument, sendTwiml, twimlContext } from './twiml-questions';
import { within } from './unavailable';
import { CALLED_IN, readAppCountry, readCount, readLanguage } from './webhook-query';

/** What an app calls: `device.connect({ params: { To: 'mentor-queue' } })`. */
const MENTOR_QUEUE = 'mentor-queue';

/**
 * `POST /twiml/voice-app`: somebody calls from the app. Twilio has checked their token, and who they are stands in our
 * own table; a number is neither known nor needed. Their call becomes the user's leg of an ordinary mentor call.
 */
export function voiceApp(routes: Routes, deps: ApiDeps): void {
  routes.twilio('POST /twiml/voice-app', async (asked, res) => {
    const step = asked.query.get('step');
    const identity = /^client:([0-9a-f]{64})$/.exec(asked.field('From') ?? '')?.[1];
    // Where we have put it off to we named the step ourselves; only the first request says whom they want.
    const isForUs = step !== null || asked.field('To') === MENTOR_QUEUE;
    if (identity === undefined || !isForUs || !isWhole(asked)) return sendTwiml(res, turnedDown(step));
    if (isTerminal(asked.field('CallStatus') ?? '')) return sendTwiml(res, hangUpTwiml());
    sendTwiml(res, await answered(deps, asked, identity));
  });
}

/** One id for one call, however often Twilio asks: nothing was written that could be looked up. */
export function appCallId(tokenizer: Tokenizer, callSid: string): string {
  return tokenizer.callIdFor('app', 'POST /twiml/voice-app', callSid);
}

type AppAnswer =
  | { readonly do: 'turn-down' }
  | { readonly do: 'ask-consent' }
  | { readonly do: 'plan'; readonly plan: CallPlan };

/** With the helplines of their country. */
const NO_MENTOR_NOW: AppAnswer = { do: 'plan', plan: { do: 'goodbye', words: 'no-mentor-now' } };

async function answered(deps: ApiDeps, asked: TwilioRequest, identity: string): Promise<string> {
  const step: AppStep = asked.query.get('step') === 'agreed' ? 'agreed' : 'begin';
  let ids = carriedIds(deps, asked);
  // They heard the text and pressed something else, or nothing.
  const digits = asked.field('Digits') ?? asked.query.get('digits');
  if (step === 'agreed' && digits !== '1') return noKeyTwiml(contextOf(deps, asked, ids));
  return await answeredInTime<AppAnswer>(deps, {
    asked,
    ids: { callId: callIdOf(deps, asked), kind: 'app-called' },
    language: ids.language,
    loop: readCount(asked.query, 'loop') ?? 0,
    again: (loop) => deps.urls.voiceApp({ ...ids, step }, { loop, carried: step === 'agreed' ? { digits: '1' } : {} }),
    giveUp: () => helplineFromMemory(deps, ids),
    tell: async ({ validUntil, updateId, withinMs }) => {
      const who = await within(LOOK_UP_WITHIN, findVoiceIdentity(deps.pool, identity));
      if (who === null) return { do: 'turn-down' };
      const consent = ids.consent ?? who.consent;
      ids = { country: who.country, language: spokenTo(consent?.language ?? who.language), consent };
      // A token outlives its user's place on the list, and nobody should agree to a call that they cannot have.
      const isOpen = await within(LOOK_UP_WITHIN, areCallsOpenTo(deps, who.subjectId));
      if (!isOpen) return NO_MENTOR_NOW;
      if (consent === null) return { do: 'ask-consent' };
      if (await areCallsOff(deps)) return NO_MENTOR_NOW;
      const question = { kind: 'app-called', callSid: asked.field('CallSid') ?? '', validUntil } as const;
      const input = inputOf(deps, asked, who, { ...ids, consent });
      return { do: 'plan', plan: await deps.process.begin(input, question, updateId, withinMs) };
    },
    write: async (answer) => {
      if (answer.do === 'turn-down') return turnedDown(asked.query.get('step'));
      const ctx = contextOf(deps, asked, ids);
      return answer.do === 'plan' ? await planDocument(deps, answer.plan, ctx) : askConsent(deps, ids);
    },
  });
}

/** A call that is not yet answered is rejected, which costs nobody anything; a later one can only be hung up. */
function turnedDown(step: string | null): string {
  return step === null ? rejectTwiml() : hangUpTwiml();
}

/** Who has agreed to nothing yet hears the text, and agrees by key: somebody who needs us now is not sent back. */
function askConsent(deps: ApiDeps, ids: AppCallIds): string {
  const text = appConsentTextFor(ids.language);
  if (text === null) return helplineFromMemory(deps, ids);
  const consent = { textVersion: text.version, language: text.language };
  return agreeTwiml(deps.promptsOf(text.language), text.text, deps.urls.voiceApp({ ...ids, consent, step: 'agreed' }));
}

/** What is known before anything is looked up: what the app has sent with the call, or what we put into the URL. */
function carriedIds(deps: ApiDeps, { field, query }: TwilioRequest): AppCallIds {
  const country = readAppCountry(query) ?? deps.config.limits.allowedCountries[0] ?? 'US';
  const [textVersion, language] = [query.get('text') ?? field('textVersion'), query.get('tl') ?? field('language')];
  // A text that there is not counts as none: they are asked.
  const isText = textVersion !== null && language !== null && findAppConsentText(textVersion, language) !== null;
  const consent = isText ? { textVersion, language } : null;
  return { country, language: spokenTo(consent?.language ?? readLanguage(query)), consent };
}

function spokenTo(language: string): string {
  return SPOKEN_LANGUAGES.includes(language) ? language : 'en';
}

function callIdOf(deps: ApiDeps, asked: TwilioRequest): string {
  return appCallId(deps.tokenizer, asked.field('CallSid') ?? '');
}

function contextOf(deps: ApiDeps, asked: TwilioRequest, { language, country }: AppCallIds) {
  const callId = callIdOf(deps, asked);
  return twimlContext(deps, { callId, dispatchId: CALLED_IN, language, country, appCountry: country });
}

async function areCallsOff(deps: ApiDeps): Promise<boolean> {
  try {
    await refuseWhenOff(deps, 'voice');
    return false;
  } catch (error) {
    if (error instanceof Problem) return true;
    throw error;
  }
}

function inputOf(
  deps: ApiDeps,
  asked: TwilioRequest,
  { subjectId: userId }: VoiceIdentity,
  { country, language, consent }: AppCallIds & Pick<MentorCallInput, 'consent'>,
): MentorCallInput {
  const callSid = asked.field('CallSid') ?? '';
  return {
    callId: callIdOf(deps, asked),
    userId,
    recordId: null,
    numberIsForThisCallOnly: false,
    recipientToken: null,
    country,
    language,
    ...mentorCallTerms(deps, { country, language, mayBeRecorded: false }),
    // There is no phone to ring.
    mayCallBack: false,
    preferences: { languages: [language] },
    consent,
    requestHash: deps.tokenizer.keyedHash('request', 'app-call', callSid).toString('hex'),
    requestedAt: new Date().toISOString(),
    detectMachines: false,
    fromApp: { callSid },
  };
}
