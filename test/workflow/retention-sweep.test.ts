import { randomUUID } from 'node:crypto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { RetentionRun } from '../../activities/retention';
import type { retentionSweep } from '../../workflows';
import { recordHistory } from './record-history';

let env: TestWorkflowEnvironment;
let worker: Worker;
let running: Promise<void>;
let failures = 0;
const asked: RetentionRun[] = [];

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
  const path = process.env['KINDLINE_TEST_SERVER'];
  env = await TestWorkflowEnvironment.createTimeSkipping(
    path ? { server: { executable: { type: 'existing-path', path } } } : {},
  );
  worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: env.namespace ?? 'default',
    taskQueue: 'kindline',
    workflowsPath: require.resolve('../../workflows'),
    activities: {
      destroyUnreferencedRecords: async (run: RetentionRun) => {
        asked.push(run);
        if (failures > 0) {
          failures -= 1;
          throw new Error('Postgres is restarting');
        }
        return { found: 3, destroyed: run.isDryRun ? 0 : 3 };
      },
    },
  });
  running = worker.run();
}, 120_000);

afterAll(async () => {
  worker.shutdown();
  await running;
  await env.teardown();
});

const start = (run: RetentionRun) =>
  env.client.workflow.start<typeof retentionSweep>('retentionSweep', {
    args: [run],
    taskQueue: 'kindline',
    workflowId: `retention-sweep:${randomUUID()}`,
  });

it('destroys what has been kept for its time and says how much that was', async () => {
  const handle = await start({ isDryRun: false });
  expect(await handle.result()).toEqual({ unreferencedRecords: { found: 3, destroyed: 3 } });
  await recordHistory(handle, 'retentionSweep', 'destroyed');
});

it('only counts when it is asked for a dry run', async () => {
  const handle = await start({ isDryRun: true });
  expect(await handle.result()).toEqual({ unreferencedRecords: { found: 3, destroyed: 0 } });
  expect(asked.at(-1)).toEqual({ isDryRun: true });
});

it('goes on when the database comes back', async () => {
  failures = 2;
  const handle = await start({ isDryRun: false });
  expect(await handle.result()).toEqual({ unreferencedRecords: { found: 3, destroyed: 3 } });
});
