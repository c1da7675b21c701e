/** Requests for a call that were turned away: no call has come of them, and only the watchdog looks at them. */
import { RETENTION } from '../domain/retention';
import { type Db, execute } from './query';

/**
 * Notes one, and forgets those of long ago: the table stays as small as a day of them.
 * @param recipientToken of the number that was to be rung; null: none was named
 */
export async function noteRefusedRequest(db: Db, subjectId: string, recipientToken: Buffer | null): Promise<void> {
  await execute(
    db,
    `WITH over AS (DELETE FROM refused_requests WHERE refused_at < clock_timestamp() - $2 * interval '1 millisecond')
     INSERT INTO refused_requests (subject_id, recipient_token) VALUES ($1, $3)`,
    [subjectId, RETENTION.refusedRequest, recipientToken],
  );
}
