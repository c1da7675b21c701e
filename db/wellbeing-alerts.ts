/** Rows of wellbeing alerts and their steps: what is shown, and to whom it belongs. */
import { z } from 'zod';
import { CHECK_IN_RESPONSES, CHECK_IN_STATES, type CheckInResponse, type CheckInState } from '../domain/buddies';
import {
  ESCALATION_CHANNELS,
  ESCALATION_PARTIES,
  type EscalationChannel,
  type EscalationParty,
} from '../domain/escalation-policy';
import {
  type AlertStanding,
  type ContactAsked,
  SKIP_REASONS,
  type SkipReason,
  STEP_STATES,
  type StepState,
  WELLBEING_END_REASONS,
  WELLBEING_STATES,
  type WellbeingEndReason,
  type WellbeingState,
} from '../domain/wellbeing-alert';
import { TRIGGER_REASONS, type TriggerReason } from '../domain/wellbeing-triggers';
import { cursorTime, decodeCursor, type Page, toPage } from './cursor';
import { type Db, many, maybeOne } from './query';
import { standingSql } from './wellbeing-standings';

export interface WellbeingAlert {
  readonly alertId: string;
  readonly userId: string;
  /** Null once the user was erased. */
  readonly reason: TriggerReason | null;
  /** How long it has not been easy; null once the user was erased. */
  readonly days: number | null;
  readonly state: WellbeingState;
  readonly endReason: WellbeingEndReason | null;
  /** Null until its workflow has begun. */
  readonly policyVersion: number | null;
  readonly dueAt: Date;
  readonly endedAt: Date | null;
}

const alertRow = z.object({
  alert_id: z.uuid(),
  user_id: z.uuid(),
  trigger_reason: z.enum(TRIGGER_REASONS).nullable(),
  days: z.int().nullable(),
  state: z.enum(WELLBEING_STATES),
  end_reason: z.enum(WELLBEING_END_REASONS).nullable(),
  policy_version: z.int().nullable(),
  due_at: z.date(),
  ended_at: z.date().nullable(),
  cursor_at: z.string(),
});

const SELECT_ALERT = `SELECT alert_id, user_id, trigger_reason, days, state, end_reason, policy_version, due_at, ended_at,
  ${cursorTime('due_at')} AS cursor_at FROM wellbeing_alerts`;

/** The alert, whoever it is about; the caller checks `userId`. */
export async function findWellbeingAlert(db: Db, alertId: string): Promise<WellbeingAlert | null> {
  const row = await maybeOne(db, alertRow, `${SELECT_ALERT} WHERE alert_id = $1`, [alertId]);
  return row === null ? null : toAlert(row);
}

/** False also of one that has no row. */
export async function hasAlertEnded(db: Db, alertId: string): Promise<boolean> {
  const query = 'SELECT FROM wellbeing_alerts WHERE alert_id = $1 AND ended_at IS NOT NULL';
  return (await maybeOne(db, z.object({}), query, [alertId])) !== null;
}

/** Alerts, newest first, a page at a time; of one user, or of all; however they stand, or as is asked for. */
export async function listWellbeingAlerts(
  db: Db,
  filter: {
    readonly userId: string | null;
    readonly standing?: AlertStanding | undefined;
    readonly limit: number;
    readonly cursor: string | null;
  },
): Promise<Page<WellbeingAlert>> {
  const before = filter.cursor === null ? null : decodeCursor(filter.cursor);
  const rows = await many(
    db,
    alertRow,
    `${SELECT_ALERT}
      WHERE ($1::uuid IS NULL OR user_id = $1)${filter.standing === undefined ? '' : ` AND ${standingSql(filter.standing)}`}
        AND ($2::timestamptz IS NULL OR (due_at, alert_id) < ($2::timestamptz, $3::uuid))
      ORDER BY due_at DESC, alert_id DESC LIMIT $4`,
    [filter.userId, before?.at ?? null, before?.id ?? null, filter.limit + 1],
  );
  return toPage(rows, filter.limit, (row) => row.alert_id, toAlert);
}

/** What a buddy who was asked has made of it. */
export interface AskedBuddy {
  readonly buddyId: string;
  /** Null while the text is only being begun. */
  readonly state: CheckInState | null;
  readonly response: CheckInResponse | null;
  readonly respondedAt: Date | null;
}

export interface WellbeingStep {
  /** From 1. */
  readonly position: number;
  readonly who: EscalationParty;
  readonly channel: EscalationChannel;
  readonly state: StepState;
  readonly skippedBecause: SkipReason | null;
  /** Of the registered contact. */
  readonly response: CheckInResponse | null;
  /** In the order in which they were asked. */
  readonly buddies: readonly AskedBuddy[];
  readonly confirmedAt: Date | null;
  readonly begunAt: Date | null;
  readonly endedAt: Date | null;
}

const stepRow = z
  .object({
    position: z.int(),
    who: z.enum(ESCALATION_PARTIES),
    channel: z.enum(ESCALATION_CHANNELS),
    state: z.enum(STEP_STATES),
    skipped_because: z.enum(SKIP_REASONS).nullable(),
    response: z.enum(CHECK_IN_RESPONSES).nullable(),
    confirmed_at: z.date().nullable(),
    begun_at: z.date().nullable(),
    ended_at: z.date().nullable(),
    buddies: z.array(
      z.object({
        buddyId: z.uuid(),
        state: z.enum(CHECK_IN_STATES).nullable(),
        response: z.enum(CHECK_IN_RESPONSES).nullable(),
        respondedAt: z.coerce.date().nullable(),
      }),
    ),
  })
  .transform(
    (row): WellbeingStep => ({
      position: row.position,
      who: row.who,
      channel: row.channel,
      state: row.state,
      skippedBecause: row.skipped_because,
      response: row.response,
      buddies: row.buddies,
      confirmedAt: row.confirmed_at,
      begunAt: row.begun_at,
      endedAt: row.ended_at,
    }),
  );

/** In the order of the policy. */
export function stepsOfAlert(db: Db, alertId: string): Promise<WellbeingStep[]> {
  return many(
    db,
    stepRow,
    `SELECT s.position, s.who, s.channel, s.state, s.skipped_because, s.response, s.confirmed_at, s.begun_at, s.ended_at,
            coalesce((SELECT jsonb_agg(jsonb_build_object('buddyId', b.buddy_id, 'state', r.state,
                             'response', r.response, 'respondedAt', r.responded_at) ORDER BY b.place)
                        FROM unnest(s.buddy_ids, s.ask_ids) WITH ORDINALITY AS b(buddy_id, request_id, place)
                        LEFT JOIN buddy_check_in_requests r ON r.request_id = b.request_id
                       WHERE b.buddy_id IS NOT NULL), '[]') AS buddies
       FROM wellbeing_alert_steps s WHERE s.alert_id = $1 ORDER BY s.position`,
    [alertId],
  );
}

/**
 * The alert that asks this registered contact, until it is over: what they have answered may be corrected. Null: none.
 * Whoever was named after its step had begun was never asked, and is to know of nothing.
 */
export async function alertAskingContact(db: Db, contactId: string): Promise<ContactAsked | null> {
  const row = await maybeOne(
    db,
    z.object({ alert_id: z.uuid(), message_id: z.uuid().nullable() }),
    `SELECT a.alert_id, s.ask_ids[1] AS message_id
       FROM registered_contacts c JOIN wellbeing_alerts a USING (user_id) JOIN wellbeing_alert_steps s USING (alert_id)
      WHERE c.contact_id = $1 AND a.ended_at IS NULL AND s.who = 'registered-contact'
        AND s.state IN ('under-way', 'unanswered') AND s.begun_at >= c.named_at
      ORDER BY a.due_at DESC, s.position DESC LIMIT 1`,
    [contactId],
  );
  return row === null ? null : { alertId: row.alert_id, messageId: row.message_id };
}

/** Whether it was this contact, and nobody who was named before them, whom a step asked by this text. */
export async function wasContactAsked(db: Db, contactId: string, messageId: string): Promise<boolean> {
  const row = await maybeOne(
    db,
    z.object({}),
    `SELECT FROM registered_contacts c JOIN wellbeing_alerts a USING (user_id) JOIN wellbeing_alert_steps s USING (alert_id)
      WHERE c.contact_id = $1 AND $2 = ANY (s.ask_ids) AND s.begun_at >= c.named_at LIMIT 1`,
    [contactId, messageId],
  );
  return row !== null;
}

function toAlert(row: z.output<typeof alertRow>): WellbeingAlert {
  return {
    alertId: row.alert_id,
    userId: row.user_id,
    reason: row.trigger_reason,
    days: row.days,
    state: row.state,
    endReason: row.end_reason,
    policyVersion: row.policy_version,
    dueAt: row.due_at,
    endedAt: row.ended_at,
  };
}
