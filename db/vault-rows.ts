/** Rows of the vault, as far as they change without a key: destroying them. */
import { z } from 'zod';
import { appendAudit } from './audit';
import { type Db, execute, many } from './query';

/** Why a record was destroyed. */
export type DestroyReason =
  | 'call-over'
  | 'message-over'
  | 'alert-over'
  | 'expired'
  | 'contact-point-deleted'
  | 'mentor-deleted'
  | 'replaced'
  | 'handed-over'
  | 'batch-cancelled'
  | 'not-startable'
  | 'unreferenced';

/**
 * Destroys one record: data key and ciphertext are overwritten in the row, the row stays as the fact that there was
 * one. Unreadable to the service at once; gone from WAL and backups when those have aged out.
 * @returns false when there was nothing left to destroy
 */
export async function destroyRecord(
  tx: Db,
  recordId: string,
  why: { readonly reason: DestroyReason; readonly actor: string },
): Promise<boolean> {
  const destroyed = await execute(
    tx,
    `UPDATE vault_records SET wrapped_data_key = NULL, ciphertext = NULL, commitment = NULL,
            destroyed_at = clock_timestamp()
      WHERE record_id = $1 AND destroyed_at IS NULL`,
    [recordId],
  );
  if (destroyed === 0) return false;
  await appendAudit(tx, {
    actor: why.actor,
    action: 'record.destroyed',
    objectId: recordId,
    purpose: why.reason,
    outcome: 'done',
  });
  return true;
}

/** Ids of records whose time is over and that no legal hold keeps, longest over first. */
export async function expiredRecords(db: Db, limit: number): Promise<string[]> {
  const rows = await many(
    db,
    z.object({ record_id: z.uuid() }),
    `SELECT record_id FROM vault_records
      WHERE destroyed_at IS NULL AND expires_at <= clock_timestamp()
        AND subject_id NOT IN (SELECT h.subject_id FROM legal_holds h WHERE h.lifted_at IS NULL)
      ORDER BY expires_at LIMIT $1`,
    [limit],
  );
  return rows.map(({ record_id: recordId }) => recordId);
}
