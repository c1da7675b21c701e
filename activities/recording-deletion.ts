import { setTimeout as pause } from 'node:timers/promises';
import type { Place } from '../db/cursor';
import { whatIsHeld } from '../db/legal-holds';
import {
  countRecordingsOver,
  noteDeletionAsked,
  noteDeletionConfirmed,
  recordingsToDelete,
  type RecordingToDelete,
} from '../db/recording-deletion';
import type { ActivityDependencies } from './dependencies';
import { withHeartbeat } from './heartbeat';
import { logged } from './provider-log';
import { discard } from './recording-acts';
import type { SweptPart } from './retention';
import { createWalk, SWEEP_BATCH, sweepPart } from './sweep-part';

/** Failures in a row after which it is not the recording: the next run goes on. */
const MOST_FAILURES = 5;
/** Between two recordings: calls under way need the same account's requests. */
const PACE_MS = 20;

/** How far the attempts at one run are together: what failed in an earlier one must not be forgotten by the next. */
interface Progress {
  readonly place: Place;
  readonly failed: boolean;
  readonly found: number;
  readonly taken: number;
}

/** The deletion of recordings, where they are: at Twilio. Each part may be repeated, and run beside itself. */
export function createRecordingDeletion(deps: ActivityDependencies) {
  const { pool, logger, retention } = deps;
  const walkDue = createWalk<RecordingToDelete>(async (limit, after) =>
    recordingsToDelete(pool, { keptMs: null, held: await whatIsHeld(pool) }, limit, after),
  );
  return {
    /**
     * Recordings that were kept for their time, and whatever must go before its time. Beats with the place it
     * has come to, and goes on from there when it is tried again. One that cannot be deleted keeps no other from it.
     */
    deleteOldRecordings: (): Promise<SweptPart> =>
      withHeartbeat<Progress, SweptPart>(async (heartbeat) => {
        const wanted = { keptMs: retention.recording, held: await whatIsHeld(pool) };
        const { held } = await countRecordingsOver(pool, wanted);
        const { earlier } = heartbeat;
        let [found, taken, failed] = [earlier?.found ?? 0, earlier?.taken ?? 0, earlier?.failed ?? false];
        let [inARow, destroyed] = [0, 0];
        let failure: unknown = null;
        let after = earlier?.place ?? null;
        for (let isLast = false; !isLast && inARow < MOST_FAILURES; ) {
          const page = await recordingsToDelete(pool, wanted, SWEEP_BATCH, after);
          isLast = page.length < SWEEP_BATCH;
          after = page.at(-1)?.place ?? after;
          for (const recording of page) {
            if (inARow === MOST_FAILURES) break;
            found += 1;
            try {
              if (await deleteOne(deps, recording)) destroyed += 1;
              inARow = 0;
            } catch (error) {
              [failure, failed] = [error, true];
              inARow += 1;
            }
            heartbeat.tell({ place: recording.place, failed, found, taken: taken + destroyed });
            await pause(PACE_MS);
          }
        }
        taken += destroyed;
        if (destroyed > 0) logger.info({ sweep: 'recordings', count: destroyed }, 'rows mended by the sweep');
        // The next run begins anew, and so comes to what failed.
        if (inARow === MOST_FAILURES) throw failure;
        return { kind: 'recordings', found: found + held, taken, held, isOver: !failed };
      }),

    /** Recordings that must go before their time: of people who were erased, or not agreed to by all who are on them. */
    deleteDueRecordings: sweepPart(logger, 'due-recordings', () => walkDue((recording) => deleteOne(deps, recording))),
  };
}

/** Deletes one, and believes that it is gone when the provider does not know it. @returns whether it is */
async function deleteOne(deps: ActivityDependencies, recording: RecordingToDelete): Promise<boolean> {
  const { pool, recordings, logger } = deps;
  const { recordingId, recordingSid, callSid } = recording;
  await logged(logger, { callSid }, () => discard(recordings, callSid, recordingSid));
  await noteDeletionAsked(pool, recordingId);
  if ((await logged(logger, { callSid }, () => recordings.read(recordingSid))) !== null) return false;
  return noteDeletionConfirmed(pool, recordingId);
}
