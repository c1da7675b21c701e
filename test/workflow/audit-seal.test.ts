import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import type { auditSeal } from '../../workflows';
import { recordHistory } from './record-history';
import { type SkippingWorker, startSkippingWorker } from './time-skipping';

let worker: SkippingWorker;
let chain: () => number;
let checkpoint: () => number | null;
let ran: string[] = [];

beforeAll(async () => {
  worker = await startSkippingWorker({
    chainAuditEntries: async () => {
      ran.push('chain');
      return chain();
    },
    writeCheckpoint: async () => {
      ran.push('checkpoint');
      return checkpoint();
    },
  });
});

afterAll(async () => {
  await worker.stop();
});

beforeEach(() => {
  ran = [];
  chain = () => 3;
  checkpoint = () => 45;
});

function start() {
  return worker.client.workflow.start<typeof auditSeal>('auditSeal', {
    taskQueue: 'kindline',
    workflowId: `audit-seal:${randomUUID()}`,
  });
}

it('chains first and then writes a checkpoint of what the chain has reached', async () => {
  const handle = await start();
  expect(await handle.result()).toEqual({ chained: 3, checkpoint: 45 });
  expect(ran).toEqual(['chain', 'checkpoint']);
  await recordHistory(handle, 'auditSeal', 'chained');
});

it('writes a checkpoint also when nothing has happened', async () => {
  chain = () => 0;
  const handle = await start();
  expect(await handle.result()).toEqual({ chained: 0, checkpoint: 45 });
});

it('asks a store that is away again, and fails within a minute when it stays away, with the chain gone on', async () => {
  checkpoint = () => {
    throw new Error('the store is away');
  };
  const handle = await start();
  await expect(handle.result()).rejects.toThrow();
  const { startTime, closeTime } = await handle.describe();
  expect(Number(closeTime) - Number(startTime)).toBeLessThan(60_000);
  expect(ran.filter((step) => step === 'chain')).toHaveLength(1);
  expect(ran.filter((step) => step === 'checkpoint').length).toBeGreaterThan(3);
  await recordHistory(handle, 'auditSeal', 'store-away');
});

it('goes on when the store is there again', async () => {
  let tries = 0;
  checkpoint = () => {
    tries += 1;
    if (tries < 3) throw new Error('the store is away');
    return 45;
  };
  expect(await (await start()).result()).toEqual({ chained: 3, checkpoint: 45 });
});

it('does not ask again when a checkpoint contradicts the database: somebody has to look', async () => {
  checkpoint = () => {
    throw ApplicationFailure.create({ type: 'AuditChainError', message: 'cut' });
  };
  await expect((await start()).result()).rejects.toThrow();
  expect(ran).toEqual(['chain', 'checkpoint']);
});
