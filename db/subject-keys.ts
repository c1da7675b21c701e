/** The rows of people's keys: one key each, wrapped by the key ring, made when something is first sealed for them. */
import { z } from 'zod';
import { SubjectErased } from '../domain/errors';
import type { KeyContext, KeyRing, WrappedKey } from '../vault/key-ring';
import { type Db, execute, maybeOne } from './query';

export interface SubjectKeyRow {
  readonly version: number;
  readonly wrapped: WrappedKey;
}

/** The caller zeroes `made`: the key itself, when this call has made it; asking the ring to open it costs a request. */
export type EnsuredSubjectKey = SubjectKeyRow & { readonly made: Buffer | null };

const keyRow = z.object({
  version: z.int(),
  state: z.enum(['active', 'destroyed']),
  ring: z.enum(['local', 'kms']),
  root_key_id: z.string(),
  wrapped: z.instanceof(Buffer).nullable(),
});

/** What the key of a person is bound to. Constant for its life: purposes of reveals vary, a wrapped key has one. */
export function subjectKeyContext(subjectId: string): KeyContext {
  return { subject: subjectId, purpose: 'subject-key' };
}

/**
 * The newest key of a person; made when there was none.
 * @throws {SubjectErased} when it has been destroyed: an erased person never gets a new key
 */
export async function ensureSubjectKey(db: Db, ring: KeyRing, subjectId: string): Promise<EnsuredSubjectKey> {
  const found = await newestKey(db, subjectId);
  if (found !== null) return { ...found, made: null };
  const { plaintext, wrapped } = await ring.generate(subjectKeyContext(subjectId));
  try {
    if (await insertFirstKey(db, subjectId, wrapped)) return { version: 1, wrapped, made: plaintext };
  } catch (error) {
    plaintext.fill(0);
    throw error;
  }
  plaintext.fill(0);
  // Somebody else was first, or the person has been erased meanwhile.
  const first = await newestKey(db, subjectId);
  if (first === null) throw new Error('A subject key is missing though there was one');
  return { ...first, made: null };
}

/** @returns false when the person has a key, or had one */
async function insertFirstKey(db: Db, subjectId: string, wrapped: WrappedKey): Promise<boolean> {
  const inserted = await execute(
    db,
    // The person first, as an erasure does; the foreign key would ask for them last.
    `INSERT INTO subject_keys (subject_id, version, ring, root_key_id, wrapped)
     SELECT subject_id, 1, $2::text, $3::text, $4::bytea FROM subjects WHERE subject_id = $1 FOR KEY SHARE ON CONFLICT DO NOTHING`,
    [subjectId, wrapped.ring, wrapped.rootKeyId, wrapped.bytes],
  );
  return inserted === 1;
}

/** The wrapped key of a row of ours. */
export function wrappedKey(row: { ring: 'local' | 'kms'; root_key_id: string; wrapped: Buffer }): WrappedKey {
  return { ring: row.ring, rootKeyId: row.root_key_id, bytes: row.wrapped };
}

async function newestKey(db: Db, subjectId: string): Promise<SubjectKeyRow | null> {
  const row = await maybeOne(
    db,
    keyRow,
    `SELECT version, state, ring, root_key_id, wrapped FROM subject_keys
      WHERE subject_id = $1 ORDER BY version DESC LIMIT 1`,
    [subjectId],
  );
  if (row === null) return null;
  if (row.state === 'destroyed' || row.wrapped === null) throw new SubjectErased();
  return { version: row.version, wrapped: wrappedKey({ ...row, wrapped: row.wrapped }) };
}
