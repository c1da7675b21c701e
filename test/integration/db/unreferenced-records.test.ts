import { inTransaction } from '../../../db/pool';
import { destroyUnreferencedRecords } from '../../../db/unreferenced-records';
import { RETENTION } from '../../../domain/retention';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { liveCall, mentorWith, personWithNumber } from './people';

const DAY = 24 * 3_600_000;

describe('sealed records that no row names', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => database.drop());

  const aged = async (ms: number) => {
    await database.owner.query(`UPDATE vault_records SET created_at = created_at - $1 * interval '1 millisecond'`, [
      ms,
    ]);
  };
  const sweep = async (more: { isDryRun?: boolean; limit?: number } = {}) => {
    const rows = { olderThanMs: RETENTION.unreferencedRecord, limit: 10, isDryRun: false, ...more };
    const { found, taken } = await inTransaction(database.app, (tx) => destroyUnreferencedRecords(tx, rows));
    return { found, taken };
  };
  const isDestroyed = async (recordId: string): Promise<boolean> => {
    const { rows } = await database.app.query(
      'SELECT ciphertext IS NULL AND wrapped_data_key IS NULL AS gone FROM vault_records WHERE record_id = $1',
      [recordId],
    );
    return rows[0].gone;
  };

  test('are destroyed after seven days, with an entry, and not a day before', async () => {
    const { recordId } = await personWithNumber(database.app);
    await aged(6 * DAY);
    expect(await sweep()).toEqual({ found: 0, taken: 0 });
    await aged(DAY + 1_000);
    expect(await sweep()).toEqual({ found: 1, taken: 1 });
    expect(await isDestroyed(recordId)).toBe(true);
    const { rows } = await database.app.query(
      'SELECT actor, action, purpose, outcome FROM audit_entries WHERE object_id = $1',
      [recordId],
    );
    expect(rows).toEqual([{ actor: 'system', action: 'record.destroyed', purpose: 'unreferenced', outcome: 'done' }]);
    expect(await sweep()).toEqual({ found: 0, taken: 0 });
  });

  test('are not those of a call, a mentor or a saved number', async () => {
    const call = await liveCall(database.app);
    const mentor = await mentorWith(database.app);
    const { userId, recordId } = await personWithNumber(database.app);
    await database.app.query(
      `INSERT INTO contact_points (subject_id, record_id, kind, token, token_version, country)
       VALUES ($1, $2, 'phone', decode(repeat('07', 32), 'hex'), 1, 'US')`,
      [userId, recordId],
    );
    await aged(30 * DAY);
    expect(await sweep()).toEqual({ found: 0, taken: 0 });
    for (const kept of [call.recordId, mentor.nameRecordId, mentor.phoneRecordId, recordId]) {
      expect(await isDestroyed(kept)).toBe(false);
    }
  });

  test('are only counted by a dry run', async () => {
    const { recordId } = await personWithNumber(database.app);
    await aged(8 * DAY);
    expect(await sweep({ isDryRun: true })).toEqual({ found: 1, taken: 1 });
    expect(await isDestroyed(recordId)).toBe(false);
  });

  test('come in batches, the oldest first', async () => {
    const [oldest] = [await personWithNumber(database.app)];
    await aged(DAY);
    const younger = await personWithNumber(database.app);
    await aged(8 * DAY);
    expect(await sweep({ limit: 1 })).toEqual({ found: 1, taken: 1 });
    expect([await isDestroyed(oldest.recordId), await isDestroyed(younger.recordId)]).toEqual([true, false]);
  });

  test('are spared when a row comes to name one at the very moment', async () => {
    const { userId, recordId } = await personWithNumber(database.app);
    await aged(8 * DAY);
    let sweeping: ReturnType<typeof sweep> | undefined;
    await inTransaction(database.app, async (tx) => {
      await tx.query(
        `INSERT INTO contact_points (subject_id, record_id, kind, token, token_version, country)
         VALUES ($1, $2, 'phone', decode(repeat('08', 32), 'hex'), 1, 'US')`,
        [userId, recordId],
      );
      sweeping = sweep();
      // It has found the record and waits for its lock.
      for (;;) {
        const { rows } = await database.owner.query(
          `SELECT count(*)::int AS waiting FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE NOT l.granted AND a.datname = current_database()`,
        );
        if (rows[0].waiting > 0) break;
      }
    });
    expect(await sweeping).toEqual({ found: 1, taken: 0 });
    expect(await isDestroyed(recordId)).toBe(false);
  });

  test('are told by foreign keys: every column that holds the id of a record has one', async () => {
    const { rows } = await database.owner.query(
      `SELECT c.table_name || '.' || c.column_name AS name FROM information_schema.columns c
        WHERE c.table_schema = 'public' AND c.column_name ~ '(^|_)record_id$' AND c.table_name <> 'vault_records'
          AND NOT EXISTS (
            SELECT FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
             WHERE k.contype = 'f' AND k.confrelid = 'vault_records'::regclass
               AND k.conrelid = format('public.%I', c.table_name)::regclass AND a.attname = c.column_name)`,
    );
    expect(rows).toEqual([]);
  });
});
