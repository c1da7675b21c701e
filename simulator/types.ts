/**
 * The shapes that cross the simulator's own HTTP interface (`/simulator/...`): what `SimulatorClient` and the
 * handsets page send and get. All JSON; times are ISO 8601, durations milliseconds unless a name says otherwise.
 */

import type { HandsetText, TextScript } from './text-types';

/** Twilio's call states. `initiated` is only ever seen in callbacks: the Call resource has no such value. */
export type LegStatus =
  | 'queued'
  | 'initiated'
  | 'ringing'
  | 'in-progress'
  | 'completed'
  | 'busy'
  | 'failed'
  | 'no-answer'
  | 'canceled';

export type LegDirection = 'outbound-api' | 'outbound-dial' | 'inbound';

/** Words: a piece of what must be heard. `greeting`, `whisper`, `gather`: a moment at which keys are expected. */
export type KeyMoment = 'greeting' | 'whisper' | 'gather' | (string & {});

export interface KeyRule {
  /**
   * `greeting`: a Gather in the first document of a call; `whisper`: a Gather before a bridge; `gather`: any
   * Gather; anything else: whenever words are heard that contain it (any case).
   */
  readonly when: KeyMoment;
  readonly press: string;
  readonly afterMs?: number;
  /** How often at most, per leg. Default: every time. */
  readonly times?: number;
}

/** What a phone does by itself. Without `answerAfterMs` and `outcome` it rings until a person acts. */
export interface HandsetScript {
  readonly answerAfterMs?: number;
  readonly outcome?: 'answer' | 'busy' | 'no-answer' | 'decline' | 'voicemail' | 'failed';
  readonly keys?: readonly KeyRule[];
  readonly hangUp?: {
    readonly after: 'answered' | 'bridged' | 'words';
    readonly ms: number;
    readonly words?: string;
    /** Nobody hangs up: the network loses the line, which ends as `failed`. */
    readonly isLost?: boolean;
  };
  /** What becomes of texts to it. */
  readonly texts?: TextScript;
}

/** One call as its phone knows it: only what a real handset could show or hear. */
export interface HandsetCall {
  /** Names the call for the control routes; a real phone has no such thing. */
  readonly sid: string;
  /** The number on the phone's screen. */
  readonly callerId: string;
  readonly direction: 'incoming' | 'outgoing';
  readonly state: 'ringing' | 'answered' | 'bridged' | 'over';
  readonly startedAt: string;
  readonly answeredAt: string | null;
  readonly endedAt: string | null;
  /** What was said to it, in order; a sound that was played appears as `♪` and its address. */
  readonly heard: readonly string[];
  readonly pressed: readonly string[];
  /** True while keys are expected. */
  readonly expectsKeys: boolean;
  /** What no phone knows: this end or the other is being recorded. */
  readonly recorded: boolean;
}

export interface HandsetView {
  readonly number: string;
  readonly label: string | null;
  readonly kind: 'phone' | 'helpline';
  readonly state: 'idle' | 'ringing' | 'in-call';
  readonly script: HandsetScript | null;
  /** Newest first, at most 20. */
  readonly calls: readonly HandsetCall[];
  /** Oldest first, at most 50. */
  readonly texts: readonly HandsetText[];
}

/** One line of the ledger: everything that is known about one leg. */
export interface LedgerEntry {
  readonly sid: string;
  readonly parentSid: string | null;
  readonly to: string;
  /** The caller id that `to` saw. */
  readonly from: string;
  readonly direction: LegDirection;
  readonly status: LegStatus;
  readonly createdAt: string;
  readonly ringingAt: string | null;
  readonly answeredAt: string | null;
  readonly bridgedAt: string | null;
  readonly endedAt: string | null;
  readonly heard: readonly string[];
  readonly pressed: readonly string[];
  /** SIDs of the legs it was connected to. */
  readonly bridgedWith: readonly string[];
  /** Every callback, TwiML, action, whisper and fallback URL that we were given for it, fragment included. */
  readonly urls: readonly string[];
  readonly wentToFallback: boolean;
  /** Words were said to it, or it was bridged. */
  readonly spoke: boolean;
}

/** One `<Dial>` that was served to a leg. */
export interface DialRecord {
  readonly parentSid: string;
  /** URL of the document that held it, without fragment. */
  readonly documentUrl: string;
  readonly at: string;
  readonly numbers: number;
  /** Legs whose phone really rang. */
  readonly rung: number;
  readonly childSids: readonly string[];
  readonly status: string | null;
  readonly bridged: boolean;
  /** True when the leg that asked was already over, so that nothing was dialled. */
  readonly moot: boolean;
}

/** `create`, `read`, `list` and `update` are those of calls and numbers; `recording` is how one ends, `media` its sound. */
export type FaultPlace =
  | 'create'
  | 'read'
  | 'list'
  | 'update'
  | 'callback'
  | 'twiml'
  | 'create-message'
  | 'read-message'
  | 'list-messages'
  | 'update-message'
  | 'message-callback'
  | 'inbound-message'
  | 'create-recording'
  | 'read-recording'
  | 'list-recordings'
  | 'update-recording'
  | 'recording-callback'
  | 'recording'
  | 'media'
  | 'mail-recipient'
  | 'mail';
export type FaultKind =
  | 'drop-response'
  | 'error-500-before'
  | 'error-500-after'
  | 'rate-limit'
  | 'unauthorized'
  | 'hang'
  | 'duplicate'
  | 'duplicate-new-token'
  | 'reorder'
  | 'late'
  | 'lost'
  | 'reset'
  | 'refused'
  | 'busy'
  | 'absent';

/** Something that goes wrong on purpose. The first plan entry that matches a request is used. */
export interface Fault {
  readonly on: FaultPlace;
  readonly kind: FaultKind;
  /** Only the nth matching request, counted from 1. */
  readonly nth?: number;
  /** The first so many matching requests. Default 1. */
  readonly times?: number;
  /** Only calls and texts to this number, mails to this address. */
  readonly to?: string;
  /** For callbacks: only this `CallStatus` or `MessageStatus`. */
  readonly event?: string;
  /** For `late` and `hang`, and the `Retry-After` of `rate-limit`. */
  readonly delayMs?: number;
}

export interface Settings {
  /** How long a new call or text is missing from lists (never from reads by SID). */
  readonly listLagMs: number | { readonly seed: number; readonly min: number; readonly max: number };
  /** Calls by REST that are dialled in a second; the rest wait in a queue. 0: no limit. */
  readonly callsPerSecond: number;
  /** Phone and TwiML times run so much faster. HTTP limits, list lag and pacing do not. */
  readonly timeScale: number;
  /** How long a spoken word lasts. */
  readonly wordMs: number;
  /** Pauses before the retries of a webhook; the last one is repeated. */
  readonly webhookRetryMs: readonly number[];
  /** Twilio signs the same URL with or without its port, depending on the back end. */
  readonly signedPort: 'as-given' | 'without' | 'with';
  /** Segments that one number sends in a second; the rest waits in its queue. 0: no limit. */
  readonly messagesPerSecond: number;
  /** How many seconds of texts a number's queue holds. */
  readonly senderQueueSeconds: number;
  /** From a text's turn until it is `sent`, and from then until its receipt. Phone time. */
  readonly sentAfterMs: number;
  readonly deliveredAfterMs: number;
  /** From a text's `sent`, or the end of a call, until the resource has a price. Phone time. */
  readonly priceAfterMs: number;
  /** Whether webhooks of STOP, START and HELP say so in `OptOutType`. */
  readonly advancedOptOut: boolean;
  /** ISO countries that may be texted; null: all. */
  readonly textCountries: readonly string[] | null;
  /** Whether the sound of recordings is given only to whoever has the account's credentials. */
  readonly mediaNeedsAuth: boolean;
}

/** What Twilio's debugger would show. */
export interface Notification {
  readonly code: number;
  readonly message: string;
  /** Of the call or message. */
  readonly sid: string;
  readonly at: string;
}

export type WebhookKind = 'callback' | 'twiml' | 'message-callback' | 'inbound-message' | 'recording-callback';

/** One webhook we sent: its last attempt. */
export interface WebhookRecord {
  readonly kind: WebhookKind;
  /** Of the call or message. */
  readonly sid: string;
  readonly url: string;
  readonly token: string;
  readonly attempts: number;
  /** Null when no attempt was answered. */
  readonly status: number | null;
  /** From the first attempt to the end of the last, with the pauses between: what a caller waited for. */
  readonly durationMs: number;
  readonly at: string;
}

/** One REST request and its answer, without the Authorization header; for contract tests. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  readonly form: Readonly<Record<string, string | readonly string[]>>;
  readonly status: number;
  readonly answer: unknown;
  /** The fault that was applied, if any. */
  readonly fault: FaultKind | null;
  readonly at: string;
}
