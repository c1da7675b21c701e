/** Numbers and addresses that people saved. The value is a vault record; the token finds it without reading it. */
import { z } from 'zod';
import { appendAudit } from './audit';
import { type Db, execute, many, maybeOne, one } from './query';
import { destroyRecord } from './vault-rows';

export interface ContactPoint {
  readonly contactPointId: string;
  readonly subjectId: string;
  readonly recordId: string;
  readonly kind: 'phone' | 'email';
  readonly token: Buffer;
  readonly tokenVersion: number;
  readonly country: string | null;
  readonly createdAt: Date;
  /** When a code that was sent there came back; null: anybody may have saved it. */
  readonly verifiedAt: Date | null;
  /** Twilio says that there is no such number; null: it does not, or its owner has verified or saved it again since. */
  readonly unreachable: { readonly since: Date; readonly code: string } | null;
}

export interface NewContactPoint {
  readonly subjectId: string;
  readonly recordId: string;
  readonly kind: 'phone' | 'email';
  readonly token: Buffer;
  readonly tokenVersion: number;
  readonly country: string | null;
}

const contactPointRow = z
  .object({
    contact_point_id: z.uuid(),
    subject_id: z.uuid(),
    record_id: z.uuid(),
    kind: z.enum(['phone', 'email']),
    token: z.instanceof(Buffer),
    token_version: z.int(),
    country: z.string().nullable(),
    created_at: z.date(),
    verified_at: z.date().nullable(),
    unreachable_since: z.date().nullable(),
    unreachable_code: z.string().nullable(),
  })
  .transform(
    (row): ContactPoint => ({
      contactPointId: row.contact_point_id,
      subjectId: row.subject_id,
      recordId: row.record_id,
      kind: row.kind,
      token: row.token,
      tokenVersion: row.token_version,
      country: row.country,
      createdAt: row.created_at,
      verifiedAt: row.verified_at,
      unreachable:
        row.unreachable_since === null || row.unreachable_code === null
          ? null
          : { since: row.unreachable_since, code: row.unreachable_code },
    }),
  );
const COLUMNS = `contact_point_id, subject_id, record_id, kind, token, token_version, country, created_at, verified_at,
  unreachable_since, unreachable_code`;

/** Lets requests of one person that save contact points follow each other, until the transaction ends. */
export async function lockContactPoints(tx: Db, subjectId: string): Promise<void> {
  await tx.query('SELECT 1 FROM subjects WHERE subject_id = $1 FOR NO KEY UPDATE', [subjectId]);
}

/**
 * Saves a contact point. Run it in a transaction together with the sealing of its record. When the person has saved
 * the same number before, that one is returned, no longer marked as one that nothing reaches, and the record sealed for
 * this request is destroyed.
 */
export async function createContactPoint(tx: Db, input: NewContactPoint): Promise<ContactPoint> {
  const made = await maybeOne(
    tx,
    contactPointRow,
    `INSERT INTO contact_points (subject_id, record_id, kind, token, token_version, country)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (subject_id, kind, token) WHERE deleted_at IS NULL DO NOTHING RETURNING ${COLUMNS}`,
    [input.subjectId, input.recordId, input.kind, input.token, input.tokenVersion, input.country],
  );
  if (made === null) {
    await destroyRecord(tx, input.recordId, { reason: 'replaced', actor: input.subjectId });
    return await one(
      tx,
      contactPointRow,
      `UPDATE contact_points SET unreachable_since = NULL, unreachable_code = NULL
        WHERE subject_id = $1 AND kind = $2 AND token = $3 AND deleted_at IS NULL RETURNING ${COLUMNS}`,
      [input.subjectId, input.kind, input.token],
    );
  }
  await appendAudit(tx, {
    actor: input.subjectId,
    action: 'contact-point.created',
    objectId: made.contactPointId,
    outcome: 'done',
  });
  return made;
}

/** All contact points of a person, oldest first. */
export function listContactPoints(db: Db, subjectId: string): Promise<ContactPoint[]> {
  return many(
    db,
    contactPointRow,
    `SELECT ${COLUMNS} FROM contact_points
      WHERE subject_id = $1 AND deleted_at IS NULL ORDER BY created_at, contact_point_id`,
    [subjectId],
  );
}

/** One contact point of this person; null also when it is somebody else's. */
export function findContactPoint(db: Db, subjectId: string, contactPointId: string): Promise<ContactPoint | null> {
  return maybeOne(
    db,
    contactPointRow,
    `SELECT ${COLUMNS} FROM contact_points
      WHERE contact_point_id = $1 AND subject_id = $2 AND deleted_at IS NULL`,
    [contactPointId, subjectId],
  );
}

/**
 * Deletes a contact point of this person with its record and its token. Run it in a transaction.
 * @returns false when the person has no such contact point
 */
export async function deleteContactPoint(tx: Db, subjectId: string, contactPointId: string): Promise<boolean> {
  const found = await findContactPoint(tx, subjectId, contactPointId);
  if (found === null) return false;
  const deleted = await execute(
    tx,
    `UPDATE contact_points SET token = NULL, deleted_at = clock_timestamp()
      WHERE contact_point_id = $1 AND deleted_at IS NULL`,
    [contactPointId],
  );
  if (deleted === 0) return false;
  await destroyRecord(tx, found.recordId, { reason: 'contact-point-deleted', actor: subjectId });
  await appendAudit(tx, {
    actor: subjectId,
    action: 'contact-point.deleted',
    objectId: contactPointId,
    outcome: 'done',
  });
  return true;
}
