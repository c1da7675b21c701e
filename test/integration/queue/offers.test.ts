import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createMentorCallActivities } from '../../../activities/mentor-calls';
import { createMentorQueueActivities } from '../../../activities/mentor-queue';
import { createMentorActivities } from '../../../activities/mentors';
import type { ActivityDependencies } from '../../../activities/dependencies';
import { offerPlaces } from '../../../activities/queue-offers';
import { createSweepActivities } from '../../../activities/sweeps';
import { USUAL_POINTS } from '../../../domain/match-scorers';
import { findCall } from '../../../db/calls';
import { lookAtQueue, queueLength } from '../../../db/mentor-queue';
import { deleteMentor } from '../../../db/mentors';
import type { KindlineClient } from '../../../temporal/connection';
import { startQueueWatch } from '../../../workers/queue-watch';
import { createLogger } from '../../../vault/logger';
import { eventually } from '../db/people';
import { QueueWorld } from './queue-world';

/** As much of Temporal as the queue asks: a signal to a call that runs, is over, or cannot be reached. */
class Temporal {
  readonly told: string[] = [];
  readonly over = new Set<string>();
  isDown = false;

  readonly client = {
    withDeadline: <T>(_deadline: number, run: () => Promise<T>) => run(),
    workflow: {
      getHandle: (workflowId: string) => {
        const callId = workflowId.replace('mentor-call:', '');
        const reach = (): void => {
          if (this.isDown) throw new Error('unavailable');
          if (this.over.has(callId)) throw new WorkflowNotFoundError('not found', workflowId, undefined);
        };
        return {
          signal: async () => {
            reach();
            this.told.push(callId);
          },
          describe: async () => {
            reach();
            return { status: { name: 'RUNNING' } };
          },
        };
      },
    },
  } as unknown as KindlineClient;
}

let world: QueueWorld;
let temporal: Temporal;
let deps: ActivityDependencies;
beforeAll(async () => {
  world = await QueueWorld.open();
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.clear();
  temporal = new Temporal();
  const logger = createLogger({ name: 'test', level: 'silent', destination: { write: () => undefined } });
  const callLog = { note: () => undefined };
  deps = {
    pool: world.database.app,
    temporal: temporal.client,
    logger,
    callLog,
    phoneNumbers: ['+14155550100'],
    matching: { scorer: 'default', points: USUAL_POINTS },
  } as unknown as ActivityDependencies;
});

const asked = (callId: string, step = 1) => ({
  callId,
  step,
  exclude: [],
  preferences: {},
  country: 'US',
  leaseMs: 60_000,
});
const queue = () => createMentorQueueActivities(deps, createMentorActivities(deps).reserveMentor);
const sweep = () => {
  const { freeDeadSlots } = createSweepActivities(deps);
  return new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => undefined) }).run(freeDeadSlots);
};

it('whoever gives a place back offers it at once: a mentor’s turn that is over, and a call that ends', async () => {
  const mentorId = await world.mentor();
  const { reserveMentor, releaseMentor } = createMentorActivities(deps);
  const talking = await world.call();
  await reserveMentor(asked(talking));
  const [first = '', second = ''] = await world.waiting(2);
  await releaseMentor({ callId: talking, step: 1, result: 'completed' });
  expect(temporal.told).toEqual([first]);
  expect((await queue().takeTurn(asked(first))).mentor).toMatchObject({ mentorId });
  const { closeCall } = createMentorCallActivities(deps);
  const endedAt = new Date().toISOString();
  await closeCall({ callId: first, outcome: 'completed', endReason: 'bridge-over', endedAt, durationSeconds: 60 });
  expect(temporal.told).toEqual([first, second]);
});

it('a conversation that was cut gets its mentor again before anybody who waits', async () => {
  const mentorId = await world.mentor();
  const { reserveMentor, releaseMentor } = createMentorActivities(deps);
  const talking = await world.call();
  await reserveMentor(asked(talking));
  await world.waiting(1);
  await releaseMentor({ callId: talking, step: 1, result: 'completed', isForSameCall: true });
  const again = await reserveMentor({ ...asked(talking, 2), only: mentorId });
  expect(again.mentor).toMatchObject({ mentorId });
  expect(temporal.told).toEqual([]);
});

it('a head of the queue that is over leaves it, and the next is told in the same breath', async () => {
  await world.mentor();
  const calls = await world.waiting(4);
  const [first = '', second = '', third = ''] = calls;
  temporal.over.add(first).add(second);
  expect(await offerPlaces(deps)).toBe(1);
  expect(temporal.told).toEqual([third]);
  expect(await queueLength(deps.pool)).toBe(2);
});

it('a signal that cannot be given costs five seconds and no place: the next pass tells the next', async () => {
  await world.mentor();
  const [first = '', second = ''] = await world.waiting(2);
  temporal.isDown = true;
  await offerPlaces(deps);
  expect(await lookAtQueue(deps.pool, first)).toBe('offered');
  temporal.isDown = false;
  await world.pass(6);
  await offerPlaces(deps);
  expect(temporal.told).toEqual([second]);
});

it('what was done stays done when nothing can be offered afterwards', async () => {
  const { releaseMentor, reserveMentor } = createMentorActivities(deps);
  await world.mentor();
  const talking = await world.call();
  await reserveMentor(asked(talking));
  await world.waiting(1);
  temporal.isDown = true;
  await releaseMentor({ callId: talking, step: 1, result: 'completed' });
  expect(await world.freePlaces()).toBe(0 + 1);
});

describe('taking one’s turn', () => {
  it('takes nothing before those who wait longer, although places are free', async () => {
    await world.mentor();
    const [first = '', second = ''] = await world.waiting(2);
    expect(await queue().takeTurn(asked(second))).toEqual({ mentor: null, queue: 'waiting' });
    // The look of the second has had the first told.
    expect(temporal.told).toEqual([first]);
    expect((await queue().takeTurn(asked(first))).mentor).not.toBeNull();
  });

  it('needs no signal: whoever looks, and is the first, gets what is free', async () => {
    const mentorId = await world.mentor();
    const [first = ''] = await world.waiting(1);
    expect((await queue().takeTurn(asked(first))).mentor).toMatchObject({ mentorId });
    expect(temporal.told).toEqual([]);
    expect(await findCall(deps.pool, first)).toMatchObject({ status: 'ringing-user', waiting: null });
  });

  it('gives the same mentor again when it is repeated after a crash, at whatever point', async () => {
    const mentorId = await world.mentor();
    const [first = ''] = await world.waiting(1);
    // Killed after the place was taken, before the call left the queue.
    await offerPlaces(deps);
    await world.reserve(mentorId, first);
    expect((await queue().takeTurn(asked(first))).mentor).toMatchObject({ mentorId });
    expect((await queue().takeTurn(asked(first))).mentor).toMatchObject({ mentorId });
    expect(await queueLength(deps.pool)).toBe(0);
  });

  it('gives an offer on to the next when the mentor is gone by the time it is taken', async () => {
    const mentorId = await world.mentor();
    const [first = '', second = ''] = await world.waiting(2);
    await offerPlaces(deps);
    await world.database.owner.query('UPDATE mentors SET available = false WHERE mentor_id = $1', [mentorId]);
    expect(await queue().takeTurn(asked(first))).toEqual({ mentor: null, queue: 'offered' });
    await world.database.owner.query('UPDATE mentors SET available = true WHERE mentor_id = $1', [mentorId]);
    await offerPlaces(deps);
    expect(temporal.told).toEqual([first, second]);
  });

  it('says that the mentor of a step was deleted since, and takes another one for the next step', async () => {
    const deleted = await world.mentor();
    const [first = ''] = await world.waiting(1);
    // Killed after the place was taken; the mentor leaves before the look is repeated.
    await offerPlaces(deps);
    await world.reserve(deleted, first);
    await deleteMentor(deps.pool, deleted, 'system');
    expect(await queue().takeTurn(asked(first))).toEqual({ mentor: null, queue: 'offered', isGone: true });
    expect(await createMentorActivities(deps).reserveMentor(asked(first))).toEqual({ mentor: null, why: 'gone' });
    const { rows } = await world.database.owner.query('SELECT result FROM mentor_offers WHERE call_id = $1', [first]);
    expect(rows).toEqual([{ result: 'not-rung' }]);
    const other = await world.mentor();
    expect((await queue().takeTurn(asked(first, 2))).mentor).toMatchObject({ mentorId: other });
  });

  it('says that a call is not in the queue', async () => {
    expect(await queue().takeTurn(asked(randomUUID()))).toEqual({ mentor: null, queue: 'gone' });
  });
});

describe('the outlook', () => {
  const terms = { limit: 2, longestWait: 60_000 };

  it('is open while there is a place, full without one, and nobody when all were rung already', async () => {
    const mentorId = await world.mentor();
    await world.waiting(1);
    expect(await queue().queueOutlook({ terms, tried: [] })).toBe('open');
    await world.waiting(1);
    expect(await queue().queueOutlook({ terms, tried: [] })).toBe('full');
    expect(await queue().queueOutlook({ terms, tried: [mentorId] })).toBe('nobody');
  });

  it('is kept by the limit when the key is pressed', async () => {
    await world.waiting(2);
    expect(await queue().joinQueue({ callId: await world.call(), terms })).toEqual({ state: 'full' });
  });
});

describe('the sweep', () => {
  it('removes who waits without a running workflow, and offers what their going frees', async () => {
    await world.mentor();
    const [first = '', second = '', third = ''] = await world.waiting(3);
    temporal.over.add(first).add(second);
    expect(await sweep()).toBe(2);
    expect(temporal.told).toEqual([third]);
    expect(await sweep()).toBe(0);
  });

  it('removes nobody of whom Temporal does not say that they are gone', async () => {
    await world.waiting(2);
    temporal.isDown = true;
    await expect(sweep()).rejects.toThrow('unavailable');
    expect(await queueLength(deps.pool)).toBe(2);
  });
});

it('a watch offers what became free without anybody saying so, and stops when it is told to', async () => {
  const [first] = await world.waiting(1);
  const watch = startQueueWatch({ ...deps, intervalMs: 20 });
  await world.mentor();
  await eventually(() => temporal.told.length > 0);
  expect(temporal.told).toEqual([first]);
  await watch.stop();
  await world.clear();
  await world.waiting(1);
  await world.mentor();
  const before = temporal.told.length;
  await offerPlaces(deps);
  expect(temporal.told).toHaveLength(before + 1);
});
