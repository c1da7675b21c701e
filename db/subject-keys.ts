/** The rows of people's keys: one key each, wrapped by the key ring, made when something is first sealed for them. */
import { z } from 'zod';
import { SubjectErased } from '../domain/errors';
import type { KeyContext, KeyRing, WrappedKey } from '../vault/key-ring';
import { type Db, execute, maybeOne } from './query';

export interface SubjectKeyRow {
  readonly version: number;
  readonly wrapped: WrappedKey;
  /** False when this transaction has made it: should it be rolled back, there never was such a key. */
  readonly isCommitted: boolean;
}

const keyRow = z.object({
  version: z.int(),
  state: z.enum(['active', 'destroyed']),
  ring: z.enum(['local', 'kms']),
  root_key_id: z.string(),
  wrapped: z.instanceof(Buffer).nullable(),
  is_committed: z.boolean(),
});

/** What the key of a person is bound to. Constant for its life: purposes of reveals vary, a wrapped key has one. */
export function subjectKeyContext(subjectId: string): KeyContext {
  return { subject: subjectId, purpose: 'subject-key' };
}

/**
 * The newest key of a person; made when there was none.
 * @throws {SubjectErased} when it has been destroyed: an erased person never gets a new key
 */
export async function ensureSubjectKey(db: Db, ring: KeyRing, subjectId: string): Promise<SubjectKeyRow> {
  const found = await newestKey(db, subjectId);
  if (found !== null) return found;
  const { plaintext, wrapped } = await ring.generate(subjectKeyContext(subjectId));
  plaintext.fill(0);
  await execute(
    db,
    `INSERT INTO subject_keys (subject_id, version, ring, root_key_id, wrapped)
     VALUES ($1, 1, $2, $3, $4) ON CONFLICT DO NOTHING`,
    [subjectId, wrapped.ring, wrapped.rootKeyId, wrapped.bytes],
  );
  const made = await newestKey(db, subjectId);
  if (made === null) throw new Error('A subject key is missing right after it was made');
  return made;
}

/** The wrapped key of a row of ours. */
export function wrappedKey(row: { ring: 'local' | 'kms'; root_key_id: string; wrapped: Buffer }): WrappedKey {
  return { ring: row.ring, rootKeyId: row.root_key_id, bytes: row.wrapped };
}

async function newestKey(db: Db, subjectId: string): Promise<SubjectKeyRow | null> {
  const row = await maybeOne(
    db,
    keyRow,
    // What a transaction sees and has not written itself is committed. (It would not hold with savepoints.)
    `SELECT version, state, ring, root_key_id, wrapped,
            xmin IS DISTINCT FROM pg_current_xact_id_if_assigned()::xid AS is_committed
       FROM subject_keys WHERE subject_id = $1 ORDER BY version DESC LIMIT 1`,
    [subjectId],
  );
  if (row === null) return null;
  if (row.state === 'destroyed' || row.wrapped === null) throw new SubjectErased();
  const wrapped = wrappedKey({ ...row, wrapped: row.wrapped });
  return { version: row.version, wrapped, isCommitted: row.is_committed };
}
