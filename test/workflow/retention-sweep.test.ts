import { randomUUID } from 'node:crypto';
import type { RetentionRun } from '../../activities/retention';
import type { retentionSweep } from '../../workflows';
import { recordHistory } from './record-history';
import { type SkippingWorker, startSkippingWorker } from './time-skipping';

let worker: SkippingWorker;
let failures = 0;
const asked: RetentionRun[] = [];

beforeAll(async () => {
  worker = await startSkippingWorker({
    destroyUnreferencedRecords: async (run: RetentionRun) => {
      asked.push(run);
      if (failures > 0) {
        failures -= 1;
        throw new Error('Postgres is restarting');
      }
      return { found: 3, destroyed: run.isDryRun ? 0 : 3 };
    },
    deleteOldAppEvents: async (run: RetentionRun) => ({ found: 5, destroyed: run.isDryRun ? 0 : 5 }),
    deleteOldTexts: async (run: RetentionRun) => ({ found: 2, destroyed: run.isDryRun ? 0 : 2 }),
    deleteOldMessages: async (run: RetentionRun) => ({ found: 4, destroyed: run.isDryRun ? 0 : 4 }),
    forgetOldRecipients: async (run: RetentionRun) => ({ found: 8, destroyed: run.isDryRun ? 0 : 8 }),
    deleteOldWebhookEvents: async (run: RetentionRun) => ({ found: 7, destroyed: run.isDryRun ? 0 : 7 }),
    deleteOldAlerts: async (run: RetentionRun) => ({ found: 1, destroyed: run.isDryRun ? 0 : 1 }),
  });
}, 120_000);

afterAll(async () => {
  await worker.stop();
});

const start = (run: RetentionRun) =>
  worker.client.workflow.start<typeof retentionSweep>('retentionSweep', {
    args: [run],
    taskQueue: 'kindline',
    workflowId: `retention-sweep:${randomUUID()}`,
  });

it('destroys what has been kept for its time and says how much that was', async () => {
  const handle = await start({ isDryRun: false });
  expect(await handle.result()).toEqual({
    unreferencedRecords: { found: 3, destroyed: 3 },
    appEvents: { found: 5, destroyed: 5 },
    texts: { found: 2, destroyed: 2 },
    messages: { found: 4, destroyed: 4 },
    recipients: { found: 8, destroyed: 8 },
    webhookEvents: { found: 7, destroyed: 7 },
    alerts: { found: 1, destroyed: 1 },
  });
  await recordHistory(handle, 'retentionSweep', 'destroyed-with-alerts');
});

it('only counts when it is asked for a dry run', async () => {
  const handle = await start({ isDryRun: true });
  expect(await handle.result()).toEqual({
    unreferencedRecords: { found: 3, destroyed: 0 },
    appEvents: { found: 5, destroyed: 0 },
    texts: { found: 2, destroyed: 0 },
    messages: { found: 4, destroyed: 0 },
    recipients: { found: 8, destroyed: 0 },
    webhookEvents: { found: 7, destroyed: 0 },
    alerts: { found: 1, destroyed: 0 },
  });
  expect(asked.at(-1)).toEqual({ isDryRun: true });
});

it('goes on when the database comes back', async () => {
  failures = 2;
  const handle = await start({ isDryRun: false });
  expect(await handle.result()).toEqual({
    unreferencedRecords: { found: 3, destroyed: 3 },
    appEvents: { found: 5, destroyed: 5 },
    texts: { found: 2, destroyed: 2 },
    messages: { found: 4, destroyed: 4 },
    recipients: { found: 8, destroyed: 8 },
    webhookEvents: { found: 7, destroyed: 7 },
    alerts: { found: 1, destroyed: 1 },
  });
});
