/** Whom a number or an address stands for: rights act on a person, and a message may go to somebody without an account. */
import { z } from 'zod';
import { createSubject } from './subjects';
import { type Db, execute, maybeOne } from './query';

export interface RecipientToken {
  /** Under the current version of the token key. */
  readonly token: Buffer;
  readonly tokenVersion: number;
  /** Under every live version, for look-ups during a rotation. */
  readonly candidates: readonly Buffer[];
}

const row = z.object({ subject_id: z.uuid() });

/**
 * The subject who verified this number or address last, else the one that was made for it before, else a new one. Whoever
 * only saved it is not its subject: nobody silences a stranger's number, or reads what goes there, by saving it. Run it in
 * a transaction: the same number asked for twice at once gets one subject.
 */
export async function recipientSubject(tx: Db, { token, tokenVersion, candidates }: RecipientToken): Promise<string> {
  const known = await findRecipient(tx, candidates);
  if (known !== null) return known;
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`recipient:${token.toString('hex')}`]);
  const meanwhile = await findRecipient(tx, candidates);
  if (meanwhile !== null) return meanwhile;
  const subjectId = await createSubject(tx, 'system');
  await execute(tx, 'INSERT INTO recipients (recipient_token, token_version, subject_id) VALUES ($1, $2, $3)', [
    token,
    tokenVersion,
    subjectId,
  ]);
  return subjectId;
}

/** As {@link recipientSubject}, but makes nobody: null for a number that was never heard of. */
export async function findRecipient(db: Db, candidates: readonly Buffer[]): Promise<string | null> {
  const found = await maybeOne(
    db,
    row,
    `(SELECT subject_id FROM contact_points
       WHERE token = ANY($1) AND deleted_at IS NULL AND verified_at IS NOT NULL
       ORDER BY verified_at DESC, contact_point_id LIMIT 1)
     UNION ALL
     (SELECT subject_id FROM recipients WHERE recipient_token = ANY($1) ORDER BY created_at LIMIT 1)
     LIMIT 1`,
    [candidates],
  );
  return found?.subject_id ?? null;
}

/** Where somebody can be reached: a number or address that they saved. */
export interface SavedDestination {
  readonly subjectId: string;
  readonly recordId: string;
  readonly token: Buffer;
  /** Of the key that made the token. */
  readonly tokenVersion: number;
  /** ISO 3166 of a number; null for an address. */
  readonly country: string | null;
  /** Whether they have shown that it is theirs. */
  readonly isVerified: boolean;
}

const savedRow = z
  .object({
    subject_id: z.uuid(),
    record_id: z.uuid(),
    token: z.instanceof(Buffer),
    token_version: z.int(),
    country: z.string().nullable(),
    is_verified: z.boolean(),
  })
  .transform(
    (saved): SavedDestination => ({
      subjectId: saved.subject_id,
      recordId: saved.record_id,
      token: saved.token,
      tokenVersion: saved.token_version,
      country: saved.country,
      isVerified: saved.is_verified,
    }),
  );

export interface WantedDestination {
  readonly kind: 'phone' | 'email';
  readonly contactPointId?: string;
  readonly subjectId?: string;
  /** A landline that takes no texts can be rung. */
  readonly isForCall?: boolean;
}

/**
 * A contact point by its id, or the newest one of a person: a verified one before one that may be a slip of the finger,
 * and of those one that no text reaches last. Null when there is none of that kind.
 */
export function savedDestination(
  db: Db,
  { kind, contactPointId, subjectId, isForCall = false }: WantedDestination,
): Promise<SavedDestination | null> {
  return maybeOne(
    db,
    savedRow,
    `SELECT subject_id, record_id, token, token_version, country, verified_at IS NOT NULL AS is_verified FROM contact_points
      WHERE deleted_at IS NULL AND kind = $1 AND ($2::uuid IS NULL OR contact_point_id = $2)
        AND ($3::uuid IS NULL OR subject_id = $3) AND ($2::uuid IS NOT NULL OR $3::uuid IS NOT NULL)
      ORDER BY verified_at IS NULL, $4 AND unreachable_since IS NOT NULL, created_at DESC, contact_point_id LIMIT 1`,
    [kind, contactPointId ?? null, subjectId ?? null, !isForCall],
  );
}

/** Whether this person saved this number or address themselves. */
export async function hasSaved(db: Db, subjectId: string, candidates: readonly Buffer[]): Promise<boolean> {
  const found = await maybeOne(
    db,
    row,
    'SELECT subject_id FROM contact_points WHERE subject_id = $1 AND token = ANY($2) AND deleted_at IS NULL LIMIT 1',
    [subjectId, candidates],
  );
  return found !== null;
}

/** Whether this person has shown that this number or address is theirs. */
export async function hasVerified(db: Db, subjectId: string, tokens: readonly Buffer[]): Promise<boolean> {
  const found = await maybeOne(
    db,
    row,
    `SELECT subject_id FROM contact_points
      WHERE subject_id = $1 AND token = ANY($2) AND deleted_at IS NULL AND verified_at IS NOT NULL LIMIT 1`,
    [subjectId, tokens],
  );
  return found !== null;
}
