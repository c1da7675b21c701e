import { spawnSync } from 'node:child_process';
import { built } from '../../../scripts/project';

const DATABASE_URL = 'postgres://nobody@127.0.0.1:1/none';

/** The entry point of production, started as a process of its own. */
function started(env: NodeJS.ProcessEnv) {
  const { PATH } = process.env;
  const options = { env: { PATH, DATABASE_URL, ...env }, encoding: 'utf8', timeout: 20_000 } as const;
  const { status, stderr, stdout } = spawnSync(process.execPath, [built('api/codec-main.js')], options);
  return { status, stderr, stdout };
}

describe('the process of the codec server', () => {
  it('refuses to start in production without an issuer, https and a KMS key, and names all of them', () => {
    const { status, stderr, stdout } = started({ NODE_ENV: 'production' });
    expect([status, stdout]).toEqual([1, '']);
    for (const variable of ['TEMPORAL_UI_URL', 'CODEC_PUBLIC_URL', 'CODEC_OIDC_ISSUER', 'KMS_KEY_ID']) {
      expect(stderr).toContain(`${variable}: expected`);
    }
  });

  it('refuses to listen for others without an issuer and https', () => {
    const { status, stderr } = started({ CODEC_HOST: '0.0.0.0', TEMPORAL_UI_URL: 'http://10.0.0.7:8233' });
    expect(status).toBe(1);
    expect(stderr).toContain('CODEC_OIDC_ISSUER: expected the https issuer');
    expect(stderr).not.toContain('10.0.0.7');
  });
});
