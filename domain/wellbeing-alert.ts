/**
 * What a wellbeing alert is, in the words that the API, the workflow and the tables share. No import from a package: this
 * file is part of the workflow bundle.
 */
import type { CheckInResponse } from './buddies';
import type { AnsweringParty, EscalationPolicy } from './escalation-policy';

/** `due`: noted with the score that caused it, and not begun yet. */
export const WELLBEING_STATES = ['due', 'running', 'answered', 'escalated', 'closed'] as const;
export type WellbeingState = (typeof WELLBEING_STATES)[number];

/** `answered`: a friend or the contact has been in touch. `escalated`: it is in the hands of the organisation. */
export const WELLBEING_OUTCOMES = ['answered', 'escalated', 'closed'] as const satisfies readonly WellbeingState[];
export type WellbeingOutcome = (typeof WELLBEING_OUTCOMES)[number];

/** Why it ended; a closed list, operational class. */
export const WELLBEING_END_REASONS = [
  'answered',
  /** By somebody of an earlier step, when others had been asked already. */
  'answered-after-escalation',
  /** Somebody of the organisation has said that they see to it. */
  'taken-over',
  /** The organisation was told, and nobody has said more in time. */
  'handed-over',
  'nobody-answered',
  'nobody-to-ask',
  'closed-by-user',
  'closed-by-staff',
  'user-erased',
  'stopped-by-operator',
  'workflow-failed',
] as const;
export type WellbeingEndReason = (typeof WELLBEING_END_REASONS)[number];

/** Nobody was reached, and nobody of the organisation has ended it. */
export const REACHED_NOBODY = [
  'nobody-answered',
  'nobody-to-ask',
  'workflow-failed',
] as const satisfies readonly WellbeingEndReason[];

/** What an alert asks of the organisation: a decision, nothing yet, or a look at what it came to. */
export const ALERT_STANDINGS = ['awaiting-human', 'under-way', 'reached-nobody'] as const;
export type AlertStanding = (typeof ALERT_STANDINGS)[number];

export const STEP_STATES = [
  'pending',
  'under-way',
  /** Of the emergency step: nothing happens until a human confirms it. */
  'awaiting-human',
  // over
  'answered',
  'unanswered',
  'skipped',
  /** The alert was over before its turn came. */
  'not-begun',
  /** The alert was over while it was under way. */
  'ended',
] as const;
export type StepState = (typeof STEP_STATES)[number];

/** Why a step has nobody to ask; a closed list, operational class. */
export const SKIP_REASONS = [
  'no-buddies',
  'nobody-verified',
  'all-opted-out',
  /** Every one who can be asked has been. */
  'all-asked',
  'no-contact',
  'contact-refused',
  'contact-opted-out',
  'not-configured',
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/** Arguments of the workflow `wellbeingAlert`. */
export interface WellbeingAlertInput {
  readonly alertId: string;
  readonly userId: string;
}

/** What an alert begins with: it keeps this version of the policy to its end. */
export interface OpenedAlert {
  readonly policy: EscalationPolicy;
  /** Of the time that was not easy, 1 to 14. */
  readonly days: number;
}

/** Somebody who is asked: by a check-in, a message or a call, whose id `askId` is. */
export interface Ask {
  readonly askId: string;
  readonly by: 'check-in' | 'message' | 'call';
  /** Of a check-in. */
  readonly buddyId: string | null;
}

/** What beginning a step came to. */
export type BegunStep =
  | { readonly asks: readonly Ask[] }
  | { readonly skipped: SkipReason }
  /** The user was erased meanwhile: nobody is asked for them. */
  | { readonly gone: true };

/** How an alert ended, as the update `close` answers and the workflow returns. */
export interface WellbeingResult {
  readonly state: WellbeingOutcome;
  readonly endReason: WellbeingEndReason;
}

/** Whose answer decided it. */
export interface Decision {
  /** Of the check-in, message or call that it came by. */
  readonly askId: string;
  readonly party: AnsweringParty;
  /** Of a check-in or of the contact; null of somebody of the organisation. */
  readonly response: CheckInResponse | null;
  /** The step that they were asked in, from 1. */
  readonly position: number;
  /** ISO 8601. */
  readonly at: string;
}

/** Arguments of the update `close`. */
export interface CloseAlert {
  readonly by: 'user' | 'staff';
  /** Epoch milliseconds: later than this nobody waits for it. */
  readonly validUntil: number;
}

/** Arguments of the update `confirmEmergency`. */
export interface ConfirmEmergency {
  /** Subject id of the human who does it. */
  readonly actor: string;
  readonly validUntil: number;
}

/** Where a registered contact is asked. */
export interface ContactAsked {
  readonly alertId: string;
  /** Of the text; null: none was begun. */
  readonly messageId: string | null;
}

/** Arguments of the update `contactAnswers`. */
export interface ContactAnswer {
  readonly response: CheckInResponse;
  readonly validUntil: number;
}

/** Type of the failure of an update that came later than its `validUntil`. */
export const QUESTION_TOO_LATE = 'QuestionTooLate';

/** Type of the failure of an answer of the contact's that is no more to be changed, while the alert goes on. */
export const CONTACT_HAS_ANSWERED = 'ContactHasAnswered';

/** Type of the failure of `startWellbeingAsks` when some could not be begun; details: their ids. The others are. */
export const ASKS_NOT_BEGUN = 'AsksNotBegun';

export const WELLBEING_ALERT = {
  workflow: 'wellbeingAlert',
  /** Update: the user, or staff, ends it. */
  close: 'close',
  /** Update: the one way to set the emergency step off. */
  confirmEmergency: 'confirmEmergency',
  /** Update: what the registered contact says. */
  contactAnswers: 'contactAnswers',
} as const;

export function wellbeingAlertWorkflowId(alertId: string): string {
  return `wellbeing-alert:${alertId}`;
}

/** Whether somebody has been in touch. */
export function hasReached(response: CheckInResponse): boolean {
  return response === 'called' || response === 'messaged';
}
