/**
 * What a buddy is, in the words that the API, the workflows and the tables share. No import from a package: this file is
 * part of the workflow bundle.
 */

/** How far somebody who was named as a buddy has agreed. */
export const BUDDY_STATUSES = ['pending', 'verified', 'declined', 'expired', 'opted-out'] as const;
export type BuddyStatus = (typeof BUDDY_STATUSES)[number];

/** What is kept of how somebody came to agree, or not. */
export const BUDDY_EVENTS = [
  'sent',
  'accepted',
  'declined',
  'expired',
  /** "Ask for a new one" on the page of a link that ran out. */
  'renewal-asked',
  'withdrawn',
  'blocked',
  'removed',
] as const;
export type BuddyEvent = (typeof BUDDY_EVENTS)[number];

/** E-mails in all by which one user asks at one address, through however many entries. */
export const MOST_INVITATIONS = 3;
/** The same for one number, through whatever addresses: another one begins anew, up to so many. */
export const MOST_INVITATIONS_OF_A_NUMBER = 6;

/** How many more may be sent, of how many were. */
export function invitationsLeft({
  sent,
  sentOfNumber,
}: {
  readonly sent: number;
  readonly sentOfNumber: number;
}): number {
  return Math.max(0, Math.min(MOST_INVITATIONS - sent, MOST_INVITATIONS_OF_A_NUMBER - sentOfNumber));
}

/** Why no e-mail goes out. */
export const INVITATION_REFUSALS = [
  'not-found',
  'already-verified',
  /** By the buddy: they declined, withdrew or blocked. */
  'refused',
  /** Three in all, six with another address. */
  'used-up',
  /** One an hour. */
  'too-soon',
  /** This user has asked many, whomever. */
  'inviter-limit',
  /** Too many ask this person, through whatever accounts. */
  'target-limit',
] as const;
export type InvitationRefusal = (typeof INVITATION_REFUSALS)[number];

/** What the update `invite` answers. */
export type InviteAnswer =
  | { readonly state: 'sending'; readonly version: number /** ISO 8601. */; readonly expiresAt: string }
  | {
      readonly refused: InvitationRefusal /** Of `too-soon` and the limits. */;
      readonly retryAfterMs: number | null;
    };

/** Arguments of the update `invite`. */
export interface Invite {
  /** UUID, the same for a repeated request: it gets the same answer, and no second e-mail. */
  readonly invitationId: string;
  /** Epoch milliseconds: later than this nobody waits for it. */
  readonly validUntil: number;
}

/** "Ask for a new one", on the page of a link that ran out: the user is told, and sends one if they still want to. */
export interface Renewal {
  /** Of the link. */
  readonly version: number;
  readonly validUntil: number;
}

/** `asked`: the user is told. Why not: it was asked before, once per link, or no e-mail is left, or nothing is open. */
export type RenewalAnswer = 'asked' | 'asked-before' | 'used-up' | 'not-open';

/** Arguments of the workflow `buddyVerification`. */
export interface BuddyVerificationInput {
  readonly buddyId: string;
  readonly userId: string;
}

/** A press of the page's button. Whatever identifies who pressed is in the vault already. */
export interface VerificationAnswer {
  readonly action: 'accept' | 'decline';
  /** Of the link it was pressed on. */
  readonly version: number;
  readonly ipRecordId: string | null;
  readonly userAgentRecordId: string | null;
  /** Epoch milliseconds: later than this nobody waits for it. */
  readonly validUntil: number;
}

/** What the update `answer` says. `replaced`: a newer link is what counts. `withdrawn`: also by whoever named them. */
export type VerificationState = Extract<BuddyStatus, 'verified' | 'declined' | 'expired'> | 'replaced' | 'withdrawn';

export const BUDDY_VERIFICATION = {
  workflow: 'buddyVerification',
  /** Update: another e-mail. */
  invite: 'invite',
  /** Update: accept or decline. */
  answer: 'answer',
  /** Update: the buddy asks for a new link. */
  renew: 'renew',
  /** Signal: the buddy withdrew, was removed or erased; the row says which. */
  ended: 'ended',
} as const;

export function buddyVerificationWorkflowId(buddyId: string): string {
  return `buddy-verification:${buddyId}`;
}

/** How a verification ends. `not-sent`: no e-mail of it left, so there is nothing to wait for. */
export type VerificationOutcome = 'verified' | 'declined' | 'expired' | 'withdrawn' | 'not-sent';

/** Of a request to look after somebody, by the user or by an alert. */
export const CHECK_IN_STATES = [
  'pending',
  'sent',
  'delivered',
  'opened',
  // over
  'answered',
  'unanswered',
  'undeliverable',
  /** The buddy withdrew, or the alert it belonged to is over and nobody waits for their answer. */
  'ended',
] as const;
export type CheckInState = (typeof CHECK_IN_STATES)[number];

export const CHECK_IN_RESPONSES = ['called', 'messaged', 'cannot-reach', 'unavailable'] as const;
export type CheckInResponse = (typeof CHECK_IN_RESPONSES)[number];

/** Arguments of the workflow `checkIn`: ids and operational values only. */
export interface CheckInInput {
  readonly requestId: string;
  readonly buddyId: string;
  readonly userId: string;
  /** The alert it belongs to; null: the user asked. */
  readonly alert: {
    readonly alertId: string /** Of the time that was not easy; the text says it. */;
    readonly days: number;
  } | null;
  /** Null: nobody is reminded. */
  readonly reminderAfterMs: number | null;
  /** Of an alert, longer than that can last: it ends what it has begun. */
  readonly closesAfterMs: number;
  /** Id of the workflow that began it and hears how it goes, by the signal `checkInNews`; null: nobody does. */
  readonly reportsTo: string | null;
}

export const CHECK_IN = {
  workflow: 'checkIn',
  /** Update, with the start: whether it could be begun. */
  opening: 'opening',
  /** Signal: somebody pressed the page's first button. */
  opened: 'opened',
  /** Update: what the buddy answered. */
  respond: 'respond',
  /** Signal: what the buddy answered by text. */
  texted: 'texted',
  /** Signal: the buddy withdrew or was removed, or the alert it belongs to is over; `unanswered` where that waited in vain. */
  ended: 'ended',
} as const;

export function checkInWorkflowId(requestId: string): string {
  return `check-in:${requestId}`;
}

/** Why a buddy is not asked. */
export const CHECK_IN_REFUSALS = [
  'not-found',
  /** Not verified, not active any more, or opted out. */
  'cannot-be-asked',
  /** The user has not said what they are called. */
  'no-profile',
  /** One in 24 hours. */
  'too-soon',
  /** Too many ask this person, through whatever accounts. */
  'target-limit',
  /** Nobody waits for it any more: it was asked for while no worker ran. */
  'too-late',
] as const;
export type CheckInRefusal = (typeof CHECK_IN_REFUSALS)[number];

/** What the update `opening` answers. */
export type CheckInOpening =
  | { readonly state: CheckInState }
  | {
      readonly refused: CheckInRefusal /** Of `too-soon` and `target-limit`. */;
      readonly retryAfterMs: number | null;
    };

/** A press of the page's first button. Whatever identifies who pressed is in the vault already. */
export interface CheckInOpened {
  readonly ipRecordId: string | null;
  readonly userAgentRecordId: string | null;
}

/** What the buddy answered on the page. */
export interface CheckInAnswer {
  readonly response: CheckInResponse;
  /** Vault record of what they wrote. */
  readonly noteRecordId: string | null;
  /** Epoch milliseconds: later than this nobody waits for it. */
  readonly validUntil: number;
}

/** `answered-before`: it is what they have answered already, and nothing has changed. */
export type CheckInTaken = 'taken' | 'answered-before';

/** How often an answer may be corrected while it is open: each time the user is told. */
export const MOST_CORRECTIONS = 5;

/** How a check-in ends; of one that was refused nothing was begun. */
export interface CheckInResult {
  readonly state: CheckInState | 'refused';
  readonly response: CheckInResponse | null;
}

/** The signal by which a check-in tells whoever began it how it goes. */
export const CHECK_IN_NEWS = 'checkInNews';

export interface CheckInNews {
  readonly requestId: string;
  readonly buddyId: string;
  readonly state: CheckInState;
  readonly response: CheckInResponse | null;
}

/** How users hear of answers; the app is told in any case. */
export const TELL_ME_BY = ['app', 'sms', 'email'] as const;
export type TellMeBy = (typeof TELL_ME_BY)[number];

/** Languages in which buddies are written to and have their pages. */
export const BUDDY_LANGUAGES = ['en', 'es'] as const;
export type BuddyLanguage = (typeof BUDDY_LANGUAGES)[number];

export function buddyLanguage(language: string): BuddyLanguage {
  return language === 'es' ? 'es' : 'en';
}
