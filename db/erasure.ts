/** Erasing a person, in one transaction: the key, every sealed record, every token that could find them again. */
import { z } from 'zod';
import { SubjectHeld } from '../domain/errors';
import { appendAudit } from './audit';
import { isHeld } from './legal-holds';
import { lockPerson } from './person-locks';
import { type Db, execute, many } from './query';

/** The channel on which processes are told whose keys to forget; sent with the commit, never before. */
export const ERASED_CHANNEL = 'kindline_erased';

/**
 * `limits`: how often they were asked is still counted while its rows are kept. For whoever was taken off a list by the
 * user: else adding them anew would begin it all again.
 */
export type KeptOfErased = 'nothing' | 'limits';

/**
 * Destroys what makes the person readable or findable. Repeating it changes nothing.
 * @returns false when the person was erased before
 * @throws {SubjectHeld} while a legal hold stands
 */
export async function eraseSubjectRows(
  tx: Db,
  subjectId: string,
  actor: string,
  keeps: KeptOfErased = 'nothing',
): Promise<boolean> {
  // Whoever is naming them, or sealing for them, is waited for with nothing in hand that they could want.
  await lockPerson(tx, subjectId);
  const first = await execute(
    tx,
    'UPDATE subjects SET account_token = NULL, erased_at = clock_timestamp() WHERE subject_id = $1 AND erased_at IS NULL',
    [subjectId],
  );
  if (first === 0) {
    // Whoever erased them before may have kept these.
    if (keeps === 'nothing') await forgetLimits(tx, subjectId);
    return false;
  }
  // Behind the lock of the row, which whoever places a hold waits for.
  if (await isHeld(tx, subjectId)) throw new SubjectHeld();
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
  if (keeps === 'nothing') await forgetLimits(tx, subjectId);
  await eraseThoseNamedBy(tx, subjectId, actor);
  await execute(tx, 'INSERT INTO erasures (subject_id, actor) VALUES ($1, $2)', [subjectId, actor]);
  await appendAudit(tx, { actor, action: 'subject.erased', objectId: subjectId, outcome: 'done' });
  await tx.query('SELECT pg_notify($1, $2)', [ERASED_CHANNEL, subjectId]);
  return true;
}

/** As {@link eraseSubjectRows}, for somebody who goes along with something else: who is held stays, and that is audited. */
export async function eraseUnlessHeld(
  tx: Db,
  subjectId: string,
  actor: string,
  keeps: KeptOfErased = 'nothing',
): Promise<'erased' | 'erased-before' | 'held'> {
  // Who places a hold waits for this lock, or is waited for.
  await lockPerson(tx, subjectId);
  if (await isHeld(tx, subjectId)) {
    await appendAudit(tx, { actor, action: 'subject.erased', objectId: subjectId, outcome: 'refused' });
    return 'held';
  }
  return (await eraseSubjectRows(tx, subjectId, actor, keeps)) ? 'erased' : 'erased-before';
}

/** Whom a user has named goes with them: nobody else knows these people from us. */
async function eraseThoseNamedBy(tx: Db, userId: string, actor: string): Promise<void> {
  const named = await many(
    tx,
    z.object({ subject_id: z.uuid() }),
    `SELECT subject_id FROM buddy_contacts WHERE user_id = $1
      UNION SELECT subject_id FROM registered_contacts WHERE user_id = $1 ORDER BY subject_id`,
    [userId],
  );
  for (const { subject_id: subjectId } of named) await eraseUnlessHeld(tx, subjectId, actor);
  for (const forget of OF_A_USER) await execute(tx, forget, [userId]);
}

const OF_A_USER = [
  // Nobody of theirs is named anew any more, also whom they had taken off their lists before.
  `UPDATE buddy_invitations SET email_token = NULL, phone_token = NULL
    WHERE num_nonnulls(email_token, phone_token) > 0
      AND buddy_id IN (SELECT buddy_id FROM buddy_contacts WHERE user_id = $1)`,
  `UPDATE buddy_check_in_requests SET phone_token = NULL WHERE user_id = $1 AND phone_token IS NOT NULL`,
  `UPDATE registered_contacts SET phone_token = NULL WHERE user_id = $1 AND phone_token IS NOT NULL`,
  // Who is held is kept, and asked no more.
  `UPDATE buddy_contacts SET removed_at = clock_timestamp(), is_active = false, is_end_untold = true
    WHERE user_id = $1 AND removed_at IS NULL`,
  // Why the system asked was about them.
  `UPDATE buddy_check_in_requests SET trigger_reason = NULL, alert_days = NULL
    WHERE user_id = $1 AND num_nonnulls(trigger_reason, alert_days) > 0`,
  `UPDATE registered_contacts SET removed_at = clock_timestamp(), untold_since_at = clock_timestamp(), link_hash = NULL
    WHERE user_id = $1 AND removed_at IS NULL`,
  'UPDATE wellbeing_alerts SET trigger_reason = NULL, days = NULL WHERE user_id = $1',
  `UPDATE wellbeing_alert_steps SET response = NULL
    WHERE response IS NOT NULL AND alert_id IN (SELECT alert_id FROM wellbeing_alerts WHERE user_id = $1)`,
  'DELETE FROM wellbeing_scores WHERE user_id = $1',
  'DELETE FROM user_profiles WHERE user_id = $1',
  'DELETE FROM buddy_refusals WHERE user_id = $1',
];

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
  'DELETE FROM mentor_shifts WHERE mentor_id IN (SELECT mentor_id FROM mentors WHERE subject_id = $1)',
  'DELETE FROM mentor_exceptions WHERE mentor_id IN (SELECT mentor_id FROM mentors WHERE subject_id = $1)',
  'DELETE FROM mentor_call_access WHERE subject_id = $1',
  'UPDATE mentors SET account_subject_id = NULL WHERE account_subject_id = $1',
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
  // The sound is the provider's: the next sweep has it deleted there.
  `UPDATE call_recordings SET delete_because = coalesce(delete_because, 'erased')
    WHERE deletion_confirmed_at IS NULL
      AND (user_id = $1 OR mentor_id IN (SELECT mentor_id FROM mentors WHERE subject_id = $1))`,
  'DELETE FROM recipients WHERE subject_id = $1',
  'DELETE FROM contact_point_codes WHERE subject_id = $1',
  'DELETE FROM voice_identities WHERE subject_id = $1',
  'DELETE FROM refused_requests WHERE subject_id = $1',
  `DELETE FROM unsubscribe_links WHERE message_id IN (SELECT message_id FROM messages WHERE subject_id = $1 AND NOT live)`,
  // An opt-out stays: without it the next list that somebody brings would reach them again.
  'UPDATE inbound_texts SET sender_token = NULL WHERE subject_id = $1',
  `UPDATE open_questions SET recipient_token = NULL, closed_at = coalesce(closed_at, clock_timestamp())
    WHERE subject_id = $1`,
  // That they do not want to be asked stays, like an opt-out and for its reason.
  `UPDATE buddy_contacts
      SET email_token = NULL, phone_token = NULL, verification_token_hash = NULL, is_active = false,
          removed_at = coalesce(removed_at, clock_timestamp()),
          is_end_untold = is_end_untold OR (is_active AND removed_at IS NULL)
    WHERE subject_id = $1
      AND (removed_at IS NULL OR is_active OR num_nonnulls(email_token, phone_token, verification_token_hash) > 0)`,
  `UPDATE registered_contacts
      SET link_hash = NULL, removed_at = coalesce(removed_at, clock_timestamp()),
          untold_since_at = CASE WHEN removed_at IS NULL THEN clock_timestamp() ELSE untold_since_at END
    WHERE subject_id = $1 AND (removed_at IS NULL OR link_hash IS NOT NULL)`,
];

async function forgetLimits(tx: Db, subjectId: string): Promise<void> {
  for (const forget of FORGET_LIMITS) await execute(tx, forget, [subjectId]);
}

/** By which it is counted how often somebody was asked, by whatever accounts. */
const FORGET_LIMITS = [
  `UPDATE buddy_invitations SET email_token = NULL, phone_token = NULL
    WHERE buddy_id IN (SELECT buddy_id FROM buddy_contacts WHERE subject_id = $1)
      AND num_nonnulls(email_token, phone_token) > 0`,
  `UPDATE buddy_check_in_requests SET phone_token = NULL
    WHERE buddy_id IN (SELECT buddy_id FROM buddy_contacts WHERE subject_id = $1) AND phone_token IS NOT NULL`,
  'UPDATE registered_contacts SET phone_token = NULL WHERE subject_id = $1 AND phone_token IS NOT NULL',
];
