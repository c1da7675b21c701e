import { isIP } from 'node:net';
import { z } from 'zod';
import { arrangeBuddies, buddyVariables } from './buddies';
import { checked } from './checked';
import { arrangeMatching, arrangeMentorCall, mentorCallVariables } from './mentor-call';
import { productionProblems } from './production';
import { arrangeRecording, recordingVariables } from './recording';
import { arrangeRetention, retentionVariables } from './retention';
import {
  anyText,
  boolean,
  duration,
  E164,
  HELPLINE_NUMBER,
  helplineNumber,
  isLoopback,
  listOf,
  mailFrom,
  oneOf,
  optional,
  parseDuration,
  parseQuietHours,
  parseRate,
  parseRates,
  required,
  SNS_TOPIC,
  text,
  tokenLifetime,
  url,
  WEBHOOK_SECRET,
  webhookSecret,
  webhookUrl,
  whole,
} from './variables';
import { arrangeWatchdog, watchdogVariables } from './watchdog';
import { arrangeWellbeing, wellbeingVariables } from './wellbeing';

/** What to put in `ALLOW_STAND_INS` to run production's entry points against stand-ins. */
export const STAND_INS_PHRASE = 'i-am-testing';

const RATE = 'a number and a time such as 600/1m';
const rate = (fallback: string) => optional(RATE, parseRate(fallback) ?? NO_RATE, parseRate);
const rates = (fallback: string) => optional(`${RATE}, or several`, parseRates(fallback) ?? [], parseRates);
const NO_RATE = { count: 1, withinMs: 1_000 };
const httpUrl = url('http:', 'https:');
const awsRegion = (v: string) => (/^[a-z]{2}(-[a-z]+)+-\d$/.test(v) ? v : null);
const roleList = listOf(/^(user|mentor|staff|admin|service)$/);

/** Every variable that is read, with what it expects. `.env.example` says what each is for. */
export const variables = z.object({
  NODE_ENV: optional(
    'development, test or production',
    'development' as const,
    oneOf('development', 'test', 'production'),
  ),
  LOG_LEVEL: optional(
    'fatal, error, warn, info, debug, trace or silent',
    'info',
    oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
  ),
  ALLOW_STAND_INS: optional(`the words ${STAND_INS_PHRASE}, or nothing`, false, (v) =>
    v === STAND_INS_PHRASE ? true : null,
  ),

  PORT: optional('a port from 0 to 65535', 3000, whole(0, 65_535)),
  HOST: optional('a host name or address to listen on', '127.0.0.1', text),
  PUBLIC_BASE_URL: optional('an http or https URL', null, httpUrl),
  TRUST_PROXY_HOPS: optional('how many proxies stand in front, from 0 to 10', 0, whole(0, 10)),
  DRAIN_NOTICE: duration('0s'),

  DATABASE_URL: required('a postgres:// URL of the application role', url('postgres:', 'postgresql:')),
  DATABASE_WORKER_URL: optional('a postgres:// URL of the worker role', null, url('postgres:', 'postgresql:')),
  DATABASE_MIGRATION_URL: optional('a postgres:// URL of the owner role', null, url('postgres:', 'postgresql:')),
  DATABASE_POOL_SIZE: optional('a number from 1 to 200', 10, whole(1, 200)),

  TEMPORAL_ADDRESS: optional('host:port', '127.0.0.1:7233', (v) => (/^[^\s:/]+:\d{1,5}$/.test(v) ? v : null)),
  TEMPORAL_NAMESPACE: optional('the name of a namespace', 'default', text),
  TEMPORAL_API_KEY: anyText('an API key'),
  TEMPORAL_TLS: optional('true or false', null, boolean),
  TEMPORAL_UI_URL: optional('an http or https URL', null, httpUrl),
  KINDLINE_TASK_QUEUE: optional('the name of a task queue', 'kindline', text),

  TWILIO_ACCOUNT_SID: required('AC and 32 hexadecimal digits', (v) => (/^AC[0-9a-fA-F]{32}$/.test(v) ? v : null)),
  TWILIO_AUTH_TOKEN: required('the auth token of the account: it signs webhooks', text),
  TWILIO_SECONDARY_AUTH_TOKEN: anyText('the second auth token, during a rotation'),
  TWILIO_API_KEY: optional('SK and 32 hexadecimal digits', null, (v) => (/^SK[0-9a-fA-F]{32}$/.test(v) ? v : null)),
  TWILIO_API_SECRET: anyText('the secret of TWILIO_API_KEY'),
  TWIML_APP_SID: optional('AP and 32 hexadecimal digits', null, (v) => (/^AP[0-9a-fA-F]{32}$/.test(v) ? v : null)),
  VOICE_TOKEN_TTL: optional('a duration from 1m to 15m', 600_000, tokenLifetime),
  TWILIO_API_BASE_URL: optional('an http or https URL', null, httpUrl),
  TWILIO_INSIGHTS_BASE_URL: optional('an http or https URL', null, httpUrl),
  VOICE_INSIGHTS: optional('on or off', false, (v) => (v === 'on' ? true : v === 'off' ? false : null)),
  TWILIO_WEBHOOK_BASE_URL: optional('an http or https URL', null, httpUrl),
  TWILIO_PHONE_NUMBER: required('one or more numbers of ours in E.164, separated by commas', listOf(E164)),
  VOICE_FALLBACK_URL: optional('an http or https URL that contains {country}', null, (v) =>
    v.includes('{country}') && URL.canParse(v) && /^https?:/.test(v) ? v : null,
  ),
  TWILIO_CALLS_PER_SECOND: optional('a number from 1 to 1000', 1, whole(1, 1_000)),
  TWILIO_CALL_RETENTION: duration('7d'),
  TWILIO_MESSAGES_PER_SECOND: optional('a number from 1 to 1000', 10, whole(1, 1_000)),
  TWILIO_MESSAGING_SERVICE_SID: optional('MG and 32 hexadecimal digits', null, (v) =>
    /^MG[0-9a-fA-F]{32}$/.test(v) ? v : null,
  ),
  TWILIO_ANSWERS_OPT_OUT: optional('true or false', true, boolean),
  AUTOMATIC_ANSWER_INTERVAL: duration('1h'),

  MAIL_FROM: optional('an address of ours, or a name and <an address>', null, mailFrom),
  MAIL_SMTP_URL: optional('an smtp:// or smtps:// URL', null, url('smtp:', 'smtps:')),
  AWS_SES_REGION: optional('a region such as eu-west-1', null, awsRegion),
  MAIL_SES_CONFIGURATION_SET: optional('the name of a configuration set', null, (v) =>
    /^[\w-]{1,64}$/.test(v) ? v : null,
  ),
  SES_ENDPOINT: optional('an http or https URL', null, httpUrl),
  MAILS_PER_SECOND: optional('a number from 1 to 1000', 10, whole(1, 1_000)),
  MAIL_EVENTS_TOPIC: optional('one or more ARNs of SNS topics, separated by commas', null, listOf(SNS_TOPIC)),
  MAIL_EVENTS_STAND_IN: optional('an http or https URL', null, httpUrl),
  PRIVACY_POLICY_URL: optional('an http or https URL', null, httpUrl),
  COSTS_INTERVAL: duration('15m'),

  APP_WEBHOOK_URL: optional('an http or https URL without a name, a password or a fragment', null, webhookUrl),
  APP_WEBHOOK_SECRET: optional(WEBHOOK_SECRET, null, webhookSecret),
  APP_WEBHOOK_SECONDARY_SECRET: optional(WEBHOOK_SECRET, null, webhookSecret),
  APP_WEBHOOK_TIMEOUT: duration('10s'),

  OIDC_ISSUER: required('an http or https URL', httpUrl),
  OIDC_AUDIENCE: optional('the audience of access tokens', 'kindline', text),
  OIDC_ROLES_CLAIM: optional('the name of a claim', 'roles', text),
  OIDC_CLIENT_ID: anyText('the id under which the issuer knows the pages'),
  OIDC_CLIENT_SECRET: anyText('the secret of OIDC_CLIENT_ID'),
  PAGE_SESSION: duration('1h'),

  CODEC_PORT: optional('a port from 0 to 65535', 3001, whole(0, 65_535)),
  CODEC_HOST: optional('a host name or address to listen on', '127.0.0.1', text),
  CODEC_PUBLIC_URL: optional('an http or https URL', null, httpUrl),
  CODEC_OIDC_ISSUER: optional('an http or https URL', null, httpUrl),
  CODEC_OIDC_AUDIENCE: anyText('the audience of the Web UI’s access tokens'),
  CODEC_ROLES: optional('one or more of user, mentor, staff, admin, service', ['admin'] as readonly string[], roleList),
  CODEC_REQUESTS_PER_MINUTE: optional('a number from 1 to 100000', 600, whole(1, 100_000)),

  KEY_RING: optional('local or kms', null, oneOf('local', 'kms')),
  LOCAL_KEY_FILE: optional('a path', '.kindline/root-key.json', text),
  KMS_KEY_ID: anyText('id, alias or ARN of a KMS key'),
  KMS_PREVIOUS_KEY_ID: anyText('id, alias or ARN of the KMS key that is being replaced'),
  AWS_REGION: optional('a region such as eu-west-1', null, awsRegion),
  KMS_ENDPOINT: optional('an http or https URL', null, httpUrl),
  KMS_TIMEOUT: duration('3s'),

  SECRETS_SOURCE: optional('environment, file:<directory> or secrets-manager:<id or ARN>', null, text),
  SECRETS_ENDPOINT: optional('an http or https URL', null, httpUrl),

  DISPATCH_LEASE: duration('15s'),
  DISPATCH_SETTLE: duration('12s'),
  DISPATCH_HTTP_TIMEOUT: duration('10s'),
  DISPATCH_SEND_MARGIN: optional('a duration such as 11s', null, parseDuration),

  ...mentorCallVariables,
  ...recordingVariables,

  ALERT_RING: duration('30s'),
  ALERT_ATTEMPTS: optional('a number from 1 to 10', 3, whole(1, 10)),
  ALERT_RETRY_AFTER: duration('30s'),
  ALERT_RETRY_LONGEST: duration('10m'),
  ALERT_ESCALATION_DELAY: duration('30s'),
  ALERT_LONGEST_CALL: duration('5m'),

  ALLOWED_COUNTRIES: optional(
    'ISO 3166 codes of two letters, separated by commas',
    ['US', 'CA', 'GB'] as readonly string[],
    listOf(/^[A-Z]{2}$/),
  ),
  UNVERIFIED_NUMBERS: optional('allow or refuse', 'allow' as const, oneOf('allow', 'refuse')),
  REQUESTS_PER_USER_PER_HOUR: optional('a number from 1 to 1000', 3, whole(1, 1_000)),
  REQUESTS_PER_TARGET_PER_HOUR: optional('a number from 1 to 1000', 3, whole(1, 1_000)),
  RATE_LIMIT_USER: rate('600/1m'),
  RATE_LIMIT_ADDRESS: rate('1200/1m'),
  RATE_LIMIT_ENDPOINT: rate('120/1m'),
  RECIPIENT_LIMITS: rates('1/30s,3/15m,7/1h,20/24h'),
  RECIPIENT_LIMITS_SAFETY: rates('2/30s,10/15m,20/1h,60/24h'),
  FALLBACK_CRISIS_NUMBER: optional(HELPLINE_NUMBER, null, helplineNumber),

  AUDIT_SEAL_INTERVAL: duration('60s'),
  AUDIT_CHECKPOINT_DIR: optional('a path', '.kindline/checkpoints', text),
  AUDIT_CHECKPOINT_S3: optional('s3://bucket or s3://bucket/prefix', null, (v) =>
    /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[\w./-]*)?$/.test(v) ? v : null,
  ),
  S3_ENDPOINT: optional('an http or https URL', null, httpUrl),

  ...retentionVariables,

  QUIET_HOURS: optional('local times such as 21:00-08:00', null, parseQuietHours),
  MESSAGE_RECEIPT_PATIENCE: duration('12h'),
  MESSAGE_RECEIPT_SILENCE: duration('10m'),

  ...watchdogVariables,

  ...buddyVariables,

  ...wellbeingVariables,

  VOICE_ENABLED: optional('true or false', true, boolean),
  SMS_ENABLED: optional('true or false', true, boolean),
  WHEN_SWITCHED_OFF: optional('wait or end', 'wait' as const, oneOf('wait', 'end')),
  LINE_PROBE_INTERVAL: duration('30s'),
  SWEEP_INTERVAL: duration('60s'),
  RELAY_INTERVAL: duration('2s'),
  METRICS_HOST: optional('an IP address to listen on', '127.0.0.1', (v) => (isIP(v) === 0 ? null : v)),
  METRICS_PORT: optional('a port from 1 to 65535', null, whole(1, 65_535)),
  API_METRICS_PORT: optional('a port from 1 to 65535', null, whole(1, 65_535)),
});

/** The variables as read, before they are arranged; `production.ts` judges these. */
export type Variables = z.output<typeof variables>;

/** Those that say which root key wraps all others. */
export type KeyVariables = Pick<
  Variables,
  Extract<keyof Variables, 'KEY_RING' | 'LOCAL_KEY_FILE' | 'AWS_REGION' | `KMS_${string}`>
>;

/** The names of all variables, for the test that holds `.env.example` against them. */
export const VARIABLE_NAMES: readonly string[] = Object.keys(variables.shape);

/** Everything that can be configured; durations in milliseconds. */
export type Config = ReturnType<typeof arrange>;

/**
 * Reads and validates the environment, once, at a composition root.
 *
 * @throws ConfigError naming every wrong variable and what it expects, never a value
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  return arrange(checked(variables, env, productionProblems));
}

function arrange(v: Variables) {
  const publicBaseUrl = v.PUBLIC_BASE_URL ?? `http://127.0.0.1:${v.PORT}`;
  return {
    nodeEnv: v.NODE_ENV,
    logLevel: v.LOG_LEVEL,
    allowStandIns: v.ALLOW_STAND_INS,
    api: { port: v.PORT, host: v.HOST, publicBaseUrl, trustProxyHops: v.TRUST_PROXY_HOPS, drainNotice: v.DRAIN_NOTICE },
    database: {
      url: v.DATABASE_URL,
      /** Of the role that may write the audit chain; the worker's own `DATABASE_URL`, where each process has its own. */
      workerUrl: v.DATABASE_WORKER_URL ?? v.DATABASE_URL,
      migrationUrl: v.DATABASE_MIGRATION_URL,
      poolSize: v.DATABASE_POOL_SIZE,
    },
    temporal: {
      address: v.TEMPORAL_ADDRESS,
      namespace: v.TEMPORAL_NAMESPACE,
      /** Linked from the staff page, and from the start page of a development machine. */
      uiUrl: v.TEMPORAL_UI_URL,
      taskQueue: v.KINDLINE_TASK_QUEUE,
      apiKey: v.TEMPORAL_API_KEY,
      // An API key over a clear connection would be readable on the way.
      tls: v.TEMPORAL_TLS ?? v.TEMPORAL_API_KEY !== null,
    },
    twilio: {
      accountSid: v.TWILIO_ACCOUNT_SID,
      authToken: v.TWILIO_AUTH_TOKEN,
      secondaryAuthToken: v.TWILIO_SECONDARY_AUTH_TOKEN,
      apiKey: v.TWILIO_API_KEY,
      apiSecret: v.TWILIO_API_SECRET,
      /** Null: nobody calls from the app. */
      twimlAppSid: v.TWIML_APP_SID,
      voiceTokenTtlMs: v.VOICE_TOKEN_TTL,
      /** Null: Twilio itself. */
      apiBaseUrl: v.TWILIO_API_BASE_URL,
      /** Null: Voice Insights is not asked. */
      insights: arrangeInsights(v),
      webhookBaseUrl: v.TWILIO_WEBHOOK_BASE_URL ?? publicBaseUrl,
      phoneNumbers: v.TWILIO_PHONE_NUMBER,
      /** Contains `{country}`. */
      voiceFallbackUrl: v.VOICE_FALLBACK_URL,
      callsPerSecond: v.TWILIO_CALLS_PER_SECOND,
      callRetention: v.TWILIO_CALL_RETENTION,
      messagesPerSecond: v.TWILIO_MESSAGES_PER_SECOND,
      /** Null: texts go out from our numbers. */
      messagingServiceSid: v.TWILIO_MESSAGING_SERVICE_SID,
    },
    appWebhook: arrangeAppWebhook(v),
    /** Only linked from the start page; the codec server itself reads `config/codec.ts`. */
    codec: { publicUrl: v.CODEC_PUBLIC_URL },
    oidc: {
      issuer: v.OIDC_ISSUER,
      audience: v.OIDC_AUDIENCE,
      rolesClaim: v.OIDC_ROLES_CLAIM,
      /** The pages as a client of the issuer; null: nobody signs in to them. */
      clientId: v.OIDC_CLIENT_ID,
      /** Null: a public client, which proves itself by PKCE alone. */
      clientSecret: v.OIDC_CLIENT_SECRET,
    },
    pageSessionMs: v.PAGE_SESSION,
    keys: arrangeKeys(v),
    dispatch: {
      leaseMs: v.DISPATCH_LEASE,
      settleMs: v.DISPATCH_SETTLE,
      httpTimeoutMs: v.DISPATCH_HTTP_TIMEOUT,
      /** A claim with less lease than this left is given up: the request could outlive it. */
      sendMarginMs: v.DISPATCH_SEND_MARGIN ?? v.DISPATCH_HTTP_TIMEOUT + 1_000,
    },
    mentorCall: arrangeMentorCall(v),
    recording: arrangeRecording(v),
    matching: arrangeMatching(v),
    buddies: arrangeBuddies(v),
    wellbeing: arrangeWellbeing(v),
    voiceAlert: {
      times: {
        ring: v.ALERT_RING,
        // The same line is tried for as long for everybody.
        providerPatience: v.CALL_PROVIDER_PATIENCE,
        longestCall: v.ALERT_LONGEST_CALL,
      },
      attempts: v.ALERT_ATTEMPTS,
      backoff: { firstMs: v.ALERT_RETRY_AFTER, factor: 2, longestMs: v.ALERT_RETRY_LONGEST },
      escalationDelayMs: v.ALERT_ESCALATION_DELAY,
    },
    limits: {
      allowedCountries: v.ALLOWED_COUNTRIES,
      /** `refuse`: users are called and texted only at numbers that they have shown to be theirs. */
      unverifiedNumbers: v.UNVERIFIED_NUMBERS,
      requestsPerUserPerHour: v.REQUESTS_PER_USER_PER_HOUR,
      requestsPerTargetPerHour: v.REQUESTS_PER_TARGET_PER_HOUR,
      /** Of the API, by whoever asks. */
      requests: { user: v.RATE_LIMIT_USER, address: v.RATE_LIMIT_ADDRESS, endpoint: v.RATE_LIMIT_ENDPOINT },
      /** How often one recipient is reached, by the class of what is sent. */
      recipient: { ordinary: v.RECIPIENT_LIMITS, safety: v.RECIPIENT_LIMITS_SAFETY },
    },
    /** Null: no e-mail. */
    mail: arrangeMail(v),
    mailEvents: {
      /** ARNs; only what comes from them is believed: anybody can have a topic of their own signed. */
      topics: v.MAIL_EVENTS_TOPIC ?? [],
      /** Instead of AWS, where certificates and confirmations are fetched. */
      standIn: v.MAIL_EVENTS_STAND_IN,
    },
    watchdog: arrangeWatchdog(v),
    privacyPolicyUrl: v.PRIVACY_POLICY_URL,
    costsIntervalMs: v.COSTS_INTERVAL,
    inboundTexts: {
      /** It confirms STOP and START and answers HELP by itself; a second answer of ours would only fail. */
      twilioAnswersOptOut: v.TWILIO_ANSWERS_OPT_OUT,
      answerIntervalMs: v.AUTOMATIC_ANSWER_INTERVAL,
    },
    helplines: { crisisOverride: v.FALLBACK_CRISIS_NUMBER },
    audit: {
      sealIntervalMs: v.AUDIT_SEAL_INTERVAL,
      checkpointDir: v.AUDIT_CHECKPOINT_DIR,
      /** Instead of the directory. */
      checkpointS3: v.AUDIT_CHECKPOINT_S3,
      s3Endpoint: v.S3_ENDPOINT,
    },
    retention: arrangeRetention(v),
    messages: {
      /** Local time of the recipient; null: texts go out at any hour. */
      quietHours: v.QUIET_HOURS,
      receiptPatienceMs: v.MESSAGE_RECEIPT_PATIENCE,
      /** Nearly all receipts have come by then; after it Twilio is asked. */
      receiptSilenceMs: v.MESSAGE_RECEIPT_SILENCE,
    },
    /** What may be sent at all; staff can switch off more while the service runs (`db/switches.ts`). */
    enabled: { voice: v.VOICE_ENABLED, sms: v.SMS_ENABLED, email: arrangeMail(v) !== null },
    /** What becomes of work under way when its channel is switched off. */
    whenSwitchedOff: v.WHEN_SWITCHED_OFF,
    lineProbeIntervalMs: v.LINE_PROBE_INTERVAL,
    sweepIntervalMs: v.SWEEP_INTERVAL,
    relayIntervalMs: v.RELAY_INTERVAL,
    /** An address, for both: the worker's server takes no name. */
    metricsHost: v.METRICS_HOST,
    metricsPort: v.METRICS_PORT,
    apiMetricsPort: v.API_METRICS_PORT,
  } as const;
}

/** Null: no app is told. */
function arrangeAppWebhook(v: Variables) {
  if (v.APP_WEBHOOK_URL === null) return null;
  return {
    url: v.APP_WEBHOOK_URL,
    /** The first one is required with the URL; the other is there during a rotation. */
    secrets: [v.APP_WEBHOOK_SECRET, v.APP_WEBHOOK_SECONDARY_SECRET].filter((secret) => secret !== null),
    timeoutMs: v.APP_WEBHOOK_TIMEOUT,
    mayBePrivate: v.NODE_ENV !== 'production' || v.ALLOW_STAND_INS,
  } as const;
}

/** The same account at another product of Twilio's. What speaks Twilio's API instead of it speaks this one too. */
function arrangeInsights(v: Variables) {
  if (!v.VOICE_INSIGHTS) return null;
  return {
    accountSid: v.TWILIO_ACCOUNT_SID,
    authToken: v.TWILIO_AUTH_TOKEN,
    apiKey: v.TWILIO_API_KEY,
    apiSecret: v.TWILIO_API_SECRET,
    apiBaseUrl: v.TWILIO_INSIGHTS_BASE_URL ?? v.TWILIO_API_BASE_URL,
  } as const;
}

function arrangeMail(v: Variables) {
  if (v.MAIL_FROM === null || (v.MAIL_SMTP_URL === null && v.AWS_SES_REGION === null)) return null;
  const shared = { from: v.MAIL_FROM, perSecond: v.MAILS_PER_SECOND };
  if (v.MAIL_SMTP_URL !== null) {
    // A server on this machine is the simulator's, or a relay that is as near as a pipe.
    const requireTls = !isLoopback(v.MAIL_SMTP_URL);
    return { ...shared, carrier: 'smtp', smtp: { url: v.MAIL_SMTP_URL, requireTls } } as const;
  }
  const configurationSet = v.MAIL_SES_CONFIGURATION_SET;
  const ses = { region: v.AWS_SES_REGION ?? '', endpoint: v.SES_ENDPOINT, configurationSet };
  return { ...shared, carrier: 'ses', ses } as const;
}

/** Also for processes that read only some of the variables. */
export function arrangeKeys(v: KeyVariables) {
  return {
    ring: v.KEY_RING ?? (v.KMS_KEY_ID === null ? ('local' as const) : ('kms' as const)),
    localKeyFile: v.LOCAL_KEY_FILE,
    kmsKeyId: v.KMS_KEY_ID,
    /** Still opens what it has wrapped, until everything is wrapped again. */
    kmsPreviousKeyId: v.KMS_PREVIOUS_KEY_ID,
    /** Null: as the key's ARN says. */
    region: v.AWS_REGION,
    /** Null: AWS itself. */
    kmsEndpoint: v.KMS_ENDPOINT,
    /** For one operation with all its attempts. */
    kmsTimeoutMs: v.KMS_TIMEOUT,
  } as const;
}
