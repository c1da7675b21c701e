/** Each ringing of a phone for an alert: a row of the call log, of kind `alert`, under the person who is rung. */
import type { Pool } from 'pg';
import { z } from 'zod';
import type { AlertLegOutcome, VoiceAlertRecipient } from '../domain/voice-alert';
import { voiceAlertWorkflowId } from '../domain/voice-alert';
import { noteAppEvent } from './app-events';
import { appendAudit } from './audit';
import { forgetTokens } from './erasure';
import { inTransaction } from './pool';
import { type Db, execute, maybeOne } from './query';

export interface NewAlertLeg
  extends Pick<VoiceAlertRecipient, 'subjectId' | 'recordId' | 'recipientToken' | 'country' | 'language'> {
  readonly alertId: string;
  /** Id of the row, and of the dispatch. */
  readonly legId: string;
  readonly position: number;
  readonly attempt: number;
  /** Our number that is shown. */
  readonly from: string;
  readonly requestedAt: Date | string;
}

/** Notes that a phone is about to be rung. May be repeated; a leg that is over stays over. */
export async function openAlertLeg(pool: Pool, leg: NewAlertLeg): Promise<void> {
  await inTransaction(pool, async (tx) => {
    const made = await execute(
      tx,
      `INSERT INTO call_logs (call_id, kind, alert_id, position, attempt, workflow_id, user_id, record_id,
                              number_is_for_this_call_only, recipient_token, country, language, organisation_number,
                              status, live, requested_at)
       VALUES ($1, 'alert', $2, $3, $4, $5, $6, $7, false, decode($8, 'hex'), $9, $10, $11, 'ringing', true, $12)
       ON CONFLICT DO NOTHING`,
      [
        leg.legId,
        leg.alertId,
        leg.position,
        leg.attempt,
        voiceAlertWorkflowId(leg.alertId),
        leg.subjectId,
        leg.recordId,
        leg.recipientToken,
        leg.country,
        leg.language,
        leg.from,
        leg.requestedAt,
      ],
    );
    if (made === 1) await enter(tx, leg.alertId, 'ringing', leg.position);
  });
}

export interface AlertLegEnd {
  readonly alertId: string;
  readonly legId: string;
  readonly position: number;
  readonly outcome: AlertLegOutcome;
  readonly callSid: string | null;
  /** When the first key was pressed; null when none was. */
  readonly answeredAt: Date | string | null;
  readonly endedAt: Date | string;
}

const closedRow = z.object({
  user_id: z.uuid(),
  country: z.string(),
  attempt: z.int(),
  recipient_token: z.instanceof(Buffer).nullable(),
  erased: z.boolean(),
});

/** Of whom, as far as a log line may say it. */
export type ClosedAlertLeg = {
  readonly country: string;
  readonly attempt: number;
  readonly recipientToken: Buffer | null;
};

/**
 * Writes how a leg ended: its row, its recipient's, an audit entry. May be repeated: the first end stays.
 * @returns null when the leg was over before, or was never begun
 */
export async function closeAlertLeg(pool: Pool, end: AlertLegEnd): Promise<ClosedAlertLeg | null> {
  return await inTransaction(pool, async (tx) => {
    const closed = await maybeOne(
      tx,
      closedRow,
      `UPDATE call_logs SET status = $2, outcome = $2, end_reason = $2, live = false, call_sid = coalesce($3, call_sid),
              answered_at = $4, ended_at = $5,
              duration_seconds = CASE WHEN $4::timestamptz IS NULL THEN 0
                ELSE greatest(0, extract(epoch FROM $5::timestamptz - $4::timestamptz))::int END
         FROM subjects s
        WHERE call_id = $1 AND kind = 'alert' AND live AND s.subject_id = user_id
        RETURNING user_id, country, attempt, recipient_token, s.erased_at IS NOT NULL AS erased`,
      [end.legId, end.outcome, end.callSid, end.answeredAt, end.endedAt],
    );
    if (closed === null) return null;
    await execute(tx, 'UPDATE voice_alert_recipients SET last_outcome = $3 WHERE alert_id = $1 AND position = $2', [
      end.alertId,
      end.position,
      end.outcome,
    ]);
    await enter(tx, end.alertId, 'waiting', end.position);
    await appendAudit(tx, {
      actor: 'system',
      action: 'voice-alert.rang',
      objectId: end.legId,
      purpose: `${end.outcome}:${closed.country}:${closed.attempt - 1}`,
      outcome: end.outcome === 'acknowledged' || end.outcome === 'heard' ? 'done' : 'failed',
    });
    if (closed.erased) await forgetTokens(tx, closed.user_id);
    return { country: closed.country, attempt: closed.attempt, recipientToken: closed.recipient_token };
  });
}

/**
 * The alert's own state. A leg that was given up may be closed when the next phone rings already: the state of the
 * newest phone stays.
 */
async function enter(tx: Db, alertId: string, state: 'ringing' | 'waiting', position: number): Promise<void> {
  const changed = await maybeOne(
    tx,
    z.object({ requested_by: z.uuid() }),
    `UPDATE voice_alerts SET state = $2, position = $3
      WHERE alert_id = $1 AND live AND (state, position) IS DISTINCT FROM ($2, $3)
        AND ($2 = 'ringing' OR NOT EXISTS (SELECT FROM call_logs c WHERE c.alert_id = $1 AND c.live))
      RETURNING requested_by`,
    [alertId, state, position],
  );
  if (changed === null) return;
  const of = { subjectId: changed.requested_by, objectId: alertId };
  await noteAppEvent(tx, { ...of, type: `voice-alert.${state}`, state });
}
