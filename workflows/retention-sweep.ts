import { patched } from '@temporalio/workflow';
import type { RetentionRun } from '../activities/retention';
import { retention } from './activity-options';

interface Swept {
  readonly found: number;
  readonly destroyed: number;
}

interface SweptParts {
  readonly unreferencedRecords: Swept;
  /** Null for what runs of that age did not sweep yet. */
  readonly appEvents: Swept | null;
  readonly texts: Swept | null;
  /** With their batches. */
  readonly messages: Swept | null;
  /** Of acts whose own row stays. */
  readonly recipients: Swept | null;
  readonly webhookEvents: Swept | null;
  readonly alerts: Swept | null;
}

/**
 * Destroys what has been kept for its time. A dry run says what it would do and changes nothing.
 *
 * @returns for each kind of data how much was found to be over and how much was destroyed
 */
export async function retentionSweep(run: RetentionRun): Promise<SweptParts> {
  const unreferencedRecords = await retention.destroyUnreferencedRecords(run);
  const appEvents = patched('app-events') ? await retention.deleteOldAppEvents(run) : null;
  const texts = patched('texts') ? await retention.deleteOldTexts(run) : null;
  const messages = patched('messages') ? await retention.deleteOldMessages(run) : null;
  const isWhole = patched('events-and-alerts');
  const recipients = isWhole ? await retention.forgetOldRecipients(run) : null;
  const webhookEvents = isWhole ? await retention.deleteOldWebhookEvents(run) : null;
  const alerts = isWhole ? await retention.deleteOldAlerts(run) : null;
  return { unreferencedRecords, appEvents, texts, messages, recipients, webhookEvents, alerts };
}
