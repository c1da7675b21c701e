/**
 * Twilio's error codes, what they mean for us and what is done about them. No import from a package: workflows plan by it. (Codes: twilio.com/docs/api/errors; the classes are ours.)
 * The distinction that counts: only 429 is known not to have been processed, and a lost or broken answer says
 * nothing, because Twilio has no idempotency key for calls and messages.
 */

export type TwilioErrorClass =
  /** Not processed: again after `Retry-After`. */
  | 'retry'
  /** May have been accepted: reconcile, never repeat blindly. */
  | 'unknown'
  /** Will never succeed as it is: any refusal that is not one of the others. */
  | 'permanent'
  /** No such number, or not one that can be reached at all. */
  | 'bad-destination'
  /** A landline, or a number that takes no texts: a call may still reach it. */
  | 'not-for-texts'
  /** The account may not send to that country: a setting of ours. */
  | 'not-allowed'
  /** A carrier blocks or filters what we send, or our sender is not registered. */
  | 'blocked'
  /** The person has opted out; Twilio blocks the pair. */
  | 'opted-out'
  /** This sender cannot reach the number: another sender, once. */
  | 'other-sender'
  /** The sender's queue is full: later. */
  | 'delay'
  /** Suspended or not authenticated: stop the line and call for a human. */
  | 'stop-line'
  /** The handset is off or the carrier failed: a bounded number of times, then another channel. */
  | 'temporary'
  /** Our own webhook or TwiML is wrong. */
  | 'page-ourselves';

const classes: ReadonlyMap<number, TwilioErrorClass> = new Map([
  [20429, 'retry'],
  [20500, 'unknown'],
  [21201, 'bad-destination'],
  [21211, 'bad-destination'],
  [21214, 'bad-destination'],
  [21217, 'bad-destination'],
  [21614, 'not-for-texts'],
  [21635, 'not-for-texts'],
  [30005, 'not-for-texts'],
  [30006, 'not-for-texts'],
  [21408, 'not-allowed'],
  [21215, 'not-allowed'],
  [21610, 'opted-out'],
  [21612, 'other-sender'],
  [21606, 'other-sender'],
  [21210, 'other-sender'],
  [21611, 'delay'],
  [30001, 'delay'],
  [30002, 'stop-line'],
  [20003, 'stop-line'],
  [30003, 'temporary'],
  [30008, 'temporary'],
  [30500, 'temporary'],
  [30004, 'blocked'],
  [30007, 'blocked'],
  [30034, 'blocked'],
  [32017, 'blocked'],
  [11200, 'page-ourselves'],
  [11205, 'page-ourselves'],
  [13225, 'page-ourselves'],
]);

/** What is true of the number, and not of this one text: its contact point is marked (TWILIO.md's row of both classes). */
const OF_THE_NUMBER: readonly number[] = [21201, 21211, 21214, 21217, 21614, 21635];

/** Whether no text will ever reach the number, whatever is tried. */
export function isOfTheNumber(code: number): boolean {
  return OF_THE_NUMBER.includes(code);
}

/** The class of a code in an error or a callback; null for one that is not in the table. */
export function classOfCode(code: number): TwilioErrorClass | null {
  return classes.get(code) ?? null;
}

/**
 * The class of an HTTP answer to a create.
 * @param status HTTP status; null when there was no answer or it could not be read
 * @param code Twilio's code from the body; null when there was none
 */
export function classifyHttp(status: number | null, code: number | null): TwilioErrorClass {
  if (status === 429) return 'retry';
  if (status === null || status === 408 || status < 400 || status >= 500) return 'unknown';
  // A 4xx without Twilio's code comes from something in between (a proxy): it proves nothing about Twilio.
  if (code === null) return 'unknown';
  return classOfCode(code) ?? 'permanent';
}

/** What follows when an act ended with an error of a class. */
export interface ErrorPlan {
  /** Whether another try may succeed, and how: by the same sender, by another one, after a while, or not at all. */
  readonly retry: 'same' | 'other-sender' | 'later' | 'never';
  /** How many more tries at most. */
  readonly attempts: number;
  /** Before the first of them; doubled for each further one. */
  readonly firstDelayMs: number;
  /** Whether another channel may still reach the person, when all tries are over. */
  readonly fallback: boolean;
  /** Whether a human of ours has to do something. */
  readonly pages: boolean;
}

const never = (rest: Pick<ErrorPlan, 'fallback' | 'pages'>): ErrorPlan => ({
  retry: 'never',
  attempts: 0,
  firstDelayMs: 0,
  ...rest,
});

/**
 * What a workflow does about an error, whether a create was refused with it or a receipt told it later. Of `other-sender`,
 * `delay` and `stop-line` a receipt only: what a create was refused with, the dispatch itself has tried once more.
 */
export const PLANS: Readonly<Record<TwilioErrorClass, ErrorPlan>> = {
  retry: { retry: 'same', attempts: 5, firstDelayMs: 1_000, fallback: true, pages: false },
  // The dispatch rule has looked for it already; a blind repeat could send it twice.
  unknown: never({ fallback: true, pages: false }),
  permanent: never({ fallback: true, pages: false }),
  'bad-destination': never({ fallback: false, pages: false }),
  'not-for-texts': never({ fallback: true, pages: false }),
  'not-allowed': never({ fallback: true, pages: true }),
  'opted-out': never({ fallback: false, pages: false }),
  'other-sender': { retry: 'other-sender', attempts: 1, firstDelayMs: 0, fallback: true, pages: false },
  delay: { retry: 'later', attempts: 3, firstDelayMs: 60_000, fallback: true, pages: false },
  // Whatever is tried later waits by itself while the line is stopped.
  'stop-line': { retry: 'later', attempts: 3, firstDelayMs: 30_000, fallback: true, pages: true },
  temporary: { retry: 'later', attempts: 3, firstDelayMs: 60_000, fallback: true, pages: false },
  blocked: never({ fallback: true, pages: true }),
  // The message itself went its way; it is our webhook that did not answer.
  'page-ourselves': never({ fallback: false, pages: true }),
};

/** Whether it is a class of the table. */
export function isErrorClass(word: string | null): word is TwilioErrorClass {
  return word !== null && Object.hasOwn(PLANS, word);
}
