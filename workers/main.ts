import { NativeConnection } from '@temporalio/worker';
import { createActivities } from '../activities';
import { loadConfig, type Config } from '../config/config';
import { createPool } from '../db/pool';
import { ensureServiceKeys } from '../db/service-keys';
import { createVault } from '../db/vault-records';
import { createWebhookUrls } from '../domain/webhook-urls';
import { createTwilioVoice } from '../providers/twilio-voice';
import { connectionOptions, connectTemporal } from '../temporal/connection';
import { ensureNamespace } from '../temporal/namespace';
import { registerSearchAttributes } from '../temporal/search-attributes';
import { openLocalKeyRing } from '../vault/local-key-ring';
import { createLogger, type Logger } from '../vault/logger';
import { endOnStrayErrors } from '../vault/stray-errors';
import { createSubjectKeyCache } from '../vault/subject-key-cache';
import { startRelay } from './relay';
import { installRuntime } from './runtime';
import { ensureCallSweep } from './schedules';
import { createWorkers, runWorkers } from './workers';

/** What is open, in the order in which it was opened; closed in the opposite order. */
type Closer = () => Promise<void> | void;

/** Builds everything, runs until a signal comes, drains, and closes what it has opened. */
async function run(config: Config, logger: Logger): Promise<void> {
  const opened: Closer[] = [];
  try {
    const pool = createPool(config.database, logger);
    opened.push(() => pool.end());
    const keyRing = await openLocalKeyRing(config.keys.localKeyFile, { nodeEnv: config.nodeEnv });
    const keys = await ensureServiceKeys(pool, keyRing);
    const vault = createVault({ pool, keyRing, cache: createSubjectKeyCache(), logger });
    opened.push(() => vault.close());
    const voice = createTwilioVoice(config.twilio, { httpTimeoutMs: config.dispatch.httpTimeoutMs });
    opened.push(() => voice.close());

    const temporal = await connectTemporal(config.temporal, keys);
    opened.push(() => temporal.close());
    await ensureNamespace(temporal.connection, config.temporal.namespace);
    await registerSearchAttributes(temporal.connection, config.temporal.namespace);
    const native = await NativeConnection.connect(connectionOptions(config.temporal));
    opened.push(() => native.close());

    const activities = createActivities({
      pool,
      vault,
      voice,
      urls: createWebhookUrls(config.twilio.webhookBaseUrl, config.twilio.voiceFallbackUrl),
      temporal: temporal.client,
      logger,
      dispatch: config.dispatch,
      limits: { perUser: config.limits.requestsPerUserPerHour, perTarget: config.limits.requestsPerTargetPerHour },
      phoneNumbers: config.twilio.phoneNumbers,
      crisisOverride: config.helplines.crisisOverride,
      callRetentionMs: config.twilio.callRetention,
      monotonicMs: () => performance.now(),
    });
    const workers = await createWorkers({ connection: native, config, keys, activities });
    await ensureCallSweep(temporal.client, config.temporal.taskQueue, config.sweepIntervalMs);
    const relay = startRelay({ pool, client: temporal.client, logger, intervalMs: config.relayIntervalMs });
    opened.push(() => relay.stop());

    const running = runWorkers(workers);
    logger.info({ namespace: config.temporal.namespace, queue: config.temporal.taskQueue }, 'worker ready');
    await running;
    logger.info({}, 'worker drained');
  } finally {
    for (const close of opened.reverse()) await Promise.resolve(close()).catch(() => undefined);
  }
}

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const logger = createLogger({ name: 'worker', level: config.logLevel });
  // Also turns SIGINT and SIGTERM into an orderly end of all workers of the process.
  installRuntime(logger, config.metricsPort);
  endOnStrayErrors(logger);
  try {
    await run(config, logger);
  } catch (error) {
    logger.fatal({ error }, 'worker failed');
    process.exitCode = 1;
  }
}

main().catch((error: unknown) => {
  // Only a wrong configuration comes here; its text names variables, never values.
  process.stderr.write(`${error instanceof Error ? error.message : 'failed'}\n`);
  process.exitCode = 1;
});
