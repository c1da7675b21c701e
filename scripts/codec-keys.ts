import type { Config } from '../config/config';
import { createPool } from '../db/pool';
import { openServiceKeys } from '../db/service-keys';
import type { ServiceKeys } from '../vault/service-keys';
import { CommandError } from './command-error';
import { existingKeyRing } from './existing-key-ring';

/**
 * The one key that a command needs to speak with Temporal; no other is opened.
 * @throws CommandError when it does not open
 */
export async function codecKeys(config: Config): Promise<ServiceKeys> {
  const pool = createPool(config.database, { warn: () => undefined });
  try {
    const keys = await openServiceKeys(pool, await existingKeyRing(config), ['payload-codec']);
    keys.current('payload-codec');
    return keys;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError('The keys of the service cannot be opened: the database or the key ring does not answer.');
  } finally {
    await pool.end();
  }
}
