import { VARIABLE_NAMES } from '../config/config';
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
  'TWILIO_RECORDING_ENCRYPTION',
  'TWILIO_MESSAGES_PER_SECOND',
  'TWILIO_MESSAGING_SERVICE_SID',
  'TWILIO_ANSWERS_OPT_OUT',
  'PUBLIC_BASE_URL',
];

/**
 * What `npm start` sets itself, or gives on only with the real part that it belongs to. Every other setting is passed on:
 * one that is dropped would stand in `.env` and change nothing.
 */
export const OF_PARTS: readonly string[] = [
  'NODE_ENV',
  'ALLOW_STAND_INS',
  'PORT',
  'SECRETS_SOURCE',
  'SECRETS_ENDPOINT',
  'DATABASE_URL',
  'DATABASE_WORKER_URL',
  'DATABASE_MIGRATION_URL',
  'TEMPORAL_ADDRESS',
  'TEMPORAL_NAMESPACE',
  'TEMPORAL_UI_URL',
  'CODEC_PORT',
  'CODEC_HOST',
  'CODEC_PUBLIC_URL',
  'CODEC_OIDC_ISSUER',
  'CODEC_OIDC_AUDIENCE',
  'TWILIO_API_BASE_URL',
  'TWILIO_INSIGHTS_BASE_URL',
  ...TWILIO_NEEDS,
  ...TWILIO_MAY_HAVE,
  ...OIDC,
];

/** Settings that are passed on whatever the parts are; `AWS_*` is read by the SDK of AWS. */
const isPassedOn = (name: string) =>
  name.startsWith('AWS_') || (VARIABLE_NAMES.includes(name) && !OF_PARTS.includes(name));

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
  const passedOn = Object.fromEntries(Object.entries(env).filter(([name]) => isPassedOn(name)));
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
      // Whoever is really reached cannot open the sample that the simulator serves.
      ...(isTwilio || isMail ? { PRIVACY_POLICY_URL: '' } : ORGANISATION_HERE),
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
