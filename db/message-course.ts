/** What the workflow of a message writes: each step in one transaction with its audit entry and what the app is told. */
import type { Pool } from 'pg';
import { z } from 'zod';
import {
  MESSAGE_CHANNELS,
  type MessageChannel,
  type MessageInput,
  type MessageOutcome,
  type MessageReason,
  type MessageState,
} from '../domain/message';
import { noteAppEvent } from './app-events';
import { appendAudit } from './audit';
import { forgetTokens } from './erasure';
import { noteByReceipt } from './may-send';
import { inTransaction } from './pool';
import { type Db, execute, maybeOne } from './query';
import { destroyRecord } from './vault-rows';

/**
 * The first fact of a message. Repeated for the same message it changes nothing.
 * @param first in which state it begins; `nextAttemptAt` is when it will be tried, if not now
 */
export async function openMessage(
  pool: Pool,
  input: MessageInput,
  first: { state: 'waiting' | 'sending'; reason: MessageReason | null; nextAttemptAt: Date | null },
): Promise<void> {
  await inTransaction(pool, async (tx) => {
    const isNew = await insertMessage(tx, input, first);
    if (!isNew) return;
    const { messageId, requestedBy, country, kind } = input;
    const purpose = `${country}:${kind}`;
    await appendAudit(tx, {
      actor: requestedBy,
      action: 'message.requested',
      objectId: messageId,
      purpose,
      outcome: 'done',
    });
    await tellApp(tx, { messageId, requestedBy, batchId: input.batchId }, first.state);
  });
}

async function insertMessage(
  tx: Db,
  input: MessageInput,
  first: { state: string; reason: string | null; nextAttemptAt: Date | null },
): Promise<boolean> {
  const inserted = await execute(
    tx,
    `INSERT INTO messages (message_id, batch_id, batch_row, requested_by, subject_id, record_id, owns_record,
                           content_record_id, template_id, template_version, language, channel, kind, message_class,
                           urgency, recipient_token, country, state, reason, next_attempt_at, sender, fallback,
                           request_hash, not_before, not_after, requested_at, live)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, decode($16, 'hex'), $17, $18, $19, $20,
             $21, $22, $23, $24, $25, $26, true)
     ON CONFLICT (message_id) DO NOTHING`,
    [
      input.messageId,
      input.batchId,
      input.batchRow,
      input.requestedBy,
      input.subjectId,
      input.recordId,
      input.ownsRecord,
      input.content.recordId,
      input.content.templateId,
      input.content.templateVersion,
      input.language,
      input.channel,
      input.kind,
      input.messageClass,
      input.urgency,
      input.recipientToken,
      input.country,
      first.state,
      first.reason,
      first.nextAttemptAt,
      input.sender,
      input.fallback,
      input.requestHash,
      input.notBefore,
      input.notAfter,
      input.requestedAt,
    ],
  );
  return inserted === 1;
}

/** What the workflow notes on the way. What is not given stays, but for the reason to wait and its time. */
export interface MessageNote {
  readonly messageId: string;
  readonly state: Extract<MessageState, 'waiting' | 'sending' | 'sent'>;
  readonly reason: MessageReason | null;
  readonly nextAttemptAt: Date | string | null;
  readonly sid?: string | undefined;
  readonly segments?: number | undefined;
  readonly attempts?: number | undefined;
  readonly errorCode?: string | null | undefined;
  readonly errorClass?: string | null | undefined;
}

const changedRow = z
  .object({
    requested_by: z.uuid(),
    batch_id: z.uuid().nullable(),
    subject_id: z.uuid(),
    record_id: z.uuid(),
    owns_record: z.boolean(),
    content_record_id: z.uuid(),
    recipient_token: z.instanceof(Buffer).nullable(),
    country: z.string(),
    attempts: z.int(),
    is_erased: z.boolean(),
    channel: z.enum(MESSAGE_CHANNELS),
    handover_seconds: z.number().nullable(),
    receipt_seconds: z.number().nullable(),
  })
  .readonly();

const CHANGED = `requested_by, batch_id, subject_id, record_id, owns_record, content_record_id, recipient_token, country,
  attempts, EXISTS (SELECT FROM subjects s WHERE s.subject_id = messages.subject_id AND s.erased_at IS NOT NULL) AS is_erased,
  channel`;
/**
 * A message that is tried again was handed over the first time. Null where it had to wait for what is not ours: in its
 * dispatch, or as a row of a batch, which counts from the request for the whole batch.
 */
const HANDOVER_SECONDS =
  'CASE WHEN batch_id IS NULL AND NOT was_held THEN extract(epoch FROM sent_at - requested_at)::float8 END';

/** What a step tells of how long its message took, seconds; null: nothing, or nothing new. */
export interface MessageStep {
  readonly channel: MessageChannel;
  /** Accepted until the provider has it; not of a batch, nor of one that was held in its dispatch. */
  readonly handoverSeconds: number | null;
  /** From there to the receipt that ended it; only of one that was tried once. */
  readonly receiptSeconds: number | null;
}

const stepOf = (row: z.output<typeof changedRow>): MessageStep => ({
  channel: row.channel,
  handoverSeconds: row.handover_seconds,
  receiptSeconds: row.receipt_seconds,
});

/** @returns null when the message is over or unknown: then nothing changes */
export async function noteMessage(pool: Pool, note: MessageNote): Promise<MessageStep | null> {
  return await inTransaction(pool, async (tx) => {
    const row = await maybeOne(
      tx,
      changedRow,
      `UPDATE messages
          SET state = $2, reason = $3, next_attempt_at = $4, sid = coalesce($5, sid), segments = coalesce($6, segments),
              attempts = coalesce($7, attempts), error_code = $8, error_class = $9,
              sent_at = CASE WHEN $2 = 'sent' THEN coalesce(sent_at, clock_timestamp()) ELSE sent_at END
        WHERE message_id = $1 AND live
        RETURNING ${CHANGED}, NULL AS receipt_seconds,
                  CASE WHEN sent_at >= statement_timestamp() THEN ${HANDOVER_SECONDS} END AS handover_seconds`,
      [
        note.messageId,
        note.state,
        note.reason,
        note.nextAttemptAt,
        note.sid,
        note.segments,
        note.attempts,
        note.errorCode ?? null,
        note.errorClass ?? null,
      ],
    );
    if (row === null) return null;
    await tellApp(tx, { messageId: note.messageId, requestedBy: row.requested_by, batchId: row.batch_id }, note.state);
    return stepOf(row);
  });
}

/**
 * Its dispatch waits for an open line, the day, the recipient's turn or a sender that was refused: no time of ours. May be
 * repeated.
 */
export async function noteHeld(db: Db, messageId: string): Promise<void> {
  await execute(db, 'UPDATE messages SET was_held = true WHERE message_id = $1 AND NOT was_held', [messageId]);
}

/**
 * Notes the call that is to say a message which did not arrive, before it is begun: should the message be ended from
 * outside meanwhile, its row is all that tells whose number it is now. May be repeated.
 * @returns false when the message is over: nothing may be begun for it any more
 */
export async function noteFallback(db: Db, messageId: string, alertId: string): Promise<boolean> {
  const noted = await execute(db, 'UPDATE messages SET fallback_alert_id = $2 WHERE message_id = $1 AND live', [
    messageId,
    alertId,
  ]);
  return noted === 1;
}

export interface MessageEnd {
  readonly messageId: string;
  readonly outcome: MessageOutcome;
  readonly reason: MessageReason | null;
  readonly sid: string | null;
  readonly segments: number | null;
  readonly attempts: number;
  readonly errorCode: string | null;
  readonly errorClass: string | null;
  /** The call that says it instead; it has taken over the number. */
  readonly fallbackAlertId: string | null;
  readonly endedAt: Date | string;
}

/**
 * Closes a message: final row, number destroyed if it was given for it only, audit entry, what the app is told. May be
 * repeated: the first end stays.
 * @returns null when it was over before
 */
export async function closeMessage(pool: Pool, end: MessageEnd): Promise<MessageStep | null> {
  return await inTransaction(pool, async (tx) => {
    const row = await maybeOne(
      tx,
      changedRow,
      `UPDATE messages
          SET state = $2, reason = $3, sid = coalesce($4, sid), segments = coalesce($5, segments), attempts = $6,
              error_code = $7, error_class = $8, fallback_alert_id = $9, next_attempt_at = NULL, ended_at = $10,
              sent_at = CASE WHEN $4::text IS NULL THEN sent_at ELSE coalesce(sent_at, $10) END, live = false
        WHERE message_id = $1 AND live
        RETURNING ${CHANGED}, CASE WHEN sent_at = $10 THEN ${HANDOVER_SECONDS} END AS handover_seconds,
                  CASE WHEN $2 IN ('delivered', 'undelivered') AND $6 = 1
                       THEN extract(epoch FROM ended_at - sent_at)::float8 END AS receipt_seconds`,
      [
        end.messageId,
        end.outcome,
        end.reason,
        end.sid,
        end.segments,
        end.attempts,
        end.errorCode,
        end.errorClass,
        end.fallbackAlertId,
        end.endedAt,
      ],
    );
    if (row === null) return null;
    if (row.owns_record && end.fallbackAlertId === null) {
      await destroyRecord(tx, row.record_id, { reason: 'message-over', actor: 'system' });
    }
    await noteByReceipt(tx, { ...end, dispatchId: null }, { isNews: false });
    if (row.is_erased) await forgetTokens(tx, row.subject_id);
    await auditEnd(tx, end, row.country);
    await tellApp(tx, { messageId: end.messageId, requestedBy: row.requested_by, batchId: row.batch_id }, end.outcome);
    return stepOf(row);
  });
}

/** Country, how it ended, and how often it was tried again: nothing else is said of a message. */
async function auditEnd(tx: Db, { messageId, outcome, attempts }: MessageEnd, country: string): Promise<void> {
  await appendAudit(tx, {
    actor: 'system',
    action: outcome === 'cancelled' ? 'message.cancelled' : 'message.closed',
    objectId: messageId,
    purpose: `${country}:${outcome}:${Math.max(0, attempts - 1)}`,
    outcome: outcome === 'delivered' || outcome === 'unconfirmed' || outcome === 'cancelled' ? 'done' : 'failed',
  });
}

/** Of a batch the app is told as a whole: ten thousand rows would be ten thousand webhooks. */
async function tellApp(
  tx: Db,
  message: { messageId: string; requestedBy: string; batchId: string | null },
  state: MessageState,
): Promise<void> {
  if (message.batchId !== null) return;
  const { messageId: objectId, requestedBy: subjectId } = message;
  await noteAppEvent(tx, { subjectId, type: `message.${state}`, objectId, state });
}
