import type { Pool } from 'pg';
import { subjectForAccount } from '../db/subjects';
import type { Tokenizer } from '../vault/tokens';

/** An erased person's account must not lead to their old subject for long (ms). */
const REMEMBERED_FOR = 30_000;
const MOST_REMEMBERED = 5_000;

/**
 * The subject of a signed-in account, made when its first token is accepted. The issuer's own `sub` is never stored:
 * only its keyed hash, which is also the key of the short memory that saves a query per request.
 */
export function subjectOfAccounts(
  pool: Pool,
  tokenizer: Tokenizer,
): (issuer: string, account: string) => Promise<string> {
  const remembered = new Map<string, { readonly subjectId: string; readonly until: number }>();
  return async (issuer, account) => {
    const token = tokenizer.keyedHash('account', issuer, account);
    const key = token.toString('base64');
    const known = remembered.get(key);
    if (known !== undefined && known.until > Date.now()) return known.subjectId;
    const subjectId = await subjectForAccount(pool, token);
    const oldest = remembered.size >= MOST_REMEMBERED ? remembered.keys().next() : null;
    if (oldest !== null && !oldest.done) remembered.delete(oldest.value);
    remembered.delete(key);
    remembered.set(key, { subjectId, until: Date.now() + REMEMBERED_FOR });
    return subjectId;
  };
}
