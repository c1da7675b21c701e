/**
 * What Twilio told us, without what identifies anybody. Stored before it is acted upon: an event is lost neither by a
 * crash nor by a repeat that arrives while the first copy is being handled.
 */
import { z } from 'zod';
import { cursorTime, decodeCursor, type Page, toPage } from './cursor';
import { heldByObject } from './legal-holds';
import { deleteOld, type OldPage, type OldRows } from './old-rows';
import { type Db, execute, many, maybeOne, one } from './query';

export interface WebhookEvent {
  /** SID, status and sequence: what Twilio signs. */
  readonly seenKey: string;
  /** e.g. `call-status`. */
  readonly type: string;
  /** Of the call or message at Twilio. */
  readonly sid: string | null;
  readonly dispatchId: string | null;
  readonly callId: string | null;
  readonly leg: string | null;
  readonly step: number | null;
  readonly status: string | null;
  readonly sequence: number | null;
  readonly errorCode: string | null;
  readonly messageId?: string | null;
  readonly alertId?: string | null;
  /** What else Twilio said and a handler needs: codes, counts, ids of vault records. Never a value. */
  readonly payload?: EventPayload;
}

export type EventPayload = Readonly<Record<string, string | number | boolean | null>>;

export interface StoredEvent extends Required<WebhookEvent> {
  readonly eventId: string;
  readonly receivedAt: Date;
  readonly handledAt: Date | null;
  /** How often it arrived. */
  readonly copies: number;
  /** How often it was handed to its handler, and the name of the failure the last time; null after a success. */
  readonly attempts: number;
  readonly lastError: string | null;
}

/** What {@link INSERT_EVENT} returns. */
export const storedRow = z.object({ is_new: z.boolean(), handled_at: z.date().nullable() });

/** Stores an event or counts another copy of it; {@link eventValues} gives its fourteen values. */
export const INSERT_EVENT = `INSERT INTO webhook_events
       (seen_key, type, sid, dispatch_id, call_id, leg, step, status, sequence, error_code, message_id, alert_id, payload,
        handled_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, CASE WHEN $14 THEN clock_timestamp() END)
     ON CONFLICT (seen_key) DO UPDATE SET copies = webhook_events.copies + 1
     RETURNING copies = 1 AS is_new, handled_at`;

export function eventValues(event: WebhookEvent, isHandled: boolean): readonly unknown[] {
  return [
    event.seenKey,
    event.type,
    event.sid,
    event.dispatchId,
    event.callId,
    event.leg,
    event.step,
    event.status,
    event.sequence,
    event.errorCode,
    event.messageId ?? null,
    event.alertId ?? null,
    event.payload ?? {},
    isHandled,
  ];
}

/**
 * Stores an event, or finds the earlier copy, in one statement.
 * @param isHandled true for one that changes nothing: a second statement for it would write all its index entries
 *   again, and most events are of that kind
 * @returns `handledAt` of the earlier copy; when it is set the event is answered as then and nothing else happens
 */
export async function storeEvent(
  db: Db,
  event: WebhookEvent,
  isHandled = false,
): Promise<{ isNew: boolean; handledAt: Date | null }> {
  const row = await one(db, storedRow, INSERT_EVENT, eventValues(event, isHandled));
  return { isNew: row.is_new, handledAt: row.handled_at };
}

/** Whether an event is stored, and when it was handled. Waits for nobody who holds its row. */
export async function findHandling(db: Db, seenKey: string): Promise<{ handledAt: Date | null } | null> {
  const found = z.object({ handled_at: z.date().nullable() });
  const row = await maybeOne(db, found, 'SELECT handled_at FROM webhook_events WHERE seen_key = $1', [seenKey]);
  return row === null ? null : { handledAt: row.handled_at };
}

/** The event needs nothing more. May be repeated; the first time stays. */
export async function markHandled(db: Db, seenKey: string): Promise<void> {
  await execute(
    db,
    `UPDATE webhook_events SET handled_at = clock_timestamp(), attempts = attempts + 1, last_error = NULL
      WHERE seen_key = $1 AND handled_at IS NULL`,
    [seenKey],
  );
}

/** Its handler failed; the event stays unhandled. @param name of the error, never its text */
export async function noteFailedHandling(db: Db, seenKey: string, name: string): Promise<void> {
  await execute(
    db,
    'UPDATE webhook_events SET attempts = attempts + 1, last_error = $2 WHERE seen_key = $1 AND handled_at IS NULL',
    [seenKey, name],
  );
}

const eventRow = z
  .object({
    event_id: z.uuid(),
    seen_key: z.string(),
    type: z.string(),
    sid: z.string().nullable(),
    dispatch_id: z.uuid().nullable(),
    call_id: z.uuid().nullable(),
    leg: z.string().nullable(),
    step: z.int().nullable(),
    status: z.string().nullable(),
    sequence: z.int().nullable(),
    error_code: z.string().nullable(),
    message_id: z.uuid().nullable(),
    alert_id: z.uuid().nullable(),
    payload: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    received_at: z.date(),
    handled_at: z.date().nullable(),
    copies: z.int(),
    attempts: z.int(),
    last_error: z.string().nullable(),
  })
  .readonly();

function toEvent(row: z.output<typeof eventRow>): StoredEvent {
  return {
    eventId: row.event_id,
    seenKey: row.seen_key,
    type: row.type,
    sid: row.sid,
    dispatchId: row.dispatch_id,
    callId: row.call_id,
    leg: row.leg,
    step: row.step,
    status: row.status,
    sequence: row.sequence,
    errorCode: row.error_code,
    messageId: row.message_id,
    alertId: row.alert_id,
    payload: row.payload,
    receivedAt: row.received_at,
    handledAt: row.handled_at,
    copies: row.copies,
    attempts: row.attempts,
    lastError: row.last_error,
  };
}

const EVENT_COLUMNS = `event_id, seen_key, type, sid, dispatch_id, call_id, leg, step, status, sequence, error_code,
  message_id, alert_id, payload, received_at, handled_at, copies, attempts, last_error`;

/** An event that was handed over in vain this often is handed over after all others: many of them would fill each page. */
const WORN_OUT_AFTER = 5;

/**
 * Events that nobody has handled, oldest first, but those behind the others that were tried again and again: for the relay.
 * @param olderThanMs leaves those alone that the API is just handling
 * @param types null: all; a relay asks for those it knows, so that a newer API's do not fill every pass of it
 */
export async function unhandledEvents(
  db: Db,
  limit: number,
  olderThanMs = 2_000,
  types: readonly string[] | null = null,
): Promise<StoredEvent[]> {
  const part = (most: number, isWornOut: boolean) =>
    many(
      db,
      eventRow,
      `SELECT ${EVENT_COLUMNS} FROM webhook_events
        WHERE handled_at IS NULL AND received_at <= clock_timestamp() - $2 * interval '1 millisecond'
          AND ($3::text[] IS NULL OR type = ANY($3)) AND (attempts > $4) = $5
        ORDER BY received_at LIMIT $1`,
      [most, olderThanMs, types, WORN_OUT_AFTER, isWornOut],
    );
  const first = await part(limit, false);
  const rows = first.length === limit ? first : [...first, ...(await part(limit - first.length, true))];
  return rows.map(toEvent);
}

/** One stored event, or null. */
export async function findEvent(db: Db, eventId: string): Promise<StoredEvent | null> {
  const row = await maybeOne(db, eventRow, `SELECT ${EVENT_COLUMNS} FROM webhook_events WHERE event_id = $1`, [
    eventId,
  ]);
  return row === null ? null : toEvent(row);
}

export interface EventFilter {
  /** Undefined: both. */
  readonly handled?: boolean | undefined;
  /** True: only those that were handed over in vain and wait to be again. */
  readonly failed?: boolean | undefined;
  /** Exact, e.g. `message-status`. */
  readonly type?: string | undefined;
  readonly callId?: string | undefined;
  readonly messageId?: string | undefined;
  readonly alertId?: string | undefined;
  /** Of the call or message at Twilio. */
  readonly sid?: string | undefined;
  /** When it arrived; both included. */
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | null | undefined;
}

/** What nobody has handled first, each part newest first, a page at a time. A cursor that is not ours starts anew. */
export async function listEvents(db: Db, filter: EventFilter): Promise<Page<StoredEvent>> {
  const { handled, type, callId, messageId, alertId, sid, from, until, limit } = filter;
  const [part = '', place = ''] = (filter.cursor ?? '').split('.');
  const after = decodeCursor(place);
  const rows = await many(
    db,
    eventRow.unwrap().extend({ cursor_at: z.string() }),
    `SELECT ${EVENT_COLUMNS}, ${cursorTime('received_at')} AS cursor_at FROM webhook_events
      WHERE ($1::bool IS NULL OR (handled_at IS NOT NULL) = $1)
        AND ($2::uuid IS NULL OR call_id = $2)
        AND ($3::bool IS NULL OR ((handled_at IS NULL), received_at, event_id) < ($3, $4::timestamptz, $5::uuid))
        AND ($7::text IS NULL OR type = $7) AND ($8::uuid IS NULL OR message_id = $8)
        AND ($9::uuid IS NULL OR alert_id = $9) AND ($10::text IS NULL OR sid = $10)
        AND ($11::timestamptz IS NULL OR received_at >= $11) AND ($12::timestamptz IS NULL OR received_at <= $12)
        ${filter.failed === true ? 'AND handled_at IS NULL AND attempts > 0' : ''}
      ORDER BY (handled_at IS NULL) DESC, received_at DESC, event_id DESC LIMIT $6`,
    [
      handled,
      callId,
      after === null ? null : part === 'open',
      after?.at,
      after?.id,
      limit + 1,
      type,
      messageId,
      alertId,
      sid,
      from,
      until,
    ],
  );
  const page = toPage(rows, limit, (row) => row.event_id, toEvent);
  const last = page.rows.at(-1);
  const nextCursor =
    page.nextCursor === null ? null : `${last?.handledAt === null ? 'open' : 'done'}.${page.nextCursor}`;
  return { rows: page.rows, nextCursor };
}

/** Whether any callback of this leg has arrived. A served Dial whose leg stays silent counts as not taken. */
export async function legSeen(db: Db, callId: string, leg: string, step: number): Promise<boolean> {
  const row = await one(
    db,
    z.object({ seen: z.boolean() }),
    'SELECT EXISTS (SELECT 1 FROM webhook_events WHERE call_id = $1 AND leg = $2 AND step = $3) AS seen',
    [callId, leg, step],
  );
  return row.seen;
}

/**
 * The newest state of one call at Twilio: the first terminal one when there is any, for a terminal state never goes
 * back; else the highest sequence number, whatever the order of arrival.
 */
export async function lastStatus(
  db: Db,
  sid: string,
): Promise<{ status: string; errorCode: string | null; receivedAt: Date } | null> {
  const row = await maybeOne(
    db,
    z.object({ status: z.string(), error_code: z.string().nullable(), received_at: z.date() }),
    `SELECT status, error_code, received_at FROM webhook_events
      WHERE sid = $1 AND status IS NOT NULL
      ORDER BY status IN ('completed', 'busy', 'no-answer', 'failed', 'canceled') DESC,
               sequence DESC NULLS LAST, received_at DESC LIMIT 1`,
    [sid],
  );
  return row === null ? null : { status: row.status, errorCode: row.error_code, receivedAt: row.received_at };
}

/** Events that were kept for their time, handled or not. */
export function deleteOldWebhookEvents(db: Db, rows: OldRows): Promise<OldPage> {
  const old = { table: 'webhook_events', key: 'seen_key', type: 'text', time: 't.received_at' } as const;
  return deleteOld(db, { ...old, heldWhere: heldByObject }, rows);
}
