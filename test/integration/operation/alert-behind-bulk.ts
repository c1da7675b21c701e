import { randomUUID } from 'node:crypto';
import { Client, type Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { MESSAGE, type MessageInput } from '../../../domain/message';
import { MESSAGES_QUEUE } from '../../../domain/task-queues';
import { PRIORITY, type Urgency } from '../../../temporal/priorities';
import { eventually } from '../db/people';

/** Six seconds of texts, at what the server gives out in a second. */
const BULK = 120;
const PER_SECOND = 20;

/**
 * Starts the messages of a batch on a queue that is held to an account's pace, and one alert when they are being sent:
 * the service's own workflows and priorities, with a provider that takes everything.
 *
 * @returns how long the alert waited for its turn, ms, and how many of the batch were still waiting when it was sent
 */
export async function alertBehindBulk(
  connection: Connection,
  address: string,
): Promise<{ ms: number; behind: number }> {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
  const native = await NativeConnection.connect({ address });
  const sent: string[] = [];
  let alertAt = 0;
  const turn = { waitMs: 0, reason: null };
  const quiet = async () => undefined;
  const rows = {
    openMessage: async () => ({ turn, receiptPatienceMs: 60_000, goesByVoiceWhenBlocked: false }),
    messageTurn: async () => turn,
    noteMessage: quiet,
    noteRetry: quiet,
    closeMessage: quiet,
    abandonDispatch: quiet,
  };
  const sendText = async ({ messageId }: { messageId: string }) => {
    sent.push(messageId);
    if (messageId === alert) alertAt = performance.now();
    return { sid: `SM-${messageId}`, segments: 1 };
  };
  const workers = [
    await Worker.create({
      connection: native,
      taskQueue: 'kindline',
      workflowsPath: require.resolve('../../../workflows'),
      activities: rows,
    }),
    await Worker.create({
      connection: native,
      taskQueue: MESSAGES_QUEUE,
      activities: { sendText },
      maxTaskQueueActivitiesPerSecond: PER_SECOND,
    }),
  ];
  const running = Promise.all(workers.map((worker) => worker.run()));
  const client = new Client({ connection });
  const start = async (urgency: Urgency): Promise<string> => {
    const input = messageInput(urgency);
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
    await eventually(() => sent.length >= 5, 20_000);
    const askedAt = performance.now();
    alert = await start('emergency');
    await eventually(() => alertAt > 0, 30_000);
    return { ms: alertAt - askedAt, behind: BULK - (sent.indexOf(alert) < 0 ? BULK : sent.indexOf(alert)) };
  } finally {
    for (const worker of workers) worker.shutdown();
    await running;
    await native.close();
  }
}

function messageInput(urgency: Urgency): MessageInput {
  return {
    messageId: randomUUID(),
    batchId: null,
    batchRow: null,
    requestedBy: randomUUID(),
    subjectId: randomUUID(),
    recordId: randomUUID(),
    ownsRecord: true,
    recipientToken: '00'.repeat(32),
    country: 'US',
    channel: 'sms',
    kind: urgency === 'emergency' ? 'alert' : 'update',
    messageClass: 'ordinary',
    urgency,
    language: 'en',
    content: { templateId: null, templateVersion: null, recordId: randomUUID() },
    notBefore: null,
    notAfter: null,
    zone: null,
    fallback: null,
    sender: null,
    requestHash: 'x',
    requestedAt: new Date().toISOString(),
  };
}
