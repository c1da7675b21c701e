/** How long buddies stay who are not asked any more, or never answered, and what they were asked. */
import { forgetPeople } from './forgotten-people';
import type { Held } from './legal-holds';
import { deleteOld, type OldPage, type OldRows } from './old-rows';
import type { Db } from './query';

/**
 * What was asked of buddies long ago. Notes, addresses and browsers are sealed records, which nothing names any more then:
 * the same run destroys them.
 */
export function deleteOldCheckIns(db: Db, rows: OldRows): Promise<OldPage> {
  const old = {
    table: 'buddy_check_in_requests',
    key: 'request_id',
    // One that never closed has lost its workflow.
    time: 'coalesce(t.closed_at, t.closes_at)',
    heldWhere: ({ subjects }: Held) => `t.user_id IN ${subjects}
      OR t.buddy_id IN (SELECT buddy_id FROM buddy_contacts WHERE subject_id IN ${subjects})`,
  };
  return deleteOld(db, old, rows);
}

const BUDDIES = { table: 'buddy_contacts', key: 'buddy_id', toldAs: 'buddy.removed' } as const;

/** Buddies who have never answered, a while after their last link ran out; who was never asked, since they were named. */
export function forgetUnverifiedBuddies(tx: Db, rows: OldRows): Promise<OldPage> {
  const where = 'NOT t.verified AND t.removed_at IS NULL AND t.declined_at IS NULL AND t.opted_out_at IS NULL';
  return forgetPeople(tx, { ...BUDDIES, time: 'coalesce(t.verification_token_expires_at, t.created_at)', where }, rows);
}

/** Buddies who have declined, withdrawn or were removed; that they do not want to be asked again stays. */
export function forgetEndedBuddies(tx: Db, rows: OldRows): Promise<OldPage> {
  const time = 'greatest(t.declined_at, t.opted_out_at, t.removed_at)';
  return forgetPeople(tx, { ...BUDDIES, time, where: `${time} IS NOT NULL` }, rows);
}
