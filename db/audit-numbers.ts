/**
 * The audit trail on another server. Chaining goes by the numbers of transactions; a server that a logical dump was
 * brought back to begins to count at the bottom, so that whatever is written there would seem to be chained long ago.
 */
import type { Pool } from 'pg';
import { z } from 'zod';
import { appendAudit } from './audit';
import { chainEnd } from './audit-chain';
import { inTransaction } from './pool';
import { databaseIdentity } from './audit-checkpoints';
import { execute, one } from './query';

/** Adding entries waits while this is done; whoever has waited longer is served again first. */
const LOCK_TIMEOUT = '10s';

/**
 * Lets the audit trail go on here: from now on every number is higher than all that there are. Entries that were
 * written here before, under numbers that the chain has passed, get the number of this transaction: they are chained
 * next, as what was added late. That this was done is an entry itself, about the system that the database is in now.
 *
 * @param owner a pool of the role that owns the tables: nobody else may do this
 * @returns how many entries got a new number; null when the numbers are right, and nothing was changed
 */
export function continueAuditNumbers(owner: Pool): Promise<number | null> {
  return inTransaction(owner, async (tx) => {
    await tx.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
    await tx.query('LOCK TABLE audit_entries, audit_chain IN ACCESS EXCLUSIVE MODE');
    const { txid: reached } = await chainEnd(tx);
    const { behind, highest } = await one(
      tx,
      z.object({ behind: z.boolean(), highest: z.string().regex(/^\d{1,20}$/) }),
      `SELECT $1::xid8 >= audit_number(pg_snapshot_xmax(pg_current_snapshot())) AS behind,
              greatest($1::xid8, (SELECT max(txid) FROM audit_entries))::text AS highest`,
      [reached],
    );
    if (!behind) return null;
    await tx.query(
      `CREATE OR REPLACE FUNCTION audit_number(xid8) RETURNS xid8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
         AS 'SELECT ($1::text::numeric + ${highest})::text::xid8'`,
    );
    await tx.query('ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_append_only');
    const renumbered = await execute(
      tx,
      `UPDATE audit_entries e SET txid = audit_number(pg_current_xact_id())
        WHERE txid <= $1::xid8 AND NOT EXISTS (SELECT FROM audit_chain c WHERE c.entry_id = e.entry_id)`,
      [reached],
    );
    await tx.query('ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_append_only');
    const { system } = await databaseIdentity(tx);
    await appendAudit(tx, { actor: 'system', action: 'audit-trail.continued', objectId: system, outcome: 'done' });
    return renumbered;
  });
}
