/**
 * The one way to ask Postgres: parameters always apart from the text, every row checked by a zod schema at the
 * edge, so that a wrong column stops here and not three rooms further.
 */
import { createHash } from 'node:crypto';
import { Pool, type QueryResultRow } from 'pg';
import type { z } from 'zod';

interface Result {
  rows: QueryResultRow[];
  rowCount: number | null;
}

/** A pool, or a client inside a transaction. */
export interface Db {
  query(statement: string | NamedStatement, values?: readonly unknown[]): Promise<Result>;
}

/** A statement that a connection of Postgres parses when it first sees its name, and from then on only runs. */
interface NamedStatement {
  readonly text: string;
  readonly name: string;
}

/** By text; null for one that is not named any more. */
const names = new Map<string, string | null>();
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
  return name === null ? text : { text, name };
}

/**
 * Runs a statement. Postgres refuses one that it parsed before a migration changed the types of what it returns (added
 * columns do not, because every statement names its own): it is then parsed anew each time, until this process ends.
 */
async function run(db: Db, text: string, values: readonly unknown[]): Promise<Result> {
  const isPool: boolean = db instanceof Pool;
  try {
    return await db.query(named(text), values);
  } catch (error) {
    if (!isOfAnotherSchema(error)) throw error;
    names.set(text, null);
    // It was refused before it did anything. A transaction is lost all the same; the next one goes through.
    if (!isPool) throw error;
    return await db.query(text, values);
  }
}

/** `cached plan must not change result type`, which has no SQLSTATE of its own. */
function isOfAnotherSchema(error: unknown): boolean {
  return sqlState(error) === '0A000' && Reflect.get(Object(error), 'routine') === 'RevalidateCachedQuery';
}

/** All rows, parsed. */
export async function many<S extends z.ZodType>(
  db: Db,
  schema: S,
  text: string,
  values: readonly unknown[] = [],
): Promise<z.output<S>[]> {
  const { rows } = await run(db, text, values);
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
  const { rowCount } = await run(db, text, values);
  return rowCount ?? 0;
}

/** The SQLSTATE of an error of Postgres, e.g. `23505` for a unique key; null for any other error. */
export function sqlState(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

export const UNIQUE_VIOLATION = '23505';
