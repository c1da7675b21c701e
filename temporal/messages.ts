import { WorkflowNotFoundError } from '@temporalio/client';
import {
  MESSAGE,
  type MessageInput,
  type MessageReceipt,
  type MessageResult,
  messageWorkflowId,
} from '../domain/message';
import type { KindlineClient } from './connection';
import { ProcessIsOver, QuestionRefused, TemporalRefused } from './errors';
import { PRIORITY } from './priorities';
import { inTime, isRefusal, spoken, startedOnce } from './speaking';
import { KINDLINE_COUNTRY, KINDLINE_SINCE, KINDLINE_STATE, KINDLINE_SUBJECT } from './search-attributes';

/** What the owner check and the check for another body under the same key need; encrypted like any payload. */
interface MessageMemo extends Record<string, unknown> {
  readonly requestedBy: string;
  readonly subjectId: string;
  readonly requestHash: string;
}

const START_WITHIN_MS = 5_000;
/** Cancelling waits for a try that is under way. */
const CANCEL_WITHIN_MS = 20_000;
const DESCRIBE_WITHIN_MS = 3_000;

/**
 * Starts the workflow of a message. A repeated request finds the running one; one that comes after its end starts
 * nothing (the namespace remembers ids for seven days).
 *
 * @returns `running`, or `over` when this message has been before and has ended
 * @throws TemporalNotInTime, TemporalRefused, or TemporalNotPrepared before the first start of a worker
 */
export async function startMessage(
  client: KindlineClient,
  input: MessageInput,
  withinMs: number = START_WITHIN_MS,
): Promise<'running' | 'over'> {
  const { requestedBy, subjectId, requestHash } = input;
  const memo: MessageMemo = { requestedBy, subjectId, requestHash };
  try {
    return await startedOnce(client, withinMs, () =>
      client.workflow.start(MESSAGE.workflow, {
        workflowId: messageWorkflowId(input.messageId),
        taskQueue: client.workflowQueue,
        args: [{ ...input, heedsLateDelivery: true }],
        workflowIdConflictPolicy: 'USE_EXISTING',
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        memo,
        staticSummary: input.channel === 'sms' ? 'A text message to one person' : 'An e-mail to one person',
        typedSearchAttributes: [
          { key: KINDLINE_STATE, value: 'running' },
          { key: KINDLINE_SINCE, value: new Date() },
          { key: KINDLINE_SUBJECT, value: client.subjectAttribute(subjectId) },
          { key: KINDLINE_COUNTRY, value: input.country },
        ],
        priority: PRIORITY[input.urgency],
      }),
    );
  } catch (error) {
    if (isRefusal(error)) throw new TemporalRefused();
    throw error;
  }
}

/** Tells a message what the provider said of it. One that is over has nothing to learn any more: that is no error. */
export async function signalReceipt(
  client: KindlineClient,
  messageId: string,
  receipt: MessageReceipt,
  deadlineMs: number,
): Promise<'signalled' | 'closed'> {
  const handle = client.workflow.getHandle(messageWorkflowId(messageId));
  try {
    await spoken(client, deadlineMs, () => handle.signal(MESSAGE.receipt, receipt));
    return 'signalled';
  } catch (error) {
    if (error instanceof ProcessIsOver) return 'closed';
    throw error;
  }
}

/**
 * Cancels a message that the provider does not have yet; one that it has goes on to its end, and says so.
 * @returns its state now, or `not-found`: it is over or never was
 */
export async function cancelMessage(
  client: KindlineClient,
  messageId: string,
  withinMs: number = CANCEL_WITHIN_MS,
): Promise<MessageResult | 'too-late' | 'not-found'> {
  const handle = client.workflow.getHandle(messageWorkflowId(messageId));
  try {
    return await spoken(client, withinMs, () => handle.executeUpdate<MessageResult | 'too-late', []>(MESSAGE.cancel));
  } catch (error) {
    // A message that ends by itself at this very moment refuses: it is over all the same.
    if (error instanceof ProcessIsOver || error instanceof QuestionRefused) return 'not-found';
    throw error;
  }
}

export interface MessageDescription extends MessageMemo {
  readonly running: boolean;
}

/** What Temporal knows of a message, also before its row exists; null when it knows nothing. */
export async function describeMessage(
  client: KindlineClient,
  messageId: string,
  withinMs: number = DESCRIBE_WITHIN_MS,
): Promise<MessageDescription | null> {
  const handle = client.workflow.getHandle(messageWorkflowId(messageId));
  try {
    const described = await inTime(client, withinMs, () => handle.describe());
    const { requestedBy, subjectId, requestHash } = (described.memo ?? {}) as Partial<MessageMemo>;
    if (typeof requestedBy !== 'string' || typeof subjectId !== 'string' || typeof requestHash !== 'string')
      return null;
    return { requestedBy, subjectId, requestHash, running: described.status.name === 'RUNNING' };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
