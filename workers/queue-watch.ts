import { offerPlaces, type QueueParts } from '../activities/queue-offers';
import { startPasses } from './passes';

/**
 * Sees to it that no free place waits for somebody who waits for one: every `intervalMs` what is free is offered. Whoever
 * gives a place back offers it at once; this is for all that frees one without saying so (a mentor who switches on, a
 * shift that begins, a process that died between the two) and for offers that nobody took. One question in each pass
 * while nobody waits.
 */
export function startQueueWatch(parts: QueueParts & { readonly intervalMs: number }): { stop(): Promise<void> } {
  const { logger, intervalMs } = parts;
  return startPasses(async () => {
    try {
      const count = await offerPlaces(parts);
      if (count > 0) logger.info({ count }, 'free places offered to those who wait');
    } catch (error) {
      logger.warn({ error }, 'free places could not be offered');
    }
  }, intervalMs);
}
