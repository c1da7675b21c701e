/**
 * The course of a check-in, from its first fact to its last. Every step is one transaction with its audit entry and its
 * event for the app, and may be repeated.
 */
import { z } from 'zod';
import type { CheckInResponse, CheckInState } from '../domain/buddies';
import { noteAppEvent } from './app-events';
import { appendAudit } from './audit';
import { keepPeopleOfCheckIn, lockCheckIn } from './check-ins';
import { withdrawQuestion } from './open-questions';
import { type Db, execute, maybeOne } from './query';
import { destroyRecord } from './vault-rows';

export interface NewCheckIn {
  readonly requestId: string;
  readonly buddyId: string;
  readonly userId: string;
  /** Null: the user asked. */
  readonly alert: { readonly alertId: string; readonly days: number } | null;
  readonly linkHash: Buffer;
  readonly phoneToken: Buffer;
  readonly messageId: string;
  /** ISO 8601. */
  readonly closesAt: string;
  /** For how long the user may not ask again, ms. */
  readonly spacingMs: number;
}

/**
 * The first fact of a check-in. Behind `lockBuddy`.
 * @returns false when the user has asked this buddy too lately; nothing was written then
 */
export async function insertCheckIn(tx: Db, asked: NewCheckIn): Promise<boolean> {
  const { requestId, buddyId, userId, alert } = asked;
  const kind = alert === null ? 'user' : 'system';
  // The exclusion constraint is what keeps a second one out; a conflict with it is no error here.
  const inserted = await execute(
    tx,
    `INSERT INTO buddy_check_in_requests (request_id, buddy_id, user_id, kind, alert_id, alert_days, state, link_hash,
                                          phone_token, message_id, closes_at, cooldown)
     VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $8, $9, $10,
             tstzrange(clock_timestamp(), clock_timestamp() + $11 * interval '1 millisecond'))
     ON CONFLICT DO NOTHING`,
    [
      requestId,
      buddyId,
      userId,
      kind,
      alert?.alertId ?? null,
      alert?.days ?? null,
      asked.linkHash,
      asked.phoneToken,
      asked.messageId,
      asked.closesAt,
      asked.spacingMs,
    ],
  );
  if (inserted === 0) return false;
  const actor = alert === null ? userId : 'system';
  await appendAudit(tx, { actor, action: 'check-in.requested', objectId: requestId, purpose: kind, outcome: 'done' });
  await tell(tx, { requestId, userId, state: 'pending' });
  return true;
}

/** What happens to a text and its link on the way. Times are ISO 8601. */
export type CheckInNote = { readonly requestId: string; readonly at: string } & (
  | { readonly what: 'sent' | 'delivered' }
  | { readonly what: 'reminded'; readonly messageId: string }
  | {
      readonly what: 'opened';
      readonly ipRecordId: string | null;
      readonly userAgentRecordId: string | null;
    }
);

/** Which states each follows: one never goes back, and a late receipt leaves an opened link opened. */
const FOLLOWS = {
  sent: ['pending'],
  delivered: ['pending', 'sent'],
  opened: ['pending', 'sent', 'delivered'],
} as const satisfies Partial<Record<CheckInState, readonly CheckInState[]>>;
const TIMES = { sent: 'sent_at', delivered: 'delivered_at', opened: 'link_opened_at' } as const;

export async function noteCheckIn(tx: Db, note: CheckInNote): Promise<void> {
  const { requestId, at } = note;
  await keepPeopleOfCheckIn(tx, requestId);
  if (note.what === 'reminded') {
    await execute(
      tx,
      `UPDATE buddy_check_in_requests SET reminded_at = coalesce(reminded_at, $2), reminder_message_id = $3
        WHERE request_id = $1`,
      [requestId, at, note.messageId],
    );
    return;
  }
  const column = TIMES[note.what];
  const visit = note.what === 'opened' ? [note.ipRecordId, note.userAgentRecordId] : [null, null];
  const changed = await maybeOne(
    tx,
    z.object({ user_id: z.uuid(), is_first: z.boolean(), buddy_subject_id: z.uuid() }),
    `UPDATE buddy_check_in_requests r
        SET ${column} = $2, state = CASE WHEN r.state = ANY($3) THEN $4 ELSE r.state END,
            ip_record_id = coalesce(r.ip_record_id, $5), user_agent_record_id = coalesce(r.user_agent_record_id, $6)
       FROM buddy_check_in_requests before
      WHERE r.request_id = $1 AND before.request_id = r.request_id AND r.${column} IS NULL
      RETURNING r.user_id, before.state = ANY($3) AS is_first,
                (SELECT b.subject_id FROM buddy_contacts b WHERE b.buddy_id = r.buddy_id) AS buddy_subject_id`,
    [requestId, at, FOLLOWS[note.what], note.what, ...visit],
  );
  if (changed === null) return;
  if (note.what === 'opened') {
    const actor = changed.buddy_subject_id;
    await appendAudit(tx, { actor, action: 'check-in.opened', objectId: requestId, outcome: 'done' });
  }
  if (changed.is_first) await tell(tx, { requestId, userId: changed.user_id, state: note.what });
}

export interface TakenAnswer {
  readonly requestId: string;
  readonly response: CheckInResponse;
  readonly noteRecordId: string | null;
  /** ISO 8601. */
  readonly at: string;
}

/**
 * The newest answer counts, with what is written beside it; what stood there before is destroyed.
 * @returns false where it is over, or the alert it belongs to is: then nothing was written
 */
export async function takeCheckInAnswer(
  tx: Db,
  { requestId, response, noteRecordId, at }: TakenAnswer,
): Promise<boolean> {
  const before = await lockCheckIn(tx, requestId);
  if (before === null || before.closedAt !== null) return false;
  if (before.response === response && before.noteRecordId === noteRecordId) return true;
  if (await isAlertOver(tx, requestId)) return false;
  await execute(
    tx,
    `UPDATE buddy_check_in_requests SET state = 'answered', response = $2, note_record_id = $3, responded_at = $4
      WHERE request_id = $1`,
    [requestId, response, noteRecordId, at],
  );
  await withdrawQuestion(tx, requestId);
  const isFirst = before.response === null;
  const actor = before.buddySubjectId;
  if (before.noteRecordId !== null) await destroyRecord(tx, before.noteRecordId, { reason: 'replaced', actor });
  // Which answer it was is nobody's business who reads the trail.
  const action = isFirst ? 'check-in.answered' : 'check-in.corrected';
  await appendAudit(tx, { actor, action, objectId: requestId, outcome: 'done' });
  if (isFirst) await tell(tx, { requestId, userId: before.userId, state: 'answered' });
  else await tell(tx, { requestId, userId: before.userId, state: 'corrected', isToldAgain: true });
  return true;
}

/** Waits for an alert that is just ending: an answer comes wholly before that, or not at all. */
async function isAlertOver(tx: Db, requestId: string): Promise<boolean> {
  const alert = await maybeOne(
    tx,
    z.object({ is_over: z.boolean() }),
    `SELECT a.ended_at IS NOT NULL AS is_over FROM wellbeing_alerts a
      WHERE a.alert_id = (SELECT r.alert_id FROM buddy_check_in_requests r WHERE r.request_id = $1) FOR SHARE`,
    [requestId],
  );
  return alert?.is_over ?? false;
}

export interface CheckInEnd {
  readonly requestId: string;
  /** One that was answered stays so. */
  readonly state: Extract<CheckInState, 'answered' | 'unanswered' | 'undeliverable' | 'ended'>;
  /** False when nothing was sent. */
  readonly counts: boolean;
  /** ISO 8601. */
  readonly at: string;
}

/** The last fact. What was answered stays answered, also when the buddy goes. */
export async function closeCheckIn(tx: Db, { requestId, state, counts, at }: CheckInEnd): Promise<void> {
  await keepPeopleOfCheckIn(tx, requestId);
  const closed = await maybeOne(
    tx,
    z.object({ user_id: z.uuid() }),
    `UPDATE buddy_check_in_requests SET state = $2, counts = counts AND $3, closed_at = $4
      WHERE request_id = $1 AND closed_at IS NULL RETURNING user_id`,
    [requestId, state, counts, at],
  );
  if (closed === null) return;
  await withdrawQuestion(tx, requestId);
  const entry = { actor: 'system', action: 'check-in.closed', objectId: requestId, outcome: 'done' } as const;
  await appendAudit(tx, { ...entry, purpose: state });
  // An answer was told when it came.
  if (state !== 'answered') await tell(tx, { requestId, userId: closed.user_id, state });
}

interface Told {
  readonly requestId: string;
  readonly userId: string;
  readonly state: CheckInState | 'corrected';
  readonly isToldAgain?: boolean;
}

async function tell(tx: Db, { requestId, userId, state, ...more }: Told): Promise<void> {
  await noteAppEvent(tx, { subjectId: userId, type: `check-in.${state}`, objectId: requestId, state, ...more });
}
