/**
 * The one who chains: gives each audit entry its place. Takes only entries of transactions that can no longer be
 * joined by an earlier one, so that an entry that is committed late is never passed over.
 */
import { createSecretKey } from 'node:crypto';
import type { Pool } from 'pg';
import { z } from 'zod';
import { AuditChainError } from '../domain/audit-errors';
import { CHAIN_START, chainMac } from '../vault/chain-mac';
import type { ServiceKey } from '../vault/service-keys';
import { inTransaction } from './pool';
import { type Db, execute, many, maybeOne, one } from './query';

/** Any number: held by the one transaction that is chaining. */
const CHAIN_LOCK = 4_720_046;
/** Entries of one transaction; with more, a statement could outlast its timeout on a slow disk. */
const BATCH = 2_000;

const headRow = z.object({ position: z.coerce.number(), mac: z.instanceof(Buffer), txid: z.string() });

/** The last place of the chain. */
export interface ChainHead {
  readonly position: number;
  /** `CHAIN_START` when there is none yet. */
  readonly mac: Buffer;
  readonly txid: string;
}

/** Where the chain ends now. */
export async function chainEnd(db: Db): Promise<ChainHead> {
  const last = await maybeOne(db, headRow, `${SELECT_HEAD} ORDER BY position DESC LIMIT 1`);
  return last ?? START;
}

/** The chain's end when this place was its last; null when it has no such place. */
export async function chainEndAt(db: Db, position: number): Promise<ChainHead | null> {
  return position === 0 ? START : maybeOne(db, headRow, `${SELECT_HEAD} WHERE position = $1`, [position]);
}

const START: ChainHead = { position: 0, mac: CHAIN_START, txid: '0' };
const SELECT_HEAD = 'SELECT position, mac, txid::text FROM audit_chain';

/**
 * Chains one batch of what is ready. May be called by many at once: all but one return at once.
 * @returns how many entries got their place; less than a batch, and 0 too, means that nothing more was ready
 * @throws {AuditChainError} when entries can never be chained: this database's transactions are numbered lower
 */
export function chainBatch(pool: Pool, key: ServiceKey, batch: number = BATCH): Promise<number> {
  return inTransaction(pool, (tx) => chainWithin(tx, key, batch));
}

/** `chainBatch` in a transaction that is there already. */
export async function chainWithin(tx: Db, key: ServiceKey, batch: number = BATCH): Promise<number> {
  const lock = await one(tx, z.object({ taken: z.boolean() }), 'SELECT pg_try_advisory_xact_lock($1) AS taken', [
    CHAIN_LOCK,
  ]);
  if (!lock.taken) return 0;
  const head = await chainEnd(tx);
  await refuseLowerTransactions(tx, head);
  const ready = await readyEntries(tx, head.txid, batch);
  await addLinks(tx, head, key, ready);
  return ready.length;
}

/**
 * How many entries have waited for their place for more than ten minutes. Some transaction on the server is open for as
 * long, in this database or another: whatever happens to these entries meanwhile, the chain does not know of.
 */
export async function lateEntries(db: Db): Promise<number> {
  const { txid } = await chainEnd(db);
  const { late } = await one(
    db,
    z.object({ late: z.int() }),
    `SELECT count(*)::int AS late FROM audit_entries
      WHERE txid > $1::xid8 AND at < clock_timestamp() - interval '10 minutes'`,
    [txid],
  );
  return late;
}

const readyRow = z.object({ entry_id: z.string(), txid: z.string(), canonical: z.instanceof(Buffer) });

/**
 * `pg_snapshot_xmin`: every transaction below it has ended, so none can add an entry any more. A transaction's
 * entries are taken together: after the last place, nothing of the same transaction is ever to come.
 */
function readyEntries(tx: Db, after: string, batch: number): Promise<z.output<typeof readyRow>[]> {
  return many(
    tx,
    readyRow,
    `WITH ready AS (
       SELECT txid FROM audit_entries
        WHERE txid > $1::xid8 AND txid < audit_number(pg_snapshot_xmin(pg_current_snapshot()))
        ORDER BY txid LIMIT $2)
     SELECT entry_id, txid::text, canonical FROM audit_entries
      WHERE txid > $1::xid8 AND txid <= (SELECT max(txid) FROM ready)
      ORDER BY audit_entries.txid, entry_id`,
    [after, batch],
  );
}

async function addLinks(
  tx: Db,
  head: ChainHead,
  { key, version }: ServiceKey,
  ready: readonly z.output<typeof readyRow>[],
): Promise<void> {
  const secret = createSecretKey(key);
  let { position, mac } = head;
  const macs = ready.map(({ txid, canonical }) => {
    position += 1;
    mac = chainMac(secret, { position, previous: mac, keyVersion: version, txid, canonical });
    return mac;
  });
  await execute(
    tx,
    `INSERT INTO audit_chain (position, entry_id, txid, key_version, mac)
     SELECT $1 + n, entry_id, txid, $2, mac
       FROM unnest($3::uuid[], $4::xid8[], $5::bytea[]) WITH ORDINALITY AS links (entry_id, txid, mac, n)`,
    [head.position, version, ready.map((entry) => entry.entry_id), ready.map((entry) => entry.txid), macs],
  );
}

/**
 * A database that was brought back from a logical dump counts its transactions from the beginning again: its new
 * entries would all seem to be long chained. Better no chain than one that leaves them out; `continueAuditNumbers`
 * (`audit-numbers.ts`) lets it go on.
 */
async function refuseLowerTransactions(tx: Db, head: ChainHead): Promise<void> {
  const { behind } = await one(
    tx,
    z.object({ behind: z.boolean() }),
    'SELECT $1::xid8 >= audit_number(pg_snapshot_xmax(pg_current_snapshot())) AS behind',
    [head.txid],
  );
  if (behind) throw new AuditChainError('lower-transactions');
}
