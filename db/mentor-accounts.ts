/** Which account a mentor signs in with, and the invitations that lead to it. Of a code only a keyed hash is known here. */
import { z } from 'zod';
import { INVITATION_DAYS } from '../domain/invitation-code';
import { appendAudit } from './audit';
import { heldByMentor } from './legal-holds';
import { deleteOld, type OldPage, type OldRows } from './old-rows';
import { type Db, execute, many, maybeOne, sqlState, UNIQUE_VIOLATION } from './query';

const mentorIdRow = z.object({ mentor_id: z.uuid() });

/** The mentor who signs in with this account; null when it is nobody's (any more). */
export async function findMentorOfAccount(db: Db, subjectId: string): Promise<string | null> {
  const row = await maybeOne(
    db,
    mentorIdRow,
    'SELECT mentor_id FROM mentors WHERE account_subject_id = $1 AND deleted_at IS NULL',
    [subjectId],
  );
  return row?.mentor_id ?? null;
}

export interface NewInvitation {
  readonly invitationId: string;
  readonly mentorId: string;
  /** 32 bytes, keyed. */
  readonly codeHash: Buffer;
}

/**
 * Makes this the only invitation of the mentor. Give it a transaction.
 * @returns false when there is no such mentor
 */
export async function inviteMentor(tx: Db, invitation: NewInvitation, actor: string): Promise<boolean> {
  const { invitationId, mentorId, codeHash } = invitation;
  const made = await execute(
    tx,
    `INSERT INTO mentor_invitations AS i (mentor_id, invitation_id, code_hash, invited_by, expires_at)
     SELECT mentor_id, $2, $3, $4, clock_timestamp() + $5 * interval '1 day' FROM mentors
      WHERE mentor_id = $1 AND deleted_at IS NULL
     ON CONFLICT (mentor_id) DO UPDATE SET invitation_id = excluded.invitation_id, code_hash = excluded.code_hash,
       invited_by = excluded.invited_by, made_at = clock_timestamp(), expires_at = excluded.expires_at, used_at = NULL`,
    [mentorId, invitationId, codeHash, actor, INVITATION_DAYS],
  );
  if (made === 0) return false;
  await appendAudit(tx, { actor, action: 'mentor.invited', objectId: mentorId, outcome: 'done' });
  return true;
}

/** Until when an invitation counts; null when it was used, or another one was made since. */
export async function invitationExpiry(db: Db, invitationId: string): Promise<Date | null> {
  const row = await maybeOne(
    db,
    z.object({ expires_at: z.date() }),
    'SELECT expires_at FROM mentor_invitations WHERE invitation_id = $1 AND code_hash IS NOT NULL',
    [invitationId],
  );
  return row?.expires_at ?? null;
}

/**
 * Takes an invitation: from now on the mentor signs in with this account, and the code counts no more. Give it a
 * transaction of its own.
 *
 * @returns the mentor's id; `unknown` for a code that does not count (any more); `taken` when the account is another
 *   mentor's already
 */
export async function takeInvitation(
  tx: Db,
  codeHash: Buffer,
  accountId: string,
): Promise<{ readonly mentorId: string } | 'unknown' | 'taken'> {
  const used = await maybeOne(
    tx,
    mentorIdRow,
    `UPDATE mentor_invitations i SET code_hash = NULL, used_at = clock_timestamp()
       FROM mentors m
      WHERE i.code_hash = $1 AND i.expires_at > clock_timestamp()
        AND m.mentor_id = i.mentor_id AND m.deleted_at IS NULL
      RETURNING i.mentor_id`,
    [codeHash],
  );
  if (used === null) return 'unknown';
  const mentorId = used.mentor_id;
  try {
    await execute(tx, 'UPDATE mentors SET account_subject_id = $2 WHERE mentor_id = $1', [mentorId, accountId]);
  } catch (error) {
    // Postgres has given up the transaction by itself: the code still counts, for an account of their own.
    if (sqlState(error) === UNIQUE_VIOLATION) return 'taken';
    throw error;
  }
  await appendAudit(tx, { actor: accountId, action: 'mentor.joined', objectId: mentorId, outcome: 'done' });
  return { mentorId };
}

/**
 * Takes the account away from a mentor, and an invitation with it. Give it a transaction.
 * @returns null when there is no such mentor, false when there was nothing to take
 */
export async function unlinkMentor(tx: Db, mentorId: string, actor: string): Promise<boolean | null> {
  const before = await maybeOne(
    tx,
    z.object({ account_subject_id: z.uuid().nullable() }),
    'SELECT account_subject_id FROM mentors WHERE mentor_id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE',
    [mentorId],
  );
  if (before === null) return null;
  const withdrawn = await execute(
    tx,
    'UPDATE mentor_invitations SET code_hash = NULL WHERE mentor_id = $1 AND code_hash IS NOT NULL',
    [mentorId],
  );
  if (before.account_subject_id === null && withdrawn === 0) return false;
  await execute(tx, 'UPDATE mentors SET account_subject_id = NULL WHERE mentor_id = $1', [mentorId]);
  await appendAudit(tx, { actor, action: 'mentor.unlinked', objectId: mentorId, outcome: 'done' });
  return true;
}

/** Whether mentors have joined, or could: by mentor id. Who is in neither list has no invitation that counts. */
export async function accountStates(
  db: Db,
  mentorIds: readonly string[],
): Promise<ReadonlyMap<string, 'joined' | 'invited'>> {
  const row = z.object({ mentor_id: z.uuid(), state: z.enum(['joined', 'invited']) });
  const rows = await many(
    db,
    row,
    `SELECT m.mentor_id, CASE WHEN m.account_subject_id IS NOT NULL THEN 'joined' ELSE 'invited' END AS state
       FROM mentors m LEFT JOIN mentor_invitations i ON i.mentor_id = m.mentor_id AND i.code_hash IS NOT NULL
                                                    AND i.expires_at > clock_timestamp()
      WHERE m.mentor_id = ANY($1) AND (m.account_subject_id IS NOT NULL OR i.mentor_id IS NOT NULL)`,
    [mentorIds],
  );
  return new Map(rows.map(({ mentor_id: mentorId, state }) => [mentorId, state]));
}

/** Invitations that have long counted no more; the account that one has led to stays the mentor's. */
export function deleteOldInvitations(db: Db, rows: OldRows): Promise<OldPage> {
  const old = { table: 'mentor_invitations', key: 'mentor_id', time: 't.expires_at', heldWhere: heldByMentor };
  return deleteOld(db, old, rows);
}
