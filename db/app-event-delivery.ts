/**
 * Which events are due, and what became of them. A row that is being sent is claimed by moving its next attempt into the
 * future: a worker that dies lets it come due again, and the app, which knows an event by its id, may get it twice.
 */
import { z } from 'zod';
import { GIVE_UP_AFTER_MS } from '../domain/app-events';
import {
  type AppEvent,
  type AppEventRow,
  DELIVERY_COLUMNS,
  deliveryRow,
  EVENT_COLUMNS,
  eventRow,
  toAppEvent,
  toAppEventRow,
} from './app-event-rows';
import { heldBySubject } from './legal-holds';
import { deleteOld, type OldPage, type OldRows } from './old-rows';
import { type Db, execute, many, maybeOne, one } from './query';

/** Claimed for one attempt. */
export interface DueEvent extends AppEvent {
  /** Before this one. */
  readonly attempts: number;
}

/** A deployment that could tell nobody for a day does not tell of yesterday when it can; an hour for a late last try. */
const TOO_LATE = "(give_up_at < clock_timestamp() - interval '1 hour')";

/**
 * Claims events that are due, those of one object in the order in which they happened.
 * @param leaseMs longer than an attempt takes
 */
export async function claimDueEvents(db: Db, limit: number, leaseMs: number): Promise<DueEvent[]> {
  const rows = await many(
    db,
    eventRow.extend({ attempts: z.int() }),
    `WITH due AS (
       SELECT event_id AS due_id FROM app_events
        WHERE delivery = 'waiting' AND next_attempt_at <= clock_timestamp() AND NOT ${TOO_LATE}
        ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED),
     claimed AS (
       UPDATE app_events SET next_attempt_at = clock_timestamp() + $2 * interval '1 millisecond'
         FROM due WHERE event_id = due_id RETURNING ${EVENT_COLUMNS}, attempts, txid, position)
     SELECT ${EVENT_COLUMNS}, attempts FROM claimed ORDER BY txid, position`,
    [limit, leaseMs],
  );
  return rows.map((row) => ({ ...toAppEvent(row), attempts: row.attempts }));
}

/** Gives claimed events back untried. */
export async function releaseClaims(db: Db, eventIds: readonly string[], pauseMs: number): Promise<void> {
  await execute(
    db,
    `UPDATE app_events SET next_attempt_at = clock_timestamp() + $2 * interval '1 millisecond'
      WHERE event_id = ANY($1::uuid[]) AND delivery = 'waiting'`,
    [eventIds, pauseMs],
  );
}

/** The app has it. */
export async function noteDelivered(db: Db, eventId: string): Promise<void> {
  await execute(
    db,
    `UPDATE app_events SET delivery = 'delivered', attempts = attempts + 1, delivered_at = clock_timestamp(),
            last_error = NULL
      WHERE event_id = $1 AND delivery = 'waiting'`,
    [eventId],
  );
}

/**
 * An attempt failed: another one after the pause, the last of them when its time is over, then no more.
 * @param error a word of ours
 * @returns whether it was given up
 */
export async function noteNotDelivered(db: Db, eventId: string, error: string, pauseMs: number): Promise<boolean> {
  const row = await maybeOne(
    db,
    z.object({ delivery: z.string() }),
    `UPDATE app_events
        SET attempts = attempts + 1, last_error = $2,
            delivery = CASE WHEN give_up_at <= clock_timestamp() THEN 'failed' ELSE 'waiting' END,
            next_attempt_at = least(clock_timestamp() + $3 * interval '1 millisecond',
                                    greatest(give_up_at, clock_timestamp()))
      WHERE event_id = $1 AND delivery = 'waiting' RETURNING delivery`,
    [eventId, error, pauseMs],
  );
  return row?.delivery === 'failed';
}

/** Ends events whose time was over before anybody could try. @returns how many */
export async function giveUpTheOld(db: Db, limit: number): Promise<number> {
  return await execute(
    db,
    `UPDATE app_events SET delivery = 'failed', last_error = coalesce(last_error, 'never-tried')
      WHERE event_id IN (SELECT event_id FROM app_events
                          WHERE delivery = 'waiting' AND next_attempt_at <= clock_timestamp() AND ${TOO_LATE}
                          LIMIT $1)`,
    [limit],
  );
}

const waiting = z.object({ wait: z.int().nullable() });

/** Milliseconds until the next event is due, 0 or less when one is; null when none waits. */
export async function nextDueInMs(db: Db): Promise<number | null> {
  const row = await one(
    db,
    waiting,
    `SELECT CASE WHEN min(next_attempt_at) IS NOT NULL
              THEN greatest(ceil(extract(epoch FROM min(next_attempt_at) - clock_timestamp()) * 1000), -1e9)::int
            END AS wait
       FROM app_events WHERE delivery = 'waiting'`,
  );
  return row.wait;
}

/** How many the app has not been told yet and may still be, for a metric; without a webhook all of the last 24 hours. */
export async function countWaiting(db: Db): Promise<number> {
  const row = await one(
    db,
    z.object({ count: z.int() }),
    `SELECT count(*)::int AS count FROM app_events WHERE delivery = 'waiting' AND give_up_at > clock_timestamp()`,
  );
  return row.count;
}

/** Sends an event again, whatever became of it, for another 24 hours. @returns null when there is none */
export async function resendEvent(db: Db, eventId: string): Promise<AppEventRow | null> {
  const row = await maybeOne(
    db,
    deliveryRow,
    `UPDATE app_events
        SET delivery = 'waiting', attempts = 0, last_error = NULL, delivered_at = NULL,
            next_attempt_at = clock_timestamp(), give_up_at = clock_timestamp() + $2 * interval '1 millisecond'
      WHERE event_id = $1 RETURNING ${DELIVERY_COLUMNS}`,
    [eventId, GIVE_UP_AFTER_MS],
  );
  return row === null ? null : toAppEventRow(row);
}

/** Removes events that were kept for their time. */
export function deleteOldEvents(db: Db, rows: OldRows): Promise<OldPage> {
  const old = { table: 'app_events', key: 'event_id', time: 't.happened_at' };
  return deleteOld(db, { ...old, heldWhere: heldBySubject }, rows);
}
