import { endUnbegunRow, givenRowsLeft, unbegunRows } from '../db/message-batch-rows';
import { batchesGoingOn, noteBatchState } from '../db/message-batches';
import { inTransaction } from '../db/pool';
import { destroyRecord } from '../db/vault-rows';
import { messageWorkflowId } from '../domain/message';
import { messageBatchWorkflowId } from '../domain/message-batch';
import type { OwnerState } from '../temporal/owners';
import type { ActivityDependencies } from './dependencies';
import { countMessageEnd } from './outcome-metrics';
import { countWhere, createWalk, SWEEP_BATCH } from './sweep-part';

/**
 * Batches whose rows say that they go on while their workflow is gone (terminated, failed): cancelled, with what was given
 * for recipients that nobody will write to. Messages that were begun have workflows of their own and go on.
 * @returns what walks them, and says how many it has mended
 */
export function createBatchSweep(
  { pool }: Pick<ActivityDependencies, 'pool'>,
  owner: (workflowId: string) => Promise<OwnerState>,
  olderThanMs: number,
): () => Promise<number> {
  const walk = createWalk<{ batchId: string }>((limit, after) => batchesGoingOn(pool, olderThanMs, limit, after));
  const close = async ({ batchId }: { batchId: string }): Promise<boolean> => {
    if ((await owner(messageBatchWorkflowId(batchId))) === 'running') return false;
    // It may have come to its end while we asked.
    if ((await noteBatchState(pool, batchId, 'cancelled')) !== 'cancelled') return false;
    for (let page = await left(); page.length > 0; page = await left()) {
      for (const id of page) {
        await inTransaction(pool, (tx) => destroyRecord(tx, id, { reason: 'batch-cancelled', actor: 'system' }));
      }
    }
    return true;

    function left(): Promise<string[]> {
      return givenRowsLeft(pool, batchId, SWEEP_BATCH);
    }
  };
  return () => walk(close);
}

/**
 * Rows that Temporal took and whose message came to its end before it wrote anything (terminated, failed, lost with a
 * restored Temporal): their message is told as over. Without one its batch would wait for it for ever.
 * @returns how many were mended
 */
export async function endUnbegunMessages(
  { pool }: Pick<ActivityDependencies, 'pool'>,
  owner: (workflowId: string) => Promise<OwnerState>,
  olderThanMs: number,
): Promise<number> {
  return await countWhere(await unbegunRows(pool, olderThanMs, SWEEP_BATCH), async (row) => {
    const state = await owner(messageWorkflowId(row.messageId));
    if (state === 'running') return false;
    const end =
      state === 'stopped'
        ? ({ outcome: 'cancelled', reason: 'stopped-by-operator' } as const)
        : ({ outcome: 'failed', reason: 'workflow-failed' } as const);
    const channel = await inTransaction(pool, (tx) => endUnbegunRow(tx, row, end));
    if (channel !== null) countMessageEnd(channel, end.outcome);
    return channel !== null;
  });
}
