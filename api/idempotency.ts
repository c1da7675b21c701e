import { randomUUID } from 'node:crypto';
import type { Request } from 'express';
import type { Pool } from 'pg';
import { findCreation, lockCreation, rememberCreation } from '../db/idempotent-creations';
import { inTransaction } from '../db/pool';
import type { Db } from '../db/query';
import type { Tokenizer } from '../vault/tokens';
import { Problem } from './problems';

export interface IdempotentRequest {
  /** Made from caller, route and key, never from the body; random without a key. Of a call it is the id. */
  readonly requestId: string;
  /** Hex; keyed, so that a body with a number in it cannot be guessed from its hash. */
  readonly requestHash: string;
  /** Whether the request carried an Idempotency-Key. */
  readonly isRepeatable: boolean;
}

/**
 * What names a request that starts or makes something. The key is optional: without one, a second tap is caught by
 * the rule of one live call per user.
 *
 * @throws {Problem} `idempotency-key-invalid`
 */
export function idempotentRequest(
  tokenizer: Tokenizer,
  req: Request,
  caller: string,
  route: string,
): IdempotentRequest {
  const key = req.get('Idempotency-Key');
  // No body is an empty one, as where it is checked.
  const body = canonicalJson(req.body ?? {});
  const requestHash = tokenizer.keyedHash('request', caller, route, body).toString('hex');
  if (key === undefined) return { requestId: randomUUID(), requestHash, isRepeatable: false };
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) throw new Problem('idempotency-key-invalid');
  return { requestId: tokenizer.callIdFor(caller, route, key), requestHash, isRepeatable: true };
}

/**
 * Makes something in one transaction, once for each key: a repeated request, at the same instant too, gets the id of
 * what the first one made. A key is remembered for a day.
 *
 * @param make gives the id of what it made
 * @throws {Problem} `idempotency-key-reused` when the key came with another body
 */
export async function madeOnce(
  pool: Pool,
  { requestId, requestHash, isRepeatable }: IdempotentRequest,
  make: (tx: Db) => Promise<string>,
): Promise<string> {
  return await inTransaction(pool, async (tx) => {
    if (!isRepeatable) return await make(tx);
    await lockCreation(tx, requestId);
    const earlier = await findCreation(tx, requestId);
    if (earlier !== null && earlier.requestHash !== requestHash) throw new Problem('idempotency-key-reused');
    if (earlier !== null) return earlier.objectId;
    const objectId = await make(tx);
    await rememberCreation(tx, requestId, { requestHash, objectId });
    return objectId;
  });
}

/** The same text for the same content, in whatever order its fields came. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
