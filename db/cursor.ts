/** Opaque cursors of lists, newest first or oldest first: the place of the last row that was seen. */
import { z } from 'zod';

/** As {@link cursorTime} writes it. Not every ISO time is one that Postgres can read: it has no year 0. */
const time = z.iso.datetime({ precision: 6 }).refine((text) => !text.startsWith('0000'));
const place = z.tuple([time, z.uuid()]);

export interface Page<T> {
  readonly rows: readonly T[];
  /** Give it back to get the next page; null on the last one. */
  readonly nextCursor: string | null;
}

/** Microseconds count: a JavaScript date would lose them and repeat or skip rows. Hence the time comes as text. */
export function encodeCursor(at: string, id: string): string {
  return Buffer.from(JSON.stringify([at, id])).toString('base64url');
}

/** @returns null for a cursor that is not one of ours */
export function decodeCursor(cursor: string): { at: string; id: string } | null {
  try {
    const parsed = place.safeParse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return parsed.success ? { at: parsed.data[0], id: parsed.data[1] } : null;
  } catch {
    return null;
  }
}

/** Where a row stands in an order by time and id. */
export interface Place {
  /** As {@link cursorTime} writes it. */
  readonly at: string;
  readonly id: string;
}

/** A row that knows its place, so that whoever walks the rows can go on behind it. */
export type Placed<T> = T & { readonly place: Place };

/** The columns `cursor_at` and `cursor_id` of a placed row. */
export const placeOfRow = z
  .object({ cursor_at: z.string(), cursor_id: z.string() })
  .transform(({ cursor_at: at, cursor_id: id }): { readonly place: Place } => ({ place: { at, id } }));

/** SQL that is true behind a place. @param first number of its first parameter; {@link placeValues} gives the two */
export function behindSql(time: string, id: string, first: number, type: 'uuid' | 'text' = 'uuid'): string {
  return `($${first}::timestamptz IS NULL OR (${time}, ${id}) > ($${first}::timestamptz, $${first + 1}::${type}))`;
}

export function placeValues(after: Place | null): readonly [string | null, string | null] {
  return [after?.at ?? null, after?.id ?? null];
}

/** SQL that writes a timestamp as a cursor holds it. */
export function cursorTime(column: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/** Cuts a list that was read with one row more than a page holds. */
export function toPage<R extends { readonly cursor_at: string }, T>(
  rows: readonly R[],
  limit: number,
  id: (row: R) => string,
  map: (row: R) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  return { rows: shown.map(map), nextCursor: hasMore ? encodeCursor(last.cursor_at, id(last)) : null };
}
