/**
 * What the phone of a recipient says. Pure: the same arguments give the same document, so a request that Twilio repeats
 * gets the same answer.
 */
import VoiceResponse from 'twilio/lib/twiml/VoiceResponse';
import type { PromptsOf } from './prompts';
import type { SealedValue } from './sealed';
import { sayWords, speak } from './speech';
import { gatherKey, say } from './twiml';
import { ALERT_KEYS } from './voice-alert';
import type { AlertLegIds, WebhookUrls } from './webhook-urls';

/** What every document of one leg needs to know. */
export interface AlertTwimlContext extends AlertLegIds {
  readonly urls: WebhookUrls;
  readonly promptsOf: PromptsOf;
  /** `CALL_GREETING_NAME`; null says no name at all. */
  readonly greetingName: string | null;
}

/** The first words: neutral, because anybody may have picked up. Static: needs no database, no workflow, no key ring. */
export function alertGreetingTwiml(ctx: AlertTwimlContext, tryNumber: number): string {
  const prompts = ctx.promptsOf(ctx.language);
  const { neutral } = prompts;
  const words = tryNumber <= 1 ? neutral.alert(ctx.greetingName) : neutral.alertAgain(ctx.greetingName);
  const response = new VoiceResponse();
  speak(gatherKey(response, ctx.urls.alert(ctx, 'confirmed', { tryNumber })), prompts, words);
  response.hangup();
  return response.toString();
}

/** The message and the keys that go with it. A key pressed while it is spoken counts. */
export function alertMessageTwiml(
  ctx: AlertTwimlContext,
  message: {
    readonly words: SealedValue<'text'>;
    readonly language: string;
    readonly acknowledge: boolean;
    readonly n: number;
  },
): string {
  const own = ctx.promptsOf(ctx.language);
  const response = new VoiceResponse();
  const gather = gatherKey(response, ctx.urls.alert(ctx, 'answered', { n: message.n }));
  // Said with the voice of its own language, and never taken for the address of a recording.
  sayWords(gather, ctx.promptsOf(message.language), message.words.expose());
  gather.pause({ length: 1 });
  const acknowledge = message.acknowledge ? ALERT_KEYS.acknowledge : null;
  speak(gather, own, own.confirmed.alertKeys({ acknowledge, again: ALERT_KEYS.again }));
  response.hangup();
  return response.toString();
}

/** The key that says it was heard was pressed, and is noted. */
export function alertThanksTwiml({ language, promptsOf }: Pick<AlertTwimlContext, 'language' | 'promptsOf'>): string {
  return say(promptsOf(language), ({ confirmed }) => confirmed.alertAcknowledged, 'hang-up');
}

/** Nothing more is said: no key, keys that mean nothing, or we cannot go on. */
export function alertGoodbyeTwiml({ language, promptsOf }: Pick<AlertTwimlContext, 'language' | 'promptsOf'>): string {
  return say(promptsOf(language), ({ neutral }) => neutral.goodbye, 'hang-up');
}
