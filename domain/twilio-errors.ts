/**
 * Twilio's error codes and what they mean for us. (Codes: twilio.com/docs/api/errors; the classes are ours.)
 * The distinction that counts: only 429 is known not to have been processed, and a lost or broken answer says
 * nothing, because Twilio has no idempotency key for calls and messages.
 */

export type TwilioErrorClass =
  /** Not processed: again after `Retry-After`. */
  | 'retry'
  /** May have been accepted: reconcile, never repeat blindly. */
  | 'unknown'
  /** Will never succeed as it is. */
  | 'permanent'
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
  // Bad, impossible or non-mobile destinations.
  [21201, 'permanent'],
  [21211, 'permanent'],
  [21214, 'permanent'],
  [21217, 'permanent'],
  [21614, 'permanent'],
  [21635, 'permanent'],
  // No permission for that country.
  [21408, 'permanent'],
  [21215, 'permanent'],
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
  // Unknown number, landline, blocked, filtered, unregistered.
  [30005, 'permanent'],
  [30006, 'permanent'],
  [30004, 'permanent'],
  [30007, 'permanent'],
  [30034, 'permanent'],
  [32017, 'permanent'],
  [11200, 'page-ourselves'],
  [11205, 'page-ourselves'],
  [13225, 'page-ourselves'],
]);

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
