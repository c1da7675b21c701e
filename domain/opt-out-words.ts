/**
 * The words that carriers and Twilio know. A text is one of them only as a whole: "please stop" is a sentence, and may
 * be an answer to somebody (twilio.com/docs/messaging/tutorials/advanced-opt-out).
 */

export type OptOutIntent = 'stop' | 'start' | 'help';

const INTENTS: ReadonlyMap<string, OptOutIntent> = new Map([
  ...['STOP', 'STOPALL', 'UNSUBSCRIBE', 'END', 'QUIT', 'CANCEL', 'REVOKE', 'OPTOUT'].map((w) => [w, 'stop'] as const),
  ...['START', 'YES', 'UNSTOP'].map((w) => [w, 'start'] as const),
  ...['HELP', 'INFO'].map((w) => [w, 'help'] as const),
]);

/** These count only for somebody who is opted out; from anybody else they are answers. */
const ANSWERS_TOO: ReadonlySet<string> = new Set(['START', 'YES']);

export interface OptOutWord {
  readonly intent: OptOutIntent;
  readonly mayBeAnAnswer: boolean;
}

/**
 * What a text says about opting out; null when it says something else.
 * @param optOutType Twilio's `OptOutType`, where Advanced Opt-Out is on: it knows words and languages we do not
 */
export function optOutWord(body: string, optOutType: string | null = null): OptOutWord | null {
  const word = body.trim().toUpperCase();
  const intent = intentOfType(optOutType) ?? INTENTS.get(word) ?? null;
  if (intent === null) return null;
  return { intent, mayBeAnAnswer: intent === 'start' && ANSWERS_TOO.has(word) };
}

function intentOfType(optOutType: string | null): OptOutIntent | null {
  const type = optOutType?.toLowerCase();
  return type === 'stop' || type === 'start' || type === 'help' ? type : null;
}

/** Named in what we send: how to opt out, in again, and get help. All others would be asked for as answers. */
const MAY_BE_ASKED_FOR: ReadonlySet<string> = new Set(['STOP', 'START', 'HELP']);

/**
 * A word in capitals, as texts ask for a reply, that would opt the person out or in: "Reply YES or CANCEL". Null when
 * there is none. Whoever answered so would not get another text.
 */
export function optOutWordAskedFor(text: string): string | null {
  const words = text.match(/(?<![\p{L}\p{N}])\p{Lu}{3,}(?![\p{L}\p{N}])/gu) ?? [];
  return words.find((word) => INTENTS.has(word) && !MAY_BE_ASKED_FOR.has(word)) ?? null;
}
