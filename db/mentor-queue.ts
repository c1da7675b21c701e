/**
 * Calls that wait for a mentor to be free. The row is the place in the queue; who is offered what is
 * decided in `mentor-queue-offers.ts`.
 */
import type { Pool } from 'pg';
import { z } from 'zod';
import type { JoinedQueue } from '../domain/mentor-queue';
import { updateCall } from './call-rows';
import { inTransaction } from './pool';
import { type Db, execute, many, maybeOne, one } from './query';

/** One at a time decides who is offered what, and who still fits into the queue. Held until the commit. */
export async function lockQueue(tx: Db): Promise<void> {
  await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('mentor-queue', 0))");
}

export interface JoinQueue {
  readonly callId: string;
  readonly limit: number;
  readonly longestWaitMs: number;
  /** Of a call that has waited before, ISO 8601: it keeps its turn, and no limit holds for it. */
  readonly since?: string;
}

/**
 * Takes a place in the queue, and says so to the app; in one transaction. May be repeated: the first entry stays.
 */
export async function joinQueue(pool: Pool, { callId, limit, longestWaitMs, since }: JoinQueue): Promise<JoinedQueue> {
  return await inTransaction(pool, async (tx) => {
    await lockQueue(tx);
    // Orders us with closeCall: no row may be left by a call that nobody will end again.
    const live = await execute(tx, 'SELECT 1 FROM call_logs WHERE call_id = $1 AND live FOR UPDATE', [callId]);
    if (live === 0) return { state: 'over' };
    const joined = await maybeOne(
      tx,
      z.object({ waiting_since: z.date() }),
      `INSERT INTO mentor_queue (call_id, waiting_since, waits_until)
       SELECT $1, since, since + $3 * interval '1 millisecond'
         FROM (SELECT coalesce($4::timestamptz, clock_timestamp()) AS since) AS from_when
        WHERE $4::timestamptz IS NOT NULL OR (SELECT count(*) FROM mentor_queue WHERE call_id <> $1) < $2
       ON CONFLICT (call_id) DO UPDATE SET call_id = excluded.call_id RETURNING waiting_since`,
      [callId, limit, longestWaitMs, since ?? null],
    );
    if (joined === null) return { state: 'full' };
    await updateCall(tx, callId, { status: 'waiting' });
    return { state: 'waiting', since: joined.waiting_since.toISOString() };
  });
}

/** Gives up the place in the queue, with what was offered to it; may be repeated. @returns whether there was one */
export async function leaveQueue(db: Db, callId: string): Promise<boolean> {
  return (await execute(db, 'DELETE FROM mentor_queue WHERE call_id = $1', [callId])) > 0;
}

/** The place was taken, and the user is rung for it: they wait no more. May be repeated. */
export async function beginTurn(pool: Pool, callId: string): Promise<void> {
  await inTransaction(pool, async (tx) => {
    if (await leaveQueue(tx, callId)) await updateCall(tx, callId, { status: 'ringing-user' });
  });
}

/** `offered`: a place is kept for this call now. `gone`: it is not in the queue. */
export type QueueLook = 'offered' | 'waiting' | 'gone';

/**
 * What the queue holds for a call. Asking shows that its workflow is alive: an offer that it let lapse no longer passes
 * it over.
 */
export async function lookAtQueue(db: Db, callId: string): Promise<QueueLook> {
  const row = await maybeOne(
    db,
    z.object({ offered: z.boolean() }),
    `UPDATE mentor_queue SET
            offered_mentor_id = CASE WHEN offered_until > clock_timestamp() THEN offered_mentor_id END,
            offered_until = CASE WHEN offered_until > clock_timestamp() THEN offered_until END
      WHERE call_id = $1 RETURNING offered_until IS NOT NULL AS offered`,
    [callId],
  );
  if (row === null) return 'gone';
  return row.offered ? 'offered' : 'waiting';
}

/** The offer was of no use: it lapses now, and others are asked before this call is again. */
export async function declineOffer(db: Db, callId: string): Promise<void> {
  await execute(
    db,
    `UPDATE mentor_queue SET offered_until = clock_timestamp()
      WHERE call_id = $1 AND offered_until > clock_timestamp()`,
    [callId],
  );
}

/** How many wait. */
export async function queueLength(db: Db): Promise<number> {
  return (await one(db, z.object({ waiting: z.int() }), 'SELECT count(*)::int AS waiting FROM mentor_queue')).waiting;
}

/** Everybody who waits, for the sweep: their workflows may be gone. */
export async function waitingCalls(db: Db): Promise<string[]> {
  const rows = await many(db, z.object({ call_id: z.uuid() }), 'SELECT call_id FROM mentor_queue');
  return rows.map(({ call_id: callId }) => callId);
}
