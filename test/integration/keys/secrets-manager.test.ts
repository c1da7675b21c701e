import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { VARIABLE_NAMES } from '../../../config/config';
import { openSecrets } from '../../../providers/secrets';
import { describeWithMoto, type Moto, MOTO_CREDENTIALS } from '../../moto';
import { startKms } from './kms';

const SECRET = 'correct horse battery staple';

describeWithMoto('secrets in Secrets Manager', () => {
  let moto: Moto;
  let client: SecretsManagerClient;
  beforeAll(async () => {
    moto = await startKms();
    client = new SecretsManagerClient({ endpoint: moto.url, region: MOTO_CREDENTIALS.AWS_REGION });
  });
  afterAll(async () => {
    client.destroy();
    await moto.stop();
  });

  /** @returns its ARN */
  const put = async (name: string, text: string) =>
    (await client.send(new CreateSecretCommand({ Name: name, SecretString: text }))).ARN ?? '';
  const open = (secret: string, more: NodeJS.ProcessEnv = { AWS_REGION: MOTO_CREDENTIALS.AWS_REGION }) =>
    openSecrets(
      { SECRETS_SOURCE: `secrets-manager:${secret}`, SECRETS_ENDPOINT: moto.url, PORT: '1', ...more },
      VARIABLE_NAMES,
    );

  it('are one JSON object of known variables, found by name or by ARN', async () => {
    const values = { TWILIO_AUTH_TOKEN: SECRET, PORT: '2', NODE_OPTIONS: '--inspect', SECRETS_SOURCE: 'environment' };
    const arn = await put('kindline', JSON.stringify(values));
    for (const { env, source } of [await open('kindline'), await open(arn, {})]) {
      expect(source).toBe('secrets-manager');
      expect(env).toMatchObject({ TWILIO_AUTH_TOKEN: SECRET, PORT: '2' });
      expect(env).not.toHaveProperty('NODE_OPTIONS');
      expect(env['SECRETS_SOURCE']).toMatch(/^secrets-manager:/);
    }
  });

  it.each([
    ['no-object', `"${SECRET}"`, 'source-malformed', 'SECRETS_SOURCE'],
    ['a-list', `["${SECRET}"]`, 'source-malformed', 'SECRETS_SOURCE'],
    ['no-json', SECRET, 'source-malformed', 'SECRETS_SOURCE'],
    ['no-text', JSON.stringify({ TWILIO_AUTH_TOKEN: { value: SECRET } }), 'value-malformed', 'TWILIO_AUTH_TOKEN'],
  ])('stop the start when the secret is %s, and say no word of it', async (name, text, code, variable) => {
    await put(name, text);
    const error = await open(name).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'SecretsError', code });
    expect(String(error)).toContain(variable);
    expect(String(error)).not.toContain('horse');
  });

  it('tell a secret that is not there from a service that is not there', async () => {
    await expect(open('nothing')).rejects.toMatchObject({ code: 'source-refused' });
    const elsewhere = { AWS_REGION: 'us-east-1', SECRETS_ENDPOINT: 'http://127.0.0.1:1' };
    await expect(open('kindline', elsewhere)).rejects.toMatchObject({ code: 'source-unavailable' });
  });
});
