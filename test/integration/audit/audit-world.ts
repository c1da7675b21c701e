import { randomBytes, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { appendAudit, type AuditEntry } from '../../../db/audit';
import { chainBatch } from '../../../db/audit-chain';
import { writeNextCheckpoint } from '../../../db/audit-checkpoints';
import { inTransaction } from '../../../db/pool';
import type { CheckpointStore, StoredCheckpoint } from '../../../domain/audit-checkpoint';
import { createServiceKeys, type ServiceKeys } from '../../../vault/service-keys';

/** Checkpoints in memory. Its files may be changed by whoever plays the attacker. */
export class MemoryStore implements CheckpointStore {
  files = new Map<string, Buffer>();
  /** Set: every request fails, as if the store were away. */
  failure: Error | null = null;

  async newest(): Promise<StoredCheckpoint | null> {
    this.refuse();
    return this.list().at(-1) ?? null;
  }

  async add({ name, bytes }: StoredCheckpoint): Promise<boolean> {
    this.refuse();
    if (this.files.has(name)) return false;
    this.files.set(name, bytes);
    return true;
  }

  async *all(): AsyncGenerator<StoredCheckpoint> {
    this.refuse();
    yield* this.list();
  }

  list(): StoredCheckpoint[] {
    const names = [...this.files.keys()].toSorted();
    return names.map((name) => ({ name, bytes: Buffer.from(this.files.get(name) ?? []) }));
  }

  private refuse(): void {
    if (this.failure !== null) throw this.failure;
  }
}

/** Keys that nobody else has. */
export function auditKeys(): ServiceKeys {
  return createServiceKeys([
    { purpose: 'audit-chain', version: 1, key: randomBytes(32) },
    { purpose: 'audit-checkpoint', version: 1, key: randomBytes(32) },
  ]);
}

/** An ordinary entry; the object's id is new unless given. */
export function someEntry(entry: Partial<AuditEntry> = {}): AuditEntry {
  return { actor: 'system', action: 'mentor.changed', objectId: randomUUID(), outcome: 'done', ...entry };
}

/** One transaction with so many entries. @returns their ids */
export function appendTogether(app: Pool, count: number): Promise<string[]> {
  return inTransaction(app, async (tx) => {
    const ids: string[] = [];
    for (let n = 0; n < count; n += 1) ids.push(await appendAudit(tx, someEntry()));
    return ids;
  });
}

/** Chains until nothing is ready. @returns how many got their place */
export async function chainAll(worker: Pool, keys: ServiceKeys, batch?: number): Promise<number> {
  let count = 0;
  for (let chained = 1; chained > 0; count += chained) {
    chained = await chainBatch(worker, keys.current('audit-chain'), batch);
  }
  return count;
}

/** What a run of `auditSeal` does. */
export async function seal(worker: Pool, keys: ServiceKeys, store: CheckpointStore): Promise<number> {
  const count = await chainAll(worker, keys);
  await writeNextCheckpoint(worker, store, keys);
  return count;
}
