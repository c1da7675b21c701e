import { z } from 'zod';
import { inTransaction } from '../../../db/pool';
import { one } from '../../../db/query';
import { createTestDatabase, type TestDatabase } from '../../postgres';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
}, 120_000);
afterAll(() => database.drop());

test('a statement is parsed once by a connection, however often it runs and with whatever values', async () => {
  const text = 'SELECT $1::int + 1 AS next';
  const prepared = await inTransaction(database.app, async (tx) => {
    for (const value of [1, 2, 3]) {
      await expect(one(tx, z.object({ next: z.int() }), text, [value])).resolves.toEqual({ next: value + 1 });
    }
    return tx.query('SELECT name FROM pg_prepared_statements WHERE statement = $1', [text]);
  });
  expect(prepared.rows).toHaveLength(1);
});
