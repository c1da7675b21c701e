/**
 * What the app is told about, written in the same transaction as the change itself: an event is neither lost by a crash
 * nor told of a change that was rolled back.
 */
import type { AppEventObject, AppEventType } from '../domain/app-events';
import { type Db, execute } from './query';

export interface NewAppEvent {
  /** Who sees it at `GET /events`: the signed-in person that asked for the object. */
  readonly subjectId: string;
  /** Ends in the state. */
  readonly type: AppEventType;
  /** UUID of the call, message, alert or batch. */
  readonly objectId: string;
  readonly state: string;
  /** Undefined: now. */
  readonly at?: Date | string | undefined;
  /** A state that is told each time it is entered; whoever notes it sees to it that a repeated step does not. */
  readonly isToldAgain?: boolean;
}

/**
 * Notes that an object has a new state; nothing when the newest event of the object says the same already, so that a
 * repeated step tells it once. One INSERT that no constraint refuses: an event never holds up what it tells of.
 * @param tx the transaction of the change
 */
export async function noteAppEvent(tx: Db, event: NewAppEvent): Promise<void> {
  const { subjectId, type, objectId, state, at, isToldAgain = false } = event;
  await execute(
    tx,
    `INSERT INTO app_events (subject_id, type, object_id, state, happened_at)
     SELECT $1::uuid, $2, $3::uuid, $4::text, coalesce($5::timestamptz, clock_timestamp())
      WHERE $6::boolean OR $4::text IS DISTINCT FROM
            (SELECT state FROM app_events WHERE object_id = $3::uuid ORDER BY txid DESC, position DESC LIMIT 1)`,
    [subjectId, type, objectId, state, at ?? null, isToldAgain],
  );
}

/**
 * The same as SQL, for a change that is one statement: inserts an event for each row of `rows`, which has the columns
 * `subject_id`, `object_id` and `state`. The caller leaves out what has not changed.
 */
export function notingAppEvents(object: AppEventObject, rows: string): string {
  return `INSERT INTO app_events (subject_id, type, object_id, state)
          SELECT subject_id, '${object}.' || state, object_id, state FROM ${rows}`;
}
