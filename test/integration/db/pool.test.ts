import type { Pool } from 'pg';
import { createPool, inTransaction } from '../../../db/pool';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { eventually } from './people';

describe('the pool', () => {
  let database: TestDatabase;
  let pool: Pool;
  let warnings = 0;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = createPool({ url: database.appUrl, poolSize: 2 }, { warn: () => (warnings += 1) });
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  const subjects = async () => (await pool.query('SELECT count(*)::int AS n FROM subjects')).rows[0].n;

  test('lets no statement, lock or idle transaction wait for ever', async () => {
    for (const setting of ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']) {
      const { rows } = await pool.query(`SELECT setting::int AS ms FROM pg_settings WHERE name = $1`, [setting]);
      expect(rows[0].ms).toBeGreaterThan(0);
    }
  });

  test('commits what returns and takes back what throws', async () => {
    const before = await subjects();
    await inTransaction(pool, (tx) => tx.query('INSERT INTO subjects DEFAULT VALUES'));
    const failing = inTransaction(pool, async (tx) => {
      await tx.query('INSERT INTO subjects DEFAULT VALUES');
      throw new Error('on the way');
    });
    await expect(failing).rejects.toThrow('on the way');
    expect(await subjects()).toBe(before + 1);
  });

  test('throws away a connection that broke in a transaction, and goes on', async () => {
    const dying = inTransaction(pool, async (tx) => {
      await tx.query('INSERT INTO subjects DEFAULT VALUES');
      await tx.query('SELECT pg_terminate_backend(pg_backend_pid())');
    });
    const before = await subjects();
    await expect(dying).rejects.toBeInstanceOf(Error);
    for (let i = 0; i < 5; i += 1) expect(await subjects()).toBe(before);
  });

  test('outlives the loss of an idle connection', async () => {
    const { rows } = await pool.query('SELECT pg_backend_pid() AS pid');
    await database.app.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
    await eventually(() => warnings > 0);
    expect(await subjects()).toBeGreaterThan(0);
  });
});
