/** Erasing a person, in one transaction: the key, every sealed record, every token that could find them again. */
import type { PoolClient } from 'pg';
import { appendAudit } from './audit';
import { type Db, execute } from './query';

/** The channel on which processes are told whose keys to forget; sent with the commit, never before. */
export const ERASED_CHANNEL = 'kindline_erased';

/**
 * Destroys what makes the person readable or findable. Repeating it changes nothing.
 * @returns false when the person was erased before
 */
export async function eraseSubjectRows(tx: PoolClient, subjectId: string, actor: string): Promise<boolean> {
  const first = await execute(
    tx,
    'UPDATE subjects SET account_token = NULL, erased_at = clock_timestamp() WHERE subject_id = $1 AND erased_at IS NULL',
    [subjectId],
  );
  if (first === 0) return false;
  // Somebody without a key gets a destroyed one, so that a request still on its way cannot make a new one. First,
  // because it waits for a transaction that is making one: the next statement then sees that key and destroys it.
  await execute(
    tx,
    `INSERT INTO subject_keys (subject_id, version, ring, root_key_id, wrapped, state, destroyed_at)
     VALUES ($1, 1, 'local', 'none', NULL, 'destroyed', clock_timestamp()) ON CONFLICT DO NOTHING`,
    [subjectId],
  );
  await execute(
    tx,
    `UPDATE subject_keys SET state = 'destroyed', wrapped = NULL, destroyed_at = clock_timestamp()
      WHERE subject_id = $1 AND state = 'active'`,
    [subjectId],
  );
  await execute(
    tx,
    `UPDATE vault_records SET wrapped_data_key = NULL, ciphertext = NULL, commitment = NULL,
            destroyed_at = clock_timestamp()
      WHERE subject_id = $1 AND destroyed_at IS NULL`,
    [subjectId],
  );
  await forgetTokens(tx, subjectId);
  await execute(tx, 'INSERT INTO erasures (subject_id, actor) VALUES ($1, $2)', [subjectId, actor]);
  await appendAudit(tx, { actor, action: 'subject.erased', objectId: subjectId, outcome: 'done' });
  await tx.query('SELECT pg_notify($1, $2)', [ERASED_CHANNEL, subjectId]);
  return true;
}

/**
 * Removes every token that could find a person again: whoever holds the token key can try all numbers there are.
 * What is still running keeps its token until it is over; closing the call calls this again.
 */
export async function forgetTokens(tx: Db, subjectId: string): Promise<void> {
  for (const forget of FORGET_TOKENS) await execute(tx, forget, [subjectId]);
}

const FORGET_TOKENS = [
  `UPDATE contact_points SET token = NULL, deleted_at = clock_timestamp() WHERE subject_id = $1 AND deleted_at IS NULL`,
  `UPDATE mentors SET phone_token = NULL, available = false, deleted_at = clock_timestamp()
    WHERE subject_id = $1 AND deleted_at IS NULL`,
  // A dispatch whose outcome is open keeps its token until it is settled: it is what tells two acts apart.
  `UPDATE dispatches SET recipient_token = NULL
    WHERE call_id IN (SELECT call_id FROM call_logs WHERE user_id = $1)
      AND state NOT IN ('ready', 'attempting', 'unknown') AND settled_at IS NOT NULL`,
  'UPDATE call_logs SET recipient_token = NULL WHERE user_id = $1 AND NOT live',
  `UPDATE voice_alert_recipients r SET recipient_token = NULL FROM voice_alerts a
    WHERE r.subject_id = $1 AND a.alert_id = r.alert_id AND NOT a.live`,
  `UPDATE dispatches SET recipient_token = NULL
    WHERE message_id IN (SELECT message_id FROM messages WHERE subject_id = $1)
      AND state NOT IN ('ready', 'attempting', 'unknown') AND settled_at IS NOT NULL`,
  'UPDATE messages SET recipient_token = NULL WHERE subject_id = $1 AND NOT live',
  // Its number was saved by themselves and is gone: without a token it could not be begun.
  `UPDATE message_batch_rows SET recipient_token = NULL,
          problem = CASE WHEN started_at IS NULL THEN coalesce(problem, 'expired') ELSE problem END
    WHERE subject_id = $1 AND recipient_token IS NOT NULL`,
  'DELETE FROM recipients WHERE subject_id = $1',
  'DELETE FROM contact_point_codes WHERE subject_id = $1',
  `DELETE FROM unsubscribe_links WHERE message_id IN (SELECT message_id FROM messages WHERE subject_id = $1 AND NOT live)`,
  // An opt-out stays: without it the next list that somebody brings would reach them again.
  'UPDATE inbound_texts SET sender_token = NULL WHERE subject_id = $1',
  `UPDATE open_questions SET recipient_token = NULL, closed_at = coalesce(closed_at, clock_timestamp())
    WHERE subject_id = $1`,
];
