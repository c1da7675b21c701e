import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';

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
