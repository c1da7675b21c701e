import { loadCodecConfig } from '../../../config/codec';
import { ConfigError } from '../../../config/config-error';

const LOCAL: NodeJS.ProcessEnv = {
  DATABASE_URL: 'postgres://app:pass@127.0.0.1:5432/kindline',
  TEMPORAL_UI_URL: 'http://127.0.0.1:8233/',
};
const OPEN_TO_OTHERS: NodeJS.ProcessEnv = {
  ...LOCAL,
  CODEC_HOST: '0.0.0.0',
  TEMPORAL_UI_URL: 'https://temporal.example.org/some/path',
  CODEC_PUBLIC_URL: 'https://codec.example.org',
  CODEC_OIDC_ISSUER: 'https://issuer.example.org',
};
const PRODUCTION: NodeJS.ProcessEnv = {
  ...OPEN_TO_OTHERS,
  NODE_ENV: 'production',
  KMS_KEY_ID: 'arn:aws:kms:eu-west-1:111122223333:key/kindline',
};

function problemsOf(env: NodeJS.ProcessEnv): string[] {
  try {
    loadCodecConfig(env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ variable }) => variable);
  }
}

describe('the codec server', () => {
  it('asks for no token on a loopback address outside production, and needs nothing of Twilio’s', () => {
    expect(loadCodecConfig(LOCAL)).toMatchObject({ signIn: null, uiOrigin: 'http://127.0.0.1:8233', port: 3001 });
  });

  it.each(['localhost', '127.0.0.5', '::1', '[::1]'])('takes %s for a loopback address', (host) => {
    expect(problemsOf({ ...LOCAL, CODEC_HOST: host })).toEqual([]);
  });

  it('does not start without the one page that may ask', () => {
    expect(problemsOf({ ...LOCAL, TEMPORAL_UI_URL: '' })).toEqual(['TEMPORAL_UI_URL']);
  });

  it.each(['0.0.0.0', '::', '10.0.0.7', 'codec', '127.0.0.1.example.org'])(
    'does not start on %s without an issuer and https',
    (host) => {
      const wanted = ['TEMPORAL_UI_URL', 'CODEC_PUBLIC_URL', 'CODEC_OIDC_ISSUER'];
      expect(problemsOf({ ...LOCAL, CODEC_HOST: host })).toEqual(wanted);
    },
  );

  it('does not start in production without them either, on whatever address', () => {
    expect(problemsOf({ ...PRODUCTION, CODEC_HOST: '127.0.0.1' })).toEqual([]);
    for (const missing of ['TEMPORAL_UI_URL', 'CODEC_PUBLIC_URL', 'CODEC_OIDC_ISSUER', 'KMS_KEY_ID']) {
      expect([missing, problemsOf({ ...PRODUCTION, CODEC_HOST: '127.0.0.1', [missing]: '' })]).toEqual([
        missing,
        [missing],
      ]);
    }
  });

  it.each(['TEMPORAL_UI_URL', 'CODEC_PUBLIC_URL', 'CODEC_OIDC_ISSUER'])('refuses %s over clear http', (variable) => {
    expect(problemsOf({ ...OPEN_TO_OTHERS, [variable]: 'http://somewhere.example.org' })).toEqual([variable]);
    expect(problemsOf({ ...OPEN_TO_OTHERS, [variable]: 'http://127.0.0.1:1' })).toEqual([variable]);
  });

  it('takes addresses of this machine for them where stand-ins are allowed, but still asks for a token', () => {
    const local = { CODEC_PUBLIC_URL: 'http://127.0.0.1:3001', CODEC_OIDC_ISSUER: 'http://127.0.0.1:8055/oidc' };
    const env = { ...PRODUCTION, ...local, TEMPORAL_UI_URL: 'http://127.0.0.1:8233', ALLOW_STAND_INS: 'i-am-testing' };
    expect(loadCodecConfig(env).signIn?.issuer).toBe('http://127.0.0.1:8055/oidc');
    expect(problemsOf({ ...env, CODEC_OIDC_ISSUER: '' })).toEqual(['CODEC_OIDC_ISSUER']);
    for (const address of ['http://codec.example.org', 'https://codec.example.org']) {
      for (const variable of ['CODEC_PUBLIC_URL', 'TEMPORAL_UI_URL', 'PUBLIC_BASE_URL']) {
        expect(problemsOf({ ...env, [variable]: address })).toEqual([variable]);
      }
    }
  });

  it('names in one start what is malformed and what is missing', () => {
    const env = { ...PRODUCTION, CODEC_PORT: 'x', CODEC_PUBLIC_URL: '', KMS_KEY_ID: '' };
    expect(problemsOf(env).toSorted()).toEqual(['CODEC_PORT', 'CODEC_PUBLIC_URL', 'KMS_KEY_ID']);
  });

  it('lets admins in unless told who, and refuses a role that is none', () => {
    expect(loadCodecConfig(OPEN_TO_OTHERS).signIn).toMatchObject({ roles: ['admin'], audience: 'kindline' });
    const told = { ...OPEN_TO_OTHERS, CODEC_ROLES: 'staff, admin', CODEC_OIDC_AUDIENCE: 'the-web-ui' };
    expect(loadCodecConfig(told).signIn).toMatchObject({ roles: ['staff', 'admin'], audience: 'the-web-ui' });
    expect(problemsOf({ ...OPEN_TO_OTHERS, CODEC_ROLES: 'everybody' })).toEqual(['CODEC_ROLES']);
  });
});
