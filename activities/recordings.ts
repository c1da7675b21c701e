import { deleteSoon } from '../db/recording-deletion';
import { inTransaction } from '../db/pool';
import { legOfRecording, noteAgreement, noteRecordingSid, type Agreement } from '../db/recordings';
import { recordingKey, STOPPED_IN_TIME_MS } from '../domain/recording';
import type { ActivityDependencies } from './dependencies';
import { runDispatch } from './dispatch-run';
import { isAbandoned } from './failures';
import { logged } from './provider-log';
import { recordingActs } from './recording-acts';

/** Arguments of `startRecording`: ids and operational values only. The recording's id is also that of its dispatch. */
export interface StartRecording extends Agreement {
  readonly workflowId: string;
  /** Hex; of the user. */
  readonly recipientToken: string;
  /** Our number that the user sees. */
  readonly organisationNumber: string;
}

/** What has a conversation recorded, and what ends that. */
export function createRecordingActivities(deps: ActivityDependencies) {
  const { pool, recordings, logger, urls } = deps;
  return {
    /**
     * Has the user's leg recorded, once both have agreed: an outward act like a call, so that whatever dies there is one
     * recording and not two. `runDispatch` says what is promised, needed and thrown. No number is revealed for it.
     */
    async startRecording(asked: StartRecording): Promise<{ sid: string }> {
      const { recordingId, callId, callSid, step, workflowId, recipientToken, country } = asked;
      // First, so that there is no recording whose consent nobody can name.
      await inTransaction(pool, (tx) => noteAgreement(tx, asked));
      const statusCallback = urls.recordingStatus({ callId, recordingId });
      const act = {
        dispatchId: recordingId,
        businessKey: recordingKey(callId, step),
        workflowId,
        callId,
        messageId: null,
        alertId: null,
        recordId: null,
        recipientToken,
        country,
        channel: 'recording',
        messageClass: 'ordinary',
        sender: asked.organisationNumber,
        guard: null,
      } as const;
      try {
        const { sid } = await runDispatch(
          deps,
          act,
          recordingActs(deps, callSid, () => recordings.start({ callSid, statusCallback })),
        );
        await noteRecordingSid(pool, recordingId, sid);
        return { sid };
      } catch (error) {
        // Should a callback have named it all the same, it goes with the next sweep.
        if (isAbandoned(error)) await deleteSoon(pool, recordingId, 'not-wanted');
        throw error;
      }
    },

    /**
     * Ends a recording whose conversation is over while its leg goes on. Whoever comes next has not agreed: one that was
     * not stopped in time is deleted.
     */
    async stopRecording({ recordingId, overSince }: { recordingId: string; overSince: string }): Promise<void> {
      const leg = await legOfRecording(pool, recordingId);
      if (leg === null || leg.recordingSid === null) return;
      const { callSid, recordingSid } = leg;
      const deleteIfLate = async (): Promise<void> => {
        const isLate = Date.now() - Date.parse(overSince) > STOPPED_IN_TIME_MS;
        if (isLate) await deleteSoon(pool, recordingId, 'not-agreed');
      };
      // Also before it is tried: the last try may fail.
      await deleteIfLate();
      await logged(logger, { callSid }, () => recordings.stop(callSid, recordingSid));
      await deleteIfLate();
    },
  };
}
