import { timingSafeEqual } from 'node:crypto';
import type { Tokenizer } from '../vault/tokens';
import { Problem } from './problems';

/** What a cursor is good for: one list, for one caller, with one filter. */
export type CursorScope = readonly [route: string, subjectId: string, ...filter: string[]];

/** Half of a keyed hash: more than anybody can try. */
const MAC_BYTES = 16;

/**
 * The cursor as it leaves us, with a MAC: a place in a list is ours to choose, and one that was made for somebody else
 * or for another list is none.
 */
export function signedCursor(tokenizer: Tokenizer, scope: CursorScope, cursor: string | null): string | null {
  return cursor === null ? null : `${cursor}.${mac(tokenizer, scope, cursor).toString('base64url')}`;
}

/** @throws {Problem} `invalid-query` for a cursor that is not one of ours, or was made for something else */
export function checkedCursor(tokenizer: Tokenizer, scope: CursorScope, signed: string | undefined): string | null {
  if (signed === undefined) return null;
  const end = signed.lastIndexOf('.');
  const cursor = signed.slice(0, Math.max(0, end));
  const given = Buffer.from(signed.slice(end + 1), 'base64url');
  // Written anew, because base64 lets one value be spelled in several ways.
  const isOurs = given.length === MAC_BYTES && timingSafeEqual(given, mac(tokenizer, scope, cursor));
  if (isOurs && signed === signedCursor(tokenizer, scope, cursor)) return cursor;
  const detail = 'A nextCursor of an earlier answer is expected here.';
  throw new Problem('invalid-query', { errors: [{ pointer: '#/cursor', detail }] });
}

function mac(tokenizer: Tokenizer, scope: CursorScope, cursor: string): Buffer {
  return tokenizer.keyedHash('cursor', ...scope, cursor).subarray(0, MAC_BYTES);
}
