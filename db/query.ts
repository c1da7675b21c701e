/**
 * The one way to ask Postgres: parameters always apart from the text, every row checked by a zod schema at the
 * edge, so that a wrong column stops here and not three rooms further.
 */
import type { QueryResultRow } from 'pg';
import type { z } from 'zod';

/** A pool, or a client inside a transaction. */
export interface Db {
  query(text: string, values?: readonly unknown[]): Promise<{ rows: QueryResultRow[]; rowCount: number | null }>;
}

/** All rows, parsed. */
export async function many<S extends z.ZodType>(
  db: Db,
  schema: S,
  text: string,
  values: readonly unknown[] = [],
): Promise<z.output<S>[]> {
  const { rows } = await db.query(text, values);
  return rows.map((row) => schema.parse(row));
}

/** The first row, or null. */
export async function maybeOne<S extends z.ZodType>(
  db: Db,
  schema: S,
  text: string,
  values: readonly unknown[] = [],
): Promise<z.output<S> | null> {
  const [first] = await many(db, schema, text, values);
  return first ?? null;
}

/** The only row; for statements that always return one. */
export async function one<S extends z.ZodType>(
  db: Db,
  schema: S,
  text: string,
  values: readonly unknown[] = [],
): Promise<z.output<S>> {
  const row = await maybeOne(db, schema, text, values);
  if (row === null) throw new Error('A statement that always returns a row returned none');
  return row;
}

/** Runs a statement that returns nothing. @returns how many rows it touched */
export async function execute(db: Db, text: string, values: readonly unknown[] = []): Promise<number> {
  const { rowCount } = await db.query(text, values);
  return rowCount ?? 0;
}

/** The SQLSTATE of an error of Postgres, e.g. `23505` for a unique key; null for any other error. */
export function sqlState(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

export const UNIQUE_VIOLATION = '23505';
