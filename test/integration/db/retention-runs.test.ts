import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createRetentionActivities, type SweptPart } from '../../../activities/retention';
import { countOver, sweepPage } from '../../../db/retention-pages';
import { endRun, progressOfRun, retentionFreshness } from '../../../db/retention-runs';
import { RETENTION, SWEPT_KINDS, type SweptKind } from '../../../domain/retention';
import type { Logger } from '../../../vault/logger';
import { oneAtATime } from '../../../workers/schedule-lock';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { eventually } from './people';
import { NOWHERE } from './sweeps';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const activities = (monotonicMs = () => performance.now()) => {
  const logger = { info: () => undefined } as unknown as Logger;
  return createRetentionActivities({ pool: database.app, logger, retention: RETENTION, monotonicMs }, NOWHERE);
};
const environment = (runId: string) =>
  new MockActivityEnvironment({ workflowExecution: { workflowId: 'retention-sweep', runId } });
const sweep = (kind: SweptKind, runId: string, monotonicMs?: () => number) => {
  const { sweepOld } = activities(monotonicMs);
  const asked = { kind, isDryRun: false };
  return environment(runId).run<[typeof asked], SweptPart, typeof sweepOld>(sweepOld, asked);
};
const oldEvents = (count: number) =>
  database.owner.query(
    `INSERT INTO webhook_events (seen_key, type, received_at)
     SELECT 'event' || n, 'message-status', now() - interval '100 days' + n * interval '1 second'
       FROM generate_series(1, $1::int) n`,
    [count],
  );

test('every part of the sweep runs over an empty database, really and as a dry run', async () => {
  const runId = randomUUID();
  for (const kind of SWEPT_KINDS) {
    const nothing = { kind, found: 0, taken: 0, held: 0, isOver: true };
    expect(await countOver(database.app, kind, RETENTION)).toMatchObject(nothing);
    expect(await sweep(kind, runId)).toEqual(nothing);
  }
  expect(await progressOfRun(database.app, runId)).toHaveLength(SWEPT_KINDS.length);
});

test('every part of the sweep runs while somebody is held', async () => {
  await database.owner.query(
    `WITH s AS (INSERT INTO subjects DEFAULT VALUES RETURNING subject_id)
     INSERT INTO legal_holds (subject_id, reason, placed_by) SELECT subject_id, 'dispute', subject_id FROM s`,
  );
  for (const kind of SWEPT_KINDS) {
    expect(await sweep(kind, randomUUID())).toEqual({ kind, found: 0, taken: 0, held: 0, isOver: true });
  }
});

test('an attempt that has no more time says so, and the next one goes on behind its last page', async () => {
  // Ten to a page.
  await database.owner.query(
    `WITH s AS (INSERT INTO subjects DEFAULT VALUES RETURNING subject_id)
     INSERT INTO message_batches (batch_id, requested_by, state, kind, message_class, channel, language, request_hash, received_at)
     SELECT gen_random_uuid(), subject_id, 'discarded', 'update', 'ordinary', 'sms', 'en', 'x', now() - n * interval '100 days'
       FROM s, generate_series(1, 25) n`,
  );
  const runId = randomUUID();
  let now = 0;
  const hurried = () => (now += 5 * 60_000);
  expect(await sweep('message-batches', runId, hurried)).toMatchObject({ taken: 20, isOver: false });
  expect(await progressOfRun(database.app, runId)).toMatchObject([{ found: 20, after: { at: expect.any(String) } }]);
  expect(await sweep('message-batches', runId)).toMatchObject({ found: 25, taken: 25, isOver: true });
  // Asked once more by a retry whose first answer was lost.
  expect(await sweep('message-batches', runId)).toMatchObject({ found: 25, taken: 25, isOver: true });
});

test('a page whose transaction did not commit is taken again as a whole', async () => {
  await oldEvents(10);
  const runId = randomUUID();
  const broken = database.anotherPool(1);
  const client = await broken.connect();
  const query = client.query.bind(client);
  // Everything has been done but the commit.
  client.query = ((text: unknown, ...rest: unknown[]) =>
    text === 'COMMIT'
      ? Promise.reject(new Error('gone'))
      : Reflect.apply(query, client, [text, ...rest])) as typeof client.query;
  client.release();
  const part = { runId, kind: 'webhook-events' } as const;
  await expect(sweepPage(broken, part, RETENTION)).rejects.toThrow('gone');
  expect(await progressOfRun(database.app, runId)).toEqual([]);
  expect(await sweep('webhook-events', runId)).toMatchObject({ found: 10, taken: 10 });
});

test('the sweep is stale two days after its last whole run, or when it has never had one', async () => {
  const aged = (column: string, days: number) =>
    database.owner.query(`UPDATE sweeps SET ${column} = now() - $1 * interval '1 day'`, [days]);
  expect(await retentionFreshness(database.app)).toEqual({ lastSuccessAt: null, staleSince: null });
  await aged('known_since', 2.5);
  const { staleSince } = await retentionFreshness(database.app);
  expect(Math.round((Date.now() - (staleSince?.getTime() ?? 0)) / 3_600_000)).toBe(12);
  await endRun(database.app, randomUUID(), false);
  expect((await retentionFreshness(database.app)).lastSuccessAt).toBeNull();
  const runId = randomUUID();
  const { endRetentionRun } = activities();
  const whole = { isWhole: true };
  for (let time = 0; time < 2; time += 1) {
    await environment(runId).run<[typeof whole], void, typeof endRetentionRun>(endRetentionRun, whole);
  }
  expect(await retentionFreshness(database.app)).toEqual({ lastSuccessAt: expect.any(Date), staleSince: null });
  await aged('last_success_at', 3);
  expect((await retentionFreshness(database.app)).staleSince).not.toBeNull();
});

test('what a run did is itself kept for its time', async () => {
  await oldEvents(1);
  const [old, young] = [randomUUID(), randomUUID()];
  for (const runId of [old, young]) await sweep('webhook-events', runId);
  await database.owner.query(`UPDATE retention_runs SET started_at = now() - interval '91 days' WHERE run_id = $1`, [
    old,
  ]);
  expect(await sweep('retention-runs', randomUUID())).toMatchObject({ taken: 1 });
  expect([await progressOfRun(database.app, old), await progressOfRun(database.app, young)]).toMatchObject([[], [{}]]);
});

test('one worker at a time writes the schedules, and one that dies leaves the turn to the next', async () => {
  const order: string[] = [];
  let letGo: () => void = () => undefined;
  const first = oneAtATime(database.app, async () => {
    order.push('first begins');
    await new Promise<void>((resolve) => (letGo = resolve));
    order.push('first ends');
  });
  await eventually(() => order.length === 1);
  const second = oneAtATime(database.anotherPool(1), async () => {
    order.push('second');
  });
  await eventually(async () => {
    const waits = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
    return (await database.owner.query(waits)).rowCount === 1;
  });
  letGo();
  await Promise.all([first, second]);
  expect(order).toEqual(['first begins', 'first ends', 'second']);
  await expect(oneAtATime(database.app, () => Promise.reject(new Error('died')))).rejects.toThrow('died');
  await oneAtATime(database.app, async () => undefined);
});
