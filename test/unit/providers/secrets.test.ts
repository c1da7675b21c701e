import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VARIABLE_NAMES } from '../../../config/config';
import { openSecrets } from '../../../providers/secrets';

const SECRET = 'correct horse battery staple';

describe('secrets', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'kindline-secrets-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const open = (env: NodeJS.ProcessEnv) => openSecrets(env, VARIABLE_NAMES);
  const fromFiles = (more: NodeJS.ProcessEnv = {}) => open({ SECRETS_SOURCE: `file:${dir}`, ...more });

  it.each([{}, { SECRETS_SOURCE: '' }, { SECRETS_SOURCE: ' environment ' }])(
    'are in the environment unless told otherwise: %o',
    async (more: NodeJS.ProcessEnv) => {
      const env = { PORT: '1', ...more };
      expect(await open(env)).toEqual({ source: 'environment', env });
    },
  );

  it('are files named like variables, as Docker and Kubernetes mount them', async () => {
    mkdirSync(join(dir, '..data'));
    writeFileSync(join(dir, '..data', 'DATABASE_URL'), 'postgres://a:b@c/d\n');
    symlinkSync(join('..data', 'DATABASE_URL'), join(dir, 'DATABASE_URL'));
    writeFileSync(join(dir, 'TWILIO_AUTH_TOKEN'), ` ${SECRET}\n\n`);
    const { env, source } = await fromFiles();
    expect(source).toBe('file');
    // One line break belongs to the file, everything else to the value.
    expect(env).toMatchObject({ DATABASE_URL: 'postgres://a:b@c/d', TWILIO_AUTH_TOKEN: ` ${SECRET}\n` });
  });

  it('win over the environment, but only for the names they have', async () => {
    writeFileSync(join(dir, 'TWILIO_AUTH_TOKEN'), SECRET);
    const given = { TWILIO_AUTH_TOKEN: 'old', PORT: '3000' };
    expect((await fromFiles(given)).env).toMatchObject({ TWILIO_AUTH_TOKEN: SECRET, PORT: '3000' });
    expect(given.TWILIO_AUTH_TOKEN).toBe('old');
  });

  it('are taken for known variables only, and never say where to look themselves', async () => {
    for (const name of ['NODE_OPTIONS', 'PATH', 'SECRETS_SOURCE', 'SECRETS_ENDPOINT']) {
      writeFileSync(join(dir, name), 'x');
    }
    const { env } = await fromFiles();
    expect(env).toEqual({ SECRETS_SOURCE: `file:${dir}` });
  });

  it.each(['vault:x', 'file:', 'file', 'secrets-manager', 'secrets-manager:', SECRET])(
    'stop the start when their source is unclear: %s',
    async (source) => {
      const error = await open({ SECRETS_SOURCE: source, AWS_REGION: 'eu-west-1' }).catch((e: unknown) => e);
      expect(error).toMatchObject({ name: 'SecretsError', code: 'source-malformed' });
      expect(String(error)).not.toContain(SECRET);
    },
  );

  it('stop the start when their folder is not there', async () => {
    await expect(open({ SECRETS_SOURCE: `file:${join(dir, 'nowhere')}` })).rejects.toMatchObject({
      code: 'source-not-there',
      message: 'SECRETS_SOURCE: expected a directory that can be read',
    });
  });

  it('name the variable whose file cannot be used, and nothing of it', async () => {
    const refusal = {
      code: 'value-unreadable',
      message: 'TWILIO_AUTH_TOKEN: expected a file of at most 64 KiB that can be read',
    };
    mkdirSync(join(dir, 'TWILIO_AUTH_TOKEN'));
    await expect(fromFiles()).rejects.toMatchObject(refusal);
    rmSync(join(dir, 'TWILIO_AUTH_TOKEN'), { recursive: true });
    writeFileSync(join(dir, 'TWILIO_AUTH_TOKEN'), 'x'.repeat(65_537));
    await expect(fromFiles()).rejects.toMatchObject(refusal);
  });

  it('need to know the region of Secrets Manager', async () => {
    await expect(open({ SECRETS_SOURCE: 'secrets-manager:kindline' })).rejects.toMatchObject({ code: 'no-region' });
  });
});
