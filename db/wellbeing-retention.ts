/** How long scores, the alerts they began, and registered contacts stay. */
import { forgetPeople } from './forgotten-people';
import type { Held } from './legal-holds';
import { deleteOld, type OldPage, type OldRows } from './old-rows';
import type { Db } from './query';

const heldUsers = ({ subjects }: Held) => `t.user_id IN ${subjects}`;

/** Scores that are too old to be judged. */
export function deleteOldScores(db: Db, rows: OldRows): Promise<OldPage> {
  const old = { table: 'wellbeing_scores', key: 'event_id', time: 't.measured_at', heldWhere: heldUsers };
  return deleteOld(db, old, rows);
}

/** Alerts that are long over, with their steps; one that still keeps another one from beginning stays. */
export function deleteOldWellbeingAlerts(db: Db, rows: OldRows): Promise<OldPage> {
  const old = {
    table: 'wellbeing_alerts',
    key: 'alert_id',
    time: 't.ended_at',
    where: 't.ended_at IS NOT NULL AND upper(t.cooldown) < now()',
    heldWhere: heldUsers,
  };
  return deleteOld(db, old, rows);
}

const CONTACTS = { table: 'registered_contacts', key: 'contact_id', toldAs: 'registered-contact.removed' } as const;

/** Contacts who have said nothing since they were told; while an alert of the user runs, it may be asking them. */
export function forgetSilentContacts(tx: Db, rows: OldRows): Promise<OldPage> {
  const where = `t.agreed_at IS NULL AND t.refused_at IS NULL AND t.removed_at IS NULL
    AND NOT EXISTS (SELECT FROM wellbeing_alerts a WHERE a.user_id = t.user_id AND a.ended_at IS NULL)`;
  return forgetPeople(tx, { ...CONTACTS, time: 'coalesce(t.told_at, t.named_at)', where }, rows);
}

/** Contacts who have refused or were removed; that they do not want to be asked again stays. */
export function forgetEndedContacts(tx: Db, rows: OldRows): Promise<OldPage> {
  const time = 'greatest(t.refused_at, t.removed_at)';
  return forgetPeople(tx, { ...CONTACTS, time, where: `${time} IS NOT NULL` }, rows);
}
