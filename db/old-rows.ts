/** Rows that were kept for their time: how each part of the retention sweep takes them, or only counts them. */
import { z } from 'zod';
import { type Db, execute, one } from './query';

export interface OldRows {
  readonly olderThanMs: number;
  /** At most so many at once. */
  readonly limit: number;
  /** True: says how many there are, up to the limit, and changes nothing. */
  readonly isDryRun: boolean;
}

/** For the condition of {@link deleteOld}: when a row is old. No index is searched for a `clock_timestamp()`, which is volatile. */
export const LONG_AGO = `now() - $1 * interval '1 millisecond'`;

interface OldOnes {
  readonly table: string;
  readonly key: string;
  /** Condition over `t`, the table; with {@link LONG_AGO}. */
  readonly where: string;
}

/** @returns how many rows were deleted, or would be */
export function deleteOld(db: Db, old: OldOnes, rows: OldRows): Promise<number> {
  return takeOld(db, `DELETE FROM ${old.table}`, old, rows);
}

/** For rows that stay. @param set what they lose @returns how many lost it, or would */
export function stripOld(db: Db, set: string, old: OldOnes, rows: OldRows): Promise<number> {
  return takeOld(db, `UPDATE ${old.table} SET ${set}`, old, rows);
}

async function takeOld(db: Db, act: string, { table, key, where }: OldOnes, rows: OldRows): Promise<number> {
  const old = `SELECT t.${key} FROM ${table} t WHERE ${where} LIMIT $2`;
  const values = [rows.olderThanMs, rows.limit];
  if (!rows.isDryRun) return await execute(db, `${act} WHERE ${key} IN (${old})`, values);
  const counted = await one(db, z.object({ count: z.int() }), `SELECT count(*)::int AS count FROM (${old}) o`, values);
  return counted.count;
}
