import { DefaultLogger, Runtime, type LogEntry, type LogMetadata, type RuntimeOptions } from '@temporalio/worker';
import type { Logger } from '../vault/logger';

/**
 * Prepares the SDK's runtime of this process, once: its log lines pass our logger, its metrics are served to
 * Prometheus when a port is given, on this machine only.
 */
export function installRuntime(logger: Logger, metricsPort: number | null): void {
  const options: RuntimeOptions = {
    logger: new DefaultLogger('INFO', (entry) => logEntry(logger, entry)),
    ...(metricsPort === null
      ? {}
      : { telemetryOptions: { metrics: { prometheus: { bindAddress: `127.0.0.1:${metricsPort}` } } } }),
  };
  Runtime.install(options);
}

/**
 * The SDK's texts are not ours and may quote errors, so only their letters pass, as one word; of its fields only
 * those that our own lines may have.
 */
function logEntry(logger: Logger, entry: LogEntry): void {
  const { workflowId, runId, workflowType, activityType, attempt, taskQueue }: LogMetadata = entry.meta ?? {};
  const event = entry.message
    .toLowerCase()
    .replaceAll(/[^a-z]+/g, '-')
    .slice(0, 60)
    .replaceAll(/^-|-$/g, '');
  const fields = {
    component: 'temporal',
    event,
    workflowId,
    runId,
    workflowType,
    activityType,
    attempt,
    queue: taskQueue,
  };
  if (entry.level === 'ERROR') logger.error(fields, 'temporal sdk');
  else if (entry.level === 'WARN') logger.warn(fields, 'temporal sdk');
  else logger.info(fields, 'temporal sdk');
}
