/** Who in the queue is offered which free place. One transaction at a time decides, so that no place is offered twice. */
import type { Pool } from 'pg';
import { z } from 'zod';
import { type FreePlaces, OFFER_LASTS, PASSED_OVER_FOR, type PlaceOffer, placesInOrder } from '../domain/mentor-queue';
import { lockQueue } from './mentor-queue';
import { mentorsOnShift } from './mentors-on-shift';
import { inTransaction } from './pool';
import { type Db, execute, many, one } from './query';

const waitingRow = z.object({ call_id: z.uuid(), tried: z.array(z.uuid()) });
const keptRow = z.object({ mentor_id: z.uuid(), kept: z.int() });

/**
 * Offers every free place to somebody who waits: longest wait first, each offer for `OFFER_LASTS`. Whoever has one open
 * is left alone; whoever has just let one lapse is passed over. May be run by anybody at any time, and beside itself.
 * @returns the new offers, in the order of the queue; their workflows are still to be told
 */
export async function offerFreePlaces(pool: Pool, at = new Date()): Promise<PlaceOffer[]> {
  // Most places become free while nobody waits: that must cost one look.
  if ((await dueWaiting(pool)).length === 0) return [];
  return await inTransaction(pool, async (tx) => {
    await lockQueue(tx);
    const waiting = await dueWaiting(tx);
    if (waiting.length === 0) return [];
    const offers = placesInOrder(waiting, await freePlaces(tx, at));
    for (const { callId, mentorId } of offers) {
      await execute(
        tx,
        `UPDATE mentor_queue SET offered_mentor_id = $2,
                offered_until = clock_timestamp() + ${OFFER_LASTS} * interval '1 millisecond' WHERE call_id = $1`,
        [callId, mentorId],
      );
    }
    return offers;
  });
}

async function dueWaiting(db: Db) {
  const rows = await many(
    db,
    waitingRow,
    `SELECT q.call_id, coalesce((SELECT array_agg(o.mentor_id) FROM mentor_offers o WHERE o.call_id = q.call_id), '{}')
              AS tried
       FROM mentor_queue q
      WHERE q.offered_until IS NULL
         OR q.offered_until <= clock_timestamp() - ${PASSED_OVER_FOR} * interval '1 millisecond'
      ORDER BY q.waiting_since, q.entry`,
  );
  return rows.map(({ call_id: callId, tried }) => ({ callId, tried }));
}

/** What is kept for somebody is not free, although nobody has it yet. */
async function freePlaces(tx: Db, at: Date): Promise<FreePlaces[]> {
  const rows = await many(
    tx,
    keptRow,
    `SELECT offered_mentor_id AS mentor_id, count(*)::int AS kept FROM mentor_queue
      WHERE offered_until > clock_timestamp() GROUP BY offered_mentor_id`,
  );
  const kept = new Map(rows.map((row) => [row.mentor_id, row.kept]));
  return (await mentorsOnShift(tx, at)).map(({ mentorId, freePlaces: free }) => ({
    mentorId,
    places: free - (kept.get(mentorId) ?? 0),
  }));
}

/** Whether anybody is on shift who was not rung for this call: without one there is nobody to wait for. */
export async function isAnybodyLeft(db: Db, tried: readonly string[], at = new Date()): Promise<boolean> {
  return (await mentorsOnShift(db, at)).some(({ mentorId }) => !tried.includes(mentorId));
}

/**
 * Whether anybody who was not rung for a call that waits is on shift while it may wait; switched off or not, because they
 * may switch themselves on again.
 */
export async function mayAnybodyCome(db: Db, callId: string, tried: readonly string[]): Promise<boolean> {
  const { may } = await one(
    db,
    z.object({ may: z.boolean() }),
    `SELECT EXISTS (
       SELECT FROM mentor_queue q JOIN mentor_shifts t ON t.during && tstzrange(now(), greatest(q.waits_until, now()), '[]')
         JOIN mentors m USING (mentor_id)
        WHERE q.call_id = $1 AND m.deleted_at IS NULL AND NOT m.mentor_id = ANY($2::uuid[])) AS may`,
    [callId, tried],
  );
  return may;
}
