import { setTimeout as delay } from 'node:timers/promises';
import { type Config, loadConfig, VARIABLE_NAMES } from '../config/config';
import { createPool } from '../db/pool';
import { ensureServiceKeys } from '../db/service-keys';
import { createVault } from '../db/vault-records';
import type { PromptsOf } from '../domain/prompts';
import { createWebhookUrls } from '../domain/webhook-urls';
import { openPrompts } from '../providers/prompts-file';
import { openKeyRing } from '../providers/open-key-ring';
import { openSecrets, type SecretsSource } from '../providers/secrets';
import { createTwilioRecordings } from '../providers/twilio-recordings';
import { createTwilioVoice } from '../providers/twilio-voice';
import { createVoiceTokens } from '../providers/voice-tokens';
import { createSignIn } from '../providers/sign-in';
import { createSnsReader } from '../providers/sns-messages';
import { answerCheckIn, beginCheckIn, signalOpened, signalTexted } from '../temporal/check-ins';
import { connectTemporal, type KindlineClient } from '../temporal/connection';
import { answerInvitation, inviteBuddy, renewInvitation } from '../temporal/buddy-verification';
import { tellBuddyEnded } from '../temporal/buddy-endings';
import {
  askTwiml,
  beginMentorCall,
  cancelMentorCall,
  describeMentorCall,
  signalLegEnded,
  startMentorCall,
} from '../temporal/mentor-calls';
import { startMessageBatch, tellMessageBatch } from '../temporal/message-batches';
import { cancelMessage, describeMessage, signalReceipt, startMessage } from '../temporal/messages';
import {
  askAlert,
  cancelVoiceAlert,
  describeVoiceAlert,
  signalAlertLegEnded,
  startVoiceAlert,
} from '../temporal/voice-alerts';
import {
  closeWellbeingAlert,
  confirmEmergency,
  startWellbeingAlert,
  tellContactAnswer,
} from '../temporal/wellbeing-alerts';
import { createCallLog } from '../vault/call-log';
import { createCookieSeal } from '../vault/cookie-seal';
import { createLogger, type Logger } from '../vault/logger';
import { patiently } from '../vault/patience';
import { warnOfStandIns } from '../vault/stand-ins';
import { endOnStrayErrors } from '../vault/stray-errors';
import { createSubjectKeyCache } from '../vault/subject-key-cache';
import { createTokenizer } from '../vault/tokens';
import { createApi } from './app';
import { createApiMetrics, serveMetrics } from './metrics';
import type {
  BuddyProcess,
  CheckInProcess,
  MentorCallProcess,
  MessageProcess,
  VoiceAlertProcess,
  WellbeingProcess,
} from './deps';
import { drained, listen, portOf, signalled } from './serving';
import { watchKeyRing } from './part-watch';
import { signingKeysOf } from './signing-keys';
import { watchTwilio } from './twilio-watch';

/** Composition root: `node dist/api/main.js`, configured by the environment (`.env.example`). */
async function run(config: Config, promptsOf: PromptsOf, secrets: SecretsSource, logger: Logger): Promise<void> {
  const closers: (() => unknown)[] = [];
  const pool = createPool(config.database, logger);
  closers.push(() => pool.end());
  const keyRing = await openKeyRing(config.keys, config);
  const keys = await patiently(logger, () => ensureServiceKeys(pool, keyRing));
  const vault = createVault({ pool, keyRing, cache: createSubjectKeyCache(), logger });
  closers.push(() => vault.close());
  const temporal = await connectTemporal(config.temporal, keys);
  closers.push(() => temporal.close());
  const voice = createTwilioVoice(config.twilio, { httpTimeoutMs: config.dispatch.httpTimeoutMs });
  closers.push(() => voice.close());
  const recordings = createTwilioRecordings(config.twilio, { httpTimeoutMs: config.dispatch.httpTimeoutMs });
  closers.push(() => recordings.close());
  const twilio = watchTwilio(voice, logger);
  closers.push(() => twilio.stop());
  const kms = watchKeyRing(keyRing, logger);
  closers.push(() => kms.stop());
  const metrics = config.apiMetricsPort === null ? null : createApiMetrics({ pool, logger });
  if (metrics !== null && config.apiMetricsPort !== null) {
    const metricsServer = await serveMetrics(metrics, config.apiMetricsPort, config.metricsHost);
    closers.push(() => metricsServer.close());
  }
  let isDraining = false;

  const app = createApi({
    config,
    logger,
    callLog: createCallLog(logger, keys.all('token')),
    pool,
    vault,
    tokenizer: createTokenizer(keys.all('token')),
    process: mentorCallProcess(temporal.client),
    sns: createSnsReader(config.mailEvents),
    batches: {
      start: (input) => startMessageBatch(temporal.client, input),
      tell: (batchId, what) => tellMessageBatch(temporal.client, batchId, what),
    },
    messages: messageProcess(temporal.client),
    alerts: voiceAlertProcess(temporal.client),
    checkIns: checkInProcess(temporal.client),
    buddyEndings: { tell: (ending, deadlineMs) => tellBuddyEnded(temporal.client, ending, deadlineMs) },
    buddies: buddyProcess(temporal.client),
    wellbeing: wellbeingProcess(temporal.client),
    voice,
    recordings,
    voiceTokens: createVoiceTokens(config.twilio),
    promptsOf,
    urls: createWebhookUrls(config.twilio.webhookBaseUrl, config.twilio.voiceFallbackUrl),
    twilio,
    kms,
    metrics,
    isDraining: () => isDraining,
    temporalAnswers: async () => {
      await temporal.connection.withDeadline(Date.now() + 1_000, () => temporal.connection.healthService.check({}));
      return true;
    },
    signingKeys: signingKeysOf(config.oidc.issuer),
    signIn: createSignIn(config.oidc, config.api.publicBaseUrl),
    cookies: createCookieSeal(keys.all('link')),
  });
  const server = await listen(app, config.api);
  const { allowStandIns: standIns, keys: ring } = config;
  logger.info({ port: portOf(server), standIns, keyRing: ring.ring, secrets }, 'api ready');

  await signalled('SIGTERM', 'SIGINT');
  isDraining = true;
  // Balancers learn it from /health/ready before connections are refused.
  await delay(config.api.drainNotice);
  await drained(server);
  for (const close of closers.toReversed()) await Promise.resolve(close()).catch(() => undefined);
  logger.info({}, 'api stopped');
}

function mentorCallProcess(client: KindlineClient): MentorCallProcess {
  return {
    start: (input) => startMentorCall(client, input),
    ask: (callId, question, updateId, deadlineMs) => askTwiml(client, callId, question, updateId, deadlineMs),
    begin: (input, question, updateId, deadlineMs) => beginMentorCall(client, input, question, updateId, deadlineMs),
    legEnded: (callId, event, deadlineMs) => signalLegEnded(client, callId, event, deadlineMs),
    cancel: (callId) => cancelMentorCall(client, callId),
    describe: (callId) => describeMentorCall(client, callId),
  };
}

function voiceAlertProcess(client: KindlineClient): VoiceAlertProcess {
  return {
    start: (input) => startVoiceAlert(client, input),
    ask: (alertId, question, updateId, deadlineMs) => askAlert(client, alertId, question, updateId, deadlineMs),
    legEnded: (alertId, event, deadlineMs) => signalAlertLegEnded(client, alertId, event, deadlineMs),
    cancel: (alertId) => cancelVoiceAlert(client, alertId),
    describe: (alertId) => describeVoiceAlert(client, alertId),
  };
}

function checkInProcess(client: KindlineClient): CheckInProcess {
  return {
    begin: (input, country) => beginCheckIn(client, input, country),
    opened: (requestId, visit, deadlineMs) => signalOpened(client, requestId, visit, deadlineMs),
    respond: (requestId, answer, updateId, deadlineMs) =>
      answerCheckIn(client, requestId, answer, updateId, deadlineMs),
    texted: (answer, deadlineMs) => signalTexted(client, answer, deadlineMs),
  };
}

function buddyProcess(client: KindlineClient): BuddyProcess {
  return {
    invite: (begun, invite, deadlineMs) => inviteBuddy(client, begun, invite, deadlineMs),
    renew: (begun, renewal, deadlineMs) => renewInvitation(client, begun, renewal, deadlineMs),
    answer: (buddyId, answer, deadlineMs) => answerInvitation(client, buddyId, answer, deadlineMs),
  };
}

function wellbeingProcess(client: KindlineClient): WellbeingProcess {
  return {
    start: (input) => startWellbeingAlert(client, input, 2_000),
    close: (alertId, by) => closeWellbeingAlert(client, alertId, by),
    confirmEmergency: (alertId, actor) => confirmEmergency(client, alertId, actor),
    contactAnswers: (asked, response) => tellContactAnswer(client, asked, response),
  };
}

function messageProcess(client: KindlineClient): MessageProcess {
  return {
    start: (input) => startMessage(client, input),
    receipt: (messageId, receipt, deadlineMs) => signalReceipt(client, messageId, receipt, deadlineMs),
    cancel: (messageId) => cancelMessage(client, messageId),
    describe: (messageId) => describeMessage(client, messageId),
  };
}

async function main(): Promise<void> {
  const secrets = await openSecrets(process.env, VARIABLE_NAMES);
  const config = loadConfig(secrets.env);
  const promptsOf = openPrompts(config.mentorCall.promptsFile);
  const logger = createLogger({ name: 'api', level: config.logLevel });
  endOnStrayErrors(logger);
  warnOfStandIns(logger, config.allowStandIns);
  try {
    await run(config, promptsOf, secrets.source, logger);
  } catch (error) {
    logger.fatal({ error }, 'api failed');
    process.exitCode = 1;
  }
  // Whatever still holds the process open has had its time.
  setTimeout(() => process.exit(), 1_000).unref();
}

main().catch((error: unknown) => {
  // Only a wrong configuration comes here; its text names variables and keys of sentences, never values.
  process.stderr.write(`${error instanceof Error ? error.message : 'failed'}\n`);
  process.exitCode = 1;
});
