import { checked, type Judged } from './checked';
import { arrangeKeys, variables } from './config';
import type { ConfigProblem } from './config-error';
import { isHttps, keyRingProblems, publicHosts } from './production';
import { isLoopback } from './variables';

/**
 * What the codec server reads: no more than it needs. It holds the key of the payloads and may write audit entries, but
 * has no credential of Twilio's or of Temporal's.
 */
const codecVariables = variables.pick({
  NODE_ENV: true,
  LOG_LEVEL: true,
  ALLOW_STAND_INS: true,
  PORT: true,
  PUBLIC_BASE_URL: true,
  TRUST_PROXY_HOPS: true,
  DATABASE_URL: true,
  DATABASE_POOL_SIZE: true,
  TEMPORAL_NAMESPACE: true,
  TEMPORAL_UI_URL: true,
  OIDC_AUDIENCE: true,
  OIDC_ROLES_CLAIM: true,
  CODEC_PORT: true,
  CODEC_HOST: true,
  CODEC_PUBLIC_URL: true,
  CODEC_OIDC_ISSUER: true,
  CODEC_OIDC_AUDIENCE: true,
  CODEC_ROLES: true,
  CODEC_REQUESTS_PER_MINUTE: true,
  KEY_RING: true,
  LOCAL_KEY_FILE: true,
  KMS_KEY_ID: true,
  KMS_PREVIOUS_KEY_ID: true,
  KMS_ENDPOINT: true,
  KMS_TIMEOUT: true,
  AWS_REGION: true,
});
type CodecVariables = ReturnType<typeof codecVariables.parse>;

export type CodecConfig = ReturnType<typeof arrange>;

/**
 * Reads and validates the environment of the codec server, once, at its composition root.
 *
 * @throws ConfigError naming every wrong variable and what it expects, never a value
 */
export function loadCodecConfig(env: NodeJS.ProcessEnv): CodecConfig {
  return arrange(checked(codecVariables, env, (v) => [...keyRingProblems(v), ...addressProblems(v)]));
}

/** Only processes of this machine can ask, and they could as well read the key file. */
function isOnlyOurs(v: Judged<CodecVariables>): boolean {
  return v.NODE_ENV !== 'production' && isLoopback(`http://${hostInUrl(v.CODEC_HOST)}`);
}

/** What anybody could reach must ask for a token; and the Web UI sends its token to https only. */
function addressProblems(v: Judged<CodecVariables>): ConfigProblem[] {
  const problems = v.ALLOW_STAND_INS ? publicHosts(v) : [];
  const expect = (holds: boolean, variable: string, expected: string) => {
    if (!holds) problems.push({ variable, expected });
  };
  if (isOnlyOurs(v)) {
    expect(v.TEMPORAL_UI_URL !== null, 'TEMPORAL_UI_URL', 'the address of the one Web UI that may ask');
    return problems;
  }
  const why = v.NODE_ENV === 'production' ? 'in production' : 'because CODEC_HOST is not a loopback address';
  const isFit = (address: string | null) =>
    isHttps(address) || (v.ALLOW_STAND_INS && address !== null && isLoopback(address));
  expect(isFit(v.TEMPORAL_UI_URL), 'TEMPORAL_UI_URL', `the https address of the one Web UI that may ask, ${why}`);
  expect(isFit(v.CODEC_PUBLIC_URL), 'CODEC_PUBLIC_URL', `the https address under which browsers reach it, ${why}`);
  expect(isFit(v.CODEC_OIDC_ISSUER), 'CODEC_OIDC_ISSUER', `the https issuer of the Web UI’s tokens, ${why}`);
  return problems;
}

function hostInUrl(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

function arrange(v: CodecVariables) {
  return {
    nodeEnv: v.NODE_ENV,
    logLevel: v.LOG_LEVEL,
    allowStandIns: v.ALLOW_STAND_INS,
    port: v.CODEC_PORT,
    host: v.CODEC_HOST,
    trustProxyHops: v.TRUST_PROXY_HOPS,
    /** Of the API: its pages explain our problems. */
    apiUrl: v.PUBLIC_BASE_URL ?? `http://127.0.0.1:${v.PORT}`,
    database: { url: v.DATABASE_URL, poolSize: v.DATABASE_POOL_SIZE },
    namespace: v.TEMPORAL_NAMESPACE,
    /** The one page that may ask, as browsers name it. */
    uiOrigin: new URL(v.TEMPORAL_UI_URL ?? 'http://127.0.0.1').origin,
    /** Null: no token is asked for, because only this machine can ask. */
    signIn:
      v.CODEC_OIDC_ISSUER === null
        ? null
        : {
            issuer: v.CODEC_OIDC_ISSUER,
            audience: v.CODEC_OIDC_AUDIENCE ?? v.OIDC_AUDIENCE,
            rolesClaim: v.OIDC_ROLES_CLAIM,
            roles: v.CODEC_ROLES,
          },
    requestsPerMinute: v.CODEC_REQUESTS_PER_MINUTE,
    keys: arrangeKeys(v),
  } as const;
}
