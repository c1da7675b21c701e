/** Messages whose rows say that they are under way, as the sweep sees them. */
import { z } from 'zod';
import { type Db, many } from './query';

const openRow = z
  .object({
    message_id: z.uuid(),
    sid: z.string().nullable(),
    attempts: z.int(),
    error_code: z.string().nullable(),
    error_class: z.string().nullable(),
    fallback_alert_id: z.uuid().nullable(),
  })
  .readonly();
export type OpenMessage = z.output<typeof openRow>;

/**
 * The live messages that nobody has asked after for longest, and not within `olderThanMs`. Taking them moves them to the
 * end of the row, whatever comes of it: thousands that wait for their day do not keep the dead ones behind them from
 * being found.
 */
export function takeOpenMessages(db: Db, olderThanMs: number, limit: number): Promise<OpenMessage[]> {
  return many(
    db,
    openRow,
    `UPDATE messages SET owner_asked_at = clock_timestamp()
      WHERE message_id IN (
        SELECT message_id FROM messages
         WHERE live AND coalesce(owner_asked_at, opened_at) <= clock_timestamp() - $1 * interval '1 millisecond'
         ORDER BY coalesce(owner_asked_at, opened_at) LIMIT $2 FOR UPDATE SKIP LOCKED)
      RETURNING message_id, sid, attempts, error_code, error_class, fallback_alert_id`,
    [olderThanMs, limit],
  );
}

/** Every dispatch of a message, the newest first. */
export async function dispatchesOfMessage(db: Db, messageId: string): Promise<string[]> {
  const rows = await many(
    db,
    z.object({ dispatch_id: z.uuid() }),
    'SELECT dispatch_id FROM dispatches WHERE message_id = $1 ORDER BY created_at DESC, dispatch_id',
    [messageId],
  );
  return rows.map((row) => row.dispatch_id);
}
