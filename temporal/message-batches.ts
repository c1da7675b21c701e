import type { BatchState, MessageBatchInput } from '../domain/message-batch';
import { MESSAGE_BATCH, messageBatchWorkflowId } from '../domain/message-batch';
import type { KindlineClient } from './connection';
import { ProcessIsOver, QuestionRefused, TemporalNotInTime } from './errors';
import { PRIORITY } from './priorities';
import { KINDLINE_SINCE, KINDLINE_STATE, KINDLINE_SUBJECT } from './search-attributes';
import { spoken, startedOnce } from './speaking';

const START_WITHIN_MS = 5_000;
/** Pausing waits for the page that is being started, cancelling for all pages; who asks waits no longer than this. */
const TELL_WITHIN_MS = 20_000;

/**
 * Begins to send a batch. A repeated request finds the running one; a batch that is over is not sent again.
 *
 * @returns `running`, or `over`
 * @throws TemporalNotInTime, or TemporalNotPrepared before the first start of a worker
 */
export async function startMessageBatch(
  client: KindlineClient,
  input: MessageBatchInput,
  withinMs: number = START_WITHIN_MS,
): Promise<'running' | 'over'> {
  return await startedOnce(client, withinMs, () =>
    client.workflow.start(MESSAGE_BATCH.workflow, {
      workflowId: messageBatchWorkflowId(input.batchId),
      taskQueue: client.workflowQueue,
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: 'Messages to many, a page of recipients at a time',
      typedSearchAttributes: [
        { key: KINDLINE_STATE, value: 'running' },
        { key: KINDLINE_SINCE, value: new Date() },
        { key: KINDLINE_SUBJECT, value: client.subjectAttribute(input.requestedBy) },
      ],
      priority: PRIORITY.bulk,
    }),
  );
}

/**
 * Pauses, resumes or cancels a batch that is being sent.
 * @returns the state it then has, `going-on` when the workflow has taken it and is not done in time, or `over` when the
 *   batch has ended or was never started
 * @throws TemporalNotInTime when nobody has taken it
 */
export async function tellMessageBatch(
  client: KindlineClient,
  batchId: string,
  what: 'pause' | 'resume' | 'cancel',
  withinMs: number = TELL_WITHIN_MS,
): Promise<BatchState | 'going-on' | 'over'> {
  const handle = client.workflow.getHandle(messageBatchWorkflowId(batchId));
  const until = Date.now() + withinMs;
  try {
    const taken = await spoken(client, withinMs, () =>
      handle.startUpdate<BatchState, []>(MESSAGE_BATCH[what], { waitForStage: 'ACCEPTED' }),
    );
    return await spoken(client, Math.max(1, until - Date.now()), () => taken.result()).catch((error: unknown) => {
      if (error instanceof TemporalNotInTime) return 'going-on' as const;
      throw error;
    });
  } catch (error) {
    // A batch that ends at this very moment refuses: it is over all the same.
    if (error instanceof ProcessIsOver || error instanceof QuestionRefused) return 'over';
    throw error;
  }
}
