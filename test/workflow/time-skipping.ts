import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowHandle } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { SEARCH_ATTRIBUTE_TYPES } from '../../temporal/search-attributes';
import { PATIENCE_MS } from '../patience';

/** A server that skips time, with one worker of ours on the queue `kindline`. */
export interface SkippingWorker {
  readonly client: TestWorkflowEnvironment['client'];
  stop(): Promise<void>;
}

/** How often the server is started anew when it takes longer than the five seconds that the SDK gives it. */
const MOST_STARTS = 4;

/** What Temporal's SDK had to say last: not printed, because activities that fail on purpose would fill the output. */
const sdkLines: string[] = [];

function listenToSdk(): void {
  const logger = new DefaultLogger('WARN', ({ level, message, meta }) => {
    const failure: unknown = Reflect.get(Object(meta), 'error');
    sdkLines.push(`${level} ${message} ${failure instanceof Error ? failure.message : ''}`);
    if (sdkLines.length > 10) sdkLines.shift();
  });
  Runtime.install({ logger });
}

/**
 * Waits, in real time, until something is so.
 * @param done what happened so far, for whoever reads that it never came
 * @param handle of the run that has to do it: its history, and what it waits for, are shown then
 */
export async function untilSo(
  condition: () => boolean | Promise<boolean>,
  done: () => readonly string[],
  handle: WorkflowHandle,
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) {
      const shown = [done().join(', '), await stateOf(handle), ...sdkLines];
      throw new Error(`waited in vain; so far: ${shown.join('\n')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/**
 * Waits until a run does nothing but wait. One that is ended by hand before that leaves the server counting a workflow
 * task that nobody finishes: from then on it skips no time.
 */
export function untilQuiet(handle: WorkflowHandle): Promise<void> {
  return untilSo(
    () => isQuiet(handle),
    () => ['it never came to rest'],
    handle,
  );
}

/** By its history: this server does not say that a workflow task is pending. */
async function isQuiet(handle: WorkflowHandle): Promise<boolean> {
  const { events } = await handle.fetchHistory();
  let pending = 0;
  for (const event of events ?? []) {
    if (event.workflowTaskScheduledEventAttributes ?? event.activityTaskScheduledEventAttributes) pending += 1;
    if (event.workflowTaskCompletedEventAttributes ?? event.workflowTaskFailedEventAttributes) pending -= 1;
    if (event.workflowTaskTimedOutEventAttributes ?? event.activityTaskTimedOutEventAttributes) pending -= 1;
    if (event.activityTaskCompletedEventAttributes ?? event.activityTaskFailedEventAttributes) pending -= 1;
    if (event.activityTaskCanceledEventAttributes) pending -= 1;
  }
  return pending === 0;
}

async function stateOf(handle: WorkflowHandle): Promise<string> {
  const { events } = await handle.fetchHistory();
  const { raw } = await handle.describe();
  const { pendingActivities, pendingWorkflowTask } = raw;
  const tail = (events ?? []).slice(-8).map(({ eventId, eventType }) => `${String(eventId)} ${String(eventType)}`);
  return JSON.stringify({ tail, pendingActivities, pendingWorkflowTask });
}

/** The server alone; a busy machine may need more than one attempt to start it. */
export async function startSkippingServer(): Promise<TestWorkflowEnvironment> {
  const path = process.env['KINDLINE_TEST_SERVER'];
  const options = path ? { server: { executable: { type: 'existing-path' as const, path } } } : {};
  for (let start = 1; ; start += 1) {
    try {
      return await TestWorkflowEnvironment.createTimeSkipping(options);
    } catch (error) {
      if (start >= MOST_STARTS) throw error;
    }
  }
}

/** @param activities doubles of what the workflows under test ask for */
export async function startSkippingWorker(
  activities: NonNullable<WorkerOptions['activities']>,
): Promise<SkippingWorker> {
  listenToSdk();
  const env = await startSkippingServer();
  const worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: env.namespace ?? 'default',
    taskQueue: 'kindline',
    workflowsPath: require.resolve('../../workflows'),
    activities,
  });
  const running = worker.run();
  return {
    client: env.client,
    async stop() {
      worker.shutdown();
      await running;
      await env.teardown();
    },
  };
}

/** A server that skips time, with our workflows on the queue `kindline` and activities there and on queues of their own. */
export interface SkippingStage {
  readonly env: TestWorkflowEnvironment;
  /** Replays runs, so that a workflow that is not deterministic cannot pass. @returns what went wrong, a line each */
  failedReplays(handles: readonly WorkflowHandle[]): Promise<string[]>;
  stop(): Promise<void>;
}

/** @param activitiesIn given the server, for doubles that look at its clock */
export async function startSkippingStage(
  queues: readonly string[],
  activitiesIn: (env: TestWorkflowEnvironment) => object,
): Promise<SkippingStage> {
  listenToSdk();
  const env = await startSkippingServer();
  const namespace = env.namespace ?? 'default';
  await env.connection.operatorService.addSearchAttributes({ namespace, searchAttributes: SEARCH_ATTRIBUTE_TYPES });
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: require.resolve('../../workflows'),
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error },
  });
  const common = { connection: env.nativeConnection, namespace, activities: activitiesIn(env) };
  const workers = [
    await Worker.create({ ...common, taskQueue: 'kindline', workflowBundle }),
    ...(await Promise.all(queues.map((taskQueue) => Worker.create({ ...common, taskQueue })))),
  ];
  const running = Promise.all(workers.map((worker) => worker.run()));
  return {
    env,
    async failedReplays(handles) {
      const histories = await Promise.all(
        handles.map(async (handle) => ({ workflowId: handle.workflowId, history: await handle.fetchHistory() })),
      );
      const failed: string[] = [];
      for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle }, histories)) {
        if (error) failed.push(`${workflowId}: ${error.message}`);
      }
      return failed;
    },
    async stop() {
      for (const worker of workers) worker.shutdown();
      await running;
      await env.teardown();
    },
  };
}
