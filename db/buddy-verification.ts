/**
 * How somebody who was named comes to agree, or not: each step of it in one transaction, behind the lock of the entry,
 * with its audit entry, its event and what the app is told. What is over stays as it is. May all be repeated.
 */
import type { Pool } from 'pg';
import type {
  InvitationRefusal,
  InviteAnswer,
  RenewalAnswer,
  VerificationOutcome,
  VerificationState,
} from '../domain/buddies';
import { invitationsLeft } from '../domain/buddies';
import type { RecipientStep } from '../domain/recipient-limits';
import { noteAppEvent } from './app-events';
import { appendAudit } from './audit';
import { type Buddy, lockBuddiesOf, lockBuddy, noteBuddyEvent } from './buddies';
import { endBuddy } from './buddy-endings';
import {
  askedSoFar,
  buddyOfMessage,
  findInvitation,
  insertInvitation,
  type Invitation,
  invitationOfVersion,
  markInvitationSent,
  markRenewalAsked,
  nextVersion,
  settleTakenBack,
  uncountInvitation,
} from './buddy-invitations';
import { hasRefused } from './buddy-refusals';
import { inviterWaitMs, lockTarget, targetWaitMs } from './buddy-targets';
import { inTransaction } from './pool';
import { type Db, execute, sqlState } from './query';

/** Of an address that an exclusion constraint keeps from another e-mail. */
const EXCLUSION_VIOLATION = '23P01';

export interface InvitationClaim {
  readonly buddyId: string;
  readonly userId: string;
  readonly invitationId: string;
  readonly messageId: string;
  /** Of the address: the one that is locked, and the same under every live version of the token key. */
  readonly token: Buffer;
  readonly candidates: readonly Buffer[];
  /** Of the number, under every live version. */
  readonly phoneCandidates: readonly Buffer[];
  readonly hashOf: (version: number) => Buffer;
  readonly lifetimeMs: number;
  readonly spacingMs: number;
  readonly targetLimits: readonly RecipientStep[];
  readonly inviterLimits: readonly RecipientStep[];
}

type Refused = Extract<InviteAnswer, { refused: unknown }>;

/** `isNew`: false for what a repeated request, or attempt, has claimed before. */
export type ClaimedInvitation =
  | (Exclude<InviteAnswer, Refused> & { readonly messageId: string; readonly isNew: boolean })
  | Refused;

/** Takes one of the three e-mails, or says why not. Ten who ask at once get one between them. */
export async function claimInvitation(pool: Pool, claim: InvitationClaim): Promise<ClaimedInvitation> {
  try {
    return await inTransaction(pool, (tx) => claimLocked(tx, claim));
  } catch (error) {
    if (sqlState(error) !== EXCLUSION_VIOLATION) throw error;
    const { waitMs } = await askedSoFar(pool, claim);
    return { refused: 'too-soon', retryAfterMs: Math.max(1, waitMs) };
  }
}

async function claimLocked(tx: Db, claim: InvitationClaim): Promise<ClaimedInvitation> {
  const { buddyId, userId, invitationId, candidates } = claim;
  await lockBuddiesOf(tx, userId);
  await lockTarget(tx, claim.token);
  const buddy = await lockBuddy(tx, buddyId);
  const made = await findInvitation(tx, invitationId);
  if (made !== null)
    return made.buddyId === buddyId ? claimed(made, false) : { refused: 'not-found', retryAfterMs: null };
  if (buddy === null || buddy.removedAt !== null || buddy.userId !== userId || buddy.emailToken === null) {
    return { refused: 'not-found', retryAfterMs: null };
  }
  const { emailToken, phoneToken } = buddy;
  // Another address since it was read: what is locked is not what would be written to.
  if (!candidates.some((token) => token.equals(emailToken))) throw new Error('The address has changed meanwhile');
  const refusal = await whyNot(tx, buddy, claim);
  if (refusal !== null) return refusal;
  const version = await nextVersion(tx, buddyId);
  const before = await invitationOfVersion(tx, buddyId, buddy.linkVersion);
  const linkHash = claim.hashOf(version);
  const askedBy = before === null || before.renewalAskedAt === null ? 'user' : 'buddy';
  const invitation = await insertInvitation(tx, { ...claim, version, linkHash, emailToken, phoneToken, askedBy });
  await execute(
    tx,
    `UPDATE buddy_contacts b
        SET verification_token_version = $2, verification_token_hash = $3, verification_token_expires_at = $4,
            verification_attempts = (SELECT count(*) FROM buddy_invitations i WHERE i.buddy_id = b.buddy_id AND i.counts),
            expired_at = NULL
      WHERE b.buddy_id = $1`,
    [buddyId, version, linkHash, invitation.expiresAt],
  );
  const audited = { actor: userId, objectId: buddyId, purpose: askedBy, outcome: 'done' } as const;
  await appendAudit(tx, { action: 'buddy.invited', ...audited });
  await noteAppEvent(tx, { subjectId: userId, type: 'buddy.pending', objectId: buddyId, state: 'pending' });
  return claimed(invitation, true);
}

async function whyNot(
  tx: Db,
  buddy: Buddy,
  { userId, candidates, phoneCandidates, targetLimits, inviterLimits }: InvitationClaim,
): Promise<Refused | null> {
  const refused = (why: InvitationRefusal, retryAfterMs: number | null = null): Refused => ({
    refused: why,
    retryAfterMs,
  });
  if (buddy.status === 'verified') return refused('already-verified');
  const isOver = buddy.status === 'declined' || buddy.status === 'opted-out' || !buddy.isActive;
  if (isOver || (await hasRefused(tx, userId, [...candidates, ...phoneCandidates]))) return refused('refused');
  const asked = await askedSoFar(tx, { userId, buddyId: buddy.buddyId, candidates, phoneCandidates });
  if (invitationsLeft(asked) === 0) return refused('used-up');
  if (asked.waitMs > 0) return refused('too-soon', asked.waitMs);
  const ownWaitMs = await inviterWaitMs(tx, userId, inviterLimits);
  if (ownWaitMs > 0) return refused('inviter-limit', ownWaitMs);
  const waitMs = await targetWaitMs(tx, 'invitations', candidates, targetLimits);
  return waitMs > 0 ? refused('target-limit', waitMs) : null;
}

function claimed({ version, expiresAt, messageId }: Invitation, isNew: boolean): ClaimedInvitation {
  return { state: 'sending', version, expiresAt: expiresAt.toISOString(), messageId, isNew };
}

export interface PressedButton {
  readonly buddyId: string;
  readonly action: 'accept' | 'decline';
  /** Of the link it was pressed on. */
  readonly version: number;
  readonly ipRecordId: string | null;
  readonly userAgentRecordId: string | null;
  /** Epoch milliseconds: later than this nobody waits for it. */
  readonly validUntil: number;
}

/** Accepts or declines, once; then, and for a link that does not count, says how it stands. */
export function answerInvitation(pool: Pool, pressed: PressedButton): Promise<VerificationState> {
  const { buddyId, action, version, validUntil, ...visit } = pressed;
  return inTransaction(pool, async (tx) => {
    const buddy = await lockBuddy(tx, buddyId);
    const standing = standingOf(buddy, version);
    if (standing !== null || buddy === null) return standing ?? 'withdrawn';
    // It has waited for Postgres, and its page has said that it failed: the next press may say the opposite.
    if (Date.now() > validUntil) return 'expired';
    const invitation = await invitationOfVersion(tx, buddyId, version);
    if (invitation === null) return 'replaced';
    // Whoever answers it has got it, whatever its provider has told so far.
    await noteSent(tx, invitation.messageId, null);
    if (action === 'decline') {
      await endBuddy(tx, { buddy, how: 'declined', actor: buddy.subjectId, version, ...visit });
      return 'declined';
    }
    await execute(
      tx,
      'UPDATE buddy_contacts SET verified = true, verified_at = clock_timestamp(), expired_at = NULL WHERE buddy_id = $1',
      [buddyId],
    );
    await noteBuddyEvent(tx, { buddyId, event: 'accepted', version, ...visit });
    const audited = { actor: buddy.subjectId, objectId: buddyId, outcome: 'done' } as const;
    await appendAudit(tx, { action: 'buddy.accepted', ...audited });
    await noteAppEvent(tx, { subjectId: buddy.userId, type: 'buddy.verified', objectId: buddyId, state: 'verified' });
    return 'verified';
  });
}

/** How a link stands that cannot be answered; null: it can. */
export function standingOf(buddy: Buddy | null, version: number, now = new Date()): VerificationState | null {
  if (buddy === null || buddy.removedAt !== null) return 'withdrawn';
  if (buddy.status === 'verified' || buddy.status === 'declined') return buddy.status;
  if (buddy.status === 'opted-out' || !buddy.isActive) return 'withdrawn';
  if (version !== buddy.linkVersion) return 'replaced';
  return buddy.status === 'expired' || buddy.linkExpiresAt === null || buddy.linkExpiresAt <= now ? 'expired' : null;
}

/** The link of this version has run out. @returns false when it is not the newest, or was answered */
export function expireInvitation(pool: Pool, buddyId: string, version: number): Promise<boolean> {
  return inTransaction(pool, async (tx) => {
    const buddy = await lockBuddy(tx, buddyId);
    // Before its time too: an operator has ended the process that would take an answer.
    const isOpen = buddy?.status === 'pending' && buddy.isActive && buddy.removedAt === null;
    if (buddy === null || !isOpen || buddy.linkVersion !== version) return buddy?.status === 'expired';
    await execute(tx, 'UPDATE buddy_contacts SET expired_at = clock_timestamp() WHERE buddy_id = $1', [buddyId]);
    await noteBuddyEvent(tx, { buddyId, event: 'expired', version });
    await appendAudit(tx, { actor: 'system', action: 'buddy.expired', objectId: buddyId, outcome: 'done' });
    await noteAppEvent(tx, { subjectId: buddy.userId, type: 'buddy.expired', objectId: buddyId, state: 'expired' });
    return true;
  });
}

/** The provider has the e-mail. @param at ISO 8601 */
export async function noteInvitationSent(pool: Pool, messageId: string, at: string): Promise<void> {
  await inTransaction(pool, async (tx) => {
    const buddyId = await buddyOfMessage(tx, messageId);
    if (buddyId === null || (await lockBuddy(tx, buddyId)) === null) return;
    await noteSent(tx, messageId, at);
  });
}

async function noteSent(tx: Db, messageId: string, at: string | null): Promise<void> {
  const sent = await markInvitationSent(tx, messageId, at);
  if (sent === null) return;
  await execute(tx, 'UPDATE buddy_contacts SET last_sent_at = coalesce($2, clock_timestamp()) WHERE buddy_id = $1', [
    sent.buddyId,
    at,
  ]);
  await noteBuddyEvent(tx, { ...sent, event: 'sent', ...(at === null ? {} : { at }) });
}

/** Nothing of the e-mail left: it does not count. */
export async function takeInvitationBack(pool: Pool, buddyId: string, messageId: string): Promise<void> {
  await inTransaction(pool, async (tx) => {
    await lockBuddy(tx, buddyId);
    if (await uncountInvitation(tx, messageId)) await settleTakenBack(tx, buddyId);
  });
}

/** How many more e-mails the user may send them, by the count that holds the sending too. */
export async function invitationsLeftFor(db: Db, buddy: Buddy): Promise<number> {
  const { userId, buddyId, emailToken, phoneToken } = buddy;
  const candidates = emailToken === null ? [] : [emailToken];
  const phoneCandidates = phoneToken === null ? [] : [phoneToken];
  return invitationsLeft(await askedSoFar(db, { userId, buddyId, candidates, phoneCandidates }));
}

/** "Ask for a new one": noted for the user, who sends it if they still want to. Once for each link. */
export function noteRenewalAsked(pool: Pool, buddyId: string, version: number): Promise<RenewalAnswer> {
  return inTransaction(pool, async (tx) => {
    const buddy = await lockBuddy(tx, buddyId);
    const invitation = await invitationOfVersion(tx, buddyId, version);
    if (buddy === null || invitation === null) return 'not-open';
    // Also of a link that has its time: where its process was ended by hand, this begins it anew.
    const standing = standingOf(buddy, version);
    if (standing !== null && standing !== 'expired') return 'not-open';
    if (invitation.renewalAskedAt !== null) return 'asked-before';
    if ((await invitationsLeftFor(tx, buddy)) === 0) return 'used-up';
    await markRenewalAsked(tx, invitation.invitationId);
    await noteBuddyEvent(tx, { buddyId, event: 'renewal-asked', version });
    const audited = { actor: buddy.subjectId, objectId: buddyId, purpose: 'link', outcome: 'done' } as const;
    await appendAudit(tx, { action: 'buddy.renewal-asked', ...audited });
    const event = { subjectId: buddy.userId, objectId: buddyId } as const;
    await noteAppEvent(tx, { ...event, type: 'buddy.renewal-asked', state: 'renewal-asked' });
    return 'asked';
  });
}

/** What a verification that is running, or begun anew, has to go by. */
export interface VerificationStanding {
  /** Null: the newest link waits for its answer, or for its end. */
  readonly outcome: VerificationOutcome | null;
  readonly link: { readonly version: number /** ISO 8601. */; readonly expiresAt: string } | null;
  /** Taken off the list by the user, who needs not be told of it. */
  readonly isRemoved: boolean;
}

export function verificationStanding(buddy: Buddy | null): VerificationStanding {
  const isRemoved = buddy === null || buddy.removedAt !== null;
  const over = (outcome: VerificationOutcome): VerificationStanding => ({ outcome, link: null, isRemoved });
  if (isRemoved || buddy.status === 'opted-out') return over('withdrawn');
  if (buddy.status !== 'pending') return over(buddy.status);
  if (buddy.linkExpiresAt === null) return over('not-sent');
  const link = { version: buddy.linkVersion, expiresAt: buddy.linkExpiresAt.toISOString() };
  return { outcome: null, link, isRemoved };
}
