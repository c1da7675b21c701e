import { NativeConnection } from '@temporalio/worker';
import { type ActivityDependencies, createActivities } from '../activities';
import { tellUser } from '../activities/tell-user';
import { loadConfig, type Config, VARIABLE_NAMES } from '../config/config';
import { createPool } from '../db/pool';
import { AUDIT_PURPOSES, ensureServiceKeys } from '../db/service-keys';
import { createVault } from '../db/vault-records';
import { createWebhookUrls } from '../domain/webhook-urls';
import { createAlertWebhook } from '../providers/alert-webhook';
import { createAppWebhook } from '../providers/app-webhook';
import { openCheckpointStore } from '../providers/open-checkpoint-store';
import { openKeyRing } from '../providers/open-key-ring';
import { openMail } from '../providers/open-mail';
import { openSecrets, type SecretsSource } from '../providers/secrets';
import { createTwilioMessages } from '../providers/twilio-messages';
import { createTwilioRecordings } from '../providers/twilio-recordings';
import { createTwilioInsights } from '../providers/twilio-insights';
import { createTwilioVoice } from '../providers/twilio-voice';
import { connectionOptions, connectTemporal } from '../temporal/connection';
import { ensureNamespace } from '../temporal/namespace';
import { registerSearchAttributes } from '../temporal/search-attributes';
import { createCallLog } from '../vault/call-log';
import { createLogger, type Logger } from '../vault/logger';
import { patiently } from '../vault/patience';
import { warnOfStandIns } from '../vault/stand-ins';
import { endOnStrayErrors } from '../vault/stray-errors';
import { createSubjectKeyCache } from '../vault/subject-key-cache';
import { createTokenizer } from '../vault/tokens';
import { workflowSource } from './bundle';
import { startLineWatch } from './line-watch';
import { startQueueWatch } from './queue-watch';
import { startRelay } from './relay';
import { installRuntime } from './runtime';
import { oneAtATime } from './schedule-lock';
import { ensureAuditSeal, ensureCallSweep, ensureCostSweep, ensureRetentionSweep, ensureWatchdog } from './schedules';
import { startWellbeingWatch } from './wellbeing-watch';
import { createWorkers, runWorkers } from './workers';

/** What is open, in the order in which it was opened; closed in the opposite order. */
type Closer = () => Promise<void> | void;

/** Builds everything, runs until a signal comes, drains, and closes what it has opened. */
async function run(config: Config, secrets: SecretsSource, logger: Logger): Promise<void> {
  const opened: Closer[] = [];
  try {
    const pool = createPool({ ...config.database, url: config.database.workerUrl }, logger);
    opened.push(() => pool.end());
    const keyRing = await openKeyRing(config.keys, config);
    const keys = await patiently(logger, () => ensureServiceKeys(pool, keyRing));
    const auditKeys = await ensureServiceKeys(pool, keyRing, AUDIT_PURPOSES);
    const checkpoints = openCheckpointStore(config.audit, config.keys.region);
    opened.push(() => checkpoints.close());
    const vault = createVault({ pool, keyRing, cache: createSubjectKeyCache(), logger });
    opened.push(() => vault.close());
    const voice = createTwilioVoice(config.twilio, { httpTimeoutMs: config.dispatch.httpTimeoutMs });
    opened.push(() => voice.close());
    const recordings = createTwilioRecordings(config.twilio, { httpTimeoutMs: config.dispatch.httpTimeoutMs });
    opened.push(() => recordings.close());
    const { insights: insightsAccount } = config.twilio;
    const insights =
      insightsAccount === null
        ? null
        : createTwilioInsights(insightsAccount, { httpTimeoutMs: config.dispatch.httpTimeoutMs });
    opened.push(() => insights?.close());
    const messaging = createTwilioMessages(config.twilio, { httpTimeoutMs: config.dispatch.httpTimeoutMs });
    opened.push(() => messaging.close());
    const mail = openMail(config.mail, config.dispatch.httpTimeoutMs);
    opened.push(() => mail?.close());

    const appWebhook = config.appWebhook === null ? null : createAppWebhook(config.appWebhook);
    opened.push(() => appWebhook?.close());
    const { webhook } = config.watchdog;
    const alertWebhook = webhook === null ? null : createAlertWebhook(webhook);
    opened.push(() => alertWebhook?.close());
    const tokenizer = createTokenizer(keys.all('token'));

    const temporal = await connectTemporal(config.temporal, keys);
    opened.push(() => temporal.close());
    await ensureNamespace(temporal.connection, config.temporal.namespace);
    await registerSearchAttributes(temporal.connection, config.temporal.namespace);
    const native = await NativeConnection.connect(connectionOptions(config.temporal));
    opened.push(() => native.close());

    const dependencies: ActivityDependencies = {
      pool,
      vault,
      voice,
      recordings,
      messaging,
      mail: {
        provider: mail,
        from: config.mail?.from ?? '',
        linkKey: keys.current('link'),
        publicBaseUrl: config.api.publicBaseUrl,
      },
      messagingServiceSid: config.twilio.messagingServiceSid,
      urls: createWebhookUrls(config.twilio.webhookBaseUrl, config.twilio.voiceFallbackUrl),
      temporal: temporal.client,
      logger,
      callLog: createCallLog(logger, keys.all('token')),
      dispatch: config.dispatch,
      enabled: config.enabled,
      whenSwitchedOff: config.whenSwitchedOff,
      lineProbeIntervalMs: config.lineProbeIntervalMs,
      privacyPolicyUrl: config.privacyPolicyUrl,
      allowedCountries: config.limits.allowedCountries,
      limits: { perUser: config.limits.requestsPerUserPerHour, perTarget: config.limits.requestsPerTargetPerHour },
      messages: config.messages,
      recipientLimits: config.limits.recipient,
      phoneNumbers: config.twilio.phoneNumbers,
      matching: config.matching,
      buddies: config.buddies,
      wellbeing: config.wellbeing,
      crisisOverride: config.helplines.crisisOverride,
      voiceAlert: config.voiceAlert,
      auditKeys,
      checkpoints,
      appWebhook,
      watchdog: config.watchdog,
      alertWebhook,
      tokenizer,
      insights,
      maxDurationMs: config.mentorCall.times.maxDuration,
      callRetentionMs: config.twilio.callRetention,
      retention: config.retention,
      monotonicMs: () => performance.now(),
    };
    const activities = createActivities(dependencies);
    const workflows = workflowSource();
    const workers = await createWorkers({ connection: native, config, keys, activities, workflows });
    await oneAtATime(pool, async () => {
      await ensureCallSweep(temporal.client, config.temporal.taskQueue, config.sweepIntervalMs);
      await ensureAuditSeal(temporal.client, config.temporal.taskQueue, config.audit.sealIntervalMs);
      await ensureCostSweep(temporal.client, config.temporal.taskQueue, config.costsIntervalMs);
      await ensureRetentionSweep(temporal.client, config.temporal.taskQueue);
      await ensureWatchdog(temporal.client, config.temporal.taskQueue, config.watchdog.intervalMs);
    });
    const { allowedCountries } = config.limits;
    const { phoneNumbers } = config.twilio;
    const settings = { ...config.inboundTexts, allowedCountries, phoneNumbers, retention: config.retention };
    const texts = { vault, tokenizer, settings };
    const relay = startRelay({
      pool,
      client: temporal.client,
      logger,
      texts,
      tellUser: (news) => tellUser(dependencies, news),
      intervalMs: config.relayIntervalMs,
      tellsTheApp: appWebhook !== null,
    });
    opened.push(() => relay.stop());
    const lineWatch = startLineWatch({
      pool,
      logger,
      intervalMs: config.lineProbeIntervalMs,
      probes: {
        twilio: async () => (await messaging.probe()).isActive,
        mail: async () => {
          await mail?.probe();
          return mail !== null;
        },
      },
    });
    opened.push(() => lineWatch.stop());
    const queueWatch = startQueueWatch({
      pool,
      temporal: temporal.client,
      logger,
      intervalMs: config.relayIntervalMs,
    });
    opened.push(() => queueWatch.stop());
    const wellbeingWatch = startWellbeingWatch(dependencies, config.relayIntervalMs);
    opened.push(() => wellbeingWatch.stop());

    const running = runWorkers(workers);
    const { namespace, taskQueue: queue } = config.temporal;
    const bundle = 'workflowBundle' in workflows ? 'prebuilt' : 'made-at-start';
    logger.info({ namespace, queue, bundle, keyRing: config.keys.ring, secrets }, 'worker ready');
    await running;
    logger.info({}, 'worker drained');
  } finally {
    for (const close of opened.reverse()) await Promise.resolve(close()).catch(() => undefined);
  }
}

async function main(): Promise<void> {
  const secrets = await openSecrets(process.env, VARIABLE_NAMES);
  const config = loadConfig(secrets.env);
  const logger = createLogger({ name: 'worker', level: config.logLevel });
  // Also turns SIGINT and SIGTERM into an orderly end of all workers of the process.
  installRuntime(logger, config);
  endOnStrayErrors(logger);
  warnOfStandIns(logger, config.allowStandIns);
  try {
    await run(config, secrets.source, logger);
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
