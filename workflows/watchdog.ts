import { watching } from './activity-options';

/**
 * Looks once whether anything is wrong, and tells whoever is to be told. What could not be told now is due again at the
 * next run.
 *
 * @returns how many incidents were raised and closed, and how many notices went out
 */
export async function watchdog(): Promise<{ raised: number; closed: number; told: number }> {
  const { raised, closed } = await watching.lookForIncidents();
  return { raised, closed, told: await watching.tellOfIncidents() };
}
