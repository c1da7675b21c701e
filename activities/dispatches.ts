import { legRecipient } from '../db/call-recipients';
import { abandon, findDispatch, withdrawUnmade, type Dispatch } from '../db/dispatches';
import type { ActivityDependencies } from './dependencies';
import { secondDispatchId } from './dispatch-run';

/** What a workflow needs to know of a dispatch. */
export interface DispatchFacts {
  readonly state: string;
  readonly sid: string | null;
}

/** Local activities on dispatch rows. */
export function createDispatchActivities({ pool, callLog }: ActivityDependencies) {
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
      return { state, sid: furthest?.sid ?? null };
    },
  };
}
