import { legRecipient } from '../db/call-recipients';
import { abandon, type Dispatch, findDispatch, latestEventFor, waitsForLine, withdrawUnmade } from '../db/dispatches';
import type { ActivityDependencies } from './dependencies';
import { secondDispatchId } from './dispatch-run';

/** What a workflow needs to know of a dispatch. */
export interface DispatchFacts {
  readonly state: string;
  readonly sid: string | null;
  /** It was withdrawn before anything could leave, and nothing of it ever will: nobody has to wait for its outcome. */
  readonly isQuiet: boolean;
}

export interface PlacedCall {
  readonly sid: string | null;
  /**
   * Nothing of it was tried, and not for its recipient's sake: it waits in our own queue, or for a line that is closed. Not
   * in histories that are older than this.
   */
  readonly waitsForLine?: boolean;
}

/** Local activities on dispatch rows. */
export function createDispatchActivities({ pool, callLog, enabled }: ActivityDependencies) {
  /** Also when the row does not exist yet: `placeCall` may still wait in its queue, and must not ring later. */
  const withdraw = async (dispatchId: string): Promise<Dispatch | null> =>
    (await abandon(pool, dispatchId)) ??
    ((await withdrawUnmade(pool, dispatchId)) ? findDispatch(pool, dispatchId) : abandon(pool, dispatchId));

  return {
    /**
     * Withdraws a dispatch and the one more it may have opened. An attempt under way is not stopped: its outcome is
     * awaited by `placeCall`, which then ends what came out.
     *
     * @returns the state of the dispatch that got furthest, and its SID if it has one
     */
    async abandonDispatch({ dispatchId }: { dispatchId: string }): Promise<DispatchFacts> {
      const first = await withdraw(dispatchId);
      // Only a refusal opens a second one; an abandoned first never does.
      const second = first?.state === 'refused' ? await withdraw(secondDispatchId(dispatchId)) : null;
      const furthest = second ?? first;
      const state = furthest?.state ?? 'unknown';
      if (furthest !== null && furthest.callId !== null) {
        const leg = { callId: furthest.callId, leg: 'user', step: null, dispatchId: furthest.dispatchId } as const;
        callLog.note({ callId: leg.callId, status: `dispatch-${state}`, ...(await legRecipient(pool, leg)) });
      }
      return { state, sid: furthest?.sid ?? null, isQuiet: isQuiet(furthest) };
    },

    /**
     * The call that has come of a dispatch, by its row or by what Twilio has told, also while the activity that placed
     * it has not: its worker may have died, and the phone rings all the same.
     */
    async placedCall({ dispatchId }: { dispatchId: string }): Promise<PlacedCall> {
      for (const id of [dispatchId, secondDispatchId(dispatchId)]) {
        const sid = (await findDispatch(pool, id))?.sid ?? (await latestEventFor(pool, id))?.sid ?? null;
        if (sid !== null) return { sid, waitsForLine: false };
      }
      return { sid: null, waitsForLine: await waitsForLine(pool, dispatchId, enabled.voice) };
    },
  };
}

/**
 * Settled as soon as it was withdrawn: no attempt of it was under way, and none may have sent anything. Its activity may
 * sleep until the morning. Of one that was never made it may still wait in a queue, and finds that out soon.
 */
function isQuiet(dispatch: Dispatch | null): boolean {
  if (dispatch === null || dispatch.state !== 'abandoned' || dispatch.workflowId === '') return false;
  return dispatch.settledAt !== null && dispatch.sid === null;
}
