/** Events of the app for whoever reads them: an admin a page at a time, a stream from where it was. */
import { z } from 'zod';
import type { Delivery } from '../domain/app-events';
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
import { cursorTime, decodeCursor, type Page, toPage } from './cursor';
import { type Db, many, maybeOne, one } from './query';

export interface AppEventFilter {
  readonly delivery?: Delivery | undefined;
  /** Exact: `mentor-call.connected`. */
  readonly type?: string | undefined;
  readonly subjectId?: string | undefined;
  readonly objectId?: string | undefined;
  /** Both included. */
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | null | undefined;
}

/** Newest first. A cursor that is not ours starts from the newest. */
export async function listAppEvents(db: Db, filter: AppEventFilter): Promise<Page<AppEventRow>> {
  const before = filter.cursor == null ? null : decodeCursor(filter.cursor);
  const rows = await many(
    db,
    deliveryRow.extend({ cursor_at: z.string() }),
    `SELECT ${DELIVERY_COLUMNS}, ${cursorTime('happened_at')} AS cursor_at FROM app_events
      WHERE ($1::text IS NULL OR delivery = $1) AND ($2::text IS NULL OR type = $2)
        AND ($3::uuid IS NULL OR subject_id = $3) AND ($4::uuid IS NULL OR object_id = $4)
        AND ($5::timestamptz IS NULL OR happened_at >= $5) AND ($6::timestamptz IS NULL OR happened_at <= $6)
        AND ($7::timestamptz IS NULL OR (happened_at, event_id) < ($7, $8::uuid))
      ORDER BY happened_at DESC, event_id DESC LIMIT $9`,
    [
      filter.delivery,
      filter.type,
      filter.subjectId,
      filter.objectId,
      filter.from,
      filter.until,
      before?.at,
      before?.id,
      filter.limit + 1,
    ],
  );
  return toPage(rows, filter.limit, (row) => row.event_id, toAppEventRow);
}

/**
 * A place in the order of all events: of transactions, then within one. Transactions below the oldest that is still
 * open have all ended, so a reader that stays below it never passes an event that is committed later.
 */
export interface EventPlace {
  readonly txid: string;
  readonly position: string;
}

const ALL_ENDED_BELOW = 'audit_number(pg_snapshot_xmin(pg_current_snapshot()))';
const place = z.object({ txid: z.string(), position: z.string() });

/** Before everything that happens from now on; perhaps before what has just happened. */
export async function placeOfNow(db: Db): Promise<EventPlace> {
  return await one(db, place, `SELECT ${ALL_ENDED_BELOW}::text AS txid, '0' AS position`);
}

/** After one event of this subject; before everything that is kept of them when it is not kept any more. */
export async function placeAfter(db: Db, subjectId: string, eventId: string): Promise<EventPlace> {
  const found = await maybeOne(
    db,
    place,
    'SELECT txid::text, position::text FROM app_events WHERE event_id = $1 AND subject_id = $2',
    [eventId, subjectId],
  );
  return found ?? { txid: '0', position: '0' };
}

/** The events of a subject after a place, in order. */
export async function eventsAfter(
  db: Db,
  subjectId: string,
  after: EventPlace,
  limit: number,
): Promise<{ readonly event: AppEvent; readonly place: EventPlace }[]> {
  const rows = await many(
    db,
    eventRow.extend(place.shape),
    `SELECT ${EVENT_COLUMNS}, txid::text, position::text FROM app_events e
      WHERE subject_id = $1 AND (e.txid, e.position) > ($2::xid8, $3::bigint) AND e.txid < ${ALL_ENDED_BELOW}
      ORDER BY e.txid, e.position LIMIT $4`,
    [subjectId, after.txid, after.position, limit],
  );
  return rows.map((row) => ({ event: toAppEvent(row), place: { txid: row.txid, position: row.position } }));
}

/** Of these subjects, those who have events from a place on; one question for all streams of a process. */
export async function subjectsWithEvents(
  db: Db,
  subjectIds: readonly string[],
  since: EventPlace,
): Promise<{ readonly subjectIds: readonly string[]; readonly until: EventPlace }> {
  const row = await one(
    db,
    z.object({ subject_ids: z.array(z.uuid()), until: z.string() }),
    `SELECT ${ALL_ENDED_BELOW}::text AS until,
            ARRAY(SELECT DISTINCT subject_id FROM app_events
                   WHERE subject_id = ANY($1::uuid[]) AND txid >= $2::xid8 AND txid < ${ALL_ENDED_BELOW}) AS subject_ids`,
    [subjectIds, since.txid],
  );
  return { subjectIds: row.subject_ids, until: { txid: row.until, position: '0' } };
}
