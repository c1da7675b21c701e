/**
 * The words of a mentor call: states, questions that Twilio asks, and the plans the workflow answers with.
 * Imported by the workflow, therefore without any package. Nothing here holds sealed data: a plan names a
 * vault record, and the API reveals the number only while it writes the TwiML.
 */

import type { WaitingTerms } from './mentor-queue';

/** One phone's part of a call. `recipient`: of a voice alert. */
export type Leg = 'user' | 'mentor' | 'helpline' | 'recipient';

/** What `GET /mentor-calls/{callId}` shows while the call is running. */
export const LIVE_STATUSES = [
  'starting',
  'ringing-user',
  'finding-mentor',
  'waiting', // in the queue; the user is rung again when somebody is free
  'connected',
  'helpline',
] as const;
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
  'waited-in-vain', // nobody became free in the time they were ready to wait
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
  /** Vault record of the number to ring; null for a call that the user makes in the app: there is no number. */
  readonly recordId: string | null;
  /** True when the number was given for this call only, so that it is destroyed with it. */
  readonly numberIsForThisCallOnly: boolean;
  /** Hex of the HMAC token of the number to ring; null where there is none. */
  readonly recipientToken: string | null;
  /** ISO 3166 country of the number to ring; of a call from the app, where the user said that they are. */
  readonly country: string;
  /** Spoken language, e.g. `en`. */
  readonly language: string;
  /** Our number that the user sees. */
  readonly organisationNumber: string;
  readonly mayCallBack: boolean;
  readonly preferences: MentorPreferences;
  readonly consent: { readonly textVersion: string; readonly language: string };
  /** The user has agreed that the conversation is recorded if the mentor does; absent: nobody is asked. */
  readonly recording?: true;
  /** Keyed hash of the request body, so that another body under the same Idempotency-Key is noticed. */
  readonly requestHash: string;
  /** ISO 8601. */
  readonly requestedAt: string;
  /** The times of configuration that the workflow needs, in milliseconds, fixed at the start. */
  readonly times: MentorCallTimes;
  readonly maxMentors: number;
  /** Answering-machine detection instead of key 1 (`USER_CONFIRM=amd`). */
  readonly detectMachines: boolean;
  /** What happens when a line is lost. Calls that were begun without it go on as they always did. */
  readonly drops?: DropRules;
  /** How many helplines can be dialled for this user, from our number: 0, 1 or 2. Without it: one, and nobody knows. */
  readonly helplinesToDial?: number;
  /** Whether, and how, the user is asked how it was; without it nobody asks. */
  readonly feedback?: FeedbackRules;
  /** There when the request said `mayWait`; absent, nobody is asked whether they want to wait. */
  readonly waiting?: WaitingTerms;
  /** The user's own call from the app is their leg: nobody is rung. Left out: we ring `recordId`. */
  readonly fromApp?: { readonly callSid: string };
  /**
   * About how long what is said before a Dial takes in this call's language, with the organisation's own words (ms).
   * Absent in calls that were begun before there were any.
   */
  readonly spokenMs?: Readonly<Record<DialWords, number>> | undefined;
}

/** "Dropped" cannot be told from "goodbye" on the phone network: these say what is taken for which. */
export interface DropRules {
  /** A conversation shorter than this was cut off, and the mentor is rung again unasked (ms). */
  readonly shortBridge: number;
  /** One shorter than this was probably cut when the user's line ended first: they may be rung back (ms). */
  readonly cutShort: number;
  /** How often a call is put together again, by key, unasked and by ringing back together. */
  readonly mostReconnections: number;
  /** From the first key 1 until nothing is begun any more, and the last conversation ends (ms). */
  readonly longest: number;
}

/** Nobody is asked twice: by key who stays on the line, by text who does not. */
export interface FeedbackRules {
  readonly byKey: boolean;
  readonly bySms: boolean;
  /** Only about conversations of this length and more (seconds). */
  readonly afterSeconds: number;
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
  | {
      readonly kind: 'mentor-answered';
      readonly step: number;
      readonly digits: string;
      /** Whether they let it be recorded, by a key of its own; absent: they were not asked. */
      readonly recording?: boolean;
    }
  | {
      readonly kind: 'helpline-over';
      /** Which helpline it was, counted from 1; calls of before do not say it. */
      readonly step?: number;
      readonly dialStatus: string;
      readonly dialSeconds: number;
    }
  /** A user with a live request has called one of our numbers: that call becomes their leg. */
  | { readonly kind: 'user-called-in' }
  /** The first question of a call from the app, asked together with the start of its workflow. */
  | { readonly kind: 'app-called' }
);

/** Why a call from the app goes no further: its user has another live call, or has asked too often. */
export type TurnedAway = 'already-in-call' | 'no-mentor-now';

/**
 * `helpline`: key 0 for the helpline, or wait. `reconnect`: key 1 for the mentor again, key 0 for the helpline. `over`:
 * the same when no mentor is rung again. `time-over`: as `over`, after a conversation that we have ended. `feedback`: a key from 1 to 5 says how it was. `wait`: key 2 to be rung when a
 * mentor is free, anything else for the helpline. `more-time`: as `reconnect`, after the longest conversation, which we
 * have ended.
 */
export const OFFER_KINDS = ['helpline', 'reconnect', 'more-time', 'over', 'time-over', 'feedback', 'wait'] as const;
export type OfferKind = (typeof OFFER_KINDS)[number];

/**
 * What to say before the mentor's phone rings. `turn`: the user has waited in the queue. `last`: as `again`, for a
 * conversation that has to be shorter than others.
 */
export type DialWords = 'first' | 'still-looking' | 'again' | 'last' | 'turn';

/** `no-helpline-from-here`: none can be dialled from our number, and the numbers are only said. */
export type GoodbyeWords =
  | 'caller-gone'
  | 'helpline-not-reached'
  | 'no-helpline-from-here'
  | 'call-over'
  | 'rated'
  | TurnedAway;

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
      /** The user is told, and the mentor is asked. */
      readonly mayBeRecorded?: true;
    }
  | { readonly do: 'offer'; readonly offer: OfferKind; readonly step: number }
  | {
      readonly do: 'dial-helpline';
      readonly country: string;
      readonly callerId: string;
      /** `first-not-reached`: the first one was busy or did not answer. */
      readonly because: 'nobody' | 'asked' | 'waited' | 'first-not-reached';
      /** Which of the country's helplines, counted from 1. */
      readonly nth?: number;
    }
  /** They wait in the queue, and are rung when a mentor is free, or not at all. */
  | { readonly do: 'will-ring'; readonly withinSeconds: number }
  /** `isRecorded` is absent where nobody was asked. */
  | { readonly do: 'bridge'; readonly isRecorded?: boolean }
  | { readonly do: 'goodbye'; readonly words: GoodbyeWords }
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
  placeOffered: 'placeOffered',
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
