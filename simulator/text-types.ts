/** The shapes of texts that cross the simulator's own HTTP interface; see `types.ts` for the rules they follow. */

/** Twilio's message states, as many as there are here. */
export type TextStatus =
  | 'accepted'
  | 'queued'
  | 'sending'
  | 'sent'
  | 'delivered'
  | 'undelivered'
  | 'failed'
  | 'receiving'
  | 'received';

export type TextDirection = 'inbound' | 'outbound-api' | 'outbound-reply';

/** One receipt after `sent`, in the order of the script. */
export interface ScriptedReceipt {
  readonly status: 'delivered' | 'undelivered' | 'failed';
  readonly errorCode?: number;
  /** Since the one before it. Default: what the settings say. */
  readonly afterMs?: number;
}

/** What becomes of texts to a phone. Without one they are delivered. */
export interface TextScript {
  /**
   * `sent`: no receipt ever follows; `failed`: it never leaves Twilio; `refused`: creating it is answered with HTTP
   * 400 and `errorCode` (21610, 21408, 21614, …).
   */
  readonly outcome?: 'delivered' | 'undelivered' | 'failed' | 'sent' | 'refused';
  readonly errorCode?: number;
  /** Instead of an outcome: every receipt after `sent`, e.g. the parts of a long text that end differently. */
  readonly receipts?: readonly ScriptedReceipt[];
  /** Only the first so many texts; those after them are delivered. */
  readonly times?: number;
  /** What its owner texts back to each text that arrives. */
  readonly reply?: { readonly body: string; readonly afterMs?: number; readonly times?: number };
}

/** One text as its phone shows it. A phone knows nothing of redaction: what it has received it keeps. */
export interface HandsetText {
  /** Names the message for tests; null for what Twilio itself answers to STOP, START and HELP. */
  readonly sid: string | null;
  /** The number of the other side. */
  readonly number: string;
  readonly direction: 'incoming' | 'outgoing';
  readonly body: string;
  readonly at: string;
}

/** One line of the ledger of texts: everything that is known about one message. */
export interface TextEntry {
  readonly sid: string;
  readonly direction: TextDirection;
  readonly to: string;
  /** The number that it went out from; null while a Messaging Service has not chosen one. */
  readonly sender: string | null;
  readonly messagingServiceSid: string | null;
  /** As it was given, also when it was redacted since. */
  readonly body: string;
  readonly redacted: boolean;
  readonly segments: number;
  readonly status: TextStatus;
  readonly errorCode: number | null;
  readonly createdAt: string;
  /** Handed to the carrier. */
  readonly sentAt: string | null;
  /** The phone got it; for an inbound text: we did. */
  readonly arrivedAt: string | null;
  /** No receipt will follow. */
  readonly endedAt: string | null;
  readonly statusCallback: string | null;
}

/** Who will get no more texts from whom, as Twilio sees it. */
export interface OptOutEntry {
  /** One of our numbers, or the SID of a Messaging Service: then all its numbers. */
  readonly scope: string;
  readonly number: string;
  readonly at: string;
}
