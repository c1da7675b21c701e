/** Whom users have named as their buddies. Names and numbers are in the vault; here is how far each has agreed. */
import { z } from 'zod';
import { BUDDY_STATUSES, type BuddyEvent, type BuddyStatus } from '../domain/buddies';
import { keepNamed } from './person-locks';
import { type Db, execute, many, maybeOne } from './query';

export interface Buddy {
  readonly buddyId: string;
  /** Whose buddy it is. */
  readonly userId: string;
  /** The buddy as a person. */
  readonly subjectId: string;
  /** 1 is asked first. */
  readonly rank: number;
  readonly nameRecordId: string;
  readonly emailRecordId: string;
  readonly phoneRecordId: string;
  readonly relationshipRecordId: string | null;
  /** Null once they were removed or erased. */
  readonly emailToken: Buffer | null;
  readonly phoneToken: Buffer | null;
  readonly tokenVersion: number;
  /** ISO 3166, of the number. */
  readonly country: string | null;
  /** ISO 639-1. */
  readonly language: string;
  readonly status: BuddyStatus;
  /** Of the newest link; 0 before there was one. */
  readonly linkVersion: number;
  readonly linkExpiresAt: Date | null;
  /** E-mails that counted. */
  readonly invitationsSent: number;
  readonly lastSentAt: Date | null;
  readonly verifiedAt: Date | null;
  readonly declinedAt: Date | null;
  readonly optedOutAt: Date | null;
  readonly isActive: boolean;
  readonly createdAt: Date;
  readonly removedAt: Date | null;
  /** What {@link CAN_BE_ASKED} says. */
  readonly canBeAsked: boolean;
}

/** Over `buddy_contacts b`. */
export const BUDDY_STATUS = `CASE
  WHEN b.opted_out_at IS NOT NULL THEN 'opted-out'
  WHEN b.declined_at IS NOT NULL THEN 'declined'
  WHEN b.verified THEN 'verified'
  WHEN b.expired_at IS NOT NULL THEN 'expired'
  ELSE 'pending' END`;

/** Over `buddy_contacts b`: whether they may be texted for the user at all; how often is another question. */
export const CAN_BE_ASKED = 'can_buddy_receive_checkins(b.buddy_id)';

const buddyRow = z
  .object({
    buddy_id: z.uuid(),
    user_id: z.uuid(),
    subject_id: z.uuid(),
    rank: z.int(),
    name_record_id: z.uuid(),
    email_record_id: z.uuid(),
    phone_record_id: z.uuid(),
    relationship_record_id: z.uuid().nullable(),
    email_token: z.instanceof(Buffer).nullable(),
    phone_token: z.instanceof(Buffer).nullable(),
    token_version: z.int(),
    country: z.string().nullable(),
    language: z.string(),
    status: z.enum(BUDDY_STATUSES),
    verification_token_version: z.int(),
    verification_token_expires_at: z.date().nullable(),
    verification_attempts: z.int(),
    last_sent_at: z.date().nullable(),
    verified_at: z.date().nullable(),
    declined_at: z.date().nullable(),
    opted_out_at: z.date().nullable(),
    is_active: z.boolean(),
    created_at: z.date(),
    removed_at: z.date().nullable(),
    can_be_asked: z.boolean(),
  })
  .transform(
    (row): Buddy => ({
      buddyId: row.buddy_id,
      userId: row.user_id,
      subjectId: row.subject_id,
      rank: row.rank,
      nameRecordId: row.name_record_id,
      emailRecordId: row.email_record_id,
      phoneRecordId: row.phone_record_id,
      relationshipRecordId: row.relationship_record_id,
      emailToken: row.email_token,
      phoneToken: row.phone_token,
      tokenVersion: row.token_version,
      country: row.country,
      language: row.language,
      status: row.status,
      linkVersion: row.verification_token_version,
      linkExpiresAt: row.verification_token_expires_at,
      invitationsSent: row.verification_attempts,
      lastSentAt: row.last_sent_at,
      verifiedAt: row.verified_at,
      declinedAt: row.declined_at,
      optedOutAt: row.opted_out_at,
      isActive: row.is_active,
      createdAt: row.created_at,
      removedAt: row.removed_at,
      canBeAsked: row.can_be_asked,
    }),
  );

const SELECT_BUDDY = `SELECT b.buddy_id, b.user_id, b.subject_id, b.rank, b.name_record_id, b.email_record_id,
  b.phone_record_id, b.relationship_record_id, b.email_token, b.phone_token, b.token_version, b.country, b.language,
  ${BUDDY_STATUS} AS status, b.verification_token_version, b.verification_token_expires_at, b.verification_attempts,
  b.last_sent_at, b.verified_at, b.declined_at, b.opted_out_at, b.is_active, b.created_at, b.removed_at,
  ${CAN_BE_ASKED} AS can_be_asked
  FROM buddy_contacts b`;

/** Whoever's it is, also one that was removed; the caller checks. */
export function findBuddy(db: Db, buddyId: string): Promise<Buddy | null> {
  return maybeOne(db, buddyRow, `${SELECT_BUDDY} WHERE b.buddy_id = $1`, [buddyId]);
}

/** As {@link findBuddy}; nobody else changes the row, or erases the buddy or the user, until the transaction ends. */
export async function lockBuddy(tx: Db, buddyId: string): Promise<Buddy | null> {
  await keepNamed(tx, { table: 'buddy_contacts', which: 'n.buddy_id = $1', values: [buddyId] });
  await execute(tx, 'SELECT FROM buddy_contacts WHERE buddy_id = $1 FOR NO KEY UPDATE', [buddyId]);
  // Read by a statement of its own: one that waits for a lock answers what it asks other rows as they were before.
  return findBuddy(tx, buddyId);
}

/** Of one user, in their order, without those that were removed. There are never many: no pages. */
export function listBuddies(db: Db, userId: string): Promise<Buddy[]> {
  return many(
    db,
    buddyRow,
    `${SELECT_BUDDY} WHERE b.user_id = $1 AND b.removed_at IS NULL ORDER BY b.rank, b.buddy_id`,
    [userId],
  );
}

/** Lets requests of one user that change the list follow each other, until the transaction ends. */
export async function lockBuddiesOf(tx: Db, userId: string): Promise<void> {
  await execute(tx, 'SELECT FROM subjects WHERE subject_id = $1 FOR NO KEY UPDATE', [userId]);
}

export type NewBuddy = Pick<
  Buddy,
  | 'buddyId'
  | 'userId'
  | 'subjectId'
  | 'rank'
  | 'nameRecordId'
  | 'emailRecordId'
  | 'phoneRecordId'
  | 'relationshipRecordId'
  | 'tokenVersion'
  | 'language'
> & { readonly emailToken: Buffer; readonly phoneToken: Buffer; readonly country: string };

/** Behind {@link lockBuddiesOf}, in the transaction that seals its records. */
export async function insertBuddy(tx: Db, buddy: NewBuddy): Promise<void> {
  await execute(
    tx,
    `INSERT INTO buddy_contacts (buddy_id, user_id, subject_id, rank, name_record_id, email_record_id, phone_record_id,
                                 relationship_record_id, email_token, phone_token, token_version, country, language)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [
      buddy.buddyId,
      buddy.userId,
      buddy.subjectId,
      buddy.rank,
      buddy.nameRecordId,
      buddy.emailRecordId,
      buddy.phoneRecordId,
      buddy.relationshipRecordId,
      buddy.emailToken,
      buddy.phoneToken,
      buddy.tokenVersion,
      buddy.country,
      buddy.language,
    ],
  );
}

/** Puts a user's buddies into this order: 1, 2, 3 … Behind {@link lockBuddiesOf}. */
export async function rankBuddies(tx: Db, userId: string, buddyIds: readonly string[]): Promise<void> {
  await execute(
    tx,
    `UPDATE buddy_contacts b SET rank = o.place
       FROM unnest($2::uuid[]) WITH ORDINALITY AS o(buddy_id, place)
      WHERE b.buddy_id = o.buddy_id AND b.user_id = $1 AND b.removed_at IS NULL AND b.rank <> o.place`,
    [userId, buddyIds],
  );
}

export interface BuddyEventNote {
  readonly buddyId: string;
  readonly event: BuddyEvent;
  /** Of the link it was done by; null: by none. */
  readonly version: number | null;
  readonly ipRecordId?: string | null;
  readonly userAgentRecordId?: string | null;
  /** ISO 8601; left out: now. */
  readonly at?: Date | string;
}

/** In the transaction of the change. */
export async function noteBuddyEvent(tx: Db, note: BuddyEventNote): Promise<void> {
  const { buddyId, event, version, ipRecordId, userAgentRecordId, at } = note;
  await execute(
    tx,
    `INSERT INTO buddy_verification_audit (buddy_id, event, version, ip_record_id, user_agent_record_id, happened_at)
     VALUES ($1, $2, $3, $4, $5, coalesce($6, clock_timestamp()))`,
    [buddyId, event, version, ipRecordId ?? null, userAgentRecordId ?? null, at ?? null],
  );
}
