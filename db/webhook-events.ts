/**
 * What Twilio told us, without what identifies anybody. Stored before it is acted upon: an event is lost neither by a
 * crash nor by a repeat that arrives while the first copy is being handled.
 */
import { z } from 'zod';
import { type Db, execute, many, maybeOne, one } from './query';

export interface WebhookEvent {
  /** SID, status and sequence: what Twilio signs. */
  readonly seenKey: string;
  /** e.g. `call-status`. */
  readonly kind: string;
  readonly callSid: string | null;
  readonly dispatchId: string | null;
  readonly callId: string | null;
  readonly leg: string | null;
  readonly step: number | null;
  readonly status: string | null;
  readonly sequence: number | null;
  readonly errorCode: string | null;
}

export interface StoredEvent extends WebhookEvent {
  readonly receivedAt: Date;
}

/**
 * Stores an event, or finds the earlier copy, in one statement.
 * @returns `handledAt` of the earlier copy; when it is set the event is answered as then and nothing else happens
 */
export async function storeEvent(db: Db, event: WebhookEvent): Promise<{ isNew: boolean; handledAt: Date | null }> {
  const row = await one(
    db,
    z.object({ is_new: z.boolean(), handled_at: z.date().nullable() }),
    `INSERT INTO webhook_events
       (seen_key, kind, call_sid, dispatch_id, call_id, leg, step, status, sequence, error_code)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (seen_key) DO UPDATE SET copies = webhook_events.copies + 1
     RETURNING copies = 1 AS is_new, handled_at`,
    [
      event.seenKey,
      event.kind,
      event.callSid,
      event.dispatchId,
      event.callId,
      event.leg,
      event.step,
      event.status,
      event.sequence,
      event.errorCode,
    ],
  );
  return { isNew: row.is_new, handledAt: row.handled_at };
}

/** The event needs nothing more. May be repeated; the first time stays. */
export async function markHandled(db: Db, seenKey: string): Promise<void> {
  await execute(
    db,
    'UPDATE webhook_events SET handled_at = clock_timestamp() WHERE seen_key = $1 AND handled_at IS NULL',
    [seenKey],
  );
}

const eventRow = z
  .object({
    seen_key: z.string(),
    kind: z.string(),
    call_sid: z.string().nullable(),
    dispatch_id: z.uuid().nullable(),
    call_id: z.uuid().nullable(),
    leg: z.string().nullable(),
    step: z.int().nullable(),
    status: z.string().nullable(),
    sequence: z.int().nullable(),
    error_code: z.string().nullable(),
    received_at: z.date(),
  })
  .transform(
    (row): StoredEvent => ({
      seenKey: row.seen_key,
      kind: row.kind,
      callSid: row.call_sid,
      dispatchId: row.dispatch_id,
      callId: row.call_id,
      leg: row.leg,
      step: row.step,
      status: row.status,
      sequence: row.sequence,
      errorCode: row.error_code,
      receivedAt: row.received_at,
    }),
  );

const EVENT_COLUMNS =
  'seen_key, kind, call_sid, dispatch_id, call_id, leg, step, status, sequence, error_code, received_at';

/**
 * Events that nobody has handled, oldest first: for the relay.
 * @param olderThanMs leaves those alone that the API is just handling
 */
export function unhandledEvents(db: Db, limit: number, olderThanMs = 2_000): Promise<StoredEvent[]> {
  return many(
    db,
    eventRow,
    `SELECT ${EVENT_COLUMNS} FROM webhook_events
      WHERE handled_at IS NULL AND received_at <= clock_timestamp() - $2 * interval '1 millisecond'
      ORDER BY received_at LIMIT $1`,
    [limit, olderThanMs],
  );
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
  callSid: string,
): Promise<{ status: string; errorCode: string | null; receivedAt: Date } | null> {
  const row = await maybeOne(
    db,
    z.object({ status: z.string(), error_code: z.string().nullable(), received_at: z.date() }),
    `SELECT status, error_code, received_at FROM webhook_events
      WHERE call_sid = $1 AND status IS NOT NULL
      ORDER BY status IN ('completed', 'busy', 'no-answer', 'failed', 'canceled') DESC,
               sequence DESC NULLS LAST, received_at DESC LIMIT 1`,
    [callSid],
  );
  return row === null ? null : { status: row.status, errorCode: row.error_code, receivedAt: row.received_at };
}
