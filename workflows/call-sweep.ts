import { patched } from '@temporalio/workflow';
import { sweeps } from './activity-options';

/**
 * What must come right even when a workflow's own end never came: places of mentors, rows that say a call is
 * live, phones that still ring, texts whose receipts never came, numbers that should be gone, shifts of the days to come. Each part is repeatable; one that fails does not
 * keep the others from running.
 *
 * @returns how many rows each part has mended, by name.
 */
export async function callSweep(): Promise<Record<string, number>> {
  const mended: Record<string, number> = {};
  let failed: unknown;
  for (const part of [
    // What needs no Twilio comes first, so that a Twilio that hangs keeps nobody's place.
    'freeDeadSlots',
    'destroyExpiredNumbers',
    'askSilentLegs',
    'endOrphanedCalls',
    'closeDeadCalls',
    'deleteOldTwilioCalls',
    ...(patched('texts-are-swept-too') ? (['askSilentTexts', 'forgetOldTexts'] as const) : []),
    ...(patched('messages-are-closed') ? (['closeDeadMessages'] as const) : []),
    ...(patched('recordings-are-deleted') ? (['deleteDueRecordings'] as const) : []),
    ...(patched('call-quality') ? (['noteCallQuality', 'readCallInsights'] as const) : []),
    ...(patched('shifts-are-expanded') ? (['expandShifts'] as const) : []),
  ] as const) {
    try {
      mended[part] = await sweeps[part]();
    } catch (error) {
      failed ??= error;
    }
  }
  if (failed !== undefined) throw failed;
  return mended;
}
