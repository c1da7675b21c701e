/** Wellbeing alerts and their steps as their workflows leave them, written straight into the tables. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { CheckInResponse, CheckInState } from '../../../domain/buddies';
import type { EscalationParty } from '../../../domain/escalation-policy';
import type {
  SkipReason,
  StepState,
  WellbeingEndReason,
  WellbeingOutcome,
  WellbeingResult,
} from '../../../domain/wellbeing-alert';

export interface StepWanted {
  readonly who: EscalationParty;
  readonly state: StepState;
  readonly because?: SkipReason;
  readonly asked?: readonly {
    readonly buddyId: string;
    readonly state: CheckInState;
    readonly response?: CheckInResponse;
  }[];
}

export type AlertEnd = readonly [WellbeingOutcome, WellbeingEndReason];

export interface AlertWanted {
  readonly daysAgo?: number;
  /** Left out: it goes on. */
  readonly end?: AlertEnd;
  /** Its workflow has not begun. */
  readonly isDue?: boolean;
  readonly steps?: readonly StepWanted[];
}

/** @param pool of the owner of the tables. @returns the alert's id */
export async function addAlert(pool: Pool, userId: string, wanted: AlertWanted): Promise<string> {
  const { daysAgo = 0, end, isDue = false, steps = [] } = wanted;
  const alertId = randomUUID();
  await pool.query(
    `INSERT INTO wellbeing_alerts (alert_id, user_id, trigger_reason, days, state, end_reason, policy_version, due_at,
                                   started_at, opened_at, ended_at, cooldown)
     SELECT $1, $2, 'low-in-a-row', 3, $3, $4, CASE WHEN NOT $6 THEN 0 END, at, begun_at, begun_at,
            CASE WHEN $4::text IS NOT NULL THEN at + interval '1 hour' END, tstzrange(at, at + interval '72 hours')
       FROM (SELECT now() - $5 * interval '1 day' AS at) AS due,
            LATERAL (SELECT CASE WHEN NOT $6 THEN at END AS begun_at) AS begun`,
    [alertId, userId, end?.[0] ?? (isDue ? 'due' : 'running'), end?.[1] ?? null, daysAgo, isDue],
  );
  for (const [index, step] of steps.entries()) {
    const asked = (step.asked ?? []).map((one) => ({ ...one, requestId: randomUUID() }));
    for (const { requestId, buddyId, state, response } of asked) {
      await pool.query(
        `INSERT INTO buddy_check_in_requests (request_id, buddy_id, user_id, kind, alert_id, alert_days, state,
           link_hash, phone_token, message_id, sent_at, responded_at, response, closes_at, closed_at, cooldown)
         SELECT $1, buddy_id, user_id, 'system', $3, 3, $4, $5, phone_token, gen_random_uuid(), now(),
                CASE WHEN $6::text IS NOT NULL THEN now() END, $6, now() + interval '1 day',
                CASE WHEN $4 IN ('answered', 'unanswered', 'undeliverable', 'ended') THEN now() END,
                tstzrange(now(), now() + interval '1 day')
           FROM buddy_contacts WHERE buddy_id = $2`,
        [requestId, buddyId, alertId, state, randomBytes(32), response ?? null],
      );
    }
    await pool.query(
      `INSERT INTO wellbeing_alert_steps (alert_id, position, who, channel, state, skipped_because, ask_ids, buddy_ids)
       VALUES ($1, $2, $3, 'sms', $4, $5, $6, $7)`,
      [
        alertId,
        index + 1,
        step.who,
        step.state,
        step.because ?? null,
        asked.map(({ requestId }) => requestId),
        asked.map(({ buddyId }) => buddyId),
      ],
    );
  }
  return alertId;
}

/** What the workflow of an alert does when it is closed, and comes to this end. @param pool of the owner of the tables */
export function endingAs(pool: Pool, [state, endReason]: AlertEnd): (alertId: string) => Promise<WellbeingResult> {
  return async (alertId) => {
    const text = 'UPDATE wellbeing_alerts SET state = $2, end_reason = $3, ended_at = now() WHERE alert_id = $1';
    await pool.query(text, [alertId, state, endReason]);
    return { state, endReason };
  };
}
