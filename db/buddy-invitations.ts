/** The e-mails that ask somebody to be a buddy, and the link that each of them carries. */
import { z } from 'zod';
import { type Db, execute, many, maybeOne, one } from './query';

export interface Invitation {
  readonly invitationId: string;
  readonly buddyId: string;
  /** Of its link; only the newest can be accepted. */
  readonly version: number;
  readonly expiresAt: Date;
  /** The e-mail. */
  readonly messageId: string;
  /** False when nothing was sent. */
  readonly counts: boolean;
  readonly sentAt: Date | null;
  /** When the buddy asked for a new link on the page of this one. */
  readonly renewalAskedAt: Date | null;
}

const COLUMNS = 'invitation_id, buddy_id, version, expires_at, message_id, counts, sent_at, renewal_asked_at';
const invitationRow = z
  .object({
    invitation_id: z.uuid(),
    buddy_id: z.uuid(),
    version: z.int(),
    expires_at: z.date(),
    message_id: z.uuid(),
    counts: z.boolean(),
    sent_at: z.date().nullable(),
    renewal_asked_at: z.date().nullable(),
  })
  .transform(
    (row): Invitation => ({
      invitationId: row.invitation_id,
      buddyId: row.buddy_id,
      version: row.version,
      expiresAt: row.expires_at,
      messageId: row.message_id,
      counts: row.counts,
      sentAt: row.sent_at,
      renewalAskedAt: row.renewal_asked_at,
    }),
  );

export function findInvitation(db: Db, invitationId: string): Promise<Invitation | null> {
  const text = `SELECT ${COLUMNS} FROM buddy_invitations WHERE invitation_id = $1`;
  return maybeOne(db, invitationRow, text, [invitationId]);
}

/** @param hash SHA-256 of the token that somebody opened */
export function invitationOfLink(db: Db, hash: Buffer): Promise<Invitation | null> {
  return maybeOne(db, invitationRow, `SELECT ${COLUMNS} FROM buddy_invitations WHERE link_hash = $1`, [hash]);
}

export function invitationOfVersion(db: Db, buddyId: string, version: number): Promise<Invitation | null> {
  const text = `SELECT ${COLUMNS} FROM buddy_invitations WHERE buddy_id = $1 AND version = $2`;
  return maybeOne(db, invitationRow, text, [buddyId, version]);
}

/** Of the next link: higher than any before, of those that were taken back too. Behind `lockBuddy`. */
export async function nextVersion(tx: Db, buddyId: string): Promise<number> {
  const { version } = await one(
    tx,
    z.object({ version: z.int() }),
    'SELECT coalesce(max(version), 0) + 1 AS version FROM buddy_invitations WHERE buddy_id = $1',
    [buddyId],
  );
  return version;
}

export interface NewInvitation {
  readonly invitationId: string;
  readonly buddyId: string;
  readonly version: number;
  readonly linkHash: Buffer;
  readonly emailToken: Buffer;
  readonly phoneToken: Buffer | null;
  readonly askedBy: 'user' | 'buddy';
  readonly messageId: string;
  /** How long its link can be answered, and how long no other e-mail may follow, ms. */
  readonly lifetimeMs: number;
  readonly spacingMs: number;
}

/** @throws an exclusion violation (SQLSTATE 23P01) while another one is too recent */
export function insertInvitation(tx: Db, invitation: NewInvitation): Promise<Invitation> {
  const { invitationId, buddyId, version, linkHash, emailToken, phoneToken, askedBy } = invitation;
  const { messageId, lifetimeMs, spacingMs } = invitation;
  return one(
    tx,
    invitationRow,
    `INSERT INTO buddy_invitations (invitation_id, buddy_id, version, link_hash, email_token, asked_by, message_id,
                                    phone_token, expires_at, cooldown)
     SELECT $1, $2, $3, $4, $5, $6, $7, $10, now.at + $8 * interval '1 millisecond',
            tstzrange(now.at, now.at + $9 * interval '1 millisecond')
       FROM (SELECT clock_timestamp() AS at) now
     RETURNING ${COLUMNS}`,
    [invitationId, buddyId, version, linkHash, emailToken, askedBy, messageId, lifetimeMs, spacingMs, phoneToken],
  );
}

export interface Asked {
  /** E-mails of this user to this address that counted, through whatever entries. */
  readonly sent: number;
  /** The same for the number, whatever address they went to. */
  readonly sentOfNumber: number;
  /** Until another one may go, ms; 0: now. */
  readonly waitMs: number;
}

export interface AskedWhom {
  readonly userId: string;
  readonly buddyId: string;
  /** Tokens of the address and of the number, under every live version of the token key: removing and adding anew counts on. */
  readonly candidates: readonly Buffer[];
  readonly phoneCandidates: readonly Buffer[];
}

export function askedSoFar(tx: Db, { userId, buddyId, candidates, phoneCandidates }: AskedWhom): Promise<Asked> {
  return one(
    tx,
    z
      .object({ sent: z.int(), sent_of_number: z.int(), wait_ms: z.coerce.number() })
      .transform((row): Asked => ({ sent: row.sent, sentOfNumber: row.sent_of_number, waitMs: row.wait_ms })),
    `SELECT count(*) FILTER (WHERE asked.is_of_address)::int AS sent,
            count(*) FILTER (WHERE asked.is_of_number)::int AS sent_of_number,
            coalesce(greatest(0, ceil(extract(epoch FROM max(upper(asked.cooldown)) - clock_timestamp()) * 1000)), 0)
              AS wait_ms
       FROM (SELECT i.cooldown, i.buddy_id = $2 OR coalesce(i.email_token = ANY($3::bytea[]), false) AS is_of_address,
                    i.buddy_id = $2 OR coalesce(i.phone_token = ANY($4::bytea[]), false) AS is_of_number
               FROM buddy_invitations i JOIN buddy_contacts b USING (buddy_id)
              WHERE i.counts AND b.user_id = $1
                AND (i.buddy_id = $2 OR i.email_token = ANY($3::bytea[]) OR i.phone_token = ANY($4::bytea[]))) asked`,
    [userId, buddyId, candidates, phoneCandidates],
  );
}

/** What the screen says of an entry. */
export interface InvitationOutlook {
  readonly buddyId: string;
  readonly sent: number;
  /** The same for their number, whatever address they went to. */
  readonly sentOfNumber: number;
  /** From when another e-mail may go, as far as this user's own are concerned; null: before the first. */
  readonly nextAt: Date | null;
  /** Of the newest link. */
  readonly renewalAskedAt: Date | null;
}

/** Of a user's entries, by the same rows that hold the limits. */
export async function invitationOutlooks(db: Db, userId: string): Promise<ReadonlyMap<string, InvitationOutlook>> {
  const rows = await many(
    db,
    z.object({
      buddy_id: z.uuid(),
      sent: z.int(),
      sent_of_number: z.int(),
      next_at: z.date().nullable(),
      renewal_asked_at: z.date().nullable(),
    }),
    `SELECT b.buddy_id, max(upper(i.cooldown)) AS next_at,
            count(*) FILTER (WHERE i.buddy_id = b.buddy_id OR i.email_token = b.email_token)::int AS sent,
            count(*) FILTER (WHERE i.buddy_id = b.buddy_id OR i.phone_token = b.phone_token)::int AS sent_of_number,
            max(i.renewal_asked_at) FILTER (WHERE i.buddy_id = b.buddy_id AND i.version = b.verification_token_version)
              AS renewal_asked_at
       FROM buddy_contacts b
       LEFT JOIN LATERAL (
            SELECT i.buddy_id, i.version, i.email_token, i.phone_token, i.cooldown, i.renewal_asked_at
              FROM buddy_invitations i JOIN buddy_contacts o USING (buddy_id)
             WHERE i.counts AND o.user_id = b.user_id
               AND (i.buddy_id = b.buddy_id OR i.email_token = b.email_token OR i.phone_token = b.phone_token)) i ON true
      WHERE b.user_id = $1 AND b.removed_at IS NULL GROUP BY b.buddy_id`,
    [userId],
  );
  return new Map(
    rows.map(
      ({
        buddy_id: buddyId,
        sent,
        sent_of_number: sentOfNumber,
        next_at: nextAt,
        renewal_asked_at: renewalAskedAt,
      }) => [buddyId, { buddyId, sent, sentOfNumber, nextAt, renewalAskedAt }],
    ),
  );
}

/** Whom an e-mail asks. */
export async function buddyOfMessage(db: Db, messageId: string): Promise<string | null> {
  const text = 'SELECT buddy_id FROM buddy_invitations WHERE message_id = $1';
  return (await maybeOne(db, z.object({ buddy_id: z.uuid() }), text, [messageId]))?.buddy_id ?? null;
}

/**
 * Notes that the provider has it. May be repeated. Behind `lockBuddy`.
 * @param at ISO 8601; null: now
 * @returns the entry and version it belongs to, the first time; null later
 */
export async function markInvitationSent(
  tx: Db,
  messageId: string,
  at: string | null,
): Promise<{ readonly buddyId: string; readonly version: number } | null> {
  const row = await maybeOne(
    tx,
    z.object({ buddy_id: z.uuid(), version: z.int() }),
    `UPDATE buddy_invitations SET sent_at = coalesce($2, clock_timestamp())
      WHERE message_id = $1 AND sent_at IS NULL AND counts RETURNING buddy_id, version`,
    [messageId, at],
  );
  return row === null ? null : { buddyId: row.buddy_id, version: row.version };
}

/** An e-mail of which nothing left: as if it had never been asked for. @returns false when it was sent, or taken back before */
export async function uncountInvitation(tx: Db, messageId: string): Promise<boolean> {
  const text = 'UPDATE buddy_invitations SET counts = false WHERE message_id = $1 AND counts AND sent_at IS NULL';
  return (await execute(tx, text, [messageId])) > 0;
}

/**
 * Counts the e-mails of an entry anew, and where its newest was taken back lets the one before it be answered again, if
 * that was sent and has not run out: nobody has the newest. Behind `lockBuddy`.
 */
export async function settleTakenBack(tx: Db, buddyId: string): Promise<void> {
  await execute(
    tx,
    `UPDATE buddy_contacts b
        SET verification_attempts = (SELECT count(*) FROM buddy_invitations i WHERE i.buddy_id = b.buddy_id AND i.counts)
      WHERE b.buddy_id = $1`,
    [buddyId],
  );
  await execute(
    tx,
    `UPDATE buddy_contacts b
        SET verification_token_version = coalesce(earlier.version, b.verification_token_version),
            verification_token_hash = earlier.link_hash, verification_token_expires_at = earlier.expires_at
       FROM buddy_invitations newest
       LEFT JOIN LATERAL (
            SELECT i.version, i.link_hash, i.expires_at FROM buddy_invitations i
             WHERE i.buddy_id = newest.buddy_id AND i.counts AND i.sent_at IS NOT NULL
               AND i.expires_at > clock_timestamp() ORDER BY i.version DESC LIMIT 1) earlier ON true
      WHERE b.buddy_id = $1 AND newest.buddy_id = b.buddy_id AND newest.version = b.verification_token_version
        AND NOT newest.counts`,
    [buddyId],
  );
}

/** The page of a link that ran out asks once. @returns false when it has been asked before */
export async function markRenewalAsked(tx: Db, invitationId: string): Promise<boolean> {
  const text = `UPDATE buddy_invitations SET renewal_asked_at = clock_timestamp()
    WHERE invitation_id = $1 AND renewal_asked_at IS NULL`;
  return (await execute(tx, text, [invitationId])) > 0;
}
