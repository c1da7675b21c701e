import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createAppEventActivities, type DeliveryPass } from '../../../activities/app-events';
import type { ActivityDependencies } from '../../../activities/dependencies';
import { countWaiting, deleteOldEvents, nextDueInMs, resendEvent } from '../../../db/app-event-delivery';
import { noteAppEvent } from '../../../db/app-events';
import { inTransaction } from '../../../db/pool';
import { pauseAfter } from '../../../domain/app-events';
import type { Telling } from '../../../providers/app-webhook';
import type { Told } from '../../../providers/webhook-post';
import { createLogger } from '../../../vault/logger';
import { appWaker } from '../../../workers/relay';
import { createTestDatabase, type TestDatabase } from '../../postgres';

let database: TestDatabase;
const told: Telling[] = [];
let answer: (telling: Telling) => Promise<Told>;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  told.length = 0;
  answer = async () => ({ isDelivered: true });
  await database.owner.query('TRUNCATE app_events');
});

const DOWN: Told = { isDelivered: false, error: 'http-503', retryAfterMs: 0 };

/** One pass of a worker. */
function deliver(): Promise<DeliveryPass> {
  const deps = {
    pool: database.app,
    logger: createLogger({ name: 'test', level: 'silent' }),
    appWebhook: {
      deliver: async (telling: Telling) => {
        told.push(telling);
        return await answer(telling);
      },
      close: () => undefined,
    },
  } as unknown as ActivityDependencies;
  const env = new MockActivityEnvironment();
  return env.run<[], DeliveryPass, () => Promise<DeliveryPass>>(createAppEventActivities(deps).deliverAppEvents);
}

async function note(state: string, objectId: string = randomUUID()): Promise<string> {
  await inTransaction(database.app, (tx) =>
    noteAppEvent(tx, { subjectId: randomUUID(), type: `mentor-call.${state}`, objectId, state }),
  );
  return objectId;
}
const rows = async () =>
  (
    await database.app.query(
      `SELECT event_id, state, delivery, attempts, last_error,
              extract(epoch FROM next_attempt_at)::float8 AS due
         FROM app_events ORDER BY txid, position`,
    )
  ).rows;
/** By the clock that the times of the rows are from, in seconds. */
const clock = async (): Promise<number> =>
  (await database.app.query('SELECT extract(epoch FROM clock_timestamp())::float8 AS now')).rows[0].now;
const makeDue = () => database.owner.query('UPDATE app_events SET next_attempt_at = clock_timestamp()');
const pass24Hours = () =>
  database.owner.query('UPDATE app_events SET next_attempt_at = clock_timestamp(), give_up_at = clock_timestamp()');

it('tells the app each event once, those of one object in order, with ids and states only', async () => {
  const call = await note('starting');
  await note('finding-mentor', call);
  await note('connected', call);
  expect(await deliver()).toEqual({ delivered: 3, failed: 0, nextInMs: null, isDown: false });
  const bodies = told.map(({ body }) => JSON.parse(body));
  expect(bodies.map(({ type }) => type)).toEqual([
    'mentor-call.starting',
    'mentor-call.finding-mentor',
    'mentor-call.connected',
  ]);
  expect(bodies[0]).toEqual({
    type: 'mentor-call.starting',
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    data: { subjectId: expect.any(String), objectId: call, state: 'starting' },
  });
  expect((await deliver()).delivered).toBe(0);
  expect((await rows()).map(({ delivery, attempts }) => `${delivery} ${attempts}`)).toEqual(
    Array(3).fill('delivered 1'),
  );
});

it('notes a state that is noted twice once, and one that comes back again', async () => {
  const call = await note('connected');
  await note('connected', call);
  await note('finding-mentor', call);
  await note('connected', call);
  expect((await rows()).map(({ state }) => state)).toEqual(['connected', 'finding-mentor', 'connected']);
});

it('knows nothing of a change that was rolled back', async () => {
  const change = inTransaction(database.app, async (tx) => {
    const objectId = randomUUID();
    await noteAppEvent(tx, { subjectId: randomUUID(), type: 'message.sent', objectId, state: 'sent' });
    throw new Error('the change failed');
  });
  await expect(change).rejects.toThrow();
  expect(await rows()).toEqual([]);
});

it('tries again what the app did not take, under the same id, each time later', async () => {
  await note('connected');
  answer = async () => DOWN;
  for (const [n, pause] of [10, 30, 90, 270].entries()) {
    const before = await clock();
    expect(await deliver()).toMatchObject({ failed: 1, isDown: false, nextInMs: expect.any(Number) });
    const [row] = await rows();
    expect(row).toMatchObject({ delivery: 'waiting', attempts: n + 1, last_error: 'http-503' });
    expect(row?.due).toBeGreaterThanOrEqual(before + pause);
    expect(row?.due).toBeLessThanOrEqual((await clock()) + pause);
    await makeDue();
  }
  answer = async () => ({ isDelivered: true });
  await deliver();
  expect(new Set(told.map(({ eventId }) => eventId)).size).toBe(1);
  expect(await rows()).toMatchObject([{ delivery: 'delivered', attempts: 5, last_error: null }]);
});

it('gives up after a day, says so, and sends again when it is asked to', async () => {
  await note('connected');
  answer = async () => DOWN;
  await deliver();
  await pass24Hours();
  await deliver();
  const [row] = await rows();
  expect(row).toMatchObject({ delivery: 'failed', attempts: 2, last_error: 'http-503' });
  expect(await nextDueInMs(database.app)).toBeNull();
  expect(await resendEvent(database.app, row?.event_id)).toMatchObject({ delivery: 'waiting', attempts: 0 });
  answer = async () => ({ isDelivered: true });
  expect(await deliver()).toMatchObject({ delivered: 1 });
});

it('does not tell of what nobody could tell for a day', async () => {
  await note('connected');
  await database.owner.query(
    "UPDATE app_events SET next_attempt_at = next_attempt_at - interval '30 days', give_up_at = give_up_at - interval '30 days'",
  );
  expect(await nextDueInMs(database.app)).toBe(-1e9);
  expect(await deliver()).toEqual({ delivered: 0, failed: 0, nextInMs: null, isDown: false });
  expect(told).toEqual([]);
  expect(await rows()).toMatchObject([{ delivery: 'failed', attempts: 0, last_error: 'never-tried' }]);
});

it('leaves an app alone that answers nothing well, without counting what was not tried', async () => {
  for (let n = 0; n < 40; n += 1) await note('connected');
  answer = async () => DOWN;
  const before = await clock();
  expect(await deliver()).toMatchObject({ isDown: true });
  expect(told.length).toBeLessThan(20);
  const untried = (await rows()).filter(({ attempts }) => attempts === 0);
  expect(untried).toHaveLength(40 - told.length);
  const after = await clock();
  expect(untried.every(({ due }) => due >= before + 10 && due <= after + 10)).toBe(true);
});

it('lets what a dead worker had claimed come due again, and two workers never send one event side by side', async () => {
  for (let n = 0; n < 30; n += 1) await note('connected');
  const passes = await Promise.all([deliver(), deliver(), deliver()]);
  expect(passes.reduce((sum, { delivered }) => sum + delivered, 0)).toBe(30);
  expect(new Set(told.map(({ eventId }) => eventId)).size).toBe(30);
  expect(told).toHaveLength(30);
});

it('waits longer each time, an hour at most, and as long as the app asks for', () => {
  expect([1, 2, 3, 6, 7, 30].map((attempts) => pauseAfter(attempts) / 1_000)).toEqual([
    10, 30, 90, 2_430, 3_600, 3_600,
  ]);
  expect(pauseAfter(1, 120_000)).toBe(120_000);
  expect(pauseAfter(1, 1e9)).toBe(3_600_000);
});

it('removes what was kept for its time, and only counts it in a dry run', async () => {
  for (const state of ['starting', 'connected', 'completed']) await note(state);
  await database.owner.query(
    "UPDATE app_events SET happened_at = happened_at - interval '31 days' WHERE state <> 'completed'",
  );
  const days30 = { olderThanMs: 30 * 86_400_000, limit: 10 };
  expect(await deleteOldEvents(database.app, { ...days30, isDryRun: true })).toMatchObject({ taken: 2 });
  expect(await deleteOldEvents(database.app, { ...days30, isDryRun: false })).toMatchObject({ taken: 2 });
  expect((await rows()).map(({ state }) => state)).toEqual(['completed']);
  expect(await countWaiting(database.app)).toBe(1);
});

it('wakes the workflow for an event that is due, and not again and again for one that it has been told of', async () => {
  let woken = 0;
  const client = {
    withDeadline: <T>(_deadline: number, run: () => Promise<T>) => run(),
    workflow: { signalWithStart: async () => void (woken += 1) },
  };
  const wake = appWaker({ pool: database.app, client: client as never });
  expect(await wake()).toBe(false);
  await note('connected');
  await database.owner.query("UPDATE app_events SET next_attempt_at = next_attempt_at - interval '1 second'");
  expect(await wake()).toBe(true);
  expect([await wake(), await wake()]).toEqual([false, false]);
  await deliver();
  await note('connected');
  expect(await wake()).toBe(true);
  expect(woken).toBe(2);
});
