import type { RetentionRun } from '../activities/retention';
import { retention } from './activity-options';

/**
 * Destroys what has been kept for its time. A dry run says what it would do and changes nothing.
 *
 * @returns for each kind of data how much was found to be over and how much was destroyed
 */
export async function retentionSweep(
  run: RetentionRun,
): Promise<{ unreferencedRecords: { found: number; destroyed: number } }> {
  return { unreferencedRecords: await retention.destroyUnreferencedRecords(run) };
}
