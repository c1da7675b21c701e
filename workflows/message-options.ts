import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities';
import { MAIL_QUEUE, MESSAGES_QUEUE } from '../domain/task-queues';

/** Short database steps: one marker each, no task queue, retried until Postgres is back. */
export const rows = proxyLocalActivities<
  Pick<Activities, 'openMessage' | 'messageTurn' | 'noteMessage' | 'noteRetry' | 'closeMessage' | 'abandonDispatch'>
>({
  // A statement that takes longer than this is cut by Postgres's own statement_timeout.
  startToCloseTimeout: '5s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '5s' },
});

/** Sending reconciles itself, so it is retried without limit; a dead worker is noticed in 5 s. */
const SENDING = {
  startToCloseTimeout: '30s',
  heartbeatTimeout: '5s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '15s' },
} as const;

export const texting = proxyActivities<Pick<Activities, 'sendText'>>({
  ...SENDING,
  taskQueue: MESSAGES_QUEUE,
  summary: 'Send the text',
});

export const mailing = proxyActivities<Pick<Activities, 'sendMail'>>({
  ...SENDING,
  taskQueue: MAIL_QUEUE,
  summary: 'Send the e-mail',
});

/** Starting a workflow is repeatable: the alert's id is given. */
export const fallingBack = proxyActivities<Pick<Activities, 'startFallbackAlert'>>({
  summary: 'Have it said by a call',
  startToCloseTimeout: '15s',
  // A message must come to its end even when no call can be begun.
  scheduleToCloseTimeout: '10 minutes',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
});
