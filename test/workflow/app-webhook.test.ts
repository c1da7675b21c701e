import type { DeliveryPass } from '../../activities/app-events';
import { APP_WEBHOOK } from '../../domain/app-events';
import type { appWebhook } from '../../workflows';
import { recordHistory } from './record-history';
import { type SkippingWorker, startSkippingWorker } from './time-skipping';

const NOTHING: DeliveryPass = { delivered: 0, failed: 0, nextInMs: null, isDown: false };

let worker: SkippingWorker;
/** What each pass finds, one after the other; then nothing waits any more. */
let passes: (DeliveryPass | Error)[] = [];
let duringPass: () => Promise<void> = async () => undefined;
let passed = 0;

beforeAll(async () => {
  worker = await startSkippingWorker({
    deliverAppEvents: async () => {
      passed += 1;
      const pass = passes.shift() ?? NOTHING;
      await duringPass();
      if (pass instanceof Error) throw pass;
      return pass;
    },
  });
});
afterAll(() => worker.stop());
beforeEach(() => {
  passes = [];
  passed = 0;
  duringPass = async () => undefined;
});

const start = (workflowId = `${APP_WEBHOOK.workflowId}:${Math.random()}`) =>
  worker.client.workflow.signalWithStart<typeof appWebhook>(APP_WEBHOOK.workflow, {
    taskQueue: 'kindline',
    workflowId,
    signal: APP_WEBHOOK.due,
  });

async function tookMs(handle: Awaited<ReturnType<typeof start>>): Promise<number> {
  await handle.result();
  const { startTime, closeTime } = await handle.describe();
  return Number(closeTime) - Number(startTime);
}

it('ends as soon as the app has everything', async () => {
  passes = [{ ...NOTHING, delivered: 3 }];
  const handle = await start();
  await handle.result();
  expect(passed).toBe(1);
  await recordHistory(handle, APP_WEBHOOK.workflow, 'told');
});

it('comes again when the next event is due, for as long as one waits', async () => {
  const hour = 3_600_000;
  passes = [
    { ...NOTHING, failed: 1, nextInMs: 10_000 },
    { ...NOTHING, failed: 1, nextInMs: hour },
    { ...NOTHING, failed: 1, nextInMs: 23 * hour },
  ];
  const handle = await start();
  expect(await tookMs(handle)).toBeGreaterThan(24 * hour);
  expect(passed).toBe(4);
  await recordHistory(handle, APP_WEBHOOK.workflow, 'told-after-a-day');
});

it('leaves an app that is down in peace for a while, whatever else comes due', async () => {
  passes = [{ ...NOTHING, failed: 8, nextInMs: 0, isDown: true }];
  const handle = await start();
  await handle.signal(APP_WEBHOOK.due);
  expect(await tookMs(handle)).toBeGreaterThanOrEqual(30_000);
  expect(passed).toBe(2);
  await recordHistory(handle, APP_WEBHOOK.workflow, 'app-down');
});

it('does not end on an event that came due while it looked', async () => {
  const id = `${APP_WEBHOOK.workflowId}:${Math.random()}`;
  duringPass = async () => {
    duringPass = async () => undefined;
    await worker.client.workflow.getHandle(id).signal(APP_WEBHOOK.due);
  };
  const handle = await start(id);
  await handle.result();
  expect(passed).toBe(2);
});

it('goes on when the database comes back', async () => {
  passes = [new Error('Postgres is restarting'), new Error('still'), { ...NOTHING, delivered: 1 }];
  const handle = await start();
  await handle.result();
  expect(passed).toBe(3);
  await recordHistory(handle, APP_WEBHOOK.workflow, 'database-away');
});
