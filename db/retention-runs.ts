/** Runs of the retention sweep: how far each part is, and when a whole run last came to its end. */
import { z } from 'zod';
import { SWEEP_STALE_AFTER_MS, SWEPT_KINDS, type SweptKind } from '../domain/retention';
import { cursorTime, type Place, placeValues } from './cursor';
import { deleteOld, type OldPage, type OldRows } from './old-rows';
import { type Db, execute, many, one } from './query';

/** Of one part of one run. */
export interface PartProgress {
  readonly kind: SweptKind;
  readonly found: number;
  readonly taken: number;
  readonly held: number;
  readonly isOver: boolean;
  /** The last row that was looked at; null before the first page and after the last. */
  readonly after: Place | null;
}

const progressRow = z
  .object({
    kind: z.enum(SWEPT_KINDS),
    found: z.coerce.number().int(),
    taken: z.coerce.number().int(),
    held: z.coerce.number().int(),
    is_over: z.boolean(),
    cursor_at: z.string().nullable(),
    cursor_id: z.string().nullable(),
  })
  .transform(({ is_over: isOver, cursor_at: at, cursor_id: id, ...counts }) => ({
    ...counts,
    isOver,
    after: at === null || id === null ? null : { at, id },
  }));

const COLUMNS = `kind, found, taken, held, ended_at IS NOT NULL AS is_over, ${cursorTime('cursor_at')} AS cursor_at, cursor_id`;

/**
 * Where a part of a run is, locked until the transaction ends: an attempt that was given up and the one that followed it
 * take their pages one after the other, each behind the other's.
 */
export async function lockProgress(tx: Db, runId: string, kind: SweptKind): Promise<PartProgress> {
  await execute(tx, 'INSERT INTO retention_runs (run_id) VALUES ($1) ON CONFLICT DO NOTHING', [runId]);
  await execute(tx, 'INSERT INTO retention_progress (run_id, kind) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    runId,
    kind,
  ]);
  const lock = `SELECT ${COLUMNS} FROM retention_progress WHERE run_id = $1 AND kind = $2 FOR UPDATE`;
  return await one(tx, progressRow, lock, [runId, kind]);
}

/** Adds a page to a part, in the transaction that took the page. @returns the part as it is now */
export async function noteProgress(tx: Db, runId: string, kind: SweptKind, page: OldPage): Promise<PartProgress> {
  return await one(
    tx,
    progressRow,
    `UPDATE retention_progress
        SET found = found + $3, taken = taken + $4, held = held + $5, cursor_at = $6, cursor_id = $7,
            ended_at = CASE WHEN $7::text IS NULL THEN clock_timestamp() END
      WHERE run_id = $1 AND kind = $2 RETURNING ${COLUMNS}`,
    [runId, kind, page.found, page.taken, page.held, ...placeValues(page.next)],
  );
}

/** All parts of a run that have begun. */
export function progressOfRun(db: Db, runId: string): Promise<PartProgress[]> {
  return many(db, progressRow, `SELECT ${COLUMNS} FROM retention_progress WHERE run_id = $1`, [runId]);
}

/** The run is over; the first end stays. @param isWhole whether every part came to its end: then it is a success */
export async function endRun(tx: Db, runId: string, isWhole: boolean): Promise<void> {
  await execute(
    tx,
    `WITH ended AS (
       INSERT INTO retention_runs AS r (run_id, ended_at, is_whole) VALUES ($1, clock_timestamp(), $2)
       ON CONFLICT (run_id) DO UPDATE SET ended_at = excluded.ended_at, is_whole = excluded.is_whole
         WHERE r.ended_at IS NULL
       RETURNING ended_at)
     UPDATE sweeps SET last_success_at = greatest(last_success_at, ended.ended_at)
       FROM ended WHERE sweep = 'retention' AND $2`,
    [runId, isWhole],
  );
}

/** What there is to say about a sweep that must not stop unnoticed. */
export interface SweepFreshness {
  /** Null: it has never come to its end. */
  readonly lastSuccessAt: Date | null;
  /** Since when it has been overdue; null: it is not. */
  readonly staleSince: Date | null;
}

/** Of the retention sweep: overdue two days after its last whole run, or after it became known. */
export const RETENTION_FRESHNESS = `
  SELECT last_success_at, CASE WHEN due < clock_timestamp() THEN due END AS stale_since
    FROM (SELECT last_success_at, coalesce(last_success_at, known_since) + interval '${SWEEP_STALE_AFTER_MS} milliseconds' AS due
            FROM sweeps WHERE sweep = 'retention') s`;

/** Times come as text where the row comes in JSON. */
export const freshnessRow = z
  .object({ last_success_at: z.coerce.date().nullable(), stale_since: z.coerce.date().nullable() })
  .transform((row): SweepFreshness => ({ lastSuccessAt: row.last_success_at, staleSince: row.stale_since }));

export function retentionFreshness(db: Db): Promise<SweepFreshness> {
  return one(db, freshnessRow, RETENTION_FRESHNESS);
}

/** Runs of long ago, with their parts. */
export function deleteOldRuns(db: Db, rows: OldRows): Promise<OldPage> {
  const old = { table: 'retention_runs', key: 'run_id', time: 't.started_at', heldWhere: () => 'false' };
  return deleteOld(db, old, rows);
}
