import type { Config } from '../config/config';
import { KeyRingError } from '../domain/errors';
import type { KeyRing } from '../vault/key-ring';
import { openLocalKeyRing } from '../vault/local-key-ring';
import { createKmsKeyRing } from './kms-key-ring';

/**
 * The key ring that the configuration names. Asks nobody: a KMS that is down does not keep a process from being
 * made, its first use does.
 *
 * @throws {KeyRingError} when the key file cannot be used, or is asked for in production
 */
export async function openKeyRing(
  keys: Config['keys'],
  { nodeEnv }: { readonly nodeEnv: Config['nodeEnv'] },
): Promise<KeyRing> {
  if (keys.ring === 'local') return openLocalKeyRing(keys.localKeyFile, { nodeEnv });
  if (keys.kmsKeyId === null) throw new KeyRingError('no-root-key', 'The key ring kms needs a KMS key');
  return createKmsKeyRing({
    keyId: keys.kmsKeyId,
    previousKeyId: keys.kmsPreviousKeyId,
    region: keys.region ?? keys.kmsKeyId.split(':')[3] ?? '',
    endpoint: keys.kmsEndpoint,
    timeoutMs: keys.kmsTimeoutMs,
  });
}
