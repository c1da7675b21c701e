import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { loadConfig, VARIABLE_NAMES } from '../../../config/config';
import { ConfigError } from '../../../config/config-error';
import { parseDuration } from '../../../config/variables';
import { DISCLOSURE_KINDS } from '../../../domain/disclosures';
import type { MentorCallTimes } from '../../../domain/mentor-call';

const LOCAL: NodeJS.ProcessEnv = {
  DATABASE_URL: 'postgres://app:pass@127.0.0.1:5432/kindline',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'a-token',
  TWILIO_PHONE_NUMBER: '+14155550100, +447700900100',
  OIDC_ISSUER: 'http://127.0.0.1:8055/oidc/',
};

const PRODUCTION: NodeJS.ProcessEnv = {
  ...LOCAL,
  NODE_ENV: 'production',
  PUBLIC_BASE_URL: 'https://kindline.example.org',
  VOICE_FALLBACK_URL: 'https://static.example.org/{country}.xml',
  OIDC_ISSUER: 'https://issuer.example.org',
  MAIL_FROM: 'Kindline <no-reply@kindline.example.org>',
  AWS_SES_REGION: 'eu-west-1',
  PRIVACY_POLICY_URL: 'https://kindline.example.org/privacy',
  KMS_KEY_ID: 'alias/kindline',
  AWS_REGION: 'eu-west-1',
};

function problemsOf(env: NodeJS.ProcessEnv): string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ variable }) => variable);
  }
}

describe('the configuration', () => {
  it('is complete with five variables, and durations are milliseconds', () => {
    const config = loadConfig(LOCAL);
    expect(config.dispatch).toEqual({ leaseMs: 15_000, settleMs: 12_000, httpTimeoutMs: 10_000, sendMarginMs: 11_000 });
    expect(config.twilio.callRetention).toBe(7 * 86_400_000);
    expect(config.twilio.phoneNumbers).toEqual(['+14155550100', '+447700900100']);
    expect(config.twilio.webhookBaseUrl).toBe(config.api.publicBaseUrl);
    expect(config.keys.ring).toBe('local');
  });

  it('has every time that a mentor call needs', () => {
    const times: MentorCallTimes = loadConfig(LOCAL).mentorCall.times;
    expect(Object.values(times).every((time) => time > 0)).toBe(true);
  });

  it('keeps a number at least for as long as its user may wait and talk', () => {
    const needed = { RETENTION_NUMBER_FOR_ONE_CALL: '3h', QUEUE_LONGEST_WAIT: '30m', CALL_LONGEST: '150m' };
    expect(problemsOf({ ...LOCAL, ...needed })).toEqual([]);
    for (const more of [{ QUEUE_LONGEST_WAIT: '31m' }, { CALL_LONGEST: '151m' }, { CALL_MAX_DURATION: '151m' }]) {
      expect(problemsOf({ ...LOCAL, ...needed, ...more })).toEqual(['RETENTION_NUMBER_FOR_ONE_CALL']);
    }
    expect(problemsOf({ ...LOCAL, ...needed, QUEUE_LIMIT: '0', CALL_LONGEST: '3h' })).toEqual([]);
  });

  it('says aloud which disclosures, and only those that there are', () => {
    const spoken = (SPOKEN_DISCLOSURES: string) =>
      loadConfig({ ...LOCAL, SPOKEN_DISCLOSURES }).mentorCall.spokenDisclosures;
    expect(spoken('')).toEqual([]);
    // The limit is said in any case.
    const all = DISCLOSURE_KINDS.filter((kind) => kind !== 'duration');
    expect(spoken(all.join(', '))).toEqual(all);
    for (const wrong of ['duration', 'Emergency', 'emergency,emergency', 'emergency,'])
      expect(problemsOf({ ...LOCAL, SPOKEN_DISCLOSURES: wrong })).toEqual(['SPOKEN_DISCLOSURES']);
  });

  it('asks Voice Insights only where it is on, with the account of the calls and where those go', () => {
    expect(loadConfig(LOCAL).twilio.insights).toBeNull();
    const on = { ...LOCAL, VOICE_INSIGHTS: 'on', TWILIO_API_BASE_URL: 'http://127.0.0.1:8055' };
    const account = { accountSid: LOCAL['TWILIO_ACCOUNT_SID'], apiBaseUrl: 'http://127.0.0.1:8055' };
    expect(loadConfig(on).twilio.insights).toMatchObject(account);
    const elsewhere = { ...on, TWILIO_INSIGHTS_BASE_URL: 'http://127.0.0.1:8066' };
    expect(loadConfig(elsewhere).twilio.insights?.apiBaseUrl).toBe('http://127.0.0.1:8066');
    expect(problemsOf({ ...LOCAL, VOICE_INSIGHTS: 'yes' })).toEqual(['VOICE_INSIGHTS']);
  });

  it('drops the slash at the end of a base URL, so that paths can be joined to it', () => {
    expect(loadConfig(LOCAL).oidc.issuer).toBe('http://127.0.0.1:8055/oidc');
  });

  it('takes an empty variable for one that is not set', () => {
    expect(loadConfig({ ...LOCAL, PORT: '', KMS_KEY_ID: ' ' }).api.port).toBe(3000);
  });

  it('names everything that is missing at once', () => {
    expect(problemsOf({}).toSorted()).toEqual(Object.keys(LOCAL).toSorted());
  });

  it('names in one start what is malformed, what does not fit, and what production wants, each once', () => {
    const env = { NODE_ENV: 'production', PORT: '70000', PUBLIC_BASE_URL: 'nonsense', TWILIO_API_SECRET: 'x' };
    const wanted = ['PORT', 'PUBLIC_BASE_URL', 'TWILIO_API_KEY', 'TWILIO_WEBHOOK_BASE_URL', 'VOICE_FALLBACK_URL'];
    const mail = ['MAIL_FROM', 'MAIL_SMTP_URL', 'PRIVACY_POLICY_URL'];
    expect(problemsOf(env).toSorted()).toEqual([...wanted, ...mail, ...Object.keys(LOCAL), 'KMS_KEY_ID'].toSorted());
  });

  it.each([
    ['PORT', '70000'],
    ['DISPATCH_LEASE', '15 seconds'],
    ['TEMPORAL_ADDRESS', 'http://temporal:7233'],
    ['TWILIO_ACCOUNT_SID', 'AC123'],
    ['TWILIO_PHONE_NUMBER', '+14155550100,4155550101'],
    ['VOICE_FALLBACK_URL', 'https://static.example.org/fallback.xml'],
    ['ALLOWED_COUNTRIES', 'US,Canada'],
    ['FALLBACK_CRISIS_NUMBER', '1-800-273-8255'],
    ['VOICE_ENABLED', 'yes'],
    ['ALLOW_STAND_INS', 'true'],
    ['USER_CONFIRM', 'none'],
    ['QUEUE_LIMIT', '-1'],
    ['QUEUE_LONGEST_WAIT', '2h'],
    ['LOG_LEVEL', 'loud'],
    ['MAIL_FROM', 'Kindline <a@example.org>\r\nBcc: b@example.org'],
    ['MAIL_SMTP_URL', 'http://mail.example.org'],
    ['MAIL_EVENTS_TOPIC', 'kindline-mail'],
  ])('refuses a wrong %s by its name', (variable, value) => {
    expect(problemsOf({ ...LOCAL, [variable]: value })).toEqual([variable]);
  });

  it('has no queue when its limit is none', () => {
    expect(loadConfig(LOCAL).mentorCall.waiting).toEqual({ limit: 20, longestWait: 1_200_000 });
    expect(loadConfig({ ...LOCAL, QUEUE_LIMIT: '0' }).mentorCall.waiting).toBeNull();
  });

  it('never says a value, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...VARIABLE_NAMES),
        fc.string({ minLength: 8 }).map((text) => `~${text}~`),
        (variable, value) => {
          try {
            loadConfig({ ...LOCAL, [variable]: value });
          } catch (error) {
            expect(String(error)).not.toContain(value.trim());
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it.each([
    [{ TWILIO_API_KEY: `SK${'0'.repeat(32)}` }, 'TWILIO_API_SECRET'],
    [{ TWILIO_API_SECRET: 'x' }, 'TWILIO_API_KEY'],
    [{ TWIML_APP_SID: `AP${'0'.repeat(32)}` }, 'TWILIO_API_KEY'],
    [{ VOICE_TOKEN_TTL: '16m' }, 'VOICE_TOKEN_TTL'],
    [{ VOICE_TOKEN_TTL: '59s' }, 'VOICE_TOKEN_TTL'],
    [{ KEY_RING: 'kms' }, 'KMS_KEY_ID'],
    [{ KMS_KEY_ID: 'alias/kindline' }, 'AWS_REGION'],
    [{ FALLBACK_CRISIS_NUMBER: '911' }, 'FALLBACK_CRISIS_NUMBER'],
    [{ DISPATCH_LEASE: '5s' }, 'DISPATCH_LEASE'],
    [{ DISPATCH_SEND_MARGIN: '9s' }, 'DISPATCH_SEND_MARGIN'],
  ])('refuses variables that do not fit each other: %o', (env, variable) => {
    expect(problemsOf({ ...LOCAL, ...env })).toEqual([variable]);
  });

  it('is described in .env.example, variable by variable', () => {
    const example = readFileSync(join(__dirname, '../../../.env.example'), 'utf8');
    const described = [...example.matchAll(/^#? ?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name);
    expect(described.toSorted()).toEqual([...VARIABLE_NAMES].toSorted());
  });

  it('shows its true defaults in .env.example', () => {
    const example = readFileSync(join(__dirname, '../../../.env.example'), 'utf8');
    const defaults = [...example.matchAll(/^# ([A-Z][A-Z_]+)=(.+)$/gm)].map(([, name, value]) => [name, value]);
    const isExample =
      /^(https?:\/\/\w+\.example|SK0|AP0|postgres:|smtp:|arn:|Kindline <|on-call@|wellbeing@|\+1415555016|eu-west-1$|mail-events$)/;
    const env = Object.fromEntries(defaults.filter(([, value]) => !isExample.test(value ?? '')));
    expect(loadConfig({ ...LOCAL, ...env })).toEqual(loadConfig(LOCAL));
  });
});

test('a secret of the pages is nothing without their id', () => {
  expect(problemsOf({ ...LOCAL, OIDC_CLIENT_SECRET: 'x' })).toEqual(['OIDC_CLIENT_ID']);
  const { oidc } = loadConfig({ ...LOCAL, OIDC_CLIENT_ID: 'pages', OIDC_CLIENT_SECRET: 'x' });
  expect(oidc).toMatchObject({ clientId: 'pages', clientSecret: 'x' });
});

describe('production', () => {
  it('starts with real Twilio, KMS and an https issuer', () => {
    expect(problemsOf(PRODUCTION)).toEqual([]);
  });

  it.each([
    [{ TWILIO_API_BASE_URL: 'http://127.0.0.1:8055' }, 'TWILIO_API_BASE_URL'],
    [{ TWILIO_INSIGHTS_BASE_URL: 'http://127.0.0.1:8055' }, 'TWILIO_INSIGHTS_BASE_URL'],
    [{ TWILIO_ACCOUNT_SID: undefined }, 'TWILIO_ACCOUNT_SID'],
    [{ TWILIO_AUTH_TOKEN: undefined }, 'TWILIO_AUTH_TOKEN'],
    [{ VOICE_FALLBACK_URL: undefined }, 'VOICE_FALLBACK_URL'],
    [{ KMS_KEY_ID: undefined }, 'KMS_KEY_ID'],
    [{ KEY_RING: 'local' }, 'KMS_KEY_ID'],
    [{ AWS_REGION: undefined }, 'AWS_REGION'],
    [{ KMS_ENDPOINT: 'http://kms.example.org' }, 'KMS_ENDPOINT'],
    [{ KMS_ENDPOINT: 'https://127.0.0.1:4566' }, 'KMS_ENDPOINT'],
    [{ OIDC_ISSUER: 'http://issuer.example.org' }, 'OIDC_ISSUER'],
    [{ MAIL_FROM: undefined }, 'MAIL_FROM'],
    [{ AWS_SES_REGION: undefined }, 'MAIL_SMTP_URL'],
    [{ AWS_SES_REGION: undefined, MAIL_SMTP_URL: 'smtp://127.0.0.1:1025' }, 'MAIL_SMTP_URL'],
    [{ MAIL_SMTP_URL: 'smtps://mail.example.org' }, 'AWS_SES_REGION'],
    [{ SES_ENDPOINT: 'https://ses.example.org' }, 'SES_ENDPOINT'],
    [{ MAIL_EVENTS_STAND_IN: 'https://sns.example.org' }, 'MAIL_EVENTS_STAND_IN'],
    [{ PRIVACY_POLICY_URL: 'http://kindline.example.org/privacy' }, 'PRIVACY_POLICY_URL'],
    [{ OIDC_ISSUER: 'https://127.0.0.1/oidc' }, 'OIDC_ISSUER'],
    [{ TWILIO_WEBHOOK_BASE_URL: 'http://kindline.example.org' }, 'TWILIO_WEBHOOK_BASE_URL'],
  ])('refuses a stand-in: %o', (env, variable) => {
    expect(problemsOf({ ...PRODUCTION, ...env })).toEqual([variable]);
  });

  const STAND_INS: NodeJS.ProcessEnv = {
    ...LOCAL,
    NODE_ENV: 'production',
    ALLOW_STAND_INS: 'i-am-testing',
    TWILIO_API_BASE_URL: 'http://127.0.0.1:8055',
    PUBLIC_BASE_URL: 'http://localhost:3000',
  };

  it('runs with stand-ins for whoever says so, on this machine', () => {
    expect(loadConfig(STAND_INS).allowStandIns).toBe(true);
  });

  it.each(['https://kindline.example.org', 'http://10.0.0.1', 'http://localhost.example.org'])(
    'refuses stand-ins behind %s, whichever of our addresses it is',
    (address) => {
      for (const variable of ['PUBLIC_BASE_URL', 'TWILIO_WEBHOOK_BASE_URL', 'TEMPORAL_UI_URL', 'CODEC_PUBLIC_URL']) {
        expect(problemsOf({ ...STAND_INS, [variable]: address })).toEqual([variable]);
      }
      const documents = `${address}/{country}.xml`;
      expect(problemsOf({ ...STAND_INS, VOICE_FALLBACK_URL: documents })).toEqual(['VOICE_FALLBACK_URL']);
    },
  );
});

describe('the root key in KMS', () => {
  const ARN = 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';

  it('is used wherever it is named, and its ARN says the region', () => {
    const { keys } = loadConfig({ ...LOCAL, KMS_KEY_ID: ARN, KMS_ENDPOINT: 'http://127.0.0.1:5000/' });
    expect(keys).toMatchObject({
      ring: 'kms',
      kmsKeyId: ARN,
      kmsEndpoint: 'http://127.0.0.1:5000',
      kmsTimeoutMs: 3_000,
    });
  });

  it('does not stand in the way of the key file that was asked for', () => {
    expect(loadConfig({ ...LOCAL, KEY_RING: 'local', KMS_KEY_ID: 'alias/kindline' }).keys.ring).toBe('local');
  });
});

describe('a duration', () => {
  it('is a number and a unit', () => {
    expect(['500ms', '30s', '5m', '24h', '7d'].map(parseDuration)).toEqual([
      500, 30_000, 300_000, 86_400_000, 604_800_000,
    ]);
  });

  it.each(['30', 's', '1.5s', '-1s', '1 s', '1w', ''])('is not %p', (text) => {
    expect(parseDuration(text)).toBeNull();
  });
});
