import { z } from 'zod';
import { decodeCursor } from '../db/cursor';
import { Problem } from './problems';

/** The query of every list. */
export const listQuery = z.strictObject({
  cursor: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

/** @throws {Problem} `invalid-query` for a cursor that is not one of ours */
export function checkedCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  if (decodeCursor(cursor) === null) {
    const detail = 'A nextCursor of an earlier answer is expected here.';
    throw new Problem('invalid-query', { errors: [{ pointer: '#/cursor', detail }] });
  }
  return cursor;
}
