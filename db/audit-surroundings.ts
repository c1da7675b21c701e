/** What stands beside the entries: the log of erasures, and the triggers that refuse changes. */
import { z } from 'zod';
import { type AuditFault, auditFault } from './audit-report';
import { type Db, many } from './query';

/** An erasure and its entry are written together. One without the other: a restore could bring somebody back. */
export async function uncoveredErasures(db: Db): Promise<AuditFault[]> {
  const withoutEntry = await many(
    db,
    z.object({ erasure_id: z.string() }),
    `SELECT erasure_id FROM erasures r WHERE NOT EXISTS (
       SELECT FROM audit_entries e
        WHERE e.object_id = r.subject_id::text AND e.action = 'subject.erased' AND e.actor = r.actor)
      ORDER BY erased_at LIMIT 1`,
  );
  const withoutErasure = await many(
    db,
    z.object({ entry_id: z.string() }),
    `SELECT entry_id FROM audit_entries e WHERE action = 'subject.erased' AND NOT EXISTS (
       SELECT FROM erasures r WHERE r.subject_id::text = e.object_id)
      ORDER BY txid, entry_id LIMIT 1`,
  );
  return [
    ...withoutEntry.map((row) =>
      auditFault('erasure', `Erasure ${row.erasure_id} has no entry that says the same: it was changed or added.`),
    ),
    ...withoutErasure.map((row) =>
      auditFault('erasure', 'This entry says that somebody was erased, but the log of erasures does not.', {
        entryId: row.entry_id,
      }),
    ),
  ];
}

/** What `refuse_change` does, to the letter: it could have been replaced by one that refuses nothing. */
const REFUSES = `
BEGIN
  RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
`;
/** As `pg_trigger.tgtype` has them: before each row that is updated or deleted, before each truncation. */
const KINDS = [1 + 2 + 8 + 16, 2 + 32];

/**
 * These two triggers each and no other, nor a rule, which could swallow what is added. `A`: they fire always, also for a
 * session that calls itself a replica.
 */
export async function guardFaults(db: Db): Promise<AuditFault[]> {
  const unguarded = await many(
    db,
    z.object({ name: z.string() }),
    `SELECT name FROM unnest(ARRAY['audit_entries', 'audit_chain', 'erasures']) AS name
      WHERE ARRAY[2, 2]::bigint[] <> (
              SELECT ARRAY[count(*), count(DISTINCT t.tgtype) FILTER (
                       WHERE t.tgenabled = 'A' AND t.tgqual IS NULL AND t.tgattr = '' AND t.tgtype = ANY($1::int[])
                         AND p.prosrc = $2)]
                FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
               WHERE t.tgrelid = name::regclass AND NOT t.tgisinternal)
         OR EXISTS (SELECT FROM pg_rewrite WHERE ev_class = name::regclass)`,
    [KINDS, REFUSES],
  );
  return unguarded.map(({ name }) =>
    auditFault(
      'guard',
      `The triggers that refuse changes to ${name} are not as they were made: missing, switched off, or with others beside them.`,
    ),
  );
}
