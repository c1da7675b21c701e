import { Client, type Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { MESSAGE, type MessageInput } from '../../../domain/message';
import { MESSAGES_QUEUE } from '../../../domain/task-queues';
import { messageInput } from '../../../scripts/bench/message-input';
import { PRIORITY, type Urgency } from '../../../temporal/priorities';
import { eventually } from '../db/people';

/** Four seconds of texts, at what the server gives out in a second. */
const BULK = 80;
const PER_SECOND = 20;

/**
 * Lets the messages of a batch wait on a queue that is held to an account's pace, then one alert, and then sends: the
 * service's own workflows and priorities, with a provider that takes everything.
 *
 * @returns how many of the batch were sent before the alert: it waited that many twentieths of a second
 */
export async function alertBehindBulk(
  connection: Connection,
  address: string,
): Promise<{ before: number; bulk: number }> {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
  const native = await NativeConnection.connect({ address });
  const sent: string[] = [];
  let opened = 0;
  const turn = { waitMs: 0, reason: null };
  const quiet = async () => undefined;
  const rows = {
    openMessage: async () => {
      opened += 1;
      return { turn, receiptPatienceMs: 60_000, goesByVoiceWhenBlocked: false };
    },
    messageTurn: async () => turn,
    noteMessage: quiet,
    noteRetry: quiet,
    closeMessage: quiet,
    abandonDispatch: quiet,
  };
  const sendText = async ({ messageId }: { messageId: string }) => {
    sent.push(messageId);
    return { sid: `SM-${messageId}`, segments: 1 };
  };
  const workflows = await Worker.create({
    connection: native,
    taskQueue: 'kindline',
    workflowsPath: require.resolve('../../../workflows'),
    activities: rows,
  });
  const texts = await Worker.create({
    connection: native,
    taskQueue: MESSAGES_QUEUE,
    activities: { sendText },
    maxTaskQueueActivitiesPerSecond: PER_SECOND,
    maxConcurrentActivityTaskExecutions: 1,
  });
  const running = [workflows.run()];
  const client = new Client({ connection });
  const start = async (urgency: Urgency): Promise<string> => {
    const input: MessageInput = { ...messageInput(), kind: urgency === 'emergency' ? 'alert' : 'update', urgency };
    await client.workflow.start(MESSAGE.workflow, {
      workflowId: `message:${input.messageId}`,
      taskQueue: 'kindline',
      args: [input],
      priority: PRIORITY[urgency],
    });
    return input.messageId;
  };
  let alert = '';
  try {
    await Promise.all(Array.from({ length: BULK }, () => start('bulk')));
    await eventually(() => opened === BULK);
    alert = await start('emergency');
    const handle = client.workflow.getHandle(`message:${alert}`);
    await eventually(async () => {
      const { pendingActivities } = (await handle.describe()).raw;
      return pendingActivities?.some(({ activityType }) => activityType?.name === 'sendText') === true;
    });
    running.push(texts.run());
    await eventually(() => sent.includes(alert));
    return { before: sent.indexOf(alert), bulk: BULK };
  } finally {
    for (const worker of [workflows, texts]) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(running);
    await native.close();
  }
}
