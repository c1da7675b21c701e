/**
 * What a message is, in the words that the API, the workflow and the tables share. No import from a package: this file
 * is part of the workflow bundle.
 */
import type { MessageLink } from './message-links';

/** What a message can go out by. `voice` only as the fallback: a call that says it. */
export const MESSAGE_CHANNELS = ['sms', 'email'] as const;
export type MessageChannel = (typeof MESSAGE_CHANNELS)[number];

/**
 * What a message is about; people can refuse each of them, per channel. `invitation` asks somebody whether they want to be
 * a person's buddy or contact; `automatic` answers what somebody wrote.
 */
export const MESSAGE_KINDS = [
  'alert',
  'reminder',
  'update',
  'verification',
  'invitation',
  'check-in',
  'survey',
  'automatic',
] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

/** `safety`: somebody may come to harm when it does not arrive. */
export type MessageClass = 'ordinary' | 'safety';

/** Why something is not sent: the person opted out, their carrier or Twilio blocks us, or they refused this kind. */
export const SUPPRESSED_BECAUSE = ['opted-out', 'blocked', 'preference'] as const;
export type SuppressedBecause = (typeof SUPPRESSED_BECAUSE)[number];

/** How a message can end. A terminal state never goes back. */
export const MESSAGE_OUTCOMES = [
  'delivered',
  /** Twilio took it and its receipt never came. */
  'unconfirmed',
  'undelivered',
  'failed',
  /** Not sent, because the person does not want it. */
  'suppressed',
  /** Not sent, because its time was over before it could be. */
  'expired',
  'cancelled',
  /** Nobody can know whether it was sent, and it is not repeated. */
  'lost',
] as const;
export type MessageOutcome = (typeof MESSAGE_OUTCOMES)[number];

/** Why a message waits, or how it came to its end; a closed list, operational class. */
export const MESSAGE_REASONS = [
  // while it waits
  'not-before', // its time has not come
  'quiet-hours', // it is night where the recipient is, or may be
  'recipient-limit', // the recipient has got enough for now
  'retry', // the last try failed in a way that may pass
  // when it is over
  'provider-refused', // the provider will never do it
  'not-delivered', // the provider said so, after every try it was worth
  'opted-out', // the recipient said STOP to us
  'blocked', // the recipient said STOP to Twilio or the carrier
  'preference', // the recipient does not want this kind by this channel
  'too-late', // its notAfter has passed
  'cancelled', // DELETE
  'stopped-by-operator', // cancelled or terminated from the Web UI
  'workflow-failed', // what led it was lost, and a sweep closed it
  'not-sendable', // its template cannot be filled any more
  'switched-off', // the channel is off, and what is in flight is to end
  'record-destroyed', // the number or the words were erased before they could be sent
  'nobody-knows', // the answer to the request was lost for good
  'no-receipt', // the provider never told what became of it
] as const;
export type MessageReason = (typeof MESSAGE_REASONS)[number];

/** `waiting`: for its time, the recipient's day, a limit, or a line that is stopped. `sent`: the provider has it. */
export const MESSAGE_STATES = ['accepted', 'waiting', 'sending', 'sent', ...MESSAGE_OUTCOMES] as const;
export type MessageState = (typeof MESSAGE_STATES)[number];

/** Names the words: a version of a template, or none when the text was given as it is. */
export interface MessageContent {
  readonly templateId: string | null;
  readonly templateVersion: number | null;
  /** Vault record of kind `text`: a JSON object, `{"text": …}` or `{"variables": {…}}`. */
  readonly recordId: string;
  /** Of a template that shows links of its reader's own; left out by every other one. */
  readonly link?: MessageLink;
}

/** Arguments of the workflow `message`: ids and operational values only. */
export interface MessageInput {
  readonly messageId: string;
  /** Null unless it is a row of a batch. */
  readonly batchId: string | null;
  readonly batchRow: number | null;
  /** Subject id of who asked for it. */
  readonly requestedBy: string;
  /** Subject id of who is to get it. */
  readonly subjectId: string;
  /** Vault record of the number or address. */
  readonly recordId: string;
  /** Whether that record was sealed for this message only, and is destroyed with its end. */
  readonly ownsRecord: boolean;
  /** Hex. */
  readonly recipientToken: string;
  /** ISO 3166, of the number; `ZZ` for an address. */
  readonly country: string;
  readonly channel: MessageChannel;
  readonly kind: MessageKind;
  readonly messageClass: MessageClass;
  readonly urgency: 'emergency' | 'normal' | 'bulk';
  /** ISO 639-1. */
  readonly language: string;
  readonly content: MessageContent;
  /** ISO 8601; null: at once, for ever. */
  readonly notBefore: string | null;
  readonly notAfter: string | null;
  /** What is tried when it does not arrive: a call that says it. */
  readonly fallback: 'voice' | null;
  /** IANA zone of the recipient as it was given; null: the one they have told us counts, else all of the number's country. */
  readonly zone: string | null;
  /** One of ours that must be used (an answer goes out from where it was asked); null: whichever fits. */
  readonly sender: string | null;
  /** Keyed hash of the request. */
  readonly requestHash: string;
  readonly requestedAt: string;
  /** Whether the word that a failed try has arrived after all ends it; left out in runs that began without that. */
  readonly heedsLateDelivery?: boolean;
  /** False: it comes at any hour, because their phone has just rung for the same; left out: as what it is says. */
  readonly waitsForDay?: boolean;
  /** Id of the workflow that began it and hears how it goes, by the signal `messageNews`; left out: nobody does. */
  readonly reportsTo?: string;
}

/** The signal by which a message tells whoever began it how it goes. */
export const MESSAGE_NEWS = 'messageNews';

/** `sent`: the provider has it. Each state is told once; one that is over is told last. */
export interface MessageNews {
  readonly messageId: string;
  readonly state: 'sent' | MessageOutcome;
  readonly reason: MessageReason | null;
  /** ISO 8601. */
  readonly at: string;
}

export function messageWorkflowId(messageId: string): string {
  return `message:${messageId}`;
}

export const MESSAGE = {
  workflow: 'message',
  cancel: 'cancel',
  receipt: 'receipt',
} as const;

/** What the provider told of one try, sent as the signal `receipt`. */
export interface MessageReceipt {
  /** The stored event's key: a repeat is ignored. */
  readonly seenKey: string;
  /** Of the try, at the provider. */
  readonly sid: string;
  /** The provider's word, e.g. `delivered`. */
  readonly status: string;
  readonly errorCode: string | null;
}

/** What the update `cancel` answers with, and what the workflow returns. */
export interface MessageResult {
  readonly state: MessageOutcome;
  readonly reason: MessageReason | null;
}

/** The business key of the dispatch of the nth try, counted from 1. */
export function messageDispatchKey(messageId: string, nth: number): string {
  return `message:${messageId}:${nth}`;
}
