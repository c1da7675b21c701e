import type { SimulatorOptions } from './server';

/** What `main.ts` reads from the environment; every variable is described in docs/simulator.md. */
export interface SimulatorEnvironment {
  readonly server: Pick<
    SimulatorOptions,
    | 'port'
    | 'smtpPort'
    | 'host'
    | 'services'
    | 'apps'
    | 'testCredentials'
    | 'accountSid'
    | 'authToken'
    | 'apiKeys'
    | 'numbers'
    | 'settings'
  >;
  /** Where the issuer keeps its key; null: in memory only. */
  readonly stateDir: string | null;
  readonly fallbackDir: string | null;
  /** Where calls and phones are kept; null: in memory only. */
  readonly callsFile: string | null;
  readonly helplines: readonly string[];
  /** The `aud` of the local issuer's tokens. */
  readonly audience: string;
  /** The API's start page, linked from the handsets page. */
  readonly startPage: string | null;
}

/** @throws Error naming the variable and what it expects, never its value */
export function readSimulatorEnvironment(env: NodeJS.ProcessEnv): SimulatorEnvironment {
  const accountSid = need(env, 'TWILIO_ACCOUNT_SID', /^AC[0-9a-fA-F]{32}$/, 'AC and 32 hex digits');
  const authToken = need(env, 'TWILIO_AUTH_TOKEN', /^.{16,}$/, 'at least 16 characters');
  const base = env.TWILIO_WEBHOOK_BASE_URL?.replace(/\/+$/, '');
  const stateDir = env.SIMULATOR_STATE_DIR || null;
  const fallbackDir = env.SIMULATOR_FALLBACK_DIR || (stateDir === null ? null : `${stateDir}/fallback`);
  const fallback = env.VOICE_FALLBACK_URL;
  const inbound = {
    // Says when somebody who called us has hung up; names no call, because the number belongs to none.
    ...(base ? { statusCallback: `${base}/call-status#rc=3&rp=5xx,ct,rt` } : {}),
    ...(fallback
      ? {
          voiceFallbackUrl: `${fallback.replace('{country}', 'default')}#rc=3&rp=5xx,ct,rt`,
          voiceFallbackMethod: 'GET' as const,
        }
      : {}),
  };
  const numbers = list(env.TWILIO_PHONE_NUMBER).map((number) => ({
    number,
    // Discards port 9 where no service is named: calls to our numbers then fail, and say so.
    voiceUrl: `${base ?? 'http://127.0.0.1:9'}/twiml/inbound#rc=3&rp=5xx,ct,rt`,
    ...(base ? { smsUrl: `${base}/twiml/inbound-text#rc=3&rp=5xx,ct,rt` } : {}),
    ...inbound,
  }));
  const { TWIML_APP_SID: appSid } = env;
  if (numbers.length === 0) throw new Error('TWILIO_PHONE_NUMBER: expected a list of E.164 numbers');
  const { TWILIO_API_KEY: key, TWILIO_API_SECRET: secret } = env;
  const { TWILIO_TEST_ACCOUNT_SID: testSid, TWILIO_TEST_AUTH_TOKEN: testToken } = env;
  const wordMs = numberFrom(env, 'SIMULATOR_WORD_MS');
  const callsPerSecond = numberFrom(env, 'SIMULATOR_CALLS_PER_SECOND');
  const messagesPerSecond = numberFrom(env, 'SIMULATOR_MESSAGES_PER_SECOND');
  const smtpPort = numberFrom(env, 'SIMULATOR_SMTP_PORT');
  const service = env.TWILIO_MESSAGING_SERVICE_SID;
  return {
    server: {
      port: numberFrom(env, 'SIMULATOR_PORT') ?? 8055,
      host: env.SIMULATOR_HOST || '127.0.0.1',
      accountSid,
      authToken,
      ...(key && secret ? { apiKeys: { [key]: secret } } : {}),
      ...(testSid && testToken ? { testCredentials: { accountSid: testSid, authToken: testToken } } : {}),
      numbers,
      // One service that may send from every number.
      ...(service ? { services: [{ sid: service, senders: numbers.map(({ number }) => number) }] } : {}),
      ...(appSid && base
        ? { apps: [{ sid: appSid, voiceUrl: `${base}/twiml/voice-app#rc=3&rp=5xx,ct,rt`, ...inbound }] }
        : {}),
      ...(smtpPort === null ? {} : { smtpPort }),
      settings: {
        ...(wordMs === null ? {} : { wordMs }),
        ...(callsPerSecond === null ? {} : { callsPerSecond }),
        ...(messagesPerSecond === null ? {} : { messagesPerSecond }),
      },
    },
    stateDir,
    fallbackDir,
    callsFile: env.SIMULATOR_CALLS_FILE || null,
    helplines: [...list(env.SIMULATOR_HELPLINES), ...list(env.FALLBACK_CRISIS_NUMBER)],
    audience: env.OIDC_AUDIENCE || 'kindline',
    startPage: env.PUBLIC_BASE_URL || base || null,
  };
}

function need(env: NodeJS.ProcessEnv, name: string, pattern: RegExp, expected: string): string {
  const value = env[name];
  if (value === undefined || !pattern.test(value)) throw new Error(`${name}: expected ${expected}`);
  return value;
}

function numberFrom(env: NodeJS.ProcessEnv, name: string): number | null {
  const text = env[name];
  if (text === undefined || text === '') return null;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new Error(`${name}: expected a number, 0 or more`);
  return value;
}

function list(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
