/**
 * The provider's words for a message. Receipts have no sequence number and no time (twilio-csharp#633): they come twice,
 * late and in any order. What may follow what is therefore one table, and a terminal state never goes back; of a text in
 * several parts each part may have a receipt, and an error of one is not undone by another's success. Only an error that
 * may pass is: a phone that was off, and is on again, has got its text.
 * No packages here: part of the workflow bundle.
 */
import type { MessageOutcome } from './message';
import { classOfCode, PLANS } from './twilio-errors';

const ALL = [
  'accepted',
  'scheduled',
  'queued',
  'sending',
  'sent',
  'delivered',
  'read',
  'undelivered',
  'failed',
  'canceled',
  'partially_delivered',
] as const;
type MessageStatus = (typeof ALL)[number];

const ENDS: readonly MessageStatus[] = [
  'delivered',
  'read',
  'undelivered',
  'failed',
  'canceled',
  'partially_delivered',
];

/** What may come after a state. What is not named here is late, or a repeat, and changes nothing. */
const MAY_FOLLOW: Readonly<Record<MessageStatus, readonly MessageStatus[]>> = {
  accepted: ['scheduled', 'queued', 'sending', 'sent', ...ENDS],
  scheduled: ['queued', 'sending', 'sent', ...ENDS],
  queued: ['sending', 'sent', ...ENDS],
  sending: ['sent', ...ENDS],
  sent: ENDS,
  delivered: ['read'],
  read: [],
  undelivered: [],
  failed: [],
  canceled: [],
  partially_delivered: [],
};

/** What the provider has told of one try. */
export interface ReceiptState {
  readonly status: MessageStatus;
  /** The first one that came. */
  readonly errorCode: string | null;
}

/** Whether it is a word for a message that goes out. */
export function isMessageStatus(word: string): word is MessageStatus {
  return Object.hasOwn(MAY_FOLLOW, word);
}

/** Whether a try is over with it: only `read` comes after it, or the word that it has arrived after all. */
export function isEnd(status: string): boolean {
  return isMessageStatus(status) && ENDS.includes(status);
}

/**
 * What is known of a try after one more receipt: the same in whatever order the receipts of one try come.
 * @param before null: nothing yet
 */
export function afterReceipt(
  before: ReceiptState | null,
  told: { readonly status: string; readonly errorCode: string | null },
): ReceiptState | null {
  if (!isMessageStatus(told.status)) return before;
  if (before === null) return { status: told.status, errorCode: told.errorCode };
  if (!MAY_FOLLOW[before.status].includes(told.status) && !hasArrivedAfterAll(before, told.status)) return before;
  const errorCode = outcomeOf(told.status) === 'delivered' ? null : (before.errorCode ?? told.errorCode);
  return { status: told.status, errorCode };
}

/** A second text to somebody who has got the first would be the worse mistake. */
function hasArrivedAfterAll({ status, errorCode }: ReceiptState, told: MessageStatus): boolean {
  if (outcomeOf(told) !== 'delivered' || !isEnd(status) || errorCode === null) return false;
  const errorClass = classOfCode(Number(errorCode));
  return outcomeOf(status) !== 'delivered' && errorClass !== null && PLANS[errorClass].retry !== 'never';
}

/** What a try that is over means for the message; null while it is not over. */
export function outcomeOf(status: string): Extract<MessageOutcome, 'delivered' | 'undelivered' | 'failed'> | null {
  if (!isEnd(status)) return null;
  if (status === 'delivered' || status === 'read') return 'delivered';
  return status === 'undelivered' || status === 'partially_delivered' ? 'undelivered' : 'failed';
}

/**
 * Whether an event changes the course of a message: only what ends a try does. Everything else is kept and shown.
 */
export function changesTheCourse(event: { readonly status: string | null }): boolean {
  return event.status !== null && isEnd(event.status);
}
