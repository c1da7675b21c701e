/**
 * The vault: the only door through which personal data enters the database, and the only one through which it
 * leaves. What is revealed has an audit entry that was committed before; whether a person may be read at all is
 * decided by the database each time, never by a cached key.
 */
import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { RevealPurpose } from '../domain/audit-actions';
import { RecordDestroyed, SubjectErased, SubjectHeld } from '../domain/errors';
import { SEALED_KINDS, type SealedKind, type SealedValue } from '../domain/sealed';
import { openRecord, type SealedRecord, sealRecord } from '../vault/envelope';
import type { KeyRing, WrappedKey } from '../vault/key-ring';
import type { Logger } from '../vault/logger';
import type { SubjectKeyCache } from '../vault/subject-key-cache';
import { appendAudit } from './audit';
import { eraseSubjectRows, type KeptOfErased } from './erasure';
import { listenForErasures } from './erasure-broadcast';
import { inTransaction } from './pool';
import { type Db, execute, maybeOne } from './query';
import { ensureSubjectKey, subjectKeyContext, wrappedKey } from './subject-keys';
import { type DestroyReason, destroyRecord, expiredRecords } from './vault-rows';

export interface SealInput {
  /** The person it is about; their key seals it. */
  readonly subjectId: string;
  readonly kind: SealedKind;
  readonly value: SealedValue;
  /** When the record is to be destroyed at the latest. A number given for one call: 24 hours from now. */
  readonly expiresAt?: Date;
}

export interface RevealInput {
  readonly recordId: string;
  readonly purpose: RevealPurpose;
  /** Subject id of who asks, or `system`. */
  readonly actor: string;
}

export interface Vault {
  /**
   * Encrypts and stores. With a transaction the record exists when that commits.
   * @returns the record's id
   * @throws {SubjectErased}
   */
  seal(input: SealInput, tx?: Db): Promise<string>;
  /**
   * Decrypts one record. A refusal leaves an audit entry too; if no entry can be written, nothing is revealed.
   * @throws {RecordDestroyed} also when its time is over or there never was one
   * @throws {SubjectErased}
   */
  reveal(input: RevealInput): Promise<SealedValue>;
  /** @returns false when it was destroyed before */
  destroy(recordId: string, reason: DestroyReason, actor?: string): Promise<boolean>;
  /** Destroys records whose time is over. @returns how many */
  destroyExpired(limit: number): Promise<number>;
  /** Erases a person in one transaction and tells all processes. @returns false when erased before */
  eraseSubject(subjectId: string, actor: string, keeps?: KeptOfErased): Promise<boolean>;
  /** Whether erasures elsewhere are heard; keys are kept in memory only while they are. */
  listening(): boolean;
  /** Zeroes all keys and ends the connection that listens. */
  close(): Promise<void>;
}

export interface VaultParts {
  readonly pool: Pool;
  readonly keyRing: KeyRing;
  readonly cache: SubjectKeyCache;
  readonly logger: Pick<Logger, 'warn'>;
  /** Where to listen for erasures; the pool's own address unless told. */
  readonly databaseUrl?: string;
}

const recordRow = z.object({
  record_id: z.uuid(),
  subject_id: z.uuid(),
  kind: z.enum(SEALED_KINDS),
  format: z.int(),
  key_version: z.int(),
  wrapped_data_key: z.instanceof(Buffer).nullable(),
  ciphertext: z.instanceof(Buffer).nullable(),
  commitment: z.instanceof(Buffer).nullable(),
  is_over: z.boolean(),
  key_state: z.enum(['active', 'destroyed']),
  ring: z.enum(['local', 'kms']),
  root_key_id: z.string(),
  wrapped: z.instanceof(Buffer).nullable(),
});

type Readable = { readonly record: SealedRecord; readonly key: WrappedKey };

export function createVault({ pool, keyRing, cache, logger, databaseUrl }: VaultParts): Vault {
  const listener = listenForErasures({
    databaseUrl: databaseUrl ?? pool.options.connectionString ?? '',
    logger,
    onErased: (subjectId) => cache.evict(subjectId),
    onLost: () => cache.clear(),
  });

  /** `made` is the key itself where it was made a moment ago; it is zeroed here. */
  const withSubjectKey = async <T>(
    subjectId: string,
    wrapped: WrappedKey,
    use: (key: Buffer) => T,
    made: Buffer | null = null,
  ): Promise<T> => {
    const load = async (): Promise<Buffer> => made ?? (await keyRing.unwrap(wrapped, subjectKeyContext(subjectId)));
    if (listener.listening()) return await cache.withKey(subjectId, wrapped.bytes, load, use);
    const key = await load();
    try {
      return use(key);
    } finally {
      key.fill(0);
    }
  };

  return {
    async seal({ subjectId, kind, value, expiresAt }, tx) {
      const db = tx ?? pool;
      const { version, wrapped, made } = await ensureSubjectKey(db, keyRing, subjectId);
      const recordId = randomUUID();
      const sealWith = (subjectKey: Buffer): SealedRecord =>
        sealRecord({ recordId, subjectId, kind, plaintext: value, subjectKey, subjectKeyVersion: version });
      const record = await withSubjectKey(subjectId, wrapped, sealWith, made);
      await insertRecord(db, record, expiresAt ?? null);
      return recordId;
    },

    async reveal({ recordId, purpose, actor }) {
      const readable = await inTransaction(pool, async (tx) => {
        const found = await readRecord(tx, recordId);
        const outcome = found instanceof Error ? 'refused' : 'done';
        await appendAudit(tx, { actor, action: 'record.revealed', objectId: recordId, purpose, outcome });
        return found;
      });
      // From here on the entry is committed, whatever happens to this process.
      if (readable instanceof Error) throw readable;
      const { record, key } = readable;
      return await withSubjectKey(record.subjectId, key, (subjectKey) => openRecord(record, subjectKey));
    },

    destroy: (recordId, reason, actor = 'system') =>
      inTransaction(pool, (tx) => destroyRecord(tx, recordId, { reason, actor })),

    async destroyExpired(limit) {
      const over = await expiredRecords(pool, limit);
      let destroyed = 0;
      for (const recordId of over) {
        const why = { reason: 'expired', actor: 'system' } as const;
        if (await inTransaction(pool, (tx) => destroyRecord(tx, recordId, why))) destroyed += 1;
      }
      return destroyed;
    },

    async eraseSubject(subjectId, actor, keeps) {
      const erased = await inTransaction(pool, (tx) => eraseSubjectRows(tx, subjectId, actor, keeps)).catch(
        async (error: unknown) => {
          const refused = { action: 'subject.erased', objectId: subjectId, outcome: 'refused' } as const;
          if (error instanceof SubjectHeld) await appendAudit(pool, { actor, ...refused });
          throw error;
        },
      );
      cache.evict(subjectId);
      return erased;
    },

    listening: () => listener.listening(),

    async close() {
      await listener.close();
      cache.clear();
    },
  };
}

/**
 * Record and key state in one statement, the key locked until the entry is committed: an erasure that runs at the
 * same time comes wholly before or wholly after. (Locking the record too would deadlock with it.)
 */
async function readRecord(tx: Db, recordId: string): Promise<Readable | RecordDestroyed | SubjectErased> {
  const row = await maybeOne(
    tx,
    recordRow,
    `SELECT r.record_id, r.subject_id, r.kind, r.format, r.key_version, r.wrapped_data_key, r.ciphertext,
            r.commitment, coalesce(r.expires_at <= clock_timestamp(), false) AS is_over,
            k.state AS key_state, k.ring, k.root_key_id, k.wrapped
       FROM vault_records r JOIN subject_keys k ON k.subject_id = r.subject_id AND k.version = r.key_version
      WHERE r.record_id = $1 FOR SHARE OF k`,
    [recordId],
  );
  if (row === null) return new RecordDestroyed();
  if (row.key_state === 'destroyed' || row.wrapped === null) return new SubjectErased();
  const { wrapped_data_key: wrappedDataKey, ciphertext, commitment } = row;
  if (row.is_over || wrappedDataKey === null || ciphertext === null || commitment === null)
    return new RecordDestroyed();
  const identity = { recordId: row.record_id, subjectId: row.subject_id, kind: row.kind };
  return {
    record: {
      ...identity,
      format: row.format,
      keyVersion: row.key_version,
      wrappedDataKey,
      ciphertext,
      commitment,
    },
    key: wrappedKey({ ...row, wrapped: row.wrapped }),
  };
}

/**
 * Only beside an active key, locked: nothing is sealed for a person who is being erased at this moment. The person is
 * locked before, as an erasure does, and not by the foreign key after.
 */
async function insertRecord(db: Db, record: SealedRecord, expiresAt: Date | null): Promise<void> {
  const inserted = await execute(
    db,
    `WITH person AS MATERIALIZED (SELECT subject_id FROM subjects WHERE subject_id = $2 FOR KEY SHARE)
     INSERT INTO vault_records (record_id, subject_id, kind, format, key_version, wrapped_data_key, ciphertext,
                                commitment, expires_at)
     SELECT $1::uuid, k.subject_id, $3, $4::int, k.version, $6::bytea, $7::bytea, $8::bytea, $9::timestamptz
       FROM person JOIN subject_keys k USING (subject_id) WHERE k.version = $5 AND k.state = 'active' FOR SHARE OF k`,
    [
      record.recordId,
      record.subjectId,
      record.kind,
      record.format,
      record.keyVersion,
      record.wrappedDataKey,
      record.ciphertext,
      record.commitment,
      expiresAt,
    ],
  );
  if (inserted === 0) throw new SubjectErased();
}
