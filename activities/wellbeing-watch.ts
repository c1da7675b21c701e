import { untoldContacts } from '../db/registered-contacts';
import { alertsToStart, noteAlertStarted } from '../db/wellbeing-sweeps';
import { startWellbeingAlert } from '../temporal/wellbeing-alerts';
import type { ActivityDependencies } from './dependencies';
import { tellContactNamed } from './registered-contacts';

/** Younger ones are being begun by whoever noted them (ms). */
const BEGUN_BY_NOW = 5_000;
const BATCH = 100;

/**
 * One pass over what waits for a worker: alerts that are due and were not begun, and contacts who have yet to hear that
 * they were named. One that fails does not keep the others from theirs.
 * @returns how many were done
 */
export async function wellbeingPass(deps: ActivityDependencies): Promise<number> {
  const { pool, temporal, logger } = deps;
  let count = 0;
  for (const alert of await alertsToStart(pool, BEGUN_BY_NOW, BATCH)) {
    try {
      await startWellbeingAlert(temporal, alert);
      await noteAlertStarted(pool, alert.alertId);
      count += 1;
    } catch (error) {
      logger.warn({ alertId: alert.alertId, error }, 'a due alert could not be begun');
    }
  }
  for (const contact of await untoldContacts(pool, BATCH)) {
    try {
      await tellContactNamed(deps, contact);
      count += 1;
    } catch (error) {
      logger.warn({ objectId: contact.contactId, error }, 'a contact could not be told that they were named');
    }
  }
  return count;
}
