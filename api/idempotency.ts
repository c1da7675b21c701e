import { randomUUID } from 'node:crypto';
import type { Request } from 'express';
import type { Tokenizer } from '../vault/tokens';
import { Problem } from './problems';

export interface IdempotentRequest {
  /** Made from caller, route and key, never from the body; random without a key. */
  readonly callId: string;
  /** Hex; keyed, so that a body with a number in it cannot be guessed from its hash. */
  readonly requestHash: string;
  /** Whether the request carried an Idempotency-Key. */
  readonly isRepeatable: boolean;
}

/**
 * What names a request that starts a call. The key is optional: without one, a second tap is caught by the rule of one
 * live call per user.
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
  const requestHash = tokenizer.keyedHash('request', caller, route, canonicalJson(req.body)).toString('hex');
  if (key === undefined) return { callId: randomUUID(), requestHash, isRepeatable: false };
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) throw new Problem('idempotency-key-invalid');
  return { callId: tokenizer.callIdFor(caller, route, key), requestHash, isRepeatable: true };
}

/** The same text for the same content, in whatever order its fields came. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
