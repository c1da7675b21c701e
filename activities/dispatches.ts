import { abandonDispatch, findDispatch } from '../db/dispatches';
import type { ActivityDependencies } from './dependencies';
import { secondDispatchId } from './place-call';

/** Local activities on dispatch rows. */
export function createDispatchActivities({ pool, logger }: ActivityDependencies) {
  return {
    /**
     * Withdraws a dispatch and the one more it may have opened. An attempt under way is not stopped: its outcome is
     * awaited by `placeCall`, which then ends what came out.
     *
     * @returns the state of the dispatch that got furthest, and its SID if it has one
     */
    async abandonDispatch({ dispatchId }: { dispatchId: string }): Promise<{ state: string; sid: string | null }> {
      const first = await abandonDispatch(pool, dispatchId);
      const second = await abandonDispatch(pool, secondDispatchId(dispatchId));
      const furthest = second ?? first;
      logger.info({ dispatchId, state: furthest?.state ?? 'unknown' }, 'dispatch withdrawn');
      return { state: furthest?.state ?? 'unknown', sid: second?.sid ?? first?.sid ?? null };
    },

    async dispatchState({ dispatchId }: { dispatchId: string }): Promise<{ state: string; sid: string | null }> {
      const found = (await findDispatch(pool, secondDispatchId(dispatchId))) ?? (await findDispatch(pool, dispatchId));
      return { state: found?.state ?? 'unknown', sid: found?.sid ?? null };
    },
  };
}
