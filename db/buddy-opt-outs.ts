/**
 * STOP and START from a phone that buddies are asked at. It acts on the number, whoever's buddy it is: one phone may be a
 * family's, and a STOP means all of it.
 */
import { z } from 'zod';
import { noteAppEvent } from './app-events';
import { appendAudit } from './audit';
import { noteBuddyEvent } from './buddies';
import { liftStops, noteRefusal, STOPPED_USERS } from './buddy-refusals';
import { keepLists } from './person-locks';
import { type Db, many } from './query';

const changedRow = z
  .object({ buddy_id: z.uuid(), user_id: z.uuid(), subject_id: z.uuid() })
  .transform((row) => ({ buddyId: row.buddy_id, userId: row.user_id, subjectId: row.subject_id }));

const stoppedRow = z
  .object({ phone_token: z.instanceof(Buffer), email_token: z.instanceof(Buffer).nullable(), token_version: z.int() })
  .transform((row) => ({ phoneToken: row.phone_token, emailToken: row.email_token, tokenVersion: row.token_version }))
  .and(changedRow);

/** In the order of their ids, so that two who change several of them never wait for each other. */
const OF_THIS_PHONE = `SELECT buddy_id FROM buddy_contacts
   WHERE phone_token = ANY($1::bytea[]) AND removed_at IS NULL`;

/**
 * Nobody with this phone is asked any more, whoever's buddy they are, and these users cannot name them again until START;
 * their running workflows have yet to hear it. May be repeated. In the transaction of the STOP.
 * @param tokens of the phone, under every live version of the token key
 */
export async function optOutBuddies(tx: Db, tokens: readonly Buffer[]): Promise<void> {
  await keepListsOf(tx, tokens);
  const stopped = await many(
    tx,
    stoppedRow,
    `WITH those AS (${OF_THIS_PHONE} AND is_active AND opted_out_at IS NULL ORDER BY buddy_id FOR NO KEY UPDATE)
     UPDATE buddy_contacts b SET opted_out_at = clock_timestamp(), opted_out_by = 'text', is_end_untold = true,
            withdrawal_news_id = CASE WHEN b.verified THEN gen_random_uuid() END
       FROM those WHERE b.buddy_id = those.buddy_id
       RETURNING b.buddy_id, b.user_id, b.subject_id, b.phone_token, b.email_token, b.token_version`,
    [tokens],
  );
  for (const { buddyId, userId, subjectId, phoneToken, emailToken, tokenVersion } of stopped) {
    // The address too, as on the page: a person has withdrawn, and an e-mail would ask them again beside another number.
    const refused = emailToken === null ? [phoneToken] : [phoneToken, emailToken];
    const refusal = { userId, tokens: refused, tokenVersion, reason: 'stopped', stoppedBy: phoneToken } as const;
    await noteRefusal(tx, refusal);
    await noteBuddyEvent(tx, { buddyId, event: 'withdrawn', version: null });
    const what = { action: 'buddy.withdrawn', objectId: buddyId, purpose: 'text', outcome: 'done' } as const;
    await appendAudit(tx, { actor: subjectId, ...what });
    await noteAppEvent(tx, { subjectId: userId, type: 'buddy.opted-out', objectId: buddyId, state: 'opted-out' });
  }
}

/**
 * START lifts what a text has said, and nothing else: who withdrew on a page stays away. In the transaction of the START.
 * @param tokens as for {@link optOutBuddies}
 */
export async function optInBuddies(tx: Db, tokens: readonly Buffer[]): Promise<void> {
  await keepListsOf(tx, tokens, STOPPED_USERS);
  const started = await many(
    tx,
    changedRow,
    `WITH those AS (${OF_THIS_PHONE} AND opted_out_by = 'text' ORDER BY buddy_id FOR NO KEY UPDATE)
     UPDATE buddy_contacts b SET opted_out_at = NULL, opted_out_by = NULL, withdrawal_news_id = NULL
       FROM those WHERE b.buddy_id = those.buddy_id RETURNING b.buddy_id, b.user_id, b.subject_id`,
    [tokens],
  );
  for (const { buddyId, userId, subjectId } of started) {
    const what = { action: 'buddy.opted-in', objectId: buddyId, purpose: 'text', outcome: 'done' } as const;
    await appendAudit(tx, { actor: subjectId, ...what });
    await noteAppEvent(tx, { subjectId: userId, type: 'buddy.opted-in', objectId: buddyId, state: 'opted-in' });
  }
  await liftStops(tx, tokens);
}

/** @param tokens as for {@link optOutBuddies} */
function keepListsOf(tx: Db, tokens: readonly Buffer[], alsoUsers?: string): Promise<void> {
  const which = 'n.phone_token = ANY($1::bytea[]) AND n.removed_at IS NULL';
  const named = { table: 'buddy_contacts', which, values: [tokens] } as const;
  return keepLists(tx, alsoUsers === undefined ? named : { ...named, alsoUsers });
}
