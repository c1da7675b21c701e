import { randomUUID } from 'node:crypto';
import type { RetentionRun } from '../../activities/retention';
import type { SweptKind } from '../../domain/retention';
import type { retentionSweep } from '../../workflows';
import { recordHistory } from './record-history';
import { type SkippingWorker, startSkippingWorker } from './time-skipping';

let worker: SkippingWorker;
let failures = 0;
const asked: RetentionRun[] = [];
/** How often each part was asked, and what was noted at the end. */
const swept: SweptKind[] = [];
const noted: boolean[] = [];
let broken: SweptKind | null = null;
let large: SweptKind | null = null;

beforeAll(async () => {
  worker = await startSkippingWorker({
    sweepOld: async ({ kind }: { kind: SweptKind }) => {
      swept.push(kind);
      if (kind === broken) throw new Error('Postgres does not like it');
      return { kind, found: 3, taken: 2, held: 1, isOver: kind !== large || swept.length > 2 };
    },
    endRetentionRun: async ({ isWhole }: { isWhole: boolean }) => {
      noted.push(isWhole);
    },
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
});

afterAll(async () => {
  await worker.stop();
});

const start = (run: RetentionRun) =>
  worker.client.workflow.start<typeof retentionSweep>('retentionSweep', {
    args: [run],
    taskQueue: 'kindline',
    workflowId: `retention-sweep:${randomUUID()}`,
  });

describe('a run that names its parts', () => {
  const KINDS = ['mentor-calls', 'messages', 'vault-records'] as const;
  const run: RetentionRun = { isDryRun: false, kinds: KINDS };
  const part = (kind: SweptKind) => ({ kind, found: 3, taken: 2, held: 1, isOver: true });
  beforeEach(() => {
    broken = large = null;
    swept.length = noted.length = 0;
  });

  it('takes each in order, says what went and what was held, and is noted as a success', async () => {
    const handle = await start(run);
    expect(await handle.result()).toEqual(KINDS.map(part));
    expect(swept).toEqual([...KINDS]);
    expect(noted).toEqual([true]);
    await recordHistory(handle, 'retentionSweep', 'part-by-part');
  });

  it('notes nothing when it only counts', async () => {
    const handle = await start({ ...run, isDryRun: true });
    expect(await handle.result()).toEqual(KINDS.map(part));
    expect(noted).toEqual([]);
  });

  it('takes the other parts when one fails, fails at its end, and is no success', async () => {
    broken = 'messages';
    const handle = await start(run);
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'retention-incomplete' } });
    expect(new Set(swept)).toEqual(new Set(KINDS));
    expect(noted).toEqual([false]);
    await recordHistory(handle, 'retentionSweep', 'one-part-failed');
  });

  it('goes on with a part that has rows left, a few times', async () => {
    large = 'mentor-calls';
    const handle = await start(run);
    expect(await handle.result()).toHaveLength(3);
    expect(swept).toEqual(['mentor-calls', 'mentor-calls', 'mentor-calls', 'messages', 'vault-records']);
  });
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
