import { Pool } from 'pg';
import type { Config } from '../config/config';
import type { AuditTrail } from '../db/audit-verifier';
import { AUDIT_PURPOSES, openServiceKeys } from '../db/service-keys';
import { openCheckpointStore } from '../providers/open-checkpoint-store';
import { existingKeyRing } from './existing-key-ring';

/**
 * Opens what the verifier needs, and closes it again.
 *
 * @param databaseUrl of the worker's role or the owner's: others may not see the chain nor its keys
 * @throws {KeyRingError} when the keys of the chain do not open
 */
export async function withAuditTrail<T>(
  config: Config,
  databaseUrl: string,
  use: (trail: AuditTrail) => Promise<T>,
): Promise<T> {
  // No timeouts: years of entries may take minutes, and nobody waits for these connections.
  const db = new Pool({ connectionString: databaseUrl, max: 2, connectionTimeoutMillis: 5_000 });
  db.on('error', () => undefined);
  const store = openCheckpointStore(config.audit, config.keys.region);
  try {
    const keyRing = await existingKeyRing(config);
    return await use({ db, keys: await openServiceKeys(db, keyRing, AUDIT_PURPOSES), store });
  } finally {
    store.close();
    await db.end();
  }
}
