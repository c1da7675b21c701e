import { continueAuditNumbers } from '../../../db/audit-numbers';
import { verifyAuditTrail } from '../../../db/audit-verifier';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { appendTogether, auditKeys, chainAll, MemoryStore, seal } from './audit-world';

// Keeps the server up between the tests.
let first: TestDatabase;
beforeAll(async () => {
  first = await createTestDatabase({ alone: true });
});
afterAll(() => first.drop());

describe('a trail that was brought back from a logical dump', () => {
  let database: TestDatabase;
  let store: MemoryStore;
  const keys = auditKeys();
  const verify = () => verifyAuditTrail({ db: database.worker, keys, store });
  const places = async () =>
    (await database.worker.query('SELECT entry_id FROM audit_chain ORDER BY position')).rows.map((row) => row.entry_id);

  const COUNTED_BEFORE = '9000000000';
  beforeEach(async () => {
    database = await createTestDatabase({ alone: true });
    store = new MemoryStore();
    // As the server before had it: far more transactions than this one has counted.
    await count(`($1::text::numeric + ${COUNTED_BEFORE})::text::xid8`);
    await appendTogether(database.app, 3);
    await seal(database.worker, keys, store);
    await appendTogether(database.app, 1);
    await count('$1');
  });
  afterEach(() => database.drop());

  const count = (as: string) =>
    database.owner.query(
      `CREATE OR REPLACE FUNCTION audit_number(xid8) RETURNS xid8 LANGUAGE sql IMMUTABLE AS 'SELECT ${as}'`,
    );

  it('stands still, and its new entries show, until it is told to go on; then every entry gets its place', async () => {
    const [old] = (await database.owner.query('SELECT entry_id FROM audit_entries ORDER BY txid DESC LIMIT 1')).rows;
    const added = await appendTogether(database.app, 2);
    await expect(chainAll(database.worker, keys)).rejects.toMatchObject({ code: 'lower-transactions' });
    await expect(verify()).resolves.toMatchObject({ fault: { kind: 'inserted' } });

    await expect(continueAuditNumbers(database.owner)).resolves.toBe(2);
    const later = await appendTogether(database.app, 1);
    await seal(database.worker, keys, store);
    await expect(verify()).resolves.toMatchObject({ isWhole: true, chained: 8, horizon: { position: 8 } });
    const inOrder = await places();
    expect(inOrder[3]).toBe(old.entry_id);
    expect(inOrder.slice(4, 7)).toEqual(expect.arrayContaining(added));
    expect(inOrder[7]).toBe(later[0]);
    const { rows } = await database.app.query(`SELECT * FROM audit_entries WHERE action = 'audit-trail.continued'`);
    expect(rows).toHaveLength(1);
  });

  it('goes on once more when that happens again, and is left alone when it did not', async () => {
    await expect(continueAuditNumbers(database.owner)).resolves.toBe(0);
    await expect(continueAuditNumbers(database.owner)).resolves.toBeNull();
    await seal(database.worker, keys, store);
    await count('$1');
    await expect(chainAll(database.worker, keys)).rejects.toMatchObject({ code: 'lower-transactions' });
    await expect(continueAuditNumbers(database.owner)).resolves.toBe(0);
    await appendTogether(database.app, 1);
    await seal(database.worker, keys, store);
    await expect(verify()).resolves.toMatchObject({ isWhole: true, chained: 7 });
  });

  it('is for the owner alone, and its triggers are in force again', async () => {
    await expect(continueAuditNumbers(database.worker)).rejects.toMatchObject({ code: '42501' });
    await continueAuditNumbers(database.owner);
    await expect(database.owner.query(`UPDATE audit_entries SET actor = 'x'`)).rejects.toMatchObject({ code: '42501' });
  });
});
