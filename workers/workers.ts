import { Worker, type NativeConnection } from '@temporalio/worker';
import type { Activities } from '../activities';
import type { Config } from '../config/config';
import { MAIL_QUEUE, MESSAGES_QUEUE, VOICE_QUEUE } from '../domain/task-queues';
import { dataConverter } from '../temporal/connection';
import type { ServiceKeys } from '../vault/service-keys';
import type { WorkflowSource } from './bundle';

/** Longer than an HTTP request to the provider: an attempt that is in flight when a deploy comes settles itself. */
const GRACE_TIME = '12s';
/** After this a shutdown no longer waits; the lease of an attempt covers what is cut off. */
export const FORCE_TIME = '20s';
/** A call's workflow is small; this many calls at once stay in memory, others are replayed. */
const CACHED_WORKFLOWS = 500;

export interface WorkersOptions {
  readonly connection: NativeConnection;
  readonly config: Pick<Config, 'temporal' | 'twilio' | 'mail'>;
  readonly keys: ServiceKeys;
  readonly activities: Activities;
  readonly workflows: WorkflowSource;
}

/**
 * The workers of a process: workflows with all activities that send nothing, and one for each queue on which something
 * is sent, which the server holds to what the account may do in a second (all workers must ask for the same rate: the
 * last to poll wins).
 */
export async function createWorkers({
  connection,
  config,
  keys,
  activities,
  workflows,
}: WorkersOptions): Promise<Worker[]> {
  const shared = {
    connection,
    namespace: config.temporal.namespace,
    dataConverter: dataConverter(keys),
    shutdownGraceTime: GRACE_TIME,
    shutdownForceTime: FORCE_TIME,
  };
  const { placeCall, placeAlertCall, sendText, sendMail, ...others } = activities;
  // The SDK would hold a SID back for four of the five seconds in which a worker can die with it.
  const sending = { ...shared, maxHeartbeatThrottleInterval: '1s', defaultHeartbeatThrottleInterval: '1s' } as const;
  return await Promise.all([
    Worker.create({
      ...shared,
      ...workflows,
      taskQueue: config.temporal.taskQueue,
      activities: others,
      maxCachedWorkflows: CACHED_WORKFLOWS,
    }),
    Worker.create({
      ...sending,
      taskQueue: VOICE_QUEUE,
      activities: { placeCall, placeAlertCall },
      maxTaskQueueActivitiesPerSecond: config.twilio.callsPerSecond,
    }),
    Worker.create({
      ...sending,
      taskQueue: MESSAGES_QUEUE,
      activities: { sendText },
      maxTaskQueueActivitiesPerSecond: config.twilio.messagesPerSecond,
    }),
    Worker.create({
      ...sending,
      taskQueue: MAIL_QUEUE,
      activities: { sendMail },
      maxTaskQueueActivitiesPerSecond: config.mail?.perSecond ?? 1,
    }),
  ]);
}

/** Runs until a signal or a failure stops one of them; then stops the others and waits for what is in flight. */
export async function runWorkers(workers: readonly Worker[]): Promise<void> {
  const stopAll = () => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  const ends = await Promise.allSettled(workers.map((worker) => worker.run().finally(stopAll)));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
