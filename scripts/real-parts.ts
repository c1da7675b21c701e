import { CommandError } from './command-error';
import type { StackOptions } from './stack';

/** Which parts of `npm start` are real because they are configured. */
export interface RealParts {
  readonly parts: NonNullable<StackOptions['real']>;
  /** Settings that are passed on to the services as they are. */
  readonly env: NodeJS.ProcessEnv;
  readonly isTwilio: boolean;
  /** One line a part, for whoever starts it. */
  readonly lines: readonly string[];
}

/** Settings that may be given for `npm start` whatever its parts are. */
const PASSED_ON =
  /^(LOG_LEVEL|ALLOWED_COUNTRIES|UNVERIFIED_NUMBERS|REQUESTS_PER_.*|RATE_LIMIT_.*|RECIPIENT_LIMITS.*|BUDDY_.*|QUIET_HOURS|MESSAGE_.*|FALLBACK_CRISIS_NUMBER|CALL_.*|PROMPTS_FILE|VOICE_INSIGHTS|SPOKEN_DISCLOSURES|ALERT_.*|USER_CONFIRM|VOICE_ENABLED|SMS_ENABLED|WHEN_SWITCHED_OFF|LINE_PROBE_INTERVAL|KINDLINE_TASK_QUEUE|HOST|DISPATCH_.*|SWEEP_INTERVAL|AUDIT_.*|S3_ENDPOINT|RELAY_INTERVAL|(API_)?METRICS_PORT|APP_WEBHOOK_.*|TRUST_PROXY_HOPS|KEY_RING|KMS_.*|AWS_.*|LOCAL_KEY_FILE|DATABASE_POOL_SIZE|TEMPORAL_(API_KEY|TLS)|CODEC_(ROLES|REQUESTS_PER_MINUTE)|COSTS_INTERVAL|PAGE_SESSION|WATCHDOG_.*|AUTOMATIC_ANSWER_INTERVAL|PRIVACY_POLICY_URL|MAIL_.*|MAILS_PER_SECOND|SES_ENDPOINT|VOICE_TOKEN_TTL|RETENTION_.*|WELLBEING_.*|ESCALATION_.*)$/;

/** Whom alerts come to that no friend answers, where mailbox and phones are played on this machine. */
const ORGANISATION_HERE = {
  ESCALATION_WELLBEING_EMAIL: 'wellbeing@kindline.example.org',
  ESCALATION_ON_CALL_NUMBERS: '+14155550190',
} as const;

/**
 * Decides part by part: real where it is configured, ours otherwise.
 *
 * @throws CommandError when a part is configured by half: it must not quietly become a simulated one
 */
export function realParts(env: NodeJS.ProcessEnv): RealParts {
  if (env.NODE_ENV === 'production') {
    throw new CommandError(
      'npm start puts parts of its own where none is configured, so it is refused with NODE_ENV=production. ' +
        'Production starts node dist/api/main.js and node dist/workers/main.js.',
    );
  }
  const passedOn = Object.fromEntries(Object.entries(env).filter(([name]) => PASSED_ON.test(name)));
  const {
    DATABASE_URL,
    DATABASE_WORKER_URL,
    DATABASE_MIGRATION_URL,
    TEMPORAL_ADDRESS,
    TEMPORAL_NAMESPACE,
    OIDC_ISSUER,
  } = env;
  const isTwilio = isSet(env.TWILIO_ACCOUNT_SID) || isSet(env.TWILIO_AUTH_TOKEN);
  const isSes = isSet(env.AWS_SES_REGION);
  const isMail = isSes || isSet(env.MAIL_SMTP_URL);
  const isKms = isSet(env.KMS_KEY_ID) && env.KEY_RING?.trim() !== 'local';
  const isReal = { postgres: isSet(DATABASE_URL), temporal: isSet(TEMPORAL_ADDRESS), issuer: isSet(OIDC_ISSUER) };
  const line = (part: string, real: boolean, ours: string) =>
    `  ${part.padEnd(17)} ${real ? 'REAL, as configured' : ours}`;
  return {
    parts: {
      ...(isReal.postgres
        ? {
            database: {
              appUrl: DATABASE_URL ?? '',
              workerUrl: DATABASE_WORKER_URL ?? DATABASE_URL ?? '',
              ownerUrl: DATABASE_MIGRATION_URL ?? DATABASE_URL ?? '',
            },
          }
        : {}),
      ...(isReal.temporal
        ? { temporal: { address: TEMPORAL_ADDRESS ?? '', namespace: TEMPORAL_NAMESPACE ?? 'default' } }
        : {}),
    },
    env: {
      ...(isTwilio || isMail ? {} : ORGANISATION_HERE),
      ...passedOn,
      // Empty, not absent: the simulator's mailbox would otherwise stand beside SES.
      ...(isSes && !isSet(env.MAIL_SMTP_URL) ? { MAIL_SMTP_URL: '' } : {}),
      // And its SNS would be believed beside AWS's.
      ...(isMail ? { MAIL_EVENTS_STAND_IN: '', MAIL_EVENTS_TOPIC: env.MAIL_EVENTS_TOPIC ?? '' } : {}),
      ...(isTwilio ? realTwilio(env) : {}),
      // Empty, not absent: it knows the pages by another name than ours, or not at all.
      ...(isReal.issuer ? { OIDC_CLIENT_ID: '', ...pick(env, OIDC) } : {}),
    },
    isTwilio,
    lines: [
      line('Twilio', isTwilio, 'simulated: no real phone rings'),
      line('Postgres', isReal.postgres, 'our own'),
      line('Temporal', isReal.temporal, 'our own development server'),
      line('E-mail', isMail, "the simulator's mailbox: nobody is written to"),
      line('Sign-in', isReal.issuer, 'our own issuer: anybody on this machine may sign in'),
      line('Keys', isKms, 'a key file'),
    ],
  };
}

const OIDC = ['OIDC_ISSUER', 'OIDC_AUDIENCE', 'OIDC_ROLES_CLAIM', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET'];
const TWILIO_NEEDS = ['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_PHONE_NUMBER', 'TWILIO_WEBHOOK_BASE_URL'];
const TWILIO_MAY_HAVE = [
  'TWILIO_SECONDARY_AUTH_TOKEN',
  'TWILIO_API_KEY',
  'TWILIO_API_SECRET',
  'TWIML_APP_SID',
  'VOICE_FALLBACK_URL',
  'TWILIO_CALLS_PER_SECOND',
  'TWILIO_CALL_RETENTION',
  'TWILIO_MESSAGES_PER_SECOND',
  'TWILIO_MESSAGING_SERVICE_SID',
  'TWILIO_ANSWERS_OPT_OUT',
  'PUBLIC_BASE_URL',
];

function realTwilio(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const missing = TWILIO_NEEDS.filter((name) => !isSet(env[name]));
  if (missing.length > 0) {
    throw new CommandError(
      `Real calls need ${missing.join(' and ')} too; without any TWILIO_ variable, calls are simulated.`,
    );
  }
  // Empty, not absent: what fits the simulator would otherwise stand.
  const notSimulated = {
    TWILIO_API_BASE_URL: '',
    TWILIO_API_KEY: '',
    TWILIO_API_SECRET: '',
    TWIML_APP_SID: '',
    VOICE_FALLBACK_URL: '',
    TWILIO_CALLS_PER_SECOND: '',
    TWILIO_MESSAGES_PER_SECOND: '',
  };
  return { ...notSimulated, ...pick(env, [...TWILIO_NEEDS, ...TWILIO_MAY_HAVE]) };
}

function pick(env: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(names.flatMap((name) => (isSet(env[name]) ? [[name, env[name]]] : [])));
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== '';
}
