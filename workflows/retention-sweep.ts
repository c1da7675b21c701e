import { ActivityFailure, ApplicationFailure, isCancellation, patched } from '@temporalio/workflow';
import type { LeftOver, RetentionRun, SweptPart } from '../activities/retention';
import type { SweptKind } from '../domain/retention';
import { retention } from './activity-options';

/** Attempts of some minutes each; what a part has left after so many the next run takes up. */
const MOST_ROUNDS = 3;

/** What runs that name no parts say. */
interface SweptParts {
  readonly unreferencedRecords: LeftOver;
  /** Null for what runs of that age did not sweep yet. */
  readonly appEvents: LeftOver | null;
  readonly texts: LeftOver | null;
  /** With their batches. */
  readonly messages: LeftOver | null;
  /** Of acts whose own row stays. */
  readonly recipients: LeftOver | null;
  readonly webhookEvents: LeftOver | null;
  readonly alerts: LeftOver | null;
}

/**
 * Ends what has been kept for its time, part by part. A part that fails does not keep the others from theirs; the run
 * fails at its end. A dry run says what it would do and changes nothing.
 *
 * @returns for each part how many rows were over, went, and were kept by a legal hold
 * @throws {ApplicationFailure} `retention-incomplete` when a part failed or has rows left
 */
export async function retentionSweep(run: RetentionRun): Promise<readonly SweptPart[] | SweptParts> {
  return run.kinds === undefined ? await earlierCourse(run) : await sweepAll(run.kinds, run.isDryRun);
}

async function sweepAll(kinds: readonly SweptKind[], isDryRun: boolean): Promise<readonly SweptPart[]> {
  const parts: SweptPart[] = [];
  for (const kind of kinds) {
    const part = await sweep(kind, isDryRun);
    if (part !== null) parts.push(part);
  }
  const isWhole = parts.length === kinds.length && parts.every(({ isOver }) => isOver);
  if (!isDryRun) await retention.endRetentionRun({ isWhole });
  if (!isWhole) throw ApplicationFailure.nonRetryable('Not every part came to its end', 'retention-incomplete', parts);
  return parts;
}

/** @returns null when it failed */
async function sweep(kind: SweptKind, isDryRun: boolean): Promise<SweptPart | null> {
  try {
    let part = await retention.sweepOld({ kind, isDryRun });
    for (let round = 1; round < MOST_ROUNDS && !part.isOver; round += 1) {
      part = await retention.sweepOld({ kind, isDryRun });
    }
    return part;
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    return null;
  }
}

async function earlierCourse(run: RetentionRun): Promise<SweptParts> {
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
