import type { ClientBase, Pool } from 'pg';
import { allowedAuditKeys } from '../domain/audit-actions';

/** What entries of one action say, and how many there are. */
export interface SaidByEntries {
  readonly action: string;
  readonly keys: readonly string[];
}

/** The keys with something in them, of every kind of entry that a database holds. */
export async function saidByEntries(pool: Pool | ClientBase): Promise<SaidByEntries[]> {
  const { rows } = await (pool as ClientBase).query<SaidByEntries>(
    `SELECT DISTINCT action, ARRAY(
              SELECT key FROM json_each_text(convert_from(canonical, 'UTF8')::json) WHERE value IS NOT NULL ORDER BY key
            ) AS keys FROM audit_entries`,
  );
  return rows;
}

/** Sentences about entries that say what is not on the list; none when all are as they should be. */
export function beyondTheList(said: readonly SaidByEntries[]): string[] {
  return said.flatMap(({ action, keys }) => {
    const allowed = allowedAuditKeys(action);
    if (allowed === null) return [`${action} is no action`];
    return keys.filter((key) => !allowed.has(key)).map((key) => `${action} says ${key}`);
  });
}
