/**
 * The one way to ask Postgres: parameters always apart from the text, every row checked by a zod schema at the
 * edge, so that a wrong column stops here and not three rooms further.
 */
import { createHash } from 'node:crypto';
import type { QueryResultRow } from 'pg';
import type { z } from 'zod';

/** A pool, or a client inside a transaction. */
export interface Db {
  query(
    statement: string | NamedStatement,
    values?: readonly unknown[],
  ): Promise<{ rows: QueryResultRow[]; rowCount: number | null }>;
}

/** A statement that a connection of Postgres parses when it first sees its name, and from then on only runs. */
interface NamedStatement {
  readonly text: string;
  readonly name: string;
}

const names = new Map<string, string>();
/** Far more than there are in our sources; a text made of values would otherwise fill the memory of both sides. */
const MOST_NAMES = 500;

/** Named by its text, so that behind a pooler two processes never mean two statements by one name. */
function named(text: string): string | NamedStatement {
  let name = names.get(text);
  if (name === undefined) {
    if (names.size >= MOST_NAMES) return text;
    name = createHash('sha256').update(text).digest('base64url').slice(0, 24);
    names.set(text, name);
  }
  return { text, name };
}

/** All rows, parsed. */
export async function many<S extends z.ZodType>(
  db: Db,
  schema: S,
  text: string,
  values: readonly unknown[] = [],
): Promise<z.output<S>[]> {
  const { rows } = await db.query(named(text), values);
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
  const { rowCount } = await db.query(named(text), values);
  return rowCount ?? 0;
}

/** The SQLSTATE of an error of Postgres, e.g. `23505` for a unique key; null for any other error. */
export function sqlState(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

export const UNIQUE_VIOLATION = '23505';
