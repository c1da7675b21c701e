import type { ActivityDependencies } from '../activities';
import { wellbeingPass } from '../activities/wellbeing-watch';
import { startPasses } from './passes';

/**
 * Sees to it every `intervalMs` that a due alert begins within seconds, also when whoever noted it died between the two,
 * and that whoever was named as a contact is told.
 */
export function startWellbeingWatch(deps: ActivityDependencies, intervalMs: number): { stop(): Promise<void> } {
  const { logger } = deps;
  return startPasses(async () => {
    try {
      const count = await wellbeingPass(deps);
      if (count > 0) logger.info({ count }, 'due alerts begun, contacts told');
    } catch (error) {
      logger.warn({ error }, 'due alerts could not be begun');
    }
  }, intervalMs);
}
