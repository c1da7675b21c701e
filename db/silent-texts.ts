/** Texts as the sweep sees them: those whose receipts stay away, and those that Twilio is to forget. */
import { z } from 'zod';
import { behindSql, cursorTime, type Place, type Placed, placeOfRow, placeValues } from './cursor';
import { type Db, execute, many } from './query';

export interface SilentText {
  readonly dispatchId: string;
  readonly messageId: string;
  readonly sid: string;
}

const silentRow = z
  .object({ dispatch_id: z.uuid(), message_id: z.uuid(), sid: z.string() })
  .transform((row): SilentText => ({ dispatchId: row.dispatch_id, messageId: row.message_id, sid: row.sid }));

/**
 * Texts that the provider has had for longer than `silentMs` without a last word. Each is asked after again when it has
 * been silent half as long once more: a phone that is off for hours is not asked for every minute.
 */
export function silentTexts(db: Db, silentMs: number, limit: number): Promise<SilentText[]> {
  return many(
    db,
    silentRow,
    `SELECT d.dispatch_id, d.message_id, d.sid FROM messages m JOIN dispatches d ON d.sid = m.sid
      WHERE m.live AND m.state = 'sent' AND m.channel = 'sms' AND d.message_id = m.message_id
        AND m.sent_at <= clock_timestamp() - $1 * interval '1 millisecond'
        AND (d.asked_at IS NULL OR d.asked_at <= clock_timestamp() - (clock_timestamp() - m.sent_at) / 2)
      ORDER BY m.sent_at LIMIT $2`,
    [silentMs, limit],
  );
}

/** Whatever it answered, or did not. */
export async function noteAsked(db: Db, dispatchId: string): Promise<void> {
  await execute(db, 'UPDATE dispatches SET asked_at = clock_timestamp() WHERE dispatch_id = $1', [dispatchId]);
}

/** A text at Twilio that is to be forgotten there; without a dispatch one that somebody sent to us. */
export interface TextAtTwilio {
  readonly dispatchId: string | null;
  /** With those that were sent beyond the one intended. */
  readonly sids: readonly string[];
}

const atTwilioRow = z
  .object({ dispatch_id: z.uuid().nullable(), sids: z.array(z.string()) })
  .transform((row): TextAtTwilio => ({ dispatchId: row.dispatch_id, sids: row.sids }));

/** Texts of ours that are older than Twilio is to remember them, oldest first. */
export function sentTextsToForget(
  db: Db,
  retentionMs: number,
  limit: number,
  after: Place | null = null,
): Promise<Placed<TextAtTwilio>[]> {
  return many(
    db,
    atTwilioRow.and(placeOfRow),
    `SELECT dispatch_id, array_append(other_sids, sid) AS sids, ${cursorTime('created_at')} AS cursor_at,
            dispatch_id AS cursor_id
       FROM dispatches
      WHERE channel = 'sms' AND sid IS NOT NULL AND forgotten_at IS NULL
        AND created_at <= clock_timestamp() - $1 * interval '1 millisecond'
        AND ${behindSql('created_at', 'dispatch_id', 3)}
      ORDER BY created_at, dispatch_id LIMIT $2`,
    [retentionMs, limit, ...placeValues(after)],
  );
}

/** The same of texts to us. */
export function receivedTextsToForget(
  db: Db,
  retentionMs: number,
  limit: number,
  after: Place | null = null,
): Promise<Placed<TextAtTwilio>[]> {
  return many(
    db,
    atTwilioRow.and(placeOfRow),
    `SELECT NULL AS dispatch_id, ARRAY[message_sid] AS sids, ${cursorTime('received_at')} AS cursor_at,
            inbound_id AS cursor_id
       FROM inbound_texts i
      WHERE received_at <= clock_timestamp() - $1 * interval '1 millisecond'
        AND NOT EXISTS (SELECT FROM deletions_at_twilio d WHERE d.sid = i.message_sid)
        AND ${behindSql('received_at', 'inbound_id', 3)}
      ORDER BY received_at, inbound_id LIMIT $2`,
    [retentionMs, limit, ...placeValues(after)],
  );
}

/** Twilio has no record of it any more; may be repeated. */
export async function noteForgotten(db: Db, { dispatchId, sids }: TextAtTwilio): Promise<void> {
  if (dispatchId !== null) {
    await execute(db, 'UPDATE dispatches SET forgotten_at = clock_timestamp() WHERE dispatch_id = $1', [dispatchId]);
    return;
  }
  await execute(db, 'INSERT INTO deletions_at_twilio (sid) SELECT unnest($1::text[]) ON CONFLICT DO NOTHING', [sids]);
}
