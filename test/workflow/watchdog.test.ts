import { randomUUID } from 'node:crypto';
import type { watchdog } from '../../workflows';
import { recordHistory } from './record-history';
import { type SkippingWorker, startSkippingWorker } from './time-skipping';

let worker: SkippingWorker;
const ran: string[] = [];
let failures = 0;

beforeAll(async () => {
  worker = await startSkippingWorker({
    lookForIncidents: async () => {
      ran.push('look');
      return { raised: 1, closed: 0 };
    },
    tellOfIncidents: async () => {
      ran.push('tell');
      if (failures-- > 0) throw new Error('Postgres is away');
      return 3;
    },
  });
});
afterAll(() => worker.stop());
beforeEach(() => ran.splice(0));

const start = () =>
  worker.client.workflow.start<typeof watchdog>('watchdog', {
    taskQueue: 'kindline',
    workflowId: `watchdog:${randomUUID()}`,
  });

it('looks first, and tells of what it has found in the same run', async () => {
  const handle = await start();
  expect(await handle.result()).toEqual({ raised: 1, closed: 0, told: 3 });
  expect(ran).toEqual(['look', 'tell']);
  await recordHistory(handle, 'watchdog', 'looks-and-tells');
});

it('tries to tell again, without looking again', async () => {
  failures = 2;
  expect(await (await start()).result()).toMatchObject({ told: 3 });
  expect(ran).toEqual(['look', 'tell', 'tell', 'tell']);
});
