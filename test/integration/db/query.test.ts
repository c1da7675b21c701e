import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { findCall, listCalls } from '../../../db/calls';
import { listMentors } from '../../../db/mentors';
import { openLegs } from '../../../db/open-legs';
import { inTransaction } from '../../../db/pool';
import { execute, one } from '../../../db/query';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { liveCall, mentorWith } from './people';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
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

describe('a migration while processes run', () => {
  test('may add columns: what a connection has parsed before goes on', async () => {
    // One connection, so that the second round runs what the first has parsed.
    const pool = database.anotherPool(1);
    const { callId } = await liveCall(pool);
    await mentorWith(pool);
    const everything = async () => [
      await findCall(pool, callId),
      (await listCalls(pool, { cursor: null, limit: 10 })).rows,
      (await listMentors(pool, 10)).rows,
      await openLegs(pool, 0, 10),
    ];
    const before = await everything();
    const { rows: tables } = await database.owner.query(
      `SELECT c.oid::regclass::text AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'`,
    );
    expect(tables.length).toBeGreaterThan(10);
    for (const { name } of tables)
      await database.owner.query(`ALTER TABLE ${name} ADD COLUMN added_later int DEFAULT 1`);
    expect(await everything()).toEqual(before);
    const { rows: parsed } = await pool.query('SELECT count(*)::int AS statements FROM pg_prepared_statements');
    expect(parsed[0].statements).toBeGreaterThan(3);
  });

  test('that changes the type of a column is noticed: the statement is parsed anew from then on', async () => {
    const pool = database.anotherPool(1);
    await database.owner.query('CREATE TABLE changing (n int); GRANT SELECT ON changing TO kindline_application');
    await database.owner.query('INSERT INTO changing VALUES (7)');
    const row = z.object({ n: z.coerce.number() });
    const ask = (text: string) => one(pool, row, text);
    const askInTransaction = (text: string) => inTransaction(pool, (tx) => one(tx, row, text));
    const [alone, together] = ['SELECT n FROM changing', 'SELECT n FROM changing WHERE n = 7'];
    for (let i = 0; i < 2; i += 1)
      expect([await ask(alone), await askInTransaction(together)]).toEqual([{ n: 7 }, { n: 7 }]);
    await database.owner.query('ALTER TABLE changing ALTER COLUMN n TYPE bigint');
    await expect(askInTransaction(together)).rejects.toMatchObject({ code: '0A000' });
    expect(await ask(alone)).toEqual({ n: 7 });
    for (let i = 0; i < 2; i += 1)
      expect([await ask(alone), await askInTransaction(together)]).toEqual([{ n: 7 }, { n: 7 }]);
  });

  test('finds no statement that takes whatever columns there are', () => {
    const dir = join(__dirname, '../../../db');
    const sources = readdirSync(dir).filter((file) => file.endsWith('.ts'));
    expect(sources.length).toBeGreaterThan(20);
    const taking = sources.filter((file) =>
      /\b(SELECT|RETURNING)\s+(DISTINCT\s+)?\*|\b\w+\.\*/.test(readFileSync(join(dir, file), 'utf8')),
    );
    expect(taking).toEqual([]);
  });
});

test('statements made of values do not fill the memory: from some number on they are parsed each time', async () => {
  await inTransaction(database.app, async (tx) => {
    for (let n = 0; n < 600; n += 1) await execute(tx, `SELECT ${n}`);
    const { rows } = await tx.query('SELECT count(*)::int AS statements FROM pg_prepared_statements');
    expect(rows[0].statements).toBeLessThanOrEqual(500);
  });
});
