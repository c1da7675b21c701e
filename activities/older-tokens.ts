import { auditOverride, type SendingGuard, whyNotUnder } from '../db/may-send';
import type { SuppressedBecause } from '../domain/message';
import type { SealedValue } from '../domain/sealed';
import type { ActivityDependencies } from './dependencies';

/**
 * What the claim could not see: while the token key is replaced, an opt-out or a block may stand under an older token
 * than the dispatch's, and only who knows the number can make that one. Asked right before the act; one that goes past
 * a no leaves its audit entry.
 * @returns why it must not be sent; null: nothing forbids it
 */
export async function unwantedUnderOlderTokens(
  { pool, tokenizer }: Pick<ActivityDependencies, 'pool' | 'tokenizer'>,
  { dispatchId, guard }: { readonly dispatchId: string; readonly guard: SendingGuard | null },
  to: SealedValue | null,
): Promise<SuppressedBecause | null> {
  if (guard === null || to === null) return null;
  const tokens = tokenizer.candidates(to);
  const because = tokens.length > 1 ? await whyNotUnder(pool, dispatchId, guard, tokens) : null;
  if (because === null) await auditOverride(pool, dispatchId, guard, tokens);
  return because;
}
