/** People, as ids. A person with an account is found by a keyed hash of the issuer's subject, never by the name. */
import { z } from 'zod';
import { appendAudit } from './audit';
import { type Db, maybeOne, one } from './query';

const subjectRow = z.object({ subject_id: z.uuid() });

/**
 * The subject of an account, made on its first accepted token; the same one for requests at the same time.
 * @param accountToken 32 bytes, keyed hash of issuer and `sub`
 */
export async function subjectForAccount(db: Db, accountToken: Buffer): Promise<string> {
  const found = await findByAccount(db, accountToken);
  if (found !== null) return found;
  const made = await maybeOne(
    db,
    subjectRow,
    'INSERT INTO subjects (account_token) VALUES ($1) ON CONFLICT (account_token) DO NOTHING RETURNING subject_id',
    [accountToken],
  );
  if (made !== null) return made.subject_id;
  const winner = await findByAccount(db, accountToken);
  if (winner === null) throw new Error('A subject was made and erased at the same moment');
  return winner;
}

/** A person without an account, such as a mentor that staff entered. */
export async function createSubject(db: Db, actor: string): Promise<string> {
  const { subject_id: subjectId } = await one(
    db,
    subjectRow,
    'INSERT INTO subjects DEFAULT VALUES RETURNING subject_id',
  );
  await appendAudit(db, { actor, action: 'subject.created', objectId: subjectId, outcome: 'done' });
  return subjectId;
}

/** Whether somebody signs in as this subject. */
export async function hasAccount(db: Db, subjectId: string): Promise<boolean> {
  const text = 'SELECT subject_id FROM subjects WHERE subject_id = $1 AND account_token IS NOT NULL';
  return (await maybeOne(db, subjectRow, text, [subjectId])) !== null;
}

async function findByAccount(db: Db, accountToken: Buffer): Promise<string | null> {
  const row = await maybeOne(db, subjectRow, 'SELECT subject_id FROM subjects WHERE account_token = $1', [
    accountToken,
  ]);
  return row?.subject_id ?? null;
}
