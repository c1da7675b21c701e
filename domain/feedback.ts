/** How a call was: a number from 1 to 5 and, where they like, a few words. No import from a package. */

export const FEEDBACK_VIA = ['key', 'sms', 'app'] as const;
export type FeedbackVia = (typeof FEEDBACK_VIA)[number];

/** What a text may begin with to be an answer. */
export const RATINGS = ['1', '2', '3', '4', '5'] as const;

/** Characters; what a text of two segments can hold. */
export const MOST_FEEDBACK_WORDS = 300;
/** From the first answer until it stays as it is (ms). */
export const FEEDBACK_CHANGEABLE = 24 * 3_600_000;
/** From the end of the call; later nobody remembers it well (ms). */
export const FEEDBACK_WITHIN = 7 * 24 * 3_600_000;

/** Fewer answers in a month would show single people. */
export const LEAST_ANSWERS_A_MONTH = 5;
/** The same for one mentor: who knows whom they talked with could tell the answers apart. */
export const LEAST_ANSWERS_OF_A_MENTOR = 10;

export interface Feedback {
  readonly rating: number;
  readonly words: string | null;
}

/**
 * Reads an answer that came by text: `4`, `4!`, `5 thank you`. Null when it begins with nothing of the kind; `10` is no
 * rating, and neither is `5:30`.
 */
export function readFeedback(text: string): Feedback | null {
  const [, digit, rest = ''] = /^\s*([1-5])(?![\d:]|[.,]\d)([^]*)$/.exec(text) ?? [];
  if (digit === undefined) return null;
  const words = rest
    .replace(/^[\s.,;!\-–/)]+/, '')
    .trim()
    .slice(0, MOST_FEEDBACK_WORDS);
  return { rating: Number(digit), words: words === '' ? null : words };
}
