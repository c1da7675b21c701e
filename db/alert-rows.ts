/** Rows of voice alerts: what GET shows, what the sweep looks through. */
import { z } from 'zod';
import {
  ALERT_END_REASONS,
  ALERT_LEG_OUTCOMES,
  ALERT_STATES,
  type AlertEndReason,
  type AlertLegOutcome,
  type AlertState,
} from '../domain/voice-alert';
import { MESSAGE_KINDS, type MessageKind } from '../domain/message';
import {
  behindSql,
  cursorTime,
  decodeCursor,
  type Page,
  type Place,
  type Placed,
  placeOfRow,
  placeValues,
  toPage,
} from './cursor';
import { type Db, many, maybeOne } from './query';

export interface AlertRow {
  readonly alertId: string;
  readonly workflowId: string;
  readonly requestedBy: string;
  readonly messageId: string | null;
  readonly kind: MessageKind;
  readonly urgency: 'emergency' | 'normal' | 'bulk';
  readonly templateId: string | null;
  readonly templateVersion: number | null;
  readonly acknowledge: boolean;
  readonly neutralFirst: boolean;
  readonly smsWhenExhausted: boolean;
  readonly state: AlertState;
  readonly endReason: AlertEndReason | null;
  readonly live: boolean;
  /** Whose phone is rung, or was the last. */
  readonly position: number | null;
  readonly reachedPosition: number | null;
  readonly reachedAt: Date | null;
  readonly requestHash: string;
  readonly requestedAt: Date;
  readonly endedAt: Date | null;
}

const alertRow = z.object({
  alert_id: z.uuid(),
  workflow_id: z.string(),
  requested_by: z.uuid(),
  message_id: z.uuid().nullable(),
  kind: z.enum(MESSAGE_KINDS),
  urgency: z.enum(['emergency', 'normal', 'bulk']),
  template_id: z.string().nullable(),
  template_version: z.int().nullable(),
  acknowledge: z.boolean(),
  neutral_first: z.boolean(),
  sms_when_exhausted: z.boolean(),
  state: z.enum(ALERT_STATES),
  end_reason: z.enum(ALERT_END_REASONS).nullable(),
  live: z.boolean(),
  position: z.int().nullable(),
  reached_position: z.int().nullable(),
  reached_at: z.date().nullable(),
  request_hash: z.string(),
  requested_at: z.date(),
  ended_at: z.date().nullable(),
  cursor_at: z.string(),
});

const SELECT_ALERT = `SELECT alert_id, workflow_id, requested_by, message_id, kind, urgency, template_id,
  template_version, acknowledge, neutral_first, sms_when_exhausted, state, end_reason, live, position, reached_position,
  reached_at, request_hash, requested_at, ended_at, ${cursorTime('opened_at')} AS cursor_at FROM voice_alerts`;

/** The alert, whoever asked for it; the caller checks `requestedBy`. */
export async function findAlert(db: Db, alertId: string): Promise<AlertRow | null> {
  const row = await maybeOne(db, alertRow, `${SELECT_ALERT} WHERE alert_id = $1`, [alertId]);
  return row === null ? null : toAlert(row);
}

/** Alerts, newest first, a page at a time; of one requester, or of all. */
export async function listAlerts(
  db: Db,
  filter: {
    readonly requestedBy?: string | undefined;
    readonly state?: AlertState | undefined;
    readonly limit: number;
    readonly cursor?: string | null | undefined;
  },
): Promise<Page<AlertRow>> {
  const before = filter.cursor == null ? null : decodeCursor(filter.cursor);
  const rows = await many(
    db,
    alertRow,
    `${SELECT_ALERT}
      WHERE ($1::uuid IS NULL OR requested_by = $1) AND ($2::text IS NULL OR state = $2)
        AND ($3::timestamptz IS NULL OR (opened_at, alert_id) < ($3::timestamptz, $4::uuid))
      ORDER BY opened_at DESC, alert_id DESC LIMIT $5`,
    [filter.requestedBy ?? null, filter.state ?? null, before?.at ?? null, before?.id ?? null, filter.limit + 1],
  );
  return toPage(rows, filter.limit, (row) => row.alert_id, toAlert);
}

export interface AlertRecipientRow {
  readonly position: number;
  readonly subjectId: string;
  readonly country: string;
  readonly language: string;
  readonly lastOutcome: AlertLegOutcome | null;
  readonly textMessageId: string | null;
}

const recipientRow = z
  .object({
    position: z.int(),
    subject_id: z.uuid(),
    country: z.string(),
    language: z.string(),
    last_outcome: z.enum(ALERT_LEG_OUTCOMES).nullable(),
    text_message_id: z.uuid().nullable(),
  })
  .transform(
    (row): AlertRecipientRow => ({
      position: row.position,
      subjectId: row.subject_id,
      country: row.country,
      language: row.language,
      lastOutcome: row.last_outcome,
      textMessageId: row.text_message_id,
    }),
  );

/** In the order in which they are rung. */
export function recipientsOfAlert(db: Db, alertId: string): Promise<AlertRecipientRow[]> {
  return many(
    db,
    recipientRow,
    `SELECT position, subject_id, country, language, last_outcome, text_message_id FROM voice_alert_recipients
      WHERE alert_id = $1 ORDER BY position`,
    [alertId],
  );
}

/** One ringing of one phone. */
export interface AlertCall {
  readonly callId: string;
  readonly position: number;
  readonly attempt: number;
  readonly status: AlertLegOutcome | 'ringing';
  readonly callSid: string | null;
  readonly startedAt: Date;
  readonly answeredAt: Date | null;
  readonly endedAt: Date | null;
}

const callRow = z
  .object({
    call_id: z.uuid(),
    position: z.int(),
    attempt: z.int(),
    status: z.enum([...ALERT_LEG_OUTCOMES, 'ringing']),
    sid: z.string().nullable(),
    opened_at: z.date(),
    answered_at: z.date().nullable(),
    ended_at: z.date().nullable(),
  })
  .transform(
    (row): AlertCall => ({
      callId: row.call_id,
      position: row.position,
      attempt: row.attempt,
      status: row.status,
      callSid: row.sid,
      startedAt: row.opened_at,
      answeredAt: row.answered_at,
      endedAt: row.ended_at,
    }),
  );

/** Every call of an alert, in the order in which they were placed. */
export function callsOfAlert(db: Db, alertId: string): Promise<AlertCall[]> {
  return many(
    db,
    callRow,
    `SELECT call_id, position, attempt, status, coalesce(call_sid, (SELECT sid FROM dispatches d
              WHERE d.call_id = c.call_id AND sid IS NOT NULL ORDER BY created_at DESC LIMIT 1)) AS sid,
            opened_at, answered_at, ended_at
       FROM call_logs c WHERE alert_id = $1 ORDER BY position, attempt`,
    [alertId],
  );
}

const toClose = z
  .object({ alert_id: z.uuid(), workflow_id: z.string(), legs: z.array(z.uuid()), positions: z.array(z.int()) })
  .transform((row) => ({
    alertId: row.alert_id,
    workflowId: row.workflow_id,
    legs: row.legs.map((legId, index) => ({ legId, position: row.positions[index] ?? 0 })),
  }));

export type AlertToClose = z.output<typeof toClose>;

/** Alerts with something live, theirs or a call's, that is older than this: the sweep asks whether they still run. */
export function alertsToClose(
  db: Db,
  olderThanMs: number,
  limit: number,
  after: Place | null = null,
): Promise<Placed<AlertToClose>[]> {
  return many(
    db,
    toClose.and(placeOfRow),
    `WITH open AS (
       SELECT alert_id FROM voice_alerts WHERE live AND opened_at <= clock_timestamp() - $1 * interval '1 millisecond'
       UNION
       SELECT alert_id FROM call_logs
        WHERE live AND kind = 'alert' AND opened_at <= clock_timestamp() - $1 * interval '1 millisecond')
     SELECT a.alert_id, a.workflow_id, ${cursorTime('a.opened_at')} AS cursor_at, a.alert_id AS cursor_id,
            coalesce(array_agg(c.call_id ORDER BY c.opened_at) FILTER (WHERE c.live), '{}') AS legs,
            coalesce(array_agg(c.position ORDER BY c.opened_at) FILTER (WHERE c.live), '{}') AS positions
       FROM open JOIN voice_alerts a USING (alert_id) LEFT JOIN call_logs c ON c.alert_id = a.alert_id
      WHERE ${behindSql('a.opened_at', 'a.alert_id', 3)}
      GROUP BY a.alert_id, a.workflow_id, a.opened_at ORDER BY a.opened_at, a.alert_id LIMIT $2`,
    [olderThanMs, limit, ...placeValues(after)],
  );
}

function toAlert(row: z.output<typeof alertRow>): AlertRow {
  return {
    alertId: row.alert_id,
    workflowId: row.workflow_id,
    requestedBy: row.requested_by,
    messageId: row.message_id,
    kind: row.kind,
    urgency: row.urgency,
    templateId: row.template_id,
    templateVersion: row.template_version,
    acknowledge: row.acknowledge,
    neutralFirst: row.neutral_first,
    smsWhenExhausted: row.sms_when_exhausted,
    state: row.state,
    endReason: row.end_reason,
    live: row.live,
    position: row.position,
    reachedPosition: row.reached_position,
    reachedAt: row.reached_at,
    requestHash: row.request_hash,
    requestedAt: row.requested_at,
    endedAt: row.ended_at,
  };
}
