/**
 * Rows that were kept for their time: how each part of the retention sweep takes a page of them, or only counts it.
 * Pages go from the oldest on, behind the last row of the page before: rows that a legal hold keeps are passed once.
 */
import { z } from 'zod';
import { behindSql, cursorTime, type Place, placeValues } from './cursor';
import { type Held, NOTHING_HELD } from './legal-holds';
import { type Db, one } from './query';

export interface OldRows {
  readonly olderThanMs: number;
  /** At most so many at once. */
  readonly limit: number;
  /** True: says how many there are, up to the limit, and changes nothing. */
  readonly isDryRun: boolean;
  /** Behind this one; null or left out: from the oldest. */
  readonly after?: Place | null;
  /** What legal holds keep; left out: nothing is held. */
  readonly held?: Held;
}

/** What became of a page. */
export interface OldPage {
  /** Rows whose time is over. */
  readonly found: number;
  /** Of these, how many went, or would. */
  readonly taken: number;
  /** Of these, how many a legal hold keeps. */
  readonly held: number;
  /** The last row of the page; null when it was the last page. */
  readonly next: Place | null;
}

/** For the condition of {@link deleteOld}: when a row is old. No index is searched for a `clock_timestamp()`, which is volatile. */
export const LONG_AGO = `now() - $1 * interval '1 millisecond'`;

export interface OldOnes {
  readonly table: string;
  readonly key: string;
  readonly type?: 'uuid' | 'text' | 'bytea';
  /** The time from which the period counts, over `t`. */
  readonly time: string;
  /** Which rows besides those whose time is over: condition over `t`, the table. */
  readonly where?: string;
  /** Which of these a legal hold keeps: condition over `t`. */
  readonly heldWhere: (held: Held) => string;
}

export function deleteOld(db: Db, old: OldOnes, rows: OldRows): Promise<OldPage> {
  return takeOld(db, `DELETE FROM ${old.table}`, old, rows);
}

/** For rows that stay. @param set what they lose */
export function stripOld(db: Db, set: string, old: OldOnes, rows: OldRows): Promise<OldPage> {
  return takeOld(db, `UPDATE ${old.table} SET ${set}`, old, rows);
}

/**
 * Rows are taken by where they lie: a look-up by key costs ten times the deletion. One that somebody moves in the same
 * moment, by changing it, is left to the next run.
 * @param act statement without its condition
 */
function takeOld(db: Db, act: string, old: OldOnes, rows: OldRows): Promise<OldPage> {
  const gone = `gone AS (${act} WHERE ctid = ANY (ARRAY(SELECT lies FROM page WHERE NOT is_held)) RETURNING 1)`;
  return takePage(db, pageOf(old, rows), gone, rows);
}

/** The statement of a page: `key`, `at`, where it `lies` and `is_held`, of the oldest rows behind a place. */
export function pageOf(old: OldOnes, { held = NOTHING_HELD }: OldRows): string {
  const { table, key, type = 'uuid', time, where = 'true', heldWhere } = old;
  // Binary keys are compared as they are written in a cursor.
  const [id, idType] = type === 'bytea' ? [`encode(t.${key}, 'hex')`, 'text' as const] : [`t.${key}`, type];
  return `SELECT ${id} AS key, ${time} AS at, t.ctid AS lies, ${held.isAny ? heldWhere(held) : 'false'} AS is_held
    FROM ${table} t
   WHERE ${where} AND ${time} < ${LONG_AGO} AND ${time} >= coalesce($3::timestamptz, '-infinity')
     AND ${behindSql(time, id, 3, idType)}
   ORDER BY ${time}, ${id} LIMIT $2`;
}

const pageRow = z.object({
  found: z.int(),
  held: z.int(),
  taken: z.int(),
  last_at: z.string().nullable(),
  last_id: z.string().nullable(),
});

/**
 * @param page statement of the page, as {@link pageOf} makes it
 * @param acts what is done to the rows of `page` that are not held, as parts of a WITH; one of them is `gone`
 */
export async function takePage(db: Db, page: string, acts: string, rows: OldRows): Promise<OldPage> {
  const { isDryRun, limit, olderThanMs, after = null } = rows;
  const counted = await one(
    db,
    pageRow,
    `WITH page AS MATERIALIZED (${page})${isDryRun ? '' : `, ${acts}`}
     SELECT count(*)::int AS found, count(*) FILTER (WHERE is_held)::int AS held,
            ${isDryRun ? 'count(*) FILTER (WHERE NOT is_held)' : '(SELECT count(*) FROM gone)'}::int AS taken,
            ${cursorTime('(SELECT max(at) FROM page)')} AS last_at,
            (SELECT key::text FROM page ORDER BY at DESC, key DESC LIMIT 1) AS last_id
       FROM page`,
    [olderThanMs, limit, ...placeValues(after)],
  );
  const { found, held, taken, last_at: at, last_id: id } = counted;
  const isLast = found < limit || at === null || id === null;
  return { found, held, taken, next: isLast ? null : { at, id } };
}
