/** The course of a batch, with activities that play Postgres: how many rows are left, how many messages under way. */
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { StartedPage } from '../../activities/message-batches';
import {
  type BatchState,
  MESSAGE_BATCH,
  type MessageBatchInput,
  messageBatchWorkflowId,
} from '../../domain/message-batch';
import type { messageBatch } from '../../workflows';
import type { KindlineClient } from '../../temporal/connection';
import { tellMessageBatch } from '../../temporal/message-batches';
import { eventually } from '../integration/db/people';
import { recordHistory } from './record-history';
import { type SkippingWorker, startSkippingWorker } from './time-skipping';

/** One batch: `places` messages may be under way; each round of asking ends `endsEach` of them. */
class World {
  left = 250;
  open = 0;
  places = 200;
  endsEach = 1_000;
  mostOpen = 0;
  rounds = 0;
  cancelPages = 2;
  givenPages = 2;
  readonly states: BatchState[] = [];
  failOnce = false;
  /** Resolves when pages may be answered. */
  gate: Promise<void> = Promise.resolve();

  page(): StartedPage {
    this.rounds += 1;
    if (this.failOnce) {
      this.failOnce = false;
      throw ApplicationFailure.create({ message: 'Postgres is away' });
    }
    this.open = Math.max(0, this.open - this.endsEach);
    const started = Math.min(100, this.left, this.places - this.open);
    this.left -= started;
    this.open += started;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    return { started, open: this.open, left: this.left, isFull: this.open >= this.places };
  }
}

const worlds = new Map<string, World>();
const the = (batchId: string): World => {
  const world = worlds.get(batchId);
  if (world === undefined) throw new Error('no such batch');
  return world;
};
let worker: SkippingWorker;

beforeAll(async () => {
  worker = await startSkippingWorker({
    startMessagePage: async ({ batchId }: { batchId: string }) => {
      const page = the(batchId).page();
      await the(batchId).gate;
      return page;
    },
    cancelMessagePage: async ({ batchId, afterRow }: { batchId: string; afterRow: number }) => {
      await the(batchId).gate;
      return (the(batchId).cancelPages -= 1) >= 0 ? afterRow + 100 : null;
    },
    destroyGivenPage: async ({ batchId }: { batchId: string }) => ((the(batchId).givenPages -= 1) >= 0 ? 100 : 0),
    noteBatchState: async ({ batchId, state }: { batchId: string; state: BatchState }) => {
      the(batchId).states.push(state);
      return state;
    },
  });
});
afterAll(() => worker.stop());

type Handle = WorkflowHandle<typeof messageBatch>;
async function begin(more: Partial<MessageBatchInput> = {}, prepare: (world: World) => void = () => undefined) {
  const batchId = randomUUID();
  const world = new World();
  prepare(world);
  worlds.set(batchId, world);
  const handle = await worker.client.workflow.start<typeof messageBatch>(MESSAGE_BATCH.workflow, {
    taskQueue: 'kindline',
    workflowId: messageBatchWorkflowId(batchId),
    args: [{ batchId, requestedBy: randomUUID(), ...more }],
  });
  return { handle, world };
}
const tell = (handle: Handle, what: 'pause' | 'resume' | 'cancel') => handle.executeUpdate<BatchState, []>(what);

test('all recipients get their turn, a page at a time, and never more are under way than there are places', async () => {
  const { handle, world } = await begin({}, (w) => (w.endsEach = 60));
  expect(await handle.result()).toEqual({ state: 'completed' });
  expect(world).toMatchObject({ left: 0, open: 0, states: ['sending', 'completed'] });
  expect(world.mostOpen).toBeLessThanOrEqual(200);
  await recordHistory(handle, 'messageBatch', 'completed');
});

test('a page that fails is asked again', async () => {
  const { handle, world } = await begin({}, (w) => (w.failOnce = true));
  expect(await handle.result()).toEqual({ state: 'completed' });
  expect(world.left).toBe(0);
});

test('paused it begins nothing, resumed it goes on', async () => {
  const { handle, world } = await begin({}, (w) => (w.endsEach = 0));
  await eventually(() => world.open === 200);
  expect(await tell(handle, 'pause')).toBe('paused');
  const { rounds } = world;
  world.endsEach = 1_000;
  expect(await tell(handle, 'pause')).toBe('paused');
  expect(world.rounds).toBe(rounds);
  expect(await tell(handle, 'resume')).toBe('sending');
  expect(await handle.result()).toEqual({ state: 'completed' });
  expect(world.states).toEqual(['sending', 'paused', 'sending', 'completed']);
  await recordHistory(handle, 'messageBatch', 'paused');
});

test('a pause that is taken back while a page is still being started keeps nothing from its end', async () => {
  let open: () => void = () => undefined;
  const { handle, world } = await begin({}, (w) => {
    w.gate = new Promise((resolve) => (open = resolve));
  });
  await eventually(() => world.rounds === 1);
  const paused = await handle.startUpdate<BatchState, []>('pause', { waitForStage: 'ACCEPTED' });
  expect(await tell(handle, 'resume')).toBe('sending');
  expect(await paused.result()).toBe('sending');
  open();
  expect(await handle.result()).toEqual({ state: 'completed' });
  expect(world.states).toEqual(['sending', 'completed']);
});

test('cancelled it cancels what was not sent, page by page, and destroys what was given', async () => {
  const { handle, world } = await begin({}, (w) => (w.endsEach = 0));
  await eventually(() => world.open === 200);
  expect(await tell(handle, 'cancel')).toBe('cancelled');
  expect(await handle.result()).toEqual({ state: 'cancelled' });
  expect(world).toMatchObject({ left: 50, cancelPages: -1, givenPages: -1, states: ['sending', 'cancelled'] });
  await recordHistory(handle, 'messageBatch', 'cancelled');
});

test('a cancel that takes longer than anybody waits is taken, and goes on', async () => {
  const { handle, world } = await begin({}, (w) => (w.endsEach = 0));
  await eventually(() => world.open === 200);
  let open: () => void = () => undefined;
  world.gate = new Promise((resolve) => (open = resolve));
  const client = worker.client as unknown as KindlineClient;
  const batchId = handle.workflowId.slice(messageBatchWorkflowId('').length);
  expect(await tellMessageBatch(client, batchId, 'cancel', 2_000)).toBe('going-on');
  expect(world.states).toEqual(['sending']);
  open();
  expect(await handle.result()).toEqual({ state: 'cancelled' });
  expect(await tellMessageBatch(client, batchId, 'cancel', 20_000)).toBe('over');
});

test('cancelled before it was started it sends nothing', async () => {
  const { handle, world } = await begin({ isCancelled: true });
  expect(await handle.result()).toEqual({ state: 'cancelled' });
  expect(world).toMatchObject({ rounds: 0, states: ['cancelled'] });
});

test('an operator who cancels it from the Web UI leaves nothing half cancelled', async () => {
  const { handle, world } = await begin({}, (w) => (w.endsEach = 0));
  await eventually(() => world.open === 200);
  await handle.cancel();
  await expect(handle.result()).rejects.toThrow();
  expect(world.states).toEqual(['sending', 'cancelled']);
});

test('a long batch continues as new, and forgets nothing of where it is', async () => {
  const { handle, world } = await begin({}, (w) => {
    w.left = 110;
    w.places = 1;
  });
  expect(await handle.result()).toEqual({ state: 'completed' });
  expect(world).toMatchObject({ left: 0, mostOpen: 1 });
  const first = worker.client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
  expect((await first.describe()).status.name).toBe('CONTINUED_AS_NEW');
  expect((await first.fetchHistory()).events?.length).toBeLessThan(2_000);
});
