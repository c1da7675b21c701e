/**
 * Places of mentors. One row per place: reserving takes a free row, releasing empties it, and both may be repeated.
 * (A derived count in one statement double-booked 14 of 426 reservations; a counter leaks when a workflow dies.)
 */
import type { Pool } from 'pg';
import { z } from 'zod';
import type { MatchReasons } from '../domain/mentor-matching';
import { inTransaction } from './pool';
import { type Db, execute, many, maybeOne } from './query';

/** How an offer to a mentor ended. */
export type OfferResult = 'no-answer' | 'busy' | 'declined' | 'failed' | 'silent' | 'completed' | 'caller-gone';

export interface Reservation {
  /** The mentor of this step: of a repeated reserve the first one, whoever was asked for now. */
  readonly mentorId: string;
  /** True when this step had a mentor before. */
  readonly again: boolean;
}

export interface ReserveInput {
  readonly mentorId: string;
  readonly callId: string;
  readonly step: number;
  /** The call's maximum and five minutes; only a sweep looks at it. */
  readonly leaseMs: number;
  readonly reasons?: MatchReasons;
}

const offerRow = z.object({ mentor_id: z.uuid() });

/** Ends the transaction without a reservation. */
class NothingReserved extends Error {
  override readonly name = 'NothingReserved';
}

/**
 * Reserves a place of this mentor for a step of a call.
 * @returns null when the mentor has no place free or was switched off, or the call is over
 */
export async function reserveSlot(pool: Pool, input: ReserveInput): Promise<Reservation | null> {
  try {
    return await inTransaction(pool, (tx) => reserve(tx, input));
  } catch (error) {
    if (error instanceof NothingReserved) return null;
    throw error;
  }
}

async function reserve(tx: Db, { mentorId, callId, step, leaseMs, reasons }: ReserveInput): Promise<Reservation> {
  // The lock orders us with closeCall: a late reserve must not take a place for a call that nobody will end again.
  const live = await execute(tx, 'SELECT 1 FROM call_logs WHERE call_id = $1 AND live FOR SHARE', [callId]);
  if (live === 0) throw new NothingReserved();
  // The offer is unique per step and outlives the place: it decides who was first, also after the release.
  const isFirst = await execute(
    tx,
    `INSERT INTO mentor_offers (call_id, step, mentor_id, reasons) VALUES ($1, $2, $3, $4)
     ON CONFLICT (call_id, step) DO NOTHING`,
    [callId, step, mentorId, JSON.stringify(reasons ?? {})],
  );
  if (isFirst === 0) {
    const first = await maybeOne(tx, offerRow, 'SELECT mentor_id FROM mentor_offers WHERE call_id = $1 AND step = $2', [
      callId,
      step,
    ]);
    if (first === null) throw new NothingReserved();
    return { mentorId: first.mentor_id, again: true };
  }
  // `call_id IS NULL` outside too: the row that was found free may have been taken before it is locked.
  const taken = await execute(
    tx,
    `UPDATE mentor_slots s
        SET call_id = $2, step = $3, lease_until = clock_timestamp() + $4 * interval '1 millisecond'
      WHERE s.call_id IS NULL AND (s.mentor_id, s.n) = (
        SELECT f.mentor_id, f.n FROM mentor_slots f JOIN mentors m USING (mentor_id)
         WHERE f.mentor_id = $1 AND f.call_id IS NULL AND f.n <= m.max_concurrent_calls
           AND m.available AND m.deleted_at IS NULL
         ORDER BY f.n LIMIT 1 FOR UPDATE OF f SKIP LOCKED)`,
    [mentorId, callId, step, leaseMs],
  );
  if (taken === 0) throw new NothingReserved();
  await execute(tx, 'UPDATE mentors SET last_called_at = clock_timestamp() WHERE mentor_id = $1', [mentorId]);
  return { mentorId, again: false };
}

/**
 * Gives the place back and notes how the offer ended. May be repeated; the first result stays.
 * @returns whether a place became free now
 */
export async function releaseSlot(
  pool: Pool,
  { callId, step, result }: { callId: string; step: number; result: OfferResult },
): Promise<boolean> {
  return await inTransaction(pool, async (tx) => {
    const mentors = await emptySlots(tx, 'call_id = $1 AND step = $2', [callId, step]);
    await setOfferResult(tx, callId, step, result);
    return mentors > 0;
  });
}

/** How an offer ended; the first result stays. */
export async function setOfferResult(db: Db, callId: string, step: number, result: OfferResult): Promise<void> {
  await execute(db, 'UPDATE mentor_offers SET result = $3 WHERE call_id = $1 AND step = $2 AND result IS NULL', [
    callId,
    step,
    result,
  ]);
}

/** Gives all places of a call back and finishes its offers; part of the transaction that closes the call. */
export async function releaseAllSlots(tx: Db, callId: string, result: OfferResult): Promise<void> {
  await emptySlots(tx, 'call_id = $1', [callId]);
  await execute(tx, 'UPDATE mentor_offers SET result = $2 WHERE call_id = $1 AND result IS NULL', [callId, result]);
}

/** Which mentor a step was offered to; null when to nobody yet. */
export async function mentorOfStep(db: Db, callId: string, step: number): Promise<string | null> {
  const row = await maybeOne(db, offerRow, 'SELECT mentor_id FROM mentor_offers WHERE call_id = $1 AND step = $2', [
    callId,
    step,
  ]);
  return row?.mentor_id ?? null;
}

/** Whether this user has talked to this mentor, and may ask for them again. */
export async function haveTalked(db: Db, userId: string, mentorId: string): Promise<boolean> {
  const found = await execute(
    db,
    'SELECT 1 FROM call_logs WHERE user_id = $1 AND mentor_id = $2 AND bridged_at IS NOT NULL LIMIT 1',
    [userId, mentorId],
  );
  return found > 0;
}

/**
 * The sweep: frees places whose call's workflow is not running any more (terminated, failed, reset).
 * @param isRunning asks Temporal; when it throws, the places of that call stay
 * @returns ids of the calls whose places were freed
 */
export async function freeDeadSlots(db: Db, isRunning: (callId: string) => Promise<boolean>): Promise<string[]> {
  const rows = await many(
    db,
    z.object({ call_id: z.uuid() }),
    'SELECT DISTINCT call_id FROM mentor_slots WHERE call_id IS NOT NULL',
  );
  const freed: string[] = [];
  const failures: unknown[] = [];
  for (const { call_id: callId } of rows) {
    try {
      if (await isRunning(callId)) continue;
      await releaseAllSlots(db, callId, 'caller-gone');
      freed.push(callId);
    } catch (error) {
      failures.push(error);
    }
  }
  // One call that Temporal does not answer for keeps its own places, not those of the others.
  if (failures.length > 0) throw failures[0];
  return freed;
}

/**
 * Makes as many places as the mentor takes calls; call it with the mentor's row locked. A place that is in use goes
 * when it becomes free.
 */
export async function fitSlots(tx: Db, mentorId: string, places: number): Promise<void> {
  // Not `ON CONFLICT`: that would wait for a reservation which itself waits for the mentor's row.
  await execute(
    tx,
    `INSERT INTO mentor_slots (mentor_id, n) SELECT $1::uuid, n FROM generate_series(1, $2::int) AS wanted(n)
      WHERE NOT EXISTS (SELECT 1 FROM mentor_slots s WHERE s.mentor_id = $1 AND s.n = wanted.n)`,
    [mentorId, places],
  );
  // Skipping what is locked: a reservation that holds the place waits for the mentor's row, which we hold.
  await execute(
    tx,
    `DELETE FROM mentor_slots WHERE (mentor_id, n) IN (
       SELECT mentor_id, n FROM mentor_slots
        WHERE mentor_id = $1 AND n > $2 AND call_id IS NULL FOR UPDATE SKIP LOCKED)`,
    [mentorId, places],
  );
}

/** Empties places and removes those that their mentor no longer has. */
async function emptySlots(
  tx: Db,
  where: 'call_id = $1' | 'call_id = $1 AND step = $2',
  values: unknown[],
): Promise<number> {
  const emptied = await many(
    tx,
    z.object({ mentor_id: z.uuid() }),
    `UPDATE mentor_slots SET call_id = NULL, step = NULL, lease_until = NULL WHERE ${where} RETURNING mentor_id`,
    values,
  );
  for (const { mentor_id: mentorId } of emptied) {
    await execute(
      tx,
      `DELETE FROM mentor_slots s USING mentors m
        WHERE m.mentor_id = s.mentor_id AND s.mentor_id = $1 AND s.n > m.max_concurrent_calls AND s.call_id IS NULL`,
      [mentorId],
    );
  }
  return emptied.length;
}
