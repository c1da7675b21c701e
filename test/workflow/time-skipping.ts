import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowHandle } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';
import { SEARCH_ATTRIBUTE_TYPES } from '../../temporal/search-attributes';

/** A server that skips time, with one worker of ours on the queue `kindline`. */
export interface SkippingWorker {
  readonly client: TestWorkflowEnvironment['client'];
  stop(): Promise<void>;
}

/** How often the server is started anew when it takes longer than the five seconds that the SDK gives it. */
const MOST_STARTS = 4;

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
  // Activities that fail on purpose would fill the output.
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
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
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
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
