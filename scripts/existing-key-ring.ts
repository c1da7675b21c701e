import { existsSync } from 'node:fs';
import type { Config } from '../config/config';
import { openKeyRing } from '../providers/open-key-ring';
import type { KeyRing } from '../vault/key-ring';
import { CommandError } from './command-error';

/**
 * The key ring of a service that has run before, for commands that only look: the local one would make its file
 * where none is, and a key file that nobody expected is the worst kind.
 *
 * @throws CommandError when there is none yet
 * @throws {KeyRingError} when the key file cannot be used
 */
export async function existingKeyRing(config: Config): Promise<KeyRing> {
  if (config.keys.ring === 'local' && !existsSync(config.keys.localKeyFile)) {
    throw new CommandError('There is no key file at LOCAL_KEY_FILE: the first start of the service makes it.');
  }
  return openKeyRing(config.keys, config);
}
