import { setTimeout as delay } from 'node:timers/promises';
import { KeyRingError } from '../domain/errors';
import type { Logger } from './logger';
import type { ServiceKeys } from './service-keys';

/** Seconds, one try each; then the process ends, and whatever runs it starts it anew. */
const KEY_PATIENCE = 30;

/**
 * Postgres and the key ring's service may come up later than we do, and a role may get its rights a moment later.
 * Until the keys are here nothing can be proven, so nothing is served.
 *
 * @throws what `load` threw last when patience is over; at once when the keys are another ring's: no waiting helps
 */
export async function patiently(
  logger: Pick<Logger, 'warn'>,
  load: () => Promise<ServiceKeys>,
  pauseMs = 1_000,
): Promise<ServiceKeys> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await load();
    } catch (error) {
      if (attempt >= KEY_PATIENCE || isForGood(error)) throw error;
      logger.warn({ attempt, error }, 'the service keys cannot be loaded yet');
      await delay(pauseMs);
    }
  }
}

function isForGood(error: unknown): boolean {
  return error instanceof KeyRingError && ['not-our-key', 'key-not-authentic'].includes(error.code);
}
