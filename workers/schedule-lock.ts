import type { Pool } from 'pg';
import { inTransaction } from '../db/pool';

/** Any number: held by the one process that is writing the schedules. */
const SCHEDULE_LOCK = 4_720_047;
/** For all workers of a deployment that start together, one after the other. */
const WAIT = '60s';

/**
 * Runs `write` in one process of a deployment at a time. An update of a schedule reads it, changes it and writes it, and
 * Temporal has no token by which two such updates could see each other.
 *
 * The lock is a transaction's, so that it ends with its connection, and works behind a pooler.
 * @throws {Error} when the lock is not free within a minute: somebody hangs, and the next start tries again
 */
export function oneAtATime(pool: Pool, write: () => Promise<void>): Promise<void> {
  return inTransaction(pool, async (tx) => {
    for (const limit of ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']) {
      await tx.query(`SET LOCAL ${limit} = '${WAIT}'`);
    }
    await tx.query('SELECT pg_advisory_xact_lock($1)', [SCHEDULE_LOCK]);
    await write();
  });
}
