/** Calls at Twilio as far as our tables know them: those that may still be going on, those that may be deleted there. */
import { z } from 'zod';
import { behindSql, cursorTime, type Place, type Placed, placeOfRow, placeValues } from './cursor';
import { type Db, execute, many } from './query';

/** A call of ours for which no end has been heard. */
export interface OpenLeg {
  readonly callSid: string;
  readonly callId: string;
  readonly workflowId: string;
  readonly dispatchId: string | null;
  /** The alert it rings for; null for the user's leg of a mentor call. */
  readonly alertId: string | null;
}

const openLegRow = z
  .object({
    call_sid: z.string(),
    call_id: z.uuid(),
    workflow_id: z.string(),
    dispatch_id: z.uuid().nullable(),
    alert_id: z.uuid().nullable(),
  })
  .transform(
    (row): OpenLeg => ({
      callSid: row.call_sid,
      callId: row.call_id,
      workflowId: row.workflow_id,
      dispatchId: row.dispatch_id,
      alertId: row.alert_id,
    }),
  );

/** Twilio ends a call after four hours, and a call held in its queue after a day. */
const LONGEST_CALL = '30 hours';

/**
 * Legs of users and of recipients of alerts without a terminal event, silent for at least this long: those we rang,
 * doubles of them, and those that called in. Legs of mentors hang on these, and end with them.
 */
export function openLegs(
  db: Db,
  silentMs: number,
  limit: number,
  after: Place | null = null,
): Promise<Placed<OpenLeg>[]> {
  return many(
    db,
    openLegRow.and(placeOfRow),
    `WITH legs AS (
       SELECT unnest(array_append(other_sids, sid)) AS call_sid, call_id, workflow_id, dispatch_id, alert_id,
              created_at AS since
         FROM dispatches
        WHERE channel = 'voice' AND call_id IS NOT NULL AND created_at > clock_timestamp() - interval '${LONGEST_CALL}'
       UNION
       SELECT call_sid, call_id, workflow_id, NULL, alert_id, opened_at FROM call_logs
        WHERE call_sid IS NOT NULL AND opened_at > clock_timestamp() - interval '${LONGEST_CALL}'
          AND NOT EXISTS (SELECT 1 FROM dispatches d WHERE d.sid = call_logs.call_sid)
     ), heard AS (
       SELECT l.call_sid, l.call_id, l.workflow_id, l.dispatch_id, l.alert_id,
              coalesce((SELECT max(received_at) FROM webhook_events e WHERE e.sid = l.call_sid), l.since) AS last,
              EXISTS (SELECT 1 FROM webhook_events e WHERE e.sid = l.call_sid
                       AND e.status IN ('completed', 'busy', 'no-answer', 'failed', 'canceled')) AS is_over
         FROM legs l WHERE l.call_sid IS NOT NULL)
     SELECT call_sid, call_id, workflow_id, dispatch_id, alert_id, ${cursorTime('last')} AS cursor_at,
            call_sid AS cursor_id
       FROM heard
      WHERE NOT is_over AND last <= clock_timestamp() - $1 * interval '1 millisecond'
        AND ${behindSql('last', 'call_sid', 3, 'text')}
      ORDER BY last, call_sid LIMIT $2`,
    [silentMs, limit, ...placeValues(after)],
  );
}

const callAtTwilio = z.object({ call_sid: z.string() }).transform((row) => ({ callSid: row.call_sid }));

/** Calls that have been over for longer than Twilio is to remember them, oldest first. */
export function callsToDeleteAtTwilio(
  db: Db,
  retentionMs: number,
  limit: number,
  after: Place | null = null,
): Promise<Placed<{ callSid: string }>[]> {
  return many(
    db,
    callAtTwilio.and(placeOfRow),
    `WITH known AS (
       SELECT unnest(array_append(other_sids, sid)) AS call_sid, created_at AS since FROM dispatches
        WHERE channel = 'voice'
       UNION ALL SELECT call_sid, opened_at FROM call_logs
       UNION ALL SELECT sid, since FROM calls_left_at_twilio
       UNION ALL SELECT sid, received_at FROM webhook_events WHERE sid LIKE 'CA%')
     SELECT call_sid, ${cursorTime('max(since)')} AS cursor_at, call_sid AS cursor_id FROM known
      WHERE call_sid IS NOT NULL AND NOT EXISTS (SELECT 1 FROM deletions_at_twilio d WHERE d.sid = known.call_sid)
      GROUP BY call_sid
     HAVING max(since) <= clock_timestamp() - $1 * interval '1 millisecond'
        AND ${behindSql('max(since)', 'call_sid', 3, 'text')}
      ORDER BY max(since), call_sid LIMIT $2`,
    [retentionMs, limit, ...placeValues(after)],
  );
}

/** Notes that Twilio has no record of this call any more; may be repeated. Of one that was anonymised nothing is left. */
export async function noteDeletedAtTwilio(db: Db, callSid: string): Promise<void> {
  await execute(
    db,
    `WITH was_left AS (DELETE FROM calls_left_at_twilio WHERE sid = $1 RETURNING sid)
     INSERT INTO deletions_at_twilio (sid) SELECT $1 WHERE NOT EXISTS (SELECT FROM was_left) ON CONFLICT DO NOTHING`,
    [callSid],
  );
}
