/**
 * Whatever is done to the trail by somebody without the keys is found, and the first thing that does not fit is
 * named. `KINDLINE_TEST_TAMPERS` sets how many random ones are tried, `KINDLINE_TEST_SEED` which.
 */
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { appendAudit } from '../../../db/audit';
import { verifyAuditTrail } from '../../../db/audit-verifier';
import { eraseSubjectRows } from '../../../db/erasure';
import { inTransaction } from '../../../db/pool';
import { SeededRandom } from '../../chaos/seeded-random';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { appendTogether, auditKeys, MemoryStore, seal, someEntry } from './audit-world';
import { type ChainedEntry, type Expected, type Scene, TAMPERS } from './tampers';

const ROUNDS = Number(process.env['KINDLINE_TEST_TAMPERS'] ?? '1000');
const SEED = Number(process.env['KINDLINE_TEST_SEED'] ?? Date.now() % 1_000_000);

let database: TestDatabase;
let db: Client;
let entries: ChainedEntry[];
const keys = auditKeys();
const store = new MemoryStore();

beforeAll(async () => {
  database = await createTestDatabase({ alone: true });
  const random = new SeededRandom(7);
  const subjectId = randomUUID();
  await database.owner.query('INSERT INTO subjects (subject_id) VALUES ($1)', [subjectId]);
  for (let round = 0; round < 6; round += 1) {
    for (let n = 0; n < 4; n += 1) await appendTogether(database.app, random.between(1, 4));
    if (round === 2) await inTransaction(database.app, (tx) => eraseSubjectRows(tx, subjectId, 'system'));
    await seal(database.worker, keys, store);
  }
  // Behind the horizon: chained, but no checkpoint has seen it; and one entry that still waits.
  await appendTogether(database.app, 3);
  const newest = new MemoryStore();
  await seal(database.worker, keys, newest);
  await appendAudit(database.app, someEntry());

  db = new Client({ connectionString: database.ownerUrl });
  await db.connect();
  await db.query('BEGIN');
  for (const table of ['audit_entries', 'audit_chain', 'erasures']) {
    await db.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
  }
  entries = (
    await db.query<ChainedEntry>(
      `SELECT position::int, entry_id, at, actor, action, object_id, purpose, outcome, canonical, e.txid::text
         FROM audit_chain JOIN audit_entries e USING (entry_id) ORDER BY position`,
    )
  ).rows;
});

afterAll(async () => {
  await db.query('ROLLBACK');
  await db.end();
  await database.drop();
});

/** Does one of them, verifies, and undoes it. */
async function judge(tamper: (scene: Scene) => Promise<Expected>, random: SeededRandom) {
  const vouchedFor = entries.length - 3;
  const files = new Map(store.files);
  await db.query('SAVEPOINT untouched');
  try {
    const expected = await tamper({ db, store, keys, random, entries, vouchedFor });
    const report = await verifyAuditTrail({ db, keys, store }, random.pick([3, 7, 1_000]));
    return { expected, report };
  } finally {
    await db.query('ROLLBACK TO SAVEPOINT untouched');
    store.files = files;
  }
}

/** Null when the report says what it should. */
function shortfall(expected: Expected, { fault, isWhole }: Awaited<ReturnType<typeof verifyAuditTrail>>) {
  const fits =
    fault !== null &&
    !isWhole &&
    expected.kinds.includes(fault.kind) &&
    (expected.position === undefined || expected.position === fault.position) &&
    (expected.entryIds === undefined || expected.entryIds.includes(fault.entryId)) &&
    (expected.checkpoint === undefined || expected.checkpoint === fault.checkpoint);
  return fits ? null : { expected, fault };
}

it('an untouched trail verifies, but for the triggers that were switched off for this suite', async () => {
  for (const pageSize of [1, 2, 5, 1_000]) {
    const report = await verifyAuditTrail({ db, keys, store }, pageSize);
    expect(report).toMatchObject({ chained: entries.length, entries: entries.length, waiting: 1, checkpoints: 6 });
    expect(report.horizon?.position).toBe(entries.length - 3);
    expect(report.fault).toMatchObject({ kind: 'guard' });
    expect(report.faults).toBe(3);
  }
});

it.each(Object.entries(TAMPERS))('%s: found and named', async (_, tamper) => {
  const random = new SeededRandom(SEED);
  for (let n = 0; n < 5; n += 1) {
    const { expected, report } = await judge(tamper, random);
    expect(shortfall(expected, report)).toBeNull();
  }
});

it(
  `${ROUNDS} random ones: all found, and the first entry or checkpoint that does not fit is named`,
  async () => {
    const random = new SeededRandom(SEED);
    const missed: unknown[] = [];
    for (let n = 0; n < ROUNDS; n += 1) {
      const [name, tamper] = random.pick(Object.entries(TAMPERS));
      const { expected, report } = await judge(tamper, random);
      const short = shortfall(expected, report);
      if (short !== null) missed.push({ seed: SEED, round: n, name, ...short });
    }
    expect(missed).toEqual([]);
  },
  // A tenth of a second each on a quiet machine; how long it takes is not what is tested.
  60_000 + ROUNDS * 1_000,
);

it('a cut behind the last checkpoint is what it cannot see, and its horizon says so', async () => {
  const { report } = await judge(async (scene) => {
    const gone = entries.slice(-2).map((entry) => entry.entry_id);
    await scene.db.query('DELETE FROM audit_chain WHERE entry_id = ANY($1)', [gone]);
    await scene.db.query('DELETE FROM audit_entries WHERE entry_id = ANY($1)', [gone]);
    return { kinds: [] };
  }, new SeededRandom(1));
  expect(report.fault).toMatchObject({ kind: 'guard' });
  expect(report.horizon?.position).toBe(entries.length - 3);
});
