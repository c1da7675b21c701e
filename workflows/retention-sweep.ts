import { patched } from '@temporalio/workflow';
import type { RetentionRun } from '../activities/retention';
import { retention } from './activity-options';

interface Swept {
  readonly found: number;
  readonly destroyed: number;
}

/**
 * Destroys what has been kept for its time. A dry run says what it would do and changes nothing.
 *
 * @returns for each kind of data how much was found to be over and how much was destroyed; null for what runs of that
 *   age did not sweep yet
 */
export async function retentionSweep(
  run: RetentionRun,
): Promise<{ unreferencedRecords: Swept; appEvents: Swept | null; texts: Swept | null; messages: Swept | null }> {
  const unreferencedRecords = await retention.destroyUnreferencedRecords(run);
  const appEvents = patched('app-events') ? await retention.deleteOldAppEvents(run) : null;
  const texts = patched('texts') ? await retention.deleteOldTexts(run) : null;
  const messages = patched('messages') ? await retention.deleteOldMessages(run) : null;
  return { unreferencedRecords, appEvents, texts, messages };
}
