import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { appendAudit } from '../../../db/audit';
import { chainBatch, lateEntries } from '../../../db/audit-chain';
import { databaseIdentity, writeNextCheckpoint } from '../../../db/audit-checkpoints';
import { verifyAuditTrail } from '../../../db/audit-verifier';
import { AUDIT_PURPOSES, ensureServiceKeys } from '../../../db/service-keys';
import { type CheckpointStore, parseCheckpoint } from '../../../domain/audit-checkpoint';
import { createServiceKeys } from '../../../vault/service-keys';
import { SeededRandom } from '../../chaos/seeded-random';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { localRing } from '../db/people';
import { appendTogether, auditKeys, chainAll, MemoryStore, seal, someEntry } from './audit-world';

let database: TestDatabase;
let store: MemoryStore;
const keys = auditKeys();

// Keeps the server up between the tests.
let first: TestDatabase;
beforeAll(async () => {
  first = await createTestDatabase({ alone: true });
});
afterAll(() => first.drop());

/** One of each test's own: places count from 1. */
async function ownDatabase(): Promise<void> {
  database = await createTestDatabase({ alone: true });
  store = new MemoryStore();
}
const dropOwn = () => database.drop();

const verify = () => verifyAuditTrail({ db: database.worker, keys, store });
const places = async () =>
  (await database.worker.query<{ entry_id: string }>('SELECT entry_id FROM audit_chain ORDER BY position')).rows.map(
    (row) => row.entry_id,
  );

describe('the role of the API', () => {
  beforeAll(() => {
    database = first;
  });

  it.each([
    'SELECT * FROM audit_chain',
    `INSERT INTO audit_chain VALUES (1, gen_random_uuid(), '1', 1, sha256('x'))`,
    'UPDATE audit_chain SET position = 7',
    'DELETE FROM audit_chain',
    'TRUNCATE audit_chain',
    'ALTER TABLE audit_chain DISABLE TRIGGER ALL',
    'ALTER TABLE service_keys DISABLE ROW LEVEL SECURITY',
    'SET ROLE kindline_worker',
    `INSERT INTO audit_entries (entry_id, at, actor, action, object_id, outcome, canonical, txid)
     VALUES (gen_random_uuid(), now(), 'system', 'mentor.changed', 'x', 'done', '', '3')`,
    `CREATE OR REPLACE FUNCTION audit_number(xid8) RETURNS xid8 LANGUAGE sql AS 'SELECT $1'`,
    `INSERT INTO service_keys (purpose, version, ring, root_key_id, wrapped, state)
     VALUES ('audit-chain', 2, 'local', 'x', '', 'current')`,
  ])('cannot: %s', async (statement) => {
    await expect(database.app.query(statement)).rejects.toMatchObject({ code: '42501' });
  });

  it('cannot add an entry that fills the memory of whoever reads it', async () => {
    const add = `INSERT INTO audit_entries (entry_id, at, actor, action, object_id, outcome, canonical)
                 VALUES (gen_random_uuid(), now(), 'system', 'mentor.changed', $1, 'done', $2)`;
    for (const [objectId, canonical] of [
      ['x', Buffer.alloc(5_000)],
      ['x'.repeat(3_000), Buffer.alloc(1)],
    ]) {
      await expect(database.app.query(add, [objectId, canonical])).rejects.toMatchObject({ code: '23514' });
    }
  });

  it('does not see that the keys of chain and checkpoints are there, nor can it change them; the worker opens them', async () => {
    const ring = await localRing();
    const made = await ensureServiceKeys(database.worker, ring, AUDIT_PURPOSES);
    await ensureServiceKeys(database.app, ring);
    const { rows } = await database.app.query('SELECT purpose FROM service_keys ORDER BY purpose');
    expect(rows.map(({ purpose }) => purpose)).toEqual(['link', 'payload-codec', 'token']);
    const change = await database.app.query(`UPDATE service_keys SET wrapped = '' WHERE purpose LIKE 'audit-%'`);
    expect(change.rowCount).toBe(0);
    await expect(
      database.app.query(`UPDATE service_keys SET purpose = 'audit-chain', version = 2, state = 'previous'`),
    ).rejects.toMatchObject({ code: '42501' });
    await expect(ensureServiceKeys(database.app, ring, AUDIT_PURPOSES)).rejects.toMatchObject({ code: '42501' });
    const again = await ensureServiceKeys(database.worker, ring, AUDIT_PURPOSES);
    expect(again.current('audit-chain')).toEqual(made.current('audit-chain'));
  });
});

describe('the chain in the database', () => {
  beforeEach(ownDatabase);
  afterEach(dropOwn);

  const changes = ['UPDATE audit_chain SET position = position + 1', 'DELETE FROM audit_chain', 'TRUNCATE audit_chain'];

  it('is changed by nobody: not the worker, not the owner, not a session that calls itself a replica', async () => {
    await appendTogether(database.app, 2);
    await seal(database.worker, keys, store);
    const superuser = new Client({ connectionString: database.adminUrl });
    await superuser.connect();
    await superuser.query('SET session_replication_role = replica');
    for (const change of changes) {
      for (const role of [database.worker, database.owner, superuser]) {
        await expect(role.query(change)).rejects.toMatchObject({ code: '42501' });
      }
    }
    await superuser.end();
    await expect(verify()).resolves.toMatchObject({ isWhole: true, chained: 2 });
  });
});

describe('the one who chains', () => {
  beforeEach(ownDatabase);
  afterEach(dropOwn);

  it('passes over no entry that is committed late: later ones wait for it', async () => {
    const slow = await database.app.connect();
    await slow.query('BEGIN');
    const late = await appendAudit(slow, someEntry());
    const early = await appendAudit(database.app, someEntry());
    await expect(chainAll(database.worker, keys)).resolves.toBe(0);
    await expect(verify()).resolves.toMatchObject({ chained: 0, waiting: 1, isWhole: true });
    await slow.query('COMMIT');
    slow.release();
    await expect(chainAll(database.worker, keys)).resolves.toBe(2);
    expect(await places()).toEqual([late, early]);
  });

  it('counts the entries that have waited for more than ten minutes, and no others', async () => {
    const open = await database.app.connect();
    await open.query('BEGIN');
    await appendAudit(open, someEntry());
    await database.app.query(
      `INSERT INTO audit_entries (entry_id, at, actor, action, object_id, outcome, canonical)
       SELECT gen_random_uuid(), now() - ago, 'system', 'mentor.changed', 'x', 'done', '{}'
         FROM unnest(ARRAY['9 minutes', '11 minutes', '2 hours']::interval[]) AS ago`,
    );
    await chainAll(database.worker, keys);
    await expect(lateEntries(database.worker)).resolves.toBe(2);
    await open.query('COMMIT');
    open.release();
    await chainAll(database.worker, keys);
    await expect(lateEntries(database.worker)).resolves.toBe(0);
  });

  it('leaves out what was rolled back, and does not wait for those who only read', async () => {
    const reader = await database.app.connect();
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await reader.query('SELECT count(*) FROM audit_entries');
    const undone = await database.app.connect();
    await undone.query('BEGIN');
    await appendAudit(undone, someEntry());
    await undone.query('ROLLBACK');
    const [kept] = await appendTogether(database.app, 1);
    await chainAll(database.worker, keys);
    expect(await places()).toEqual([kept]);
    await reader.query('COMMIT');
    reader.release();
    undone.release();
  });

  it('keeps the entries of one transaction together, whatever the size of a batch', async () => {
    await appendTogether(database.app, 5);
    await appendTogether(database.app, 2);
    await expect(chainBatch(database.worker, keys.current('audit-chain'), 1)).resolves.toBe(5);
    await expect(chainBatch(database.worker, keys.current('audit-chain'), 1)).resolves.toBe(2);
    await seal(database.worker, keys, store);
    await expect(verify()).resolves.toMatchObject({ isWhole: true, chained: 7 });
  });

  it('gives every entry one place while sixteen clients add, some of them slowly, and four chain', async () => {
    const random = new SeededRandom(4);
    const pool = database.anotherPool(16);
    const added: string[] = [];
    const adding = new AbortController();
    const client = async (slow: boolean) => {
      for (let n = 0; n < 12; n += 1) {
        const tx = await pool.connect();
        await tx.query('BEGIN');
        const ids = [await appendAudit(tx, someEntry())];
        if (slow) await delay(random.between(0, 120));
        ids.push(await appendAudit(tx, someEntry()));
        const isKept = random.next() > 0.2;
        await tx.query(isKept ? 'COMMIT' : 'ROLLBACK');
        tx.release();
        if (isKept) added.push(...ids);
      }
    };
    const chainer = async () => {
      while (!adding.signal.aborted) {
        await chainBatch(database.worker, keys.current('audit-chain'), 3);
        await writeNextCheckpoint(database.worker, store, keys);
      }
    };
    const chaining = Array.from({ length: 4 }, chainer);
    await Promise.all(Array.from({ length: 16 }, (_, n) => client(n % 3 === 0)));
    adding.abort();
    await Promise.all(chaining);
    await seal(database.worker, keys, store);
    expect((await places()).toSorted()).toEqual(added.toSorted());
    await expect(verify()).resolves.toMatchObject({ isWhole: true, chained: added.length, waiting: 0 });
  });

  it('goes on under a new key, and what was chained under the old one is proved as before', async () => {
    const rotated = createServiceKeys([
      ...keys.all('audit-chain').map((key) => ({ purpose: 'audit-chain', ...key }) as const),
      ...keys.all('audit-checkpoint').map((key) => ({ purpose: 'audit-checkpoint', ...key }) as const),
      { purpose: 'audit-chain', version: 2, key: randomBytes(32) },
      { purpose: 'audit-checkpoint', version: 2, key: randomBytes(32) },
    ]);
    await appendTogether(database.app, 2);
    await seal(database.worker, keys, store);
    await appendTogether(database.app, 2);
    await seal(database.worker, rotated, store);
    const { rows } = await database.worker.query('SELECT key_version FROM audit_chain ORDER BY position');
    expect(rows.map(({ key_version: version }) => version)).toEqual([1, 1, 2, 2]);
    const trail = { db: database.worker, store };
    await expect(verifyAuditTrail({ ...trail, keys: rotated })).resolves.toMatchObject({
      isWhole: true,
      horizon: { position: 4 },
    });
    // Who has only the old keys cannot prove what came later.
    await expect(verifyAuditTrail({ ...trail, keys })).resolves.toMatchObject({ fault: { position: 3 } });
  });

  it('refuses to go on in a database that numbers its transactions lower than the chain does', async () => {
    await appendTogether(database.app, 1);
    await database.worker.query(`INSERT INTO audit_chain VALUES (1, gen_random_uuid(), '9000000000', 1, sha256('x'))`);
    await expect(chainAll(database.worker, keys)).rejects.toMatchObject({ code: 'lower-transactions' });
  });
});

describe('a checkpoint', () => {
  beforeEach(ownDatabase);
  afterEach(dropOwn);

  const sealOne = async () => {
    await appendTogether(database.app, 1);
    await seal(database.worker, keys, store);
  };

  it('that is sealed while the trail is verified is not held against a chain that was shorter then', async () => {
    await sealOne();
    const slow: CheckpointStore = {
      newest: () => store.newest(),
      add: (checkpoint) => store.add(checkpoint),
      async *all() {
        await sealOne();
        yield* store.all();
      },
    };
    await expect(verifyAuditTrail({ db: database.worker, keys, store: slow })).resolves.toMatchObject({
      isWhole: true,
      chained: 1,
      checkpoints: 1,
    });
    await expect(verify()).resolves.toMatchObject({ isWhole: true, chained: 2, checkpoints: 2 });
  });

  it('is expected of every file among them, also of one behind the newest in no folder', async () => {
    await sealOne();
    const strayed: CheckpointStore = {
      newest: () => store.newest(),
      add: (checkpoint) => store.add(checkpoint),
      async *all() {
        await sealOne();
        yield* store.all();
        yield { name: 'zzz.json', bytes: Buffer.from('{}') };
      },
    };
    await expect(verifyAuditTrail({ db: database.worker, keys, store: strayed })).resolves.toMatchObject({
      isWhole: false,
      checkpoints: 2,
      fault: { kind: 'checkpoint', checkpoint: 'zzz.json' },
    });
  });

  it('is written at every seal, also when nothing has happened, and each follows the one before', async () => {
    await appendTogether(database.app, 3);
    await seal(database.worker, keys, store);
    await seal(database.worker, keys, store);
    const [first, second] = store.list().map(({ bytes }) => parseCheckpoint(bytes));
    expect([first?.position, second?.position]).toEqual([3, 3]);
    expect(second?.head).toBe(first?.head);
    expect(second?.previous).toMatch(/^[0-9a-f]{64}$/);
    await expect(verify()).resolves.toMatchObject({ isWhole: true, checkpoints: 2, horizon: { position: 3 } });
  });

  it('is not written when the store is away, and the chain goes on', async () => {
    await appendTogether(database.app, 3);
    store.failure = new Error('the store is away');
    await expect(seal(database.worker, keys, store)).rejects.toThrow('away');
    expect(await places()).toHaveLength(3);
    store.failure = null;
    await seal(database.worker, keys, store);
    await expect(verify()).resolves.toMatchObject({ isWhole: true, horizon: { position: 3 } });
  });

  it('keeps its place among the others whatever a clock does, and says what the clock said', async () => {
    await writeNextCheckpoint(database.worker, store, keys, new Date('2030-01-02T00:00:00.000Z'));
    await writeNextCheckpoint(database.worker, store, keys, new Date('2029-12-31T00:00:00.000Z'));
    expect(store.list().map(({ name, bytes }) => [name, parseCheckpoint(bytes)?.at])).toEqual([
      ['000000000/000000000001.json', '2030-01-02T00:00:00.000Z'],
      ['000000000/000000000002.json', '2029-12-31T00:00:00.000Z'],
    ]);
    await expect(verify()).resolves.toMatchObject({ isWhole: true, checkpoints: 2 });
  });

  it('is the only one of its number, also when two workers write it on either side of midnight', async () => {
    await seal(database.worker, keys, store);
    const written = await Promise.all([
      writeNextCheckpoint(database.worker, store, keys, new Date('2030-01-01T23:59:59.999Z')),
      writeNextCheckpoint(database.worker, store, keys, new Date('2030-01-02T00:00:00.001Z')),
    ]);
    expect(written.filter((checkpoint) => checkpoint !== null)).toHaveLength(1);
    await expect(verify()).resolves.toMatchObject({ isWhole: true, checkpoints: 2 });
  });

  it('is refused over a chain that was cut behind the last one: a minute later, not at an audit', async () => {
    await appendTogether(database.app, 3);
    await seal(database.worker, keys, store);
    await database.owner.query('ALTER TABLE audit_chain DISABLE TRIGGER USER');
    await database.owner.query('DELETE FROM audit_chain WHERE position = 3');
    await expect(writeNextCheckpoint(database.worker, store, keys)).rejects.toMatchObject({ code: 'not-vouched-for' });
  });

  it('is refused beside those of another database, and beside one that we have not signed', async () => {
    await seal(database.worker, keys, store);
    const other = await createTestDatabase({ alone: true });
    await expect(writeNextCheckpoint(other.worker, store, keys)).rejects.toMatchObject({ code: 'other-database' });
    await other.drop();
    await expect(writeNextCheckpoint(database.worker, store, auditKeys())).rejects.toMatchObject({
      code: 'unreadable-checkpoint',
    });
  });
});

describe('the verifier', () => {
  beforeEach(ownDatabase);
  afterEach(dropOwn);

  it('says that it can vouch for nothing without a checkpoint', async () => {
    await appendTogether(database.app, 1);
    await chainAll(database.worker, keys);
    await expect(verify()).resolves.toMatchObject({ isWhole: false, horizon: null, fault: { kind: 'checkpoint' } });
  });

  it('names a table whose triggers were switched off', async () => {
    await database.owner.query('ALTER TABLE audit_chain DISABLE TRIGGER audit_chain_no_truncate');
    const { fault } = await verify();
    expect(fault).toMatchObject({ kind: 'guard', what: expect.stringContaining('audit_chain') });
  });

  it.each([
    [
      'a function that refuses nothing',
      `CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
    ],
    [
      'a trigger that swallows entries',
      `CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
       CREATE TRIGGER swallow BEFORE INSERT ON audit_entries FOR EACH ROW EXECUTE FUNCTION swallow()`,
    ],
    ['a rule that swallows entries', 'CREATE RULE swallow AS ON INSERT TO audit_entries DO INSTEAD NOTHING'],
  ])('names a table with %s', async (_what, statement) => {
    await database.owner.query(statement);
    expect((await verify()).fault).toMatchObject({ kind: 'guard', what: expect.stringContaining('audit_entries') });
  });

  it('names an entry of a time that no clock says, as the role of the API could add it, and goes on behind it', async () => {
    const ids: string[] = [];
    for (const at of ['infinity', '-infinity', '275761-01-01', '0044-03-15 BC']) {
      const { rows } = await database.app.query(
        `INSERT INTO audit_entries (entry_id, at, actor, action, object_id, outcome, canonical)
         VALUES (gen_random_uuid(), $1, 'system', 'mentor.changed', 'x', 'done', '{}') RETURNING entry_id`,
        [at],
      );
      ids.push(rows[0].entry_id);
    }
    await expect(verify()).resolves.toMatchObject({ faults: 4, waiting: 4, waitingSince: null });
    await seal(database.worker, keys, store);
    await expect(verify()).resolves.toMatchObject({
      faults: 4,
      chained: 4,
      horizon: { position: 4 },
      fault: { kind: 'changed', position: 1, entryId: ids[0], what: expect.stringContaining(' at ') },
    });
  });

  it('proves a trail that was moved by the checkpoints of where it was, when it is told so', async () => {
    await appendTogether(database.app, 2);
    await seal(database.worker, keys, store);
    const of = await databaseIdentity(database.worker);
    const there = await createTestDatabase({ alone: true });
    for (const table of ['audit_entries', 'audit_chain']) {
      const { rows } = await database.owner.query(`SELECT coalesce(json_agg(t), '[]') AS all FROM ${table} t`);
      await there.owner.query(`INSERT INTO ${table} SELECT * FROM json_populate_recordset(NULL::${table}, $1)`, [
        JSON.stringify(rows[0].all),
      ]);
    }
    const moved = { db: there.worker, keys, store };
    await expect(verifyAuditTrail(moved)).resolves.toMatchObject({
      horizon: null,
      fault: { kind: 'checkpoint', what: expect.stringContaining(`${of.system}/${of.database}`) },
    });
    await expect(verifyAuditTrail({ ...moved, of })).resolves.toMatchObject({
      isWhole: true,
      horizon: { position: 2 },
    });
    await there.drop();
  });

  it('reads what is written in any alphabet', async () => {
    for (const objectId of ['ü', '"quoted"', 'line\nbreak', '日本', randomUUID()]) {
      await appendAudit(database.app, someEntry({ objectId }));
    }
    await seal(database.worker, keys, store);
    await expect(verify()).resolves.toMatchObject({ isWhole: true, entries: 5 });
  });
});
