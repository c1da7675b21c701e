import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker, type WorkerOptions } from '@temporalio/worker';

/** A server that skips time, with one worker of ours on the queue `kindline`. */
export interface SkippingWorker {
  readonly client: TestWorkflowEnvironment['client'];
  stop(): Promise<void>;
}

/** @param activities doubles of what the workflows under test ask for */
export async function startSkippingWorker(
  activities: NonNullable<WorkerOptions['activities']>,
): Promise<SkippingWorker> {
  // Activities that fail on purpose would fill the output.
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
  const path = process.env['KINDLINE_TEST_SERVER'];
  const env = await TestWorkflowEnvironment.createTimeSkipping(
    path ? { server: { executable: { type: 'existing-path', path } } } : {},
  );
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
