/** Writing checkpoints: what the chain has reached, signed, to a store outside the database. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  type Checkpoint,
  checkpointBytes,
  checkpointName,
  type CheckpointStore,
  parseCheckpoint,
  type SignedCheckpoint,
  type StoredCheckpoint,
} from '../domain/audit-checkpoint';
import { AuditChainError } from '../domain/audit-errors';
import { checkpointPublicKey, isSignedBy, signCheckpoint } from '../vault/checkpoint-signature';
import type { ServiceKeys } from '../vault/service-keys';
import { chainEnd, chainEndAt } from './audit-chain';
import { type Db, one } from './query';

/** Which database this is; a copy of its files says the same, another server does not. */
export interface DatabaseIdentity {
  readonly system: string;
  readonly database: string;
}

export function databaseIdentity(db: Db): Promise<DatabaseIdentity> {
  return one(
    db,
    z.object({ system: z.string(), database: z.string() }),
    'SELECT system_identifier::text AS system, current_database() AS database FROM pg_control_system()',
  );
}

/**
 * Writes the next checkpoint, also when nothing has happened: that there is one says that somebody looked. First it
 * holds the chain against the newest one, so that a chain that was cut is noticed within a minute, not at an audit.
 * @returns the checkpoint, or null when another process wrote one at the same moment
 * @throws {AuditChainError} when the newest checkpoint contradicts the database
 */
export async function writeNextCheckpoint(
  db: Db,
  store: CheckpointStore,
  keys: ServiceKeys,
  now: Date = new Date(),
): Promise<Checkpoint | null> {
  const newest = await store.newest();
  const last = newest === null ? null : trusted(newest, keys);
  const identity = await databaseIdentity(db);
  if (last !== null) await refuseContradiction(db, last, identity);
  const head = await chainEnd(db);
  const key = keys.current('audit-checkpoint');
  const checkpoint: Checkpoint = {
    version: 1,
    sequence: (last?.sequence ?? 0) + 1,
    at: now.toISOString(),
    ...identity,
    position: head.position,
    head: head.mac.toString('hex'),
    previous: newest === null ? null : checkpointHash(newest.bytes),
    keyVersion: key.version,
  };
  const bytes = checkpointBytes(signCheckpoint(checkpoint, key));
  return (await store.add({ name: checkpointName(checkpoint), bytes })) ? checkpoint : null;
}

/** SHA-256 in hexadecimal: what the next checkpoint says about this one. */
export function checkpointHash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function trusted({ name, bytes }: StoredCheckpoint, keys: ServiceKeys): SignedCheckpoint {
  const checkpoint = parseCheckpoint(bytes);
  const key = keys.all('audit-checkpoint').find(({ version }) => version === checkpoint?.keyVersion);
  const isOurs =
    checkpoint !== null &&
    key !== undefined &&
    name === checkpointName(checkpoint) &&
    isSignedBy(checkpoint, checkpointPublicKey(key));
  if (!isOurs) throw new AuditChainError('unreadable-checkpoint');
  return checkpoint;
}

async function refuseContradiction(db: Db, last: Checkpoint, identity: DatabaseIdentity): Promise<void> {
  if (last.system !== identity.system || last.database !== identity.database) {
    throw new AuditChainError('other-database');
  }
  const then = await chainEndAt(db, last.position);
  if (then?.mac.toString('hex') !== last.head) throw new AuditChainError('not-vouched-for');
}
