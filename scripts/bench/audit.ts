/** How many audit entries are written in a second when many act at once, against the bare INSERT in a transaction. */
import { randomUUID } from 'node:crypto';
import { loadConfig } from '../../config/config';
import { appendAudit } from '../../db/audit';
import { createPool, inTransaction } from '../../db/pool';
import { measureAuditChain } from './audit-chain';
import type { BenchGround } from './ground';
import type { BenchGroup, Effort } from './group';
import { inTurns } from './rounds';
import { type BenchRow, rowOf } from './rows';

const CLIENTS = 8;
const ENTRIES_A_TURN = 800;

export const auditGroup: BenchGroup = { name: 'audit', run: { needs: 'ground', measure } };

async function measure({ rounds, isQuick }: Effort, ground: BenchGround): Promise<BenchRow[]> {
  const { url } = loadConfig(ground.env).database;
  const pool = createPool({ url, poolSize: CLIENTS }, { warn: () => undefined });
  const entries = isQuick ? 40 : ENTRIES_A_TURN;
  const ours = () =>
    perSecond(entries, () => {
      const entry = { actor: 'system', action: 'record.revealed', objectId: randomUUID(), purpose: 'dial' } as const;
      return inTransaction(pool, (tx) => appendAudit(tx, { ...entry, outcome: 'done' }));
    });
  const baseline = () =>
    perSecond(entries, () =>
      inTransaction(pool, (tx) => {
        const values = [randomUUID(), new Date(), 'system', 'record.revealed', randomUUID(), 'dial', 'done', CANONICAL];
        return tx.query({ name: 'entry', text: BARE_INSERT, values });
      }),
    );
  try {
    await Promise.all([ours(), baseline()]);
    const figures = await inTurns(rounds, { ours, baseline });
    return [
      rowOf({ name: `audit entries appended, ${CLIENTS} clients`, unit: 'per second', ...figures }),
      ...(await measureAuditChain(ground, rounds, ours)),
    ];
  } finally {
    await pool.end();
  }
}

const BARE_INSERT = 'INSERT INTO baseline.entries VALUES ($1, $2, $3, $4, $5, $6, $7, $8)';
/** As long as the canonical form of an entry. */
const CANONICAL = Buffer.alloc(220, 'x');

/** So many deeds by `CLIENTS` at a time, each with its next as soon as the last is committed. */
async function perSecond(count: number, act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  let left = count;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await act();
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return (count / (performance.now() - began)) * 1_000;
}
