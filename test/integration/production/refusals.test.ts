/** What production does not start with: variables missing, together and in turn, and stand-ins for what is real. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCodecConfig } from '../../../config/codec';
import { loadConfig, VARIABLE_NAMES } from '../../../config/config';
import { openSecrets } from '../../../providers/secrets';
import { EntryPoint, environmentOf, makeImage, removeImage, sourcesOf } from './entry-points';

const API_AND_WORKER = {
  DATABASE_URL: 'a postgres:// URL',
  TWILIO_ACCOUNT_SID: 'AC and 32 hexadecimal digits',
  TWILIO_AUTH_TOKEN: 'the auth token',
  TWILIO_PHONE_NUMBER: 'one or more numbers of ours in E.164',
  OIDC_ISSUER: 'an http or https URL',
  PUBLIC_BASE_URL: 'the public https address',
  VOICE_FALLBACK_URL: 'the https address of the static fallback documents',
  MAIL_FROM: 'the address that mails are from',
  MAIL_SMTP_URL: 'a mail server, or AWS_SES_REGION,',
  PRIVACY_POLICY_URL: 'the https address of the privacy policy',
  KMS_KEY_ID: 'a value',
  AWS_REGION: 'the region',
} as const;
const MISSING: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  migrate: { DATABASE_MIGRATION_URL: 'a postgres:// URL of the owner role' },
  api: API_AND_WORKER,
  worker: API_AND_WORKER,
  codec: {
    DATABASE_URL: 'a postgres:// URL',
    KMS_KEY_ID: 'a value',
    AWS_REGION: 'the region',
    TEMPORAL_UI_URL: 'the https address',
    CODEC_PUBLIC_URL: 'the https address',
    CODEC_OIDC_ISSUER: 'the https issuer',
  },
};
const STAND_INS = {
  TWILIO_API_BASE_URL: 'http://127.0.0.1:8055',
  OIDC_ISSUER: 'http://127.0.0.1:8055/oidc',
  VOICE_FALLBACK_URL: 'http://127.0.0.1:8055/fallback/{country}.xml',
  PUBLIC_BASE_URL: 'http://127.0.0.1:3000',
  TWILIO_WEBHOOK_BASE_URL: undefined,
  TEMPORAL_UI_URL: 'http://127.0.0.1:8080',
  KMS_ENDPOINT: 'http://127.0.0.1:5000',
  SES_ENDPOINT: 'http://127.0.0.1:5000',
  MAIL_EVENTS_STAND_IN: 'http://127.0.0.1:5000',
  KEY_RING: 'local',
  KMS_KEY_ID: undefined,
};

/** Found in what a process says, each would be a leak. */
const MARK = 'planted-4711';
const SECRETS = {
  api_database_url: `postgres://app:${MARK}-a@127.0.0.1:1/kindline`,
  owner_database_url: `postgres://owner:${MARK}-b@127.0.0.1:1/kindline`,
  worker_database_url: `postgres://worker:${MARK}-c@127.0.0.1:1/kindline`,
  twilio_auth_token: `${MARK}-d`,
  mail_smtp_url: `smtp://user:${MARK}-e@mail.example.org:587`,
};
const OUR_NUMBER = '+14155550100';
const KEY = 'alias/planted-4712';
const HOOKS = 'https://hooks.example.org';

let image = '';
let dir = '';
beforeAll(() => {
  image = makeImage();
  dir = mkdtempSync(join(tmpdir(), 'kindline-refusals-'));
});
afterAll(() => {
  removeImage(image);
  rmSync(dir, { recursive: true, force: true });
});

const given = (env: NodeJS.ProcessEnv) => ({
  KMS_KEY_ID: KEY,
  TWILIO_PHONE_NUMBER: OUR_NUMBER,
  TWILIO_WEBHOOK_BASE_URL: HOOKS,
  ...env,
});

/** Starts a service with everything that it needs, changed by `env`, and waits for its end. */
const start = async (service: string, env: NodeJS.ProcessEnv, secrets: NodeJS.ProcessEnv = SECRETS) => {
  const process = new EntryPoint(image, service, { env: given(env), secrets, dir });
  return { code: await process.endedWithin(60_000), output: process.output };
};
const expectNoValue = (output: string) => {
  for (const value of [MARK, OUR_NUMBER, 'planted-4712', 'kindline.example.org', HOOKS])
    expect(output).not.toContain(value);
};

/** Reads its configuration as a service does, from the variables and files it has in production. */
const configure = async (service: string, env: NodeJS.ProcessEnv, secrets: NodeJS.ProcessEnv) => {
  const load = service === 'codec' ? loadCodecConfig : loadConfig;
  const { env: read } = await openSecrets(environmentOf(service, { env: given(env), secrets, dir }), VARIABLE_NAMES);
  load(read);
};
const without = (service: string, variables: readonly string[]) => {
  const taken = new Set(variables.flatMap((variable) => sourcesOf(service, variable)));
  return Object.fromEntries(Object.entries(SECRETS).filter(([source]) => !taken.has(source)));
};
const namedIn = (output: string) => new Set([...output.matchAll(/(\w+): expected /g)].map(([, name]) => name));

describe.each(Object.keys(MISSING))('%s in production', (service) => {
  // The region is asked for only where there is a key.
  const expectations = Object.entries(MISSING[service] ?? {}).filter(([variable]) => variable !== 'AWS_REGION');

  it('stops at once without what it needs, says what each expects, and no value of any other', async () => {
    const missing = expectations.map(([variable]) => variable);
    const env = Object.fromEntries(missing.map((variable) => [variable, undefined]));
    const { code, output } = await start(service, env, without(service, missing));
    expect(namedIn(output)).toEqual(new Set(missing));
    for (const [variable, expected] of expectations) expect(output).toContain(`${variable}: expected ${expected}`);
    expect(code).toBe(1);
    expectNoValue(output);
  });
});

describe.each(['api', 'worker', 'codec'])('the configuration of %s in production', (service) => {
  it.each(Object.entries(MISSING[service] ?? {}))(
    'is refused without %s alone, by its name',
    async (variable, expected) => {
      const refused = await configure(service, { [variable]: undefined }, without(service, [variable])).catch(String);
      expect(refused).toContain(`${variable}: expected ${expected}`);
      expect(namedIn(String(refused))).toEqual(new Set([variable]));
      expectNoValue(String(refused));
    },
  );

  it('is taken when nothing is missing', async () => {
    await expect(configure(service, {}, SECRETS)).resolves.toBeUndefined();
  });
});

describe('stand-ins in production', () => {
  it.each(['api', 'worker'])('are refused by %s, each by its name', async (service) => {
    const { code, output } = await start(service, STAND_INS);
    const named = ['TWILIO_API_BASE_URL', 'OIDC_ISSUER', 'VOICE_FALLBACK_URL', 'PUBLIC_BASE_URL', 'KMS_KEY_ID'];
    for (const variable of [...named, 'KMS_ENDPOINT', 'SES_ENDPOINT', 'MAIL_EVENTS_STAND_IN'])
      expect(output).toContain(`  ${variable}: expected `);
    expect(output).toContain('the local key ring is refused');
    expect(code).toBe(1);
    expectNoValue(output);
  });

  it('are refused behind a public host name, whatever is allowed', async () => {
    const inTheWorld = { PUBLIC_BASE_URL: 'https://kindline.example.org', TWILIO_WEBHOOK_BASE_URL: 'https://10.0.0.1' };
    const { code, output } = await start('api', { ...inTheWorld, ALLOW_STAND_INS: 'i-am-testing' });
    expect(output).toMatch(/PUBLIC_BASE_URL: expected .*\n.*TWILIO_WEBHOOK_BASE_URL: expected /);
    expect(output).toContain('because ALLOW_STAND_INS is set');
    expect(code).toBe(1);
    expectNoValue(output);
  });

  it('do not include a key file, whatever is allowed', async () => {
    const { code, output } = await start('api', { ...STAND_INS, ALLOW_STAND_INS: 'i-am-testing', HOST: '127.0.0.1' });
    expect(output).toContain('"code":"local-key-ring-in-production"');
    expect(code).toBe(1);
  });

  it.each(['true', 'yes', 'i-am-testing-this'])('are not allowed by saying %s', async (word) => {
    const { code, output } = await start('api', { ALLOW_STAND_INS: word });
    expect(output).toContain('ALLOW_STAND_INS: expected the words');
    expect(code).toBe(1);
  });
});
