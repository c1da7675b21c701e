import { DefaultLogger, Runtime, type LogEntry, type LogMetadata, type RuntimeOptions } from '@temporalio/worker';
import { isIPv6 } from 'node:net';
import { OUTCOME_BUCKETS } from '../activities/outcome-metrics';
import type { Config } from '../config/config';
import type { Logger } from '../vault/logger';

/**
 * Prepares the SDK's runtime of this process, once: its log lines pass our logger, its metrics are served to
 * Prometheus when a port is given.
 */
export function installRuntime(
  logger: Logger,
  { metricsPort, metricsHost }: Pick<Config, 'metricsPort' | 'metricsHost'>,
): void {
  const host = isIPv6(metricsHost) ? `[${metricsHost}]` : metricsHost;
  const histogramBucketOverrides = OUTCOME_BUCKETS;
  const options: RuntimeOptions = {
    logger: new DefaultLogger('INFO', (entry) => logEntry(logger, entry)),
    ...(metricsPort === null
      ? {}
      : {
          telemetryOptions: {
            metrics: { prometheus: { bindAddress: `${host}:${metricsPort}`, histogramBucketOverrides } },
          },
        }),
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
