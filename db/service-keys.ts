/** The organisation's own keys: made on the first start, loaded on every start, opened only by the key ring. */
import { z } from 'zod';
import type { KeyRing } from '../vault/key-ring';
import {
  createServiceKeys,
  SERVICE_KEY_PURPOSES,
  type ServiceKeyPurpose,
  type ServiceKeys,
} from '../vault/service-keys';
import { type Db, execute, many } from './query';

const keyRow = z.object({
  purpose: z.enum(SERVICE_KEY_PURPOSES),
  version: z.int(),
  ring: z.enum(['local', 'kms']),
  root_key_id: z.string(),
  wrapped: z.instanceof(Buffer),
});

/** Held by the worker only: to others the database does not even show that these keys are there. */
export const AUDIT_PURPOSES: readonly ServiceKeyPurpose[] = ['audit-chain', 'audit-checkpoint'];
const ORDINARY_PURPOSES = SERVICE_KEY_PURPOSES.filter((purpose) => !AUDIT_PURPOSES.includes(purpose));

/**
 * Makes the keys that are missing and opens all live versions. Several processes may start at once: the first
 * insert wins, and everybody opens the winner's key.
 * @throws {KeyRingError} when a key was wrapped by another ring or root key
 */
export async function ensureServiceKeys(
  db: Db,
  ring: KeyRing,
  purposes: readonly ServiceKeyPurpose[] = ORDINARY_PURPOSES,
): Promise<ServiceKeys> {
  const present = new Set((await liveKeys(db, purposes)).map(({ purpose }) => purpose));
  for (const purpose of purposes.filter((wanted) => !present.has(wanted))) await makeFirstVersion(db, ring, purpose);
  return openServiceKeys(db, ring, purposes);
}

/**
 * Opens all live versions and makes none: for commands that only look. A key that one of them made, with whatever ring
 * its environment names, would be the service's for ever.
 * @throws {KeyRingError} when a key was wrapped by another ring or root key
 */
export async function openServiceKeys(
  db: Db,
  ring: KeyRing,
  purposes: readonly ServiceKeyPurpose[] = ORDINARY_PURPOSES,
): Promise<ServiceKeys> {
  const rows = await liveKeys(db, purposes);
  const opened = rows.map(async ({ purpose, version, ring: name, root_key_id: rootKeyId, wrapped }) => ({
    purpose,
    version,
    key: await ring.unwrap({ ring: name, rootKeyId, bytes: wrapped }, context(purpose, version)),
  }));
  return createServiceKeys(await Promise.all(opened));
}

async function makeFirstVersion(db: Db, ring: KeyRing, purpose: ServiceKeyPurpose): Promise<void> {
  const { plaintext, wrapped } = await ring.generate(context(purpose, 1));
  plaintext.fill(0);
  await execute(
    db,
    `INSERT INTO service_keys (purpose, version, ring, root_key_id, wrapped, state)
     VALUES ($1, 1, $2, $3, $4, 'current') ON CONFLICT DO NOTHING`,
    [purpose, wrapped.ring, wrapped.rootKeyId, wrapped.bytes],
  );
}

function liveKeys(db: Db, purposes: readonly ServiceKeyPurpose[]): Promise<z.output<typeof keyRow>[]> {
  return many(
    db,
    keyRow,
    `SELECT purpose, version, ring, root_key_id, wrapped FROM service_keys
      WHERE purpose = ANY($1) AND state IN ('current', 'previous') ORDER BY purpose, version`,
    [purposes],
  );
}

function context(purpose: ServiceKeyPurpose, version: number): { subject: string; purpose: 'service-key' } {
  return { subject: `${purpose}:${version}`, purpose: 'service-key' };
}
