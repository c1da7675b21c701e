/**
 * The words of a voice alert: what it is asked to do, what Twilio asks it, what becomes of it. Imported by the workflow,
 * therefore without any package. Nothing here holds sealed data: numbers and words are named by vault records, and the
 * API reveals the words only at the moment they are spoken.
 */
import type { MessageClass, MessageContent, MessageKind } from './message';

/** What `GET /alerts/voice/{alertId}` shows while phones are rung, or between two tries. */
export const ALERT_LIVE_STATES = ['starting', 'ringing', 'waiting'] as const;
export const ALERT_OUTCOMES = [
  /** Somebody pressed the key that says so. */
  'acknowledged',
  /** No acknowledgement was asked for, and somebody pressed a key to hear it. */
  'heard',
  /** Everybody was tried. */
  'exhausted',
  'cancelled',
  /** Its workflow was ended from outside, or failed. */
  'failed',
] as const;
export type AlertOutcome = (typeof ALERT_OUTCOMES)[number];
export const ALERT_STATES = [...ALERT_LIVE_STATES, ...ALERT_OUTCOMES] as const;
export type AlertState = (typeof ALERT_STATES)[number];

/** Why it ended, more exactly than the outcome; a closed list, operational class. */
export const ALERT_END_REASONS = [
  'acknowledged-by-key',
  'heard-after-key',
  'nobody-reached', // everybody was tried as often as was asked
  'nobody-reached-texted', // and got a text instead
  'cancelled-by-request', // DELETE
  'stopped-by-operator', // cancelled or terminated from the Web UI
  'workflow-failed',
] as const;
export type AlertEndReason = (typeof ALERT_END_REASONS)[number];

/** How one ringing of one phone can end. */
export const ALERT_LEG_OUTCOMES = [
  'acknowledged',
  'heard',
  /** Heard, or begun to be heard, by somebody who did not press the key that was asked for. */
  'not-acknowledged',
  /** Picked up, and no key pressed: a voicemail, or somebody else. */
  'no-key',
  'no-answer',
  'busy',
  'failed',
  /** Twilio will never ring it. */
  'refused',
  /** The person does not want to be called for this. */
  'suppressed',
  /** The number was erased before it could be dialled. */
  'erased',
  /** Twilio took no call within the time allowed. */
  'provider-unavailable',
  'cancelled',
] as const;
export type AlertLegOutcome = (typeof ALERT_LEG_OUTCOMES)[number];

/** Trying the same phone again cannot help after these. */
const FINAL: readonly AlertLegOutcome[] = ['refused', 'suppressed', 'erased'];

/** Whether the same phone may be rung again after this. */
export function mayRingAgain(outcome: AlertLegOutcome): boolean {
  return !FINAL.includes(outcome);
}

/** Somebody who is to be called, in the order of the list. */
export interface VoiceAlertRecipient {
  /** Subject id. */
  readonly subjectId: string;
  /** Vault record of the number. */
  readonly recordId: string;
  /** Whether that record was sealed for this alert only, and is destroyed with its end. */
  readonly ownsRecord: boolean;
  /** Hex. */
  readonly recipientToken: string;
  /** ISO 3166, of the number. */
  readonly country: string;
  /** ISO 639-1. */
  readonly language: string;
  /** Our number that is shown. */
  readonly organisationNumber: string;
  /** Sealed under this recipient's own key, so that whoever is erased takes their copy along. */
  readonly content: MessageContent;
}

/** Arguments of the workflow `voiceAlert`: ids and operational values only. */
export interface VoiceAlertInput {
  readonly alertId: string;
  /** Subject id of who asked for it. */
  readonly requestedBy: string;
  /** The message this alert is the fallback of, or null. */
  readonly messageId: string | null;
  /** One or more, in the order in which they are rung. */
  readonly recipients: readonly VoiceAlertRecipient[];
  readonly kind: MessageKind;
  readonly messageClass: MessageClass;
  readonly urgency: 'emergency' | 'normal' | 'bulk';
  /** Whether only a key after the message counts. */
  readonly acknowledge: boolean;
  /** Whether neutral words and a key come before anything personal. */
  readonly neutralFirst: boolean;
  /** How often one phone is rung at most. */
  readonly attempts: number;
  readonly backoff: AlertBackoff;
  /** From one recipient's last try until the next recipient is rung, ms. */
  readonly escalationDelayMs: number;
  readonly smsWhenExhausted: boolean;
  readonly times: VoiceAlertTimes;
  /** Keyed hash of the request. */
  readonly requestHash: string;
  /** ISO 8601. */
  readonly requestedAt: string;
  /**
   * Of an alert that says a message: where its recipient is (IANA zone), or null where nobody knows. Each of its calls
   * waits for the day as the text did. Left out in an alert that somebody asked for, which waits for nothing.
   */
  readonly zone?: string | null;
  /** ISO 8601; a call that would have to wait for the day until then is not made any more. */
  readonly notAfter?: string | null;
  /** Id of the workflow that began it and hears how it ended, by the signal `voiceAlertNews`; left out: nobody does. */
  readonly reportsTo?: string;
}

/** The signal by which an alert tells whoever began it how it ended. */
export const VOICE_ALERT_NEWS = 'voiceAlertNews';

export interface VoiceAlertNews {
  readonly alertId: string;
  readonly state: AlertOutcome;
  readonly endReason: AlertEndReason;
}

/** What the night depends on. */
export interface AlertNight extends Pick<VoiceAlertInput, 'kind' | 'messageClass' | 'urgency'> {
  readonly country: string;
  readonly zone: string | null;
  /** Who sleeps; left out by runs that began before it was told. */
  readonly subjectId?: string;
}

export interface AlertBackoff {
  /** Before the second try, ms. */
  readonly firstMs: number;
  /** Each wait is this many times the one before. */
  readonly factor: number;
  /** The longest wait, ms. */
  readonly longestMs: number;
}

/** Milliseconds. */
export interface VoiceAlertTimes {
  /** How long Twilio rings a phone (`Timeout`). */
  readonly ring: number;
  /** How long we try when Twilio takes no calls. */
  readonly providerPatience: number;
  /** The longest a call of an alert goes on, repeats included. */
  readonly longestCall: number;
}

/** How long to wait after the nth try, ms. */
export function waitAfter(attempt: number, { firstMs, factor, longestMs }: AlertBackoff): number {
  return Math.min(longestMs, firstMs * factor ** (attempt - 1));
}

/** How long an alert waits in all for a line that is closed, or for its turn: then those it texts have to know (ms). */
export const LONGEST_HOLD_UP = 6 * 3_600_000;

/** How long an alert goes on at most when nobody presses the key (ms): every call as long as it may be, every wait made. */
export function longestCourseMs(
  { attempts, backoff, escalationDelayMs, times }: AlertCourse,
  recipients: number,
): number {
  const waits = Array.from({ length: attempts - 1 }, (_, index) => waitAfter(index + 1, backoff));
  const calls = attempts * (times.providerPatience + times.ring + times.longestCall);
  return LONGEST_HOLD_UP + recipients * (calls + waits.reduce((sum, ms) => sum + ms, 0) + escalationDelayMs);
}

type AlertCourse = Pick<VoiceAlertInput, 'attempts' | 'backoff' | 'escalationDelayMs' | 'times'>;

/**
 * A TwiML question that only the workflow can answer, asked as the update `answerTwiml`. `validUntil` (epoch ms) is
 * checked by the validator: an abandoned question is otherwise executed when a worker returns.
 */
export type AlertQuestion = { readonly validUntil: number; readonly callSid: string; readonly legId: string } & (
  | { readonly kind: 'may-speak' }
  /** Asked after the message, the `n`th time on this call; no digits: nothing was pressed. */
  | { readonly kind: 'answered'; readonly n: number; readonly digits: string }
);

/** The workflow's answer; the API turns it into TwiML. */
export type AlertPlan =
  | {
      readonly do: 'speak';
      /** Whose words, so that the renderer knows for whom they are. */
      readonly recipient: Pick<VoiceAlertRecipient, 'subjectId' | 'content' | 'language'>;
      readonly acknowledge: boolean;
      /** How often the message has been spoken on this call, this time included. */
      readonly n: number;
    }
  | { readonly do: 'thank' }
  | { readonly do: 'goodbye' }
  | { readonly do: 'hang-up' };

/** The key that acknowledges, and the one that has the message spoken once more. */
export const ALERT_KEYS = { acknowledge: '1', again: '2' } as const;
/** How often one call speaks the message at most: a phone put down beside the bed is not talked to for ever. */
export const MOST_SPOKEN = 4;

export const VOICE_ALERT = {
  workflow: 'voiceAlert',
  answerTwiml: 'answerTwiml',
  cancel: 'cancel',
  legEnded: 'legEnded',
} as const;

/** The workflow id of an alert: a repeated request finds the running workflow instead of starting another. */
export function voiceAlertWorkflowId(alertId: string): string {
  return `voice-alert:${alertId}`;
}

/** The business key of the dispatch that rings a recipient's phone for the nth time. Both count from 1. */
export function alertLegKey(alertId: string, position: number, attempt: number): string {
  return `voice-alert:${alertId}:${position}:${attempt}`;
}

/** What the update `cancel` answers with, and what the workflow returns. */
export interface VoiceAlertResult {
  readonly state: AlertOutcome;
  readonly endReason: AlertEndReason;
  /** Position of who acknowledged or heard it, from 1; null when nobody did. */
  readonly reached: number | null;
}
