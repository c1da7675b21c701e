/**
 * Registered contacts who are not asked any more while an alert may be asking them: it hears of it and goes on to whoever
 * comes next. And STOP and START from a contact's phone.
 */
import { z } from 'zod';
import type { ContactAsked } from '../domain/wellbeing-alert';
import { noteAppEvent } from './app-events';
import { appendAudit } from './audit';
import { keepLists } from './person-locks';
import { type Db, execute, many } from './query';
import { tellEach } from './tell-each';

const changedRow = z
  .object({ contact_id: z.uuid(), user_id: z.uuid(), subject_id: z.uuid() })
  .transform((row) => ({ contactId: row.contact_id, userId: row.user_id, subjectId: row.subject_id }));

const OF_THIS_PHONE = 'n.phone_token = ANY($1::bytea[]) AND n.removed_at IS NULL';

/**
 * A STOP: nobody with this phone is asked any more, whoever has named them. May be repeated. In the transaction of the STOP.
 * @param tokens of the phone, under every live version of the token key
 */
export async function optOutContacts(tx: Db, tokens: readonly Buffer[]): Promise<void> {
  const set = 'opted_out_at = clock_timestamp(), untold_since_at = clock_timestamp()';
  await change(tx, tokens, { set, where: 'opted_out_at IS NULL', to: 'opted-out' });
}

/** START lifts what a STOP has said, and no refusal. In the transaction of the START. */
export async function optInContacts(tx: Db, tokens: readonly Buffer[]): Promise<void> {
  // Nothing is left to be told; of a refusal there is.
  const untold = 'untold_since_at = CASE WHEN c.refused_at IS NOT NULL THEN c.untold_since_at END';
  await change(tx, tokens, {
    set: `opted_out_at = NULL, ${untold}`,
    where: 'opted_out_at IS NOT NULL',
    to: 'opted-in',
  });
}

async function change(
  tx: Db,
  tokens: readonly Buffer[],
  { set, where, to }: { readonly set: string; readonly where: string; readonly to: 'opted-out' | 'opted-in' },
): Promise<void> {
  await keepLists(tx, { table: 'registered_contacts', which: OF_THIS_PHONE, values: [tokens] });
  const changed = await many(
    tx,
    changedRow,
    `WITH those AS (SELECT n.contact_id FROM registered_contacts n WHERE ${OF_THIS_PHONE} AND n.${where}
                     ORDER BY n.contact_id FOR NO KEY UPDATE)
     UPDATE registered_contacts c SET ${set} FROM those WHERE c.contact_id = those.contact_id
     RETURNING c.contact_id, c.user_id, c.subject_id`,
    [tokens],
  );
  for (const { contactId: objectId, userId, subjectId } of changed) {
    const what = { objectId, purpose: 'text', outcome: 'done' } as const;
    await appendAudit(tx, { actor: subjectId, action: `registered-contact.${to}`, ...what });
    await noteAppEvent(tx, { subjectId: userId, type: `registered-contact.${to}`, objectId, state: to });
  }
}

const untoldRow = z
  .object({
    contact_id: z.uuid(),
    seen: z.string(),
    asked: z.array(z.object({ alertId: z.uuid(), messageId: z.uuid().nullable() })),
  })
  .transform((row) => ({ contactId: row.contact_id, seen: row.seen, asked: row.asked }));

/**
 * Tells alerts what they have yet to hear, as `tellUntoldEndings` does of buddies.
 * @param tell throws what Temporal says; the contact then stays untold
 * @param onFailure throws to end it: the others would only wait too
 * @returns how many contacts were told of
 */
export async function tellUntoldContacts(
  db: Db,
  tell: (asked: ContactAsked) => Promise<unknown>,
  onFailure: (error: unknown) => void,
  limit: number,
): Promise<number> {
  // Only alerts that were asking when they ended: later ones ask whoever was named since. Where they have answered already,
  // their text may wait all the same.
  const untold = await many(
    db,
    untoldRow,
    `SELECT c.contact_id, c.untold_since_at::text AS seen,
            coalesce((SELECT jsonb_agg(jsonb_build_object('alertId', a.alert_id, 'messageId', s.ask_ids[1]))
                        FROM wellbeing_alerts a JOIN wellbeing_alert_steps s USING (alert_id)
                       WHERE a.user_id = c.user_id AND a.ended_at IS NULL AND s.who = 'registered-contact'
                         AND s.state IN ('under-way', 'unanswered')
                         AND s.begun_at BETWEEN c.named_at AND c.untold_since_at), '[]') AS asked
       FROM registered_contacts c WHERE c.untold_since_at IS NOT NULL ORDER BY c.untold_since_at LIMIT $1`,
    [limit],
  );
  const tellOne = async ({ contactId, seen, asked }: z.output<typeof untoldRow>): Promise<true> => {
    for (const one of asked) await tell(one);
    const text = `UPDATE registered_contacts SET untold_since_at = NULL
      WHERE contact_id = $1 AND untold_since_at = $2::timestamptz`;
    await execute(db, text, [contactId, seen]);
    return true;
  };
  return await tellEach(untold, tellOne, onFailure);
}
