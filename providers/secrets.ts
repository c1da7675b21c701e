/**
 * Where credentials come from. The environment is the default; a mounted folder or AWS Secrets Manager keep them out
 * of process listings, crash dumps and `docker inspect`. Whatever the source, the variables have the same names.
 */
import { SecretsError } from '../domain/errors';
import { readSecretFiles } from './secrets-files';
import { readSecretsManager } from './secrets-manager';

export type SecretsSource = 'environment' | 'file' | 'secrets-manager';

export interface Secrets {
  readonly source: SecretsSource;
  /**
   * Variables and their values; empty for the environment, which is there anyway.
   * @throws {SecretsError} naming what is wrong, never a value
   */
  read(): Promise<Readonly<Record<string, string>>>;
}

/**
 * Reads the source that `SECRETS_SOURCE` names, once, at a composition root.
 *
 * @param names the variables that are taken from it; anything else it holds is left there
 * @returns the environment with what the source gave in front; `env` itself is not changed
 * @throws {SecretsError} when the source cannot be read: a process must not start with what happens to be left
 */
export async function openSecrets(
  env: NodeJS.ProcessEnv,
  names: readonly string[],
): Promise<{ env: NodeJS.ProcessEnv; source: SecretsSource }> {
  const secrets = secretsOf(env, names);
  return { env: { ...env, ...(await secrets.read()) }, source: secrets.source };
}

function secretsOf(env: NodeJS.ProcessEnv, names: readonly string[]): Secrets {
  const named = env.SECRETS_SOURCE?.trim() ?? '';
  // Where to look cannot stand in what is looked into.
  const wanted = names.filter((name) => !name.startsWith('SECRETS_'));
  if (named === '' || named === 'environment') return { source: 'environment', read: () => Promise.resolve({}) };
  const [, kind, place] = /^(file|secrets-manager):(.+)$/.exec(named) ?? [];
  if (kind === 'file' && place !== undefined) return { source: 'file', read: () => readSecretFiles(place, wanted) };
  if (kind === 'secrets-manager' && place !== undefined) {
    const region = env.AWS_REGION?.trim() ?? '';
    const endpoint = env.SECRETS_ENDPOINT?.trim() ?? '';
    return {
      source: 'secrets-manager',
      read: () => readSecretsManager({ secretId: place, region, endpoint, names: wanted }),
    };
  }
  throw new SecretsError(
    'source-malformed',
    'SECRETS_SOURCE: expected environment, file:<directory> or secrets-manager:<id or ARN>',
  );
}
