import { APP_WEBHOOK } from '../domain/app-events';
import type { KindlineClient } from './connection';
import { PRIORITY } from './priorities';
import { inTime } from './speaking';

/**
 * Says that there is something to tell the app: wakes the workflow that does so, or starts it.
 * @throws TemporalNotInTime, or TemporalNotPrepared
 */
export async function wakeAppWebhook(client: KindlineClient, withinMs: number): Promise<void> {
  await inTime(client, withinMs, () =>
    client.workflow.signalWithStart(APP_WEBHOOK.workflow, {
      workflowId: APP_WEBHOOK.workflowId,
      taskQueue: client.workflowQueue,
      signal: APP_WEBHOOK.due,
      staticSummary: 'Tells the app of new states',
      // News of a call never go before a call.
      priority: PRIORITY.bulk,
    }),
  );
}
