/** Wellbeing alerts by what they ask of the organisation. Counts, ids and states: nothing of whom they are about. */
import { z } from 'zod';
import { ESCALATION_PARTIES, type EscalationParty } from '../domain/escalation-policy';
import type { StandingAlert } from '../domain/watchdog-rules';
import { type AlertStanding, REACHED_NOBODY } from '../domain/wellbeing-alert';
import { type Db, many, one } from './query';

/** For how long lists show what has reached nobody. */
const LISTED_DAYS = 7;
/** For how long it is told as something to act upon; much longer than the watchdog can be away. */
const TOLD_DAYS = 1;

const AWAITS = `EXISTS (SELECT FROM wellbeing_alert_steps s
  WHERE s.alert_id = wellbeing_alerts.alert_id AND s.state = 'awaiting-human')`;

/** A condition on `wellbeing_alerts`. */
export function standingSql(standing: AlertStanding, withinDays: number = LISTED_DAYS): string {
  switch (standing) {
    case 'awaiting-human':
      return `(ended_at IS NULL AND ${AWAITS})`;
    case 'under-way':
      return `(ended_at IS NULL AND NOT ${AWAITS})`;
    case 'reached-nobody':
      return `(end_reason IN (${REACHED_NOBODY.map((reason) => `'${reason}'`).join(', ')})
        AND ended_at > now() - interval '${withinDays} days')`;
  }
}

/** All that stand so now, or came to it within a day; the oldest first, each with how many there are. */
export function alertsStanding(db: Db, standing: AlertStanding): Promise<StandingAlert[]> {
  return many(
    db,
    z
      .object({ alert_id: z.uuid(), alerts: z.coerce.number() })
      .transform(({ alert_id: alertId, alerts }): StandingAlert => ({ alertId, alerts })),
    `SELECT alert_id, count(*) OVER () AS alerts FROM wellbeing_alerts
      WHERE ${standingSql(standing, TOLD_DAYS)} ORDER BY due_at, alert_id`,
    [],
  );
}

/** The same in one number, and since when there has been one; null for none. */
export function countStanding(db: Db, standing: AlertStanding): Promise<{ count: number; since: Date | null }> {
  return one(
    db,
    z.object({ count: z.coerce.number(), since: z.date().nullable() }),
    `SELECT count(*), min(coalesce(ended_at,
              (SELECT s.begun_at FROM wellbeing_alert_steps s
                WHERE s.alert_id = wellbeing_alerts.alert_id AND s.state = 'awaiting-human' LIMIT 1), due_at)) AS since
       FROM wellbeing_alerts WHERE ${standingSql(standing, TOLD_DAYS)}`,
    [],
  );
}

/** How far an alert has come. */
export interface AlertProgress {
  /** Of its policy. */
  readonly steps: number;
  /** Check-ins, messages and calls that asked somebody. */
  readonly asked: number;
  /** The newest step that was begun; null before the first, and where all were skipped. */
  readonly newest: { readonly position: number; readonly who: EscalationParty; readonly begunAt: Date | null } | null;
}

const progressRow = z.object({
  alert_id: z.uuid(),
  steps: z.coerce.number(),
  asked: z.coerce.number(),
  position: z.int().nullable(),
  who: z.enum(ESCALATION_PARTIES).nullable(),
  begun_at: z.date().nullable(),
});

/** Of each that has begun. */
export async function progressOf(db: Db, alertIds: readonly string[]): Promise<ReadonlyMap<string, AlertProgress>> {
  const rows = await many(
    db,
    progressRow,
    `SELECT a.alert_id, a.steps, a.asked, newest.position, newest.who, newest.begun_at
       FROM (SELECT alert_id, count(*) AS steps, sum(cardinality(ask_ids)) AS asked
               FROM wellbeing_alert_steps WHERE alert_id = ANY($1) GROUP BY alert_id) a
       LEFT JOIN LATERAL (SELECT position, who, begun_at FROM wellbeing_alert_steps s
                           WHERE s.alert_id = a.alert_id AND s.state NOT IN ('pending', 'skipped', 'not-begun')
                           ORDER BY position DESC LIMIT 1) newest ON true`,
    [alertIds],
  );
  return new Map(
    rows.map(({ alert_id: alertId, steps, asked, position, who, begun_at: begunAt }) => [
      alertId,
      { steps, asked, newest: position === null || who === null ? null : { position, who, begunAt } },
    ]),
  );
}
