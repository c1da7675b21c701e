/** The first and the last facts of a voice alert, each in one transaction. */
import type { Pool } from 'pg';
import { z } from 'zod';
import type { MessageInput } from '../domain/message';
import {
  type AlertEndReason,
  type AlertOutcome,
  type VoiceAlertInput,
  voiceAlertWorkflowId,
} from '../domain/voice-alert';
import { appendAudit } from './audit';
import { noteAppEvent } from './app-events';
import { forgetTokens } from './erasure';
import type { Held } from './legal-holds';
import { type OldPage, type OldRows, pageOf, takePage } from './old-rows';
import { inTransaction } from './pool';
import { type Db, execute, many, maybeOne } from './query';
import { destroyRecord } from './vault-rows';

/** Writes the alert and whom it is to ring. May be repeated: the first time stays. */
export async function openAlert(pool: Pool, input: VoiceAlertInput): Promise<void> {
  await inTransaction(pool, async (tx) => {
    if (!(await insertAlert(tx, input))) return;
    for (const [index, recipient] of input.recipients.entries()) {
      await execute(
        tx,
        `INSERT INTO voice_alert_recipients (alert_id, position, subject_id, record_id, owns_record, content_record_id,
                                             recipient_token, country, language)
         VALUES ($1, $2, $3, $4, $5, $6, decode($7, 'hex'), $8, $9)`,
        [
          input.alertId,
          index + 1,
          recipient.subjectId,
          recipient.recordId,
          recipient.ownsRecord,
          recipient.content.recordId,
          recipient.recipientToken,
          recipient.country,
          recipient.language,
        ],
      );
    }
    await appendAudit(tx, {
      actor: input.requestedBy,
      action: 'voice-alert.requested',
      objectId: input.alertId,
      purpose: input.messageId === null ? input.kind : 'fallback',
      outcome: 'done',
    });
    const of = { subjectId: input.requestedBy, objectId: input.alertId };
    await noteAppEvent(tx, { ...of, type: 'voice-alert.starting', state: 'starting' });
  });
}

async function insertAlert(tx: Db, input: VoiceAlertInput): Promise<boolean> {
  const content = input.recipients[0]?.content;
  const made = await execute(
    tx,
    `INSERT INTO voice_alerts (alert_id, workflow_id, requested_by, message_id, kind, message_class, urgency, template_id,
                               template_version, acknowledge, neutral_first, attempts, escalation_delay_ms,
                               sms_when_exhausted, state, live, request_hash, requested_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'starting', true, $15, $16)
     ON CONFLICT DO NOTHING`,
    [
      input.alertId,
      voiceAlertWorkflowId(input.alertId),
      input.requestedBy,
      input.messageId,
      input.kind,
      input.messageClass,
      input.urgency,
      content?.templateId,
      content?.templateVersion,
      input.acknowledge,
      input.neutralFirst,
      input.attempts,
      input.escalationDelayMs,
      input.smsWhenExhausted,
      input.requestHash,
      input.requestedAt,
    ],
  );
  return made === 1;
}

export interface AlertEnd {
  readonly alertId: string;
  readonly outcome: AlertOutcome;
  readonly endReason: AlertEndReason;
  /** Who acknowledged or heard it, by position, and when. */
  readonly reached: { readonly position: number; readonly at: Date | string } | null;
  readonly endedAt: Date | string;
}

/**
 * Closes an alert. May be repeated: the first end stays.
 * @returns whether it was live until now
 */
export async function closeAlert(pool: Pool, end: AlertEnd): Promise<boolean> {
  return await inTransaction(pool, async (tx) => {
    const closed = await maybeOne(
      tx,
      z.object({ requested_by: z.uuid() }),
      `UPDATE voice_alerts SET state = $2, outcome = $2, end_reason = $3, live = false, reached_position = $4,
              reached_at = $5, ended_at = $6
        WHERE alert_id = $1 AND live RETURNING requested_by`,
      [end.alertId, end.outcome, end.endReason, end.reached?.position ?? null, end.reached?.at ?? null, end.endedAt],
    );
    if (closed === null) return false;
    await forgetErased(tx, end.alertId);
    await appendAudit(tx, {
      actor: 'system',
      action: actionOf(end.outcome),
      objectId: end.alertId,
      purpose: end.endReason,
      outcome: end.outcome === 'failed' || end.outcome === 'exhausted' ? 'failed' : 'done',
    });
    const of = { subjectId: closed.requested_by, objectId: end.alertId, at: end.endedAt };
    await noteAppEvent(tx, { ...of, type: `voice-alert.${end.outcome}`, state: end.outcome });
    return true;
  });
}

function actionOf(outcome: AlertOutcome) {
  if (outcome === 'cancelled') return 'voice-alert.cancelled';
  return outcome === 'acknowledged' || outcome === 'heard' ? 'voice-alert.reached' : 'voice-alert.closed';
}

/** Somebody was erased while their phone was on the list: now nothing needs the tokens any more. */
async function forgetErased(tx: Db, alertId: string): Promise<void> {
  const erased = await many(
    tx,
    z.object({ subject_id: z.uuid() }),
    `SELECT DISTINCT subject_id FROM voice_alert_recipients JOIN subjects USING (subject_id)
      WHERE alert_id = $1 AND erased_at IS NOT NULL`,
    [alertId],
  );
  for (const { subject_id: subjectId } of erased) await forgetTokens(tx, subjectId);
}

/** Destroys the numbers that were given for this alert only, once it is over. May be repeated. */
export async function destroyAlertNumbers(pool: Pool, alertId: string): Promise<void> {
  await inTransaction(pool, async (tx) => {
    const owned = await many(
      tx,
      z.object({ record_id: z.uuid() }),
      `SELECT r.record_id FROM voice_alert_recipients r JOIN voice_alerts a USING (alert_id)
        WHERE alert_id = $1 AND owns_record AND NOT live`,
      [alertId],
    );
    for (const { record_id: recordId } of owned) {
      await destroyRecord(tx, recordId, { reason: 'alert-over', actor: 'system' });
    }
  });
}

/**
 * Notes which text each recipient gets, and that a number given for the alert is now the text's to destroy. May be
 * repeated with the same ids.
 */
export async function giveAlertNumbersAway(
  pool: Pool,
  alertId: string,
  texts: readonly (Pick<MessageInput, 'messageId'> & { readonly position: number })[],
): Promise<void> {
  await inTransaction(pool, async (tx) => {
    for (const { position, messageId } of texts) {
      await execute(
        tx,
        `UPDATE voice_alert_recipients SET text_message_id = $3, owns_record = false
          WHERE alert_id = $1 AND position = $2`,
        [alertId, position, messageId],
      );
    }
  });
}

/** Alerts that ended long ago, with whom they were for and the calls they made. */
export function deleteOldAlerts(db: Db, rows: OldRows): Promise<OldPage> {
  const old = { table: 'voice_alerts', key: 'alert_id', time: 't.ended_at', where: 'NOT t.live' };
  const page = pageOf({ ...old, heldWhere: ({ alerts }: Held) => `t.alert_id IN ${alerts}` }, rows);
  const of = 'alert_id IN (SELECT key FROM page WHERE NOT is_held)';
  const acts = `calls AS (DELETE FROM call_logs WHERE ${of}),
     recipients AS (DELETE FROM voice_alert_recipients WHERE ${of}),
     gone AS (DELETE FROM voice_alerts WHERE ${of} RETURNING 1)`;
  return takePage(db, page, acts, rows);
}
