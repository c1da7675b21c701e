/**
 * The order in which rows of people are locked, so that two transactions never wait for each other: the user, then whom
 * they have named (each by id), then that person's key, and only then rows about them. An erasure locks in this order;
 * whoever changes a row about somebody and seals, or inserts what names them, behind its lock must have asked for the
 * others before.
 */
import { type Db, execute } from './query';

/** As an erasure: nobody else names, seals for, or changes the person until the transaction ends. */
export async function lockPerson(tx: Db, subjectId: string): Promise<void> {
  await execute(tx, 'SELECT FROM subjects WHERE subject_id = $1 FOR UPDATE', [subjectId]);
  await execute(tx, 'SELECT FROM subject_keys WHERE subject_id = $1 FOR UPDATE', [subjectId]);
}

/** Tables whose rows are each about somebody whom a user has named. */
type NamingTable = 'buddy_contacts' | 'registered_contacts';

/** Which of them: condition over `n`, the naming table, with `values` as $1 and so on. */
interface Named {
  readonly table: NamingTable;
  readonly which: string;
  readonly values: readonly unknown[];
  /** Query, with the same `values`, of further users: of whom something else is changed. */
  readonly alsoUsers?: string;
}

/**
 * Keeps an erasure of the user, or of whom they have named, out until the transaction ends; others who only change rows
 * are not kept out. Before a row about them is locked.
 */
export async function keepNamed(tx: Db, named: Named): Promise<void> {
  await lockUsers(tx, named, 'KEY SHARE');
  await keepPeople(tx, named);
}

/** As {@link keepNamed}, for whoever changes several rows: whoever changes a list of one of these users is kept out too. */
export async function keepLists(tx: Db, named: Named): Promise<void> {
  await lockUsers(tx, named, 'NO KEY UPDATE');
  await keepPeople(tx, named);
}

async function lockUsers(tx: Db, named: Named, strength: 'KEY SHARE' | 'NO KEY UPDATE'): Promise<void> {
  const also = named.alsoUsers === undefined ? '' : `OR subject_id IN (${named.alsoUsers})`;
  const text = `SELECT FROM subjects WHERE subject_id IN ${those('user_id', named)} ${also}
                 ORDER BY subject_id FOR ${strength}`;
  await execute(tx, text, named.values);
}

async function keepPeople(tx: Db, named: Named): Promise<void> {
  const people = those('subject_id', named);
  const of = `WHERE subject_id IN ${people} ORDER BY subject_id`;
  await execute(tx, `SELECT FROM subjects ${of} FOR KEY SHARE`, named.values);
  await execute(tx, `SELECT FROM subject_keys ${of} FOR SHARE`, named.values);
}

function those(column: 'user_id' | 'subject_id', { table, which }: Named): string {
  return `(SELECT n.${column} FROM ${table} n WHERE ${which})`;
}
