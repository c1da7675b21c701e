/** Codes that show whether a number or address is its saver's. Only keyed hashes are known here. */
import { z } from 'zod';
import { appendAudit } from './audit';
import { type ContactPoint, lockContactPoints } from './contact-points';
import { heldBySubject } from './legal-holds';
import { deleteOld, type OldPage, type OldRows } from './old-rows';
import { type Db, execute, maybeOne, one } from './query';

/** How long a code counts, how often it can be tried, and how many one person, or one number, gets in an hour. */
export const CODE = { minutes: 10, tries: 5, perHour: 5 } as const;

/**
 * Makes this the only code of the contact point. Run it in a transaction: whoever asks at the same moment waits. The
 * limit counts by person and by number, so that neither saving it anew nor another account gives more guesses.
 *
 * @param code its id, and 32 bytes of keyed hash
 * @returns how long to wait instead, ms, when there were too many; 0: it counts
 */
export async function noteCode(
  tx: Db,
  point: ContactPoint,
  { codeId, hash }: { readonly codeId: string; readonly hash: Buffer },
): Promise<number> {
  const { contactPointId, subjectId, token } = point;
  await lockContactPoints(tx, subjectId);
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`code:${token.toString('hex')}`]);
  const full = await maybeOne(
    tx,
    z.object({ wait_ms: z.coerce.number() }),
    `SELECT ceil(extract(epoch FROM created_at + interval '1 hour' - clock_timestamp()) * 1000) AS wait_ms
       FROM contact_point_codes
      WHERE (subject_id = $1 OR recipient_token = $2) AND created_at > clock_timestamp() - interval '1 hour'
      ORDER BY created_at DESC OFFSET $3 LIMIT 1`,
    [subjectId, token, CODE.perHour - 1],
  );
  if (full !== null) return Math.max(1, full.wait_ms);
  await dropCode(tx, contactPointId);
  await execute(
    tx,
    `INSERT INTO contact_point_codes (code_id, contact_point_id, subject_id, recipient_token, code_hash, expires_at)
     VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6 * interval '1 minute')`,
    [codeId, contactPointId, subjectId, token, hash, CODE.minutes],
  );
  await appendAudit(tx, {
    actor: subjectId,
    action: 'contact-point.verification-sent',
    objectId: contactPointId,
    outcome: 'done',
  });
  return 0;
}

/** Until when a code counts, or would have; null when it is not known any more. */
export async function codeExpiry(db: Db, codeId: string): Promise<Date | null> {
  const found = await maybeOne(
    db,
    z.object({ expires_at: z.date() }),
    'SELECT expires_at FROM contact_point_codes WHERE code_id = $1',
    [codeId],
  );
  return found?.expires_at ?? null;
}

/**
 * Uses up one try, in one statement, before anything is compared: guesses that come together share the five.
 * @returns the hash to compare with
 */
export async function takeTry(db: Db, contactPointId: string): Promise<Buffer | 'used-up' | 'expired'> {
  const taken = await maybeOne(
    db,
    z.object({ code_hash: z.instanceof(Buffer) }),
    `UPDATE contact_point_codes SET tries = tries + 1
      WHERE contact_point_id = $1 AND code_hash IS NOT NULL AND tries < $2 AND expires_at > clock_timestamp()
      RETURNING code_hash`,
    [contactPointId, CODE.tries],
  );
  if (taken !== null) return taken.code_hash;
  const { is_there: isThere } = await one(
    db,
    z.object({ is_there: z.boolean() }),
    `SELECT EXISTS (SELECT FROM contact_point_codes
       WHERE contact_point_id = $1 AND code_hash IS NOT NULL AND expires_at > clock_timestamp()) AS is_there`,
    [contactPointId],
  );
  return isThere ? 'used-up' : 'expired';
}

/** Run it in a transaction. The second of two right codes changes nothing. */
export async function noteVerified(tx: Db, { contactPointId, subjectId }: ContactPoint): Promise<void> {
  const changed = await execute(
    tx,
    `UPDATE contact_points SET verified_at = clock_timestamp(), unreachable_since = NULL, unreachable_code = NULL
      WHERE contact_point_id = $1 AND verified_at IS NULL AND deleted_at IS NULL`,
    [contactPointId],
  );
  if (changed === 0) return;
  await dropCode(tx, contactPointId);
  await appendAudit(tx, {
    actor: subjectId,
    action: 'contact-point.verified',
    objectId: contactPointId,
    outcome: 'done',
  });
}

async function dropCode(tx: Db, contactPointId: string): Promise<void> {
  await execute(
    tx,
    'UPDATE contact_point_codes SET code_hash = NULL WHERE contact_point_id = $1 AND code_hash IS NOT NULL',
    [contactPointId],
  );
}

/** Codes that nobody counts any more. */
export function deleteOldCodes(db: Db, rows: OldRows): Promise<OldPage> {
  const old = { table: 'contact_point_codes', key: 'code_id', time: 't.created_at' };
  return deleteOld(db, { ...old, heldWhere: heldBySubject }, rows);
}
