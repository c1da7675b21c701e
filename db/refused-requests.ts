/** Requests for a call that were turned away: no call has come of them, and only the watchdog looks at them. */
import { RETENTION } from '../domain/retention';
import { type Db, execute } from './query';

/** @param recipientToken of the number that was to be rung; null: none was named */
export async function noteRefusedRequest(db: Db, subjectId: string, recipientToken: Buffer | null): Promise<void> {
  await execute(db, 'INSERT INTO refused_requests (subject_id, recipient_token) VALUES ($1, $2)', [
    subjectId,
    recipientToken,
  ]);
}

/** Those of longer ago than {@link RETENTION.refusedRequest}. May be repeated. */
export async function forgetRefusedRequests(db: Db): Promise<void> {
  await execute(
    db,
    `DELETE FROM refused_requests WHERE refused_at < statement_timestamp() - $1 * interval '1 millisecond'`,
    [RETENTION.refusedRequest],
  );
}
