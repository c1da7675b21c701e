/** Rows that are each a person whom a user has named: at the end of their time they go with the person. */
import { z } from 'zod';
import type { AppEventType } from '../domain/app-events';
import { noteAppEvent } from './app-events';
import { eraseUnlessHeld } from './erasure';
import type { Held } from './legal-holds';
import { LONG_AGO, type OldOnes, type OldPage, type OldRows, pageOf, takePage } from './old-rows';
import { lockPerson } from './person-locks';
import { type Db, execute, many, maybeOne } from './query';

/** Of a table with `user_id` and `subject_id`. */
export interface OldPeople extends Omit<OldOnes, 'heldWhere'> {
  /** What the user's app is told. */
  readonly toldAs: AppEventType;
}

/** A hold on the user keeps whom they have named. */
export function heldPeople({ subjects }: Held): string {
  return `t.subject_id IN ${subjects} OR t.user_id IN ${subjects}`;
}

const personRow = z.object({ id: z.uuid(), user_id: z.uuid(), subject_id: z.uuid() });
type Person = z.output<typeof personRow>;

/** A page of them: each row with all that hangs on it, and the person. Run it in a transaction. */
export async function forgetPeople(tx: Db, people: OldPeople, rows: OldRows): Promise<OldPage> {
  const { table, key } = people;
  const statement = pageOf({ ...people, heldWhere: heldPeople }, rows);
  const page = await takePage(tx, statement, '', { ...rows, isDryRun: true });
  if (rows.isDryRun || page.taken === 0) return page;
  const left = await many(
    tx,
    personRow,
    `SELECT t.${key} AS id, t.user_id, t.subject_id FROM (${statement}) p JOIN ${table} t ON t.${key} = p.key
      WHERE NOT p.is_held ORDER BY t.subject_id`,
    [rows.olderThanMs, rows.limit, rows.after?.at ?? null, rows.after?.id ?? null],
  );
  let taken = 0;
  for (const person of left) if (await forgetPerson(tx, person, people, rows)) taken += 1;
  return { ...page, taken };
}

/** Looked at once more behind the locks: meanwhile they may have been asked again, have answered, or be held. */
async function forgetPerson(tx: Db, person: Person, people: OldPeople, { olderThanMs }: OldRows): Promise<boolean> {
  const { id, user_id: userId, subject_id: subjectId } = person;
  const { table, key, where = 'true', time, toldAs } = people;
  await lockPerson(tx, subjectId);
  const still = await maybeOne(
    tx,
    personRow,
    `SELECT t.${key} AS id, t.user_id, t.subject_id FROM ${table} t
      WHERE t.${key} = $2 AND ${where} AND ${time} < ${LONG_AGO} FOR UPDATE`,
    [olderThanMs, id],
  );
  if (still === null || (await eraseUnlessHeld(tx, subjectId, 'system')) === 'held') return false;
  await execute(tx, `DELETE FROM ${table} WHERE ${key} = $1`, [id]);
  await noteAppEvent(tx, { subjectId: userId, type: toldAs, objectId: id, state: 'removed' });
  return true;
}
