import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SecretsError } from '../domain/errors';
import { awsTimeouts, isAwsUnavailable } from './aws';

/** A start may wait for it; a hanging one must not keep the process from saying so. */
const PATIENCE_MS = 10_000;

/**
 * One secret in AWS Secrets Manager that holds a JSON object: variable names and their values, all texts.
 *
 * @param secret region and endpoint may be empty: then as the ARN or AWS says
 * @throws {SecretsError} `source-unavailable` when asking again later may help; never with AWS's own text, which
 * names accounts, roles and secrets
 */
export async function readSecretsManager(secret: {
  readonly secretId: string;
  readonly region: string;
  readonly endpoint: string;
  readonly names: readonly string[];
}): Promise<Record<string, string>> {
  const region = secret.region === '' ? (secret.secretId.split(':')[3] ?? '') : secret.region;
  if (region === '') throw new SecretsError('no-region', 'AWS_REGION: expected the region of the secret, or its ARN');
  const client = new SecretsManagerClient({
    region,
    ...(secret.endpoint === '' ? {} : { endpoint: secret.endpoint }),
    maxAttempts: 4,
    requestHandler: awsTimeouts(PATIENCE_MS / 2),
  });
  try {
    const abortSignal = AbortSignal.timeout(PATIENCE_MS);
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: secret.secretId }), {
      abortSignal,
    });
    return valuesOf(SecretString ?? '', secret.names);
  } catch (error) {
    if (error instanceof SecretsError) throw error;
    throw isAwsUnavailable(error)
      ? new SecretsError('source-unavailable', 'SECRETS_SOURCE: Secrets Manager does not answer')
      : new SecretsError('source-refused', 'SECRETS_SOURCE: expected a secret that exists and that we may read');
  } finally {
    client.destroy();
  }
}

function valuesOf(text: string, names: readonly string[]): Record<string, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = null;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new SecretsError('source-malformed', 'SECRETS_SOURCE: expected a secret that holds one JSON object');
  }
  const values: Record<string, string> = {};
  for (const name of names) {
    const value: unknown = Object.hasOwn(parsed, name) ? Reflect.get(parsed, name) : undefined;
    if (value === undefined) continue;
    if (typeof value !== 'string') throw new SecretsError('value-malformed', `${name}: expected a text in the secret`);
    values[name] = value;
  }
  return values;
}
