/** How fast the audit trail is chained, and how fast the whole of it is verified: as its worker and its command do it. */
import { loadConfig } from '../../config/config';
import { chainBatch } from '../../db/audit-chain';
import { verifyAuditTrail } from '../../db/audit-verifier';
import { createPool } from '../../db/pool';
import { AUDIT_PURPOSES, ensureServiceKeys } from '../../db/service-keys';
import { openCheckpointStore } from '../../providers/open-checkpoint-store';
import { openKeyRing } from '../../providers/open-key-ring';
import type { BenchGround } from './ground';
import { median } from './rounds';
import { type BenchRow, rowOf } from './rows';

/** @param append writes entries that are not chained yet; a turn for each round */
export async function measureAuditChain(
  ground: BenchGround,
  rounds: number,
  append: () => Promise<unknown>,
): Promise<BenchRow[]> {
  // It would chain what is to be measured.
  await ground.stopWorker();
  const config = loadConfig(ground.env);
  const url = ground.stack.services.options.database.workerUrl;
  const pool = createPool({ url, poolSize: 2 }, { warn: () => undefined });
  const store = openCheckpointStore(config.audit, config.keys.region);
  try {
    const keys = await ensureServiceKeys(pool, await openKeyRing(config.keys, config), AUDIT_PURPOSES);
    const key = keys.current('audit-chain');
    const chained: number[] = [];
    const verified: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await append();
      chained.push(await perSecond(() => chainBatch(pool, key)));
      verified.push(await perSecond(async () => (await verifyAuditTrail({ db: pool, keys, store })).entries));
    }
    return [
      rowOf({ name: 'audit entries chained', unit: 'per second', ours: median(chained) }),
      rowOf({ name: 'audit entries verified', unit: 'per second', ours: median(verified) }),
    ];
  } finally {
    store.close();
    await pool.end();
  }
}

/** @param act says how many entries it has dealt with */
async function perSecond(act: () => Promise<number>): Promise<number> {
  const began = performance.now();
  return ((await act()) / (performance.now() - began)) * 1_000;
}
