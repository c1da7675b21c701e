import type { ActivityDependencies } from '../activities';
import { wellbeingPass } from '../activities/wellbeing-watch';

/**
 * Sees to it every `intervalMs` that a due alert begins within seconds, also when whoever noted it died between the two,
 * and that whoever was named as a contact is told.
 */
export function startWellbeingWatch(deps: ActivityDependencies, intervalMs: number): { stop(): Promise<void> } {
  const { logger } = deps;
  let passing: Promise<void> = Promise.resolve();
  let isPassing = false;
  const timer = setInterval(() => {
    if (isPassing) return;
    isPassing = true;
    passing = wellbeingPass(deps)
      .then((count) => {
        if (count > 0) logger.info({ count }, 'due alerts begun, contacts told');
      })
      .catch((error: unknown) => logger.warn({ error }, 'due alerts could not be begun'))
      .finally(() => {
        isPassing = false;
      });
  }, intervalMs);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      return passing;
    },
  };
}
