/** Wellbeing alerts that wait for their workflow, or have lost it. */
import { z } from 'zod';
import { behindSql, cursorTime, type Place, type Placed, placeOfRow, placeValues } from './cursor';
import { type Db, execute, many } from './query';
import type { DueAlert } from './wellbeing-scores';

const dueRow = z
  .object({ alert_id: z.uuid(), user_id: z.uuid() })
  .transform(({ alert_id: alertId, user_id: userId }): DueAlert => ({ alertId, userId }));

/** Due for longer than this, and not begun: whoever noted them could not begin them. */
export function alertsToStart(db: Db, olderThanMs: number, limit: number): Promise<DueAlert[]> {
  return many(
    db,
    dueRow,
    `SELECT alert_id, user_id FROM wellbeing_alerts
      WHERE ended_at IS NULL AND started_at IS NULL AND due_at <= clock_timestamp() - $1 * interval '1 millisecond'
      ORDER BY due_at LIMIT $2`,
    [olderThanMs, limit],
  );
}

/** Temporal has its workflow. */
export async function noteAlertStarted(db: Db, alertId: string): Promise<void> {
  await execute(
    db,
    'UPDATE wellbeing_alerts SET started_at = clock_timestamp() WHERE alert_id = $1 AND started_at IS NULL',
    [alertId],
  );
}

/** Begun longer ago than this, and not over: the sweep asks whether their workflows still run. */
export function wellbeingAlertsToClose(
  db: Db,
  olderThanMs: number,
  limit: number,
  after: Place | null,
): Promise<Placed<DueAlert>[]> {
  return many(
    db,
    dueRow.and(placeOfRow),
    `SELECT alert_id, user_id, ${cursorTime('due_at')} AS cursor_at, alert_id AS cursor_id FROM wellbeing_alerts
      WHERE ended_at IS NULL AND started_at <= clock_timestamp() - $1 * interval '1 millisecond'
        AND ${behindSql('due_at', 'alert_id', 3)}
      ORDER BY due_at, alert_id LIMIT $2`,
    [olderThanMs, limit, ...placeValues(after)],
  );
}

const openAsk = z
  .object({ ask_id: z.uuid(), who: z.string(), channel: z.string() })
  .transform(({ ask_id: askId, who, channel }) => ({
    askId,
    by: who === 'buddies' ? ('check-in' as const) : channel === 'voice' ? ('call' as const) : ('message' as const),
    buddyId: null,
  }));

/** What is under way for an alert, before it is closed; what a human has set off goes on. */
export function openAsksOf(db: Db, alertId: string) {
  return many(
    db,
    openAsk,
    `SELECT unnest(ask_ids) AS ask_id, who, channel FROM wellbeing_alert_steps
      WHERE alert_id = $1 AND begun_at IS NOT NULL AND ended_at IS NULL AND who <> 'emergency'`,
    [alertId],
  );
}
