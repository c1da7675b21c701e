/** What was made under an Idempotency-Key, so that a repeated request finds it instead of making a second one. */
import { z } from 'zod';
import { type Db, execute, maybeOne } from './query';

/** How long a key is remembered. Old ones leave when new ones come: no sweep has to know of them. */
const REMEMBERED = "interval '24 hours'";

export interface Creation {
  readonly requestHash: string;
  readonly objectId: string;
}

/** What was made under this key before, or null. */
export async function findCreation(db: Db, requestId: string): Promise<Creation | null> {
  const row = await maybeOne(
    db,
    z.object({ request_hash: z.string(), object_id: z.uuid() }),
    `SELECT request_hash, object_id FROM idempotent_creations
      WHERE request_id = $1 AND created_at > clock_timestamp() - ${REMEMBERED}`,
    [requestId],
  );
  return row === null ? null : { requestHash: row.request_hash, objectId: row.object_id };
}

/**
 * Lets requests under one key follow each other, until the transaction ends: the second then finds what the first
 * has made. Run it before {@link findCreation}, in the transaction that makes the object.
 */
export async function lockCreation(tx: Db, requestId: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`idempotent-creation:${requestId}`]);
}

/** Remembers what was made. Run it in the transaction that made it, after {@link lockCreation}. */
export async function rememberCreation(tx: Db, requestId: string, made: Creation): Promise<void> {
  await execute(tx, `DELETE FROM idempotent_creations WHERE created_at <= clock_timestamp() - ${REMEMBERED}`);
  await execute(tx, 'INSERT INTO idempotent_creations (request_id, request_hash, object_id) VALUES ($1, $2, $3)', [
    requestId,
    made.requestHash,
    made.objectId,
  ]);
}
