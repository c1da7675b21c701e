/**
 * Places of mentors. One row per place: reserving (`mentor-match.ts`) takes a free row, releasing empties it, and both may
 * be repeated. (A derived count in one statement double-booked 14 of 426 reservations; a counter leaks when a workflow dies.)
 */
import type { Pool } from 'pg';
import { z } from 'zod';
import { inTransaction } from './pool';
import { type Db, execute, many, maybeOne } from './query';

/** How an offer to a mentor ended. `not-rung`: the place was taken, and its mentor's phone was never to ring. */
export type OfferResult =
  | 'no-answer'
  | 'busy'
  | 'declined'
  | 'failed'
  | 'silent'
  | 'completed'
  | 'caller-gone'
  | 'not-rung';

/** The end of one mentor's turn. */
export interface Release {
  readonly callId: string;
  readonly step: number;
  readonly result: OfferResult;
  /** Of the conversation; left out where there was none. */
  readonly talkedSeconds?: number | null;
}

export type Connected = Pick<Release, 'step' | 'talkedSeconds'>;

const offerRow = z.object({ mentor_id: z.uuid() });

/**
 * Gives the place back and notes how the offer ended. May be repeated; the first result stays.
 * @returns whether a place became free now
 */
export async function releaseSlot(
  pool: Pool,
  { callId, step, result, talkedSeconds = null }: Release,
): Promise<boolean> {
  return await inTransaction(pool, async (tx) => {
    const mentors = await emptySlots(tx, 'call_id = $1 AND step = $2', [callId, step]);
    await setOfferResult(tx, { callId, step, result, talkedSeconds });
    if (result === 'not-rung') await forgetKeptPlace(tx, callId, step);
    return mentors > 0;
  });
}

/** How an offer ended; the first result stays. */
async function setOfferResult(db: Db, { callId, step, result, talkedSeconds }: Release): Promise<void> {
  await execute(
    db,
    `UPDATE mentor_offers SET result = $3, talked_seconds = $4 WHERE call_id = $1 AND step = $2 AND result IS NULL`,
    [callId, step, result, talkedSeconds ?? null],
  );
}

/** Whose place was kept in vain has not been called: they stand where they stood. */
async function forgetKeptPlace(db: Db, callId: string, step: number): Promise<void> {
  await execute(
    db,
    `UPDATE mentors m SET last_called_at =
        (SELECT max(o.offered_at) FROM mentor_offers o
          WHERE o.mentor_id = m.mentor_id AND o.result IS DISTINCT FROM 'not-rung')
      WHERE m.mentor_id = (SELECT mentor_id FROM mentor_offers WHERE call_id = $1 AND step = $2)`,
    [callId, step],
  );
}

/**
 * Gives all places of a call back and finishes its offers; part of the transaction that closes the call.
 * @param connected whose mentor has talked with the caller, and for how long; the others were left while they rang. Null:
 *   there is none
 */
export async function releaseAllSlots(tx: Db, callId: string, connected: Connected | null): Promise<void> {
  await emptySlots(tx, 'call_id = $1', [callId]);
  if (connected !== null) await setOfferResult(tx, { callId, ...connected, result: 'completed' });
  await execute(tx, `UPDATE mentor_offers SET result = 'caller-gone' WHERE call_id = $1 AND result IS NULL`, [callId]);
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
      await releaseAllSlots(db, callId, null);
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
