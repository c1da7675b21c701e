/**
 * The words of a mentor call: states, questions that Twilio asks, and the plans the workflow answers with.
 * Imported by the workflow, therefore without any package. Nothing here holds sealed data: a plan names a
 * vault record, and the API reveals the number only while it writes the TwiML.
 */

/** One phone's part of a call. `recipient`: of a voice alert. */
export type Leg = 'user' | 'mentor' | 'helpline' | 'recipient';

/** What `GET /mentor-calls/{callId}` shows while the call is running. */
export const LIVE_STATUSES = ['starting', 'ringing-user', 'finding-mentor', 'connected', 'helpline'] as const;
/** How a call can end. */
export const OUTCOMES = ['completed', 'no-answer', 'fallback-completed', 'cancelled', 'failed', 'merged'] as const;
export type LiveStatus = (typeof LIVE_STATUSES)[number];
export type Outcome = (typeof OUTCOMES)[number];

/** Why it ended, more exactly than the outcome; a closed list, operational class. */
export const END_REASONS = [
  'bridge-over', // the conversation with a mentor is over
  'ended-by-user', // DELETE while bridged
  'cancelled-by-user', // DELETE before the bridge
  'user-not-reached', // busy, no answer, voicemail, or key 1 never pressed
  'user-hung-up', // the user left while we were still looking
  'helpline-over', // a conversation with the helpline is over
  'helpline-not-reached', // the helpline was busy or did not answer
  'fallback-static', // Twilio went to the static fallback document
  'provider-unavailable', // no call could be placed within the time allowed
  'provider-refused', // Twilio refused the call for good
  'too-many-requests', // the limits per user or per number
  'merged', // the user already had a live call
  'stopped-by-operator', // cancelled or terminated from the Web UI
  'record-destroyed', // the number was erased before we could dial it
] as const;
export type EndReason = (typeof END_REASONS)[number];

/** What the request prefers; class sensitive. */
export interface MentorPreferences {
  readonly languages?: readonly string[];
  readonly specialties?: readonly string[];
  readonly mentorId?: string;
}

/** The arguments of the `mentorCall` workflow: ids, operational values and preferences only. */
export interface MentorCallInput {
  readonly callId: string;
  /** Subject id of the user. */
  readonly userId: string;
  /** Vault record of the number to ring. */
  readonly recordId: string;
  /** True when the number was given for this call only, so that it is destroyed with it. */
  readonly numberIsForThisCallOnly: boolean;
  /** Hex of the HMAC token of the number to ring. */
  readonly recipientToken: string;
  /** ISO 3166 country of the number to ring. */
  readonly country: string;
  /** Spoken language, e.g. `en`. */
  readonly language: string;
  /** Our number that the user sees. */
  readonly organisationNumber: string;
  readonly mayCallBack: boolean;
  readonly preferences: MentorPreferences;
  readonly consent: { readonly textVersion: string; readonly language: string };
  /** Keyed hash of the request body, so that another body under the same Idempotency-Key is noticed. */
  readonly requestHash: string;
  /** ISO 8601. */
  readonly requestedAt: string;
  /** The times of configuration that the workflow needs, in milliseconds, fixed at the start. */
  readonly times: MentorCallTimes;
  readonly maxMentors: number;
  /** Answering-machine detection instead of key 1 (`USER_CONFIRM=amd`). */
  readonly detectMachines: boolean;
}

/** Milliseconds. */
export interface MentorCallTimes {
  /** How long Twilio rings the user (`Timeout`). */
  readonly userRing: number;
  /** From the answer until key 1, two tries of the greeting included. */
  readonly userConfirm: number;
  /** How long a mentor's phone rings. */
  readonly mentorRing: number;
  /** From a mentor's answer until key 1. */
  readonly mentorConfirm: number;
  /** The longest bridge. */
  readonly maxDuration: number;
  /** After a dropped call: how long we may take to ring the user back. */
  readonly ringBackWindow: number;
  /** After this much looking the helpline is offered by key 0. */
  readonly mentorSearch: number;
  /** After this much looking the helpline is taken. */
  readonly overallWait: number;
  /** How long we try when Twilio is down. */
  readonly providerPatience: number;
  /** A served Dial whose leg has shown no callback by then counts as not taken (8 s). */
  readonly legSilence: number;
}

/**
 * A TwiML question that only the workflow can answer, asked as the update `answerTwiml`. `validUntil`
 * (epoch ms) is checked by the validator: an abandoned question is otherwise executed when a worker returns.
 */
export type TwimlQuestion = { readonly validUntil: number; readonly callSid: string } & (
  | { readonly kind: 'user-confirmed' }
  | {
      readonly kind: 'dial-over';
      readonly step: number;
      readonly dialStatus: string;
      readonly dialSeconds: number;
    }
  | {
      readonly kind: 'offer-answered';
      readonly offer: OfferKind;
      readonly step: number;
      readonly digits: string;
    }
  | { readonly kind: 'mentor-answered'; readonly step: number; readonly digits: string }
  | { readonly kind: 'helpline-over'; readonly dialStatus: string; readonly dialSeconds: number }
  /** A user with a live request has called one of our numbers: that call becomes their leg. */
  | { readonly kind: 'user-called-in' }
);

/** `helpline`: key 0 for the helpline, or wait. `reconnect`: key 1 for the mentor again, key 0 for the helpline. */
export type OfferKind = 'helpline' | 'reconnect';

/** What to say before the mentor's phone rings. */
export type DialWords = 'first' | 'still-looking' | 'again';

/** The workflow's answer; the API turns it into TwiML. Numbers are ours or named by a vault record. */
export type CallPlan =
  | {
      readonly do: 'dial-mentor';
      readonly step: number;
      readonly mentorId: string;
      readonly mentorRecordId: string;
      readonly callerId: string;
      readonly ringSeconds: number;
      readonly confirmSeconds: number;
      readonly timeLimitSeconds: number;
      readonly words: DialWords;
    }
  | { readonly do: 'offer'; readonly offer: OfferKind; readonly step: number }
  | {
      readonly do: 'dial-helpline';
      readonly country: string;
      readonly callerId: string;
      readonly because: 'nobody' | 'asked' | 'waited';
    }
  | { readonly do: 'bridge' }
  | { readonly do: 'goodbye'; readonly words: 'caller-gone' | 'helpline-not-reached' | 'call-over' }
  | { readonly do: 'hang-up' };

/** A terminal status callback of the user's leg, sent as the signal `legEnded`. */
export interface LegEnded {
  /** The stored event's key: a repeat is ignored. */
  readonly seenKey: string;
  readonly callSid: string;
  /** `completed`, `busy`, `no-answer`, `failed` or `canceled`. */
  readonly status: string;
  readonly dispatchId: string | null;
  readonly errorCode: string | null;
}

export const MENTOR_CALL = {
  workflow: 'mentorCall',
  answerTwiml: 'answerTwiml',
  cancel: 'cancel',
  legEnded: 'legEnded',
} as const;

/** The workflow id of a call: a repeated request finds the running workflow instead of starting another. */
export function mentorCallWorkflowId(callId: string): string {
  return `mentor-call:${callId}`;
}

/** The business key of the dispatch that rings the user for the nth time. */
export function userLegKey(callId: string, nth: number): string {
  return `mentor-call:${callId}:user:${nth}`;
}

/** What the update `cancel` answers with, and what the workflow returns. */
export interface MentorCallResult {
  readonly status: Outcome;
  readonly endReason: EndReason;
  /** The live call that won, for `merged`. */
  readonly mergedInto?: string;
}
