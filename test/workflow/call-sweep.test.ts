import { randomUUID } from 'node:crypto';
import type { callSweep } from '../../workflows';
import { recordHistory } from './record-history';
import { type SkippingWorker, startSkippingWorker } from './time-skipping';

let worker: SkippingWorker;
let broken: string | null = null;
let ran: string[] = [];

const PARTS = [
  'freeDeadSlots',
  'destroyExpiredNumbers',
  'askSilentLegs',
  'endOrphanedCalls',
  'closeDeadCalls',
  'deleteOldTwilioCalls',
  'askSilentTexts',
  'forgetOldTexts',
  'closeDeadMessages',
  'deleteDueRecordings',
  'noteCallQuality',
  'readCallInsights',
  'expandShifts',
];

beforeAll(async () => {
  const activities = Object.fromEntries(
    PARTS.map((part) => [
      part,
      async () => {
        ran.push(part);
        if (part === broken) throw new Error('this part is broken');
        return 2;
      },
    ]),
  );
  worker = await startSkippingWorker(activities);
});

afterAll(async () => {
  await worker.stop();
});

beforeEach(() => {
  broken = null;
  ran = [];
});

function start() {
  return worker.client.workflow.start<typeof callSweep>('callSweep', {
    taskQueue: 'kindline',
    workflowId: `call-sweep:${randomUUID()}`,
  });
}

it('runs every part, those that need no Twilio first, and says how many rows each has mended', async () => {
  const handle = await start();
  expect(await handle.result()).toEqual(Object.fromEntries(PARTS.map((part) => [part, 2])));
  expect(ran).toEqual(PARTS);
  await recordHistory(handle, 'callSweep', 'with-recordings-quality-and-shifts');
});

it('goes on with the other parts when one fails, and fails in the end so that somebody looks', async () => {
  broken = 'endOrphanedCalls';
  const handle = await start();
  await expect(handle.result()).rejects.toThrow();
  expect(ran.filter((part) => part === 'endOrphanedCalls')).toHaveLength(3);
  expect(new Set(ran)).toEqual(new Set(PARTS));
});
