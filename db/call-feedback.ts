/** How calls were, one answer each: given by key, by text or in the app, and changed for a day. */
import { z } from 'zod';
import { FEEDBACK_CHANGEABLE, FEEDBACK_VIA, type Feedback, type FeedbackVia } from '../domain/feedback';
import type { RetentionPeriods } from '../domain/retention';
import { SealedValue } from '../domain/sealed';
import { appendAudit } from './audit';
import { type Db, maybeOne, one } from './query';
import type { Vault } from './vault-records';
import { destroyRecord } from './vault-rows';

export interface CallFeedback {
  readonly rating: number;
  readonly via: FeedbackVia;
  readonly wordRecordId: string | null;
  readonly givenAt: Date;
}

export interface GivenFeedback extends Feedback {
  readonly callId: string;
  readonly via: FeedbackVia;
}

export interface FeedbackParts {
  readonly vault: Pick<Vault, 'seal'>;
  /** As configured, in ms. */
  readonly retention: Pick<RetentionPeriods, 'messageBody'>;
}

const feedbackRow = z
  .object({
    rating: z.int(),
    via: z.enum(FEEDBACK_VIA),
    word_record_id: z.uuid().nullable(),
    given_at: z.date(),
  })
  .transform(
    (row): CallFeedback => ({
      rating: row.rating,
      via: row.via,
      wordRecordId: row.word_record_id,
      givenAt: row.given_at,
    }),
  );
const COLUMNS = 'rating, via, word_record_id, given_at';

/** What was said of a call so far, or null. */
export function feedbackOf(db: Db, callId: string): Promise<CallFeedback | null> {
  return maybeOne(db, feedbackRow, `SELECT ${COLUMNS} FROM call_feedback WHERE call_id = $1`, [callId]);
}

/**
 * Takes an answer, the first or another within a day of it. Words are sealed under the key of whose call it was; those
 * that were there before are destroyed. The same answer again changes nothing that anybody sees. Give it a transaction.
 *
 * @returns the answer as it stands; `settled` when it may not be changed any more; `no-conversation` when the call led
 * to no mentor, or is not known
 */
export async function takeFeedback(
  tx: Db,
  parts: FeedbackParts,
  { callId, rating, words, via }: GivenFeedback,
): Promise<CallFeedback | 'settled' | 'no-conversation'> {
  const call = await maybeOne(
    tx,
    z.object({ user_id: z.uuid(), mentor_id: z.uuid() }),
    `SELECT user_id, mentor_id FROM call_logs
      WHERE call_id = $1 AND kind = 'mentor-call' AND bridged_at IS NOT NULL AND mentor_id IS NOT NULL FOR NO KEY UPDATE`,
    [callId],
  );
  if (call === null) return 'no-conversation';
  const before = await feedbackOf(tx, callId);
  if (before !== null && Date.now() - before.givenAt.valueOf() > FEEDBACK_CHANGEABLE) return 'settled';
  const wordRecordId = await sealed(parts, call.user_id, words, tx);
  const taken = await one(
    tx,
    feedbackRow,
    `INSERT INTO call_feedback AS f (call_id, mentor_id, rating, via, word_record_id) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (call_id) DO UPDATE
       SET rating = excluded.rating, via = excluded.via, word_record_id = excluded.word_record_id,
           changed_at = clock_timestamp()
     RETURNING ${COLUMNS}`,
    [callId, call.mentor_id, rating, via, wordRecordId],
  );
  const old = before?.wordRecordId ?? null;
  if (old !== null) await destroyRecord(tx, old, { reason: 'replaced', actor: call.user_id });
  await appendAudit(tx, {
    actor: call.user_id,
    action: 'mentor-call.rated',
    objectId: callId,
    purpose: via,
    outcome: 'done',
  });
  return taken;
}

async function sealed(
  { vault, retention }: FeedbackParts,
  subjectId: string,
  words: string | null,
  tx: Db,
): Promise<string | null> {
  if (words === null) return null;
  const expiresAt = new Date(Date.now() + retention.messageBody);
  return await vault.seal({ subjectId, kind: 'text', value: SealedValue.of('text', words), expiresAt }, tx);
}
