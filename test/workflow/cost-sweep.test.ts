import { randomUUID } from 'node:crypto';
import type { costSweep } from '../../workflows';
import { recordHistory } from './record-history';
import { type SkippingWorker, startSkippingWorker } from './time-skipping';

let worker: SkippingWorker;
const ran: string[] = [];

beforeAll(async () => {
  const activity = (name: string, result: number) => async () => {
    ran.push(name);
    return result;
  };
  worker = await startSkippingWorker({
    noteCosts: activity('noteCosts', 3),
    readPrices: activity('readPrices', 2),
    watchBudget: activity('watchBudget', 81),
  });
});
afterAll(() => worker.stop());

it('notes what was spent, asks what it really cost, and only then looks at the budget', async () => {
  const handle = await worker.client.workflow.start<typeof costSweep>('costSweep', {
    taskQueue: 'kindline',
    workflowId: `cost-sweep:${randomUUID()}`,
  });
  expect(await handle.result()).toEqual({ noted: 3, priced: 2, percent: 81 });
  expect(ran).toEqual(['noteCosts', 'readPrices', 'watchBudget']);
  await recordHistory(handle, 'costSweep', 'every-part');
});
