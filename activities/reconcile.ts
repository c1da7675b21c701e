import { latestEventFor, sidsOwnedByOthers, type Dispatch } from '../db/dispatches';
import type { ChannelActs, Earlier } from './channel-acts';
import type { ActivityDependencies } from './dependencies';
import { logged } from './provider-log';

/** What an attempt of a dispatch told Temporal before its worker died. */
export interface DispatchHeartbeat {
  readonly dispatchId: string;
  readonly sid: string;
}

/**
 * Twilio's dates have whole seconds and its clock is not ours. Wider than needed is dangerous, not safe: an older
 * call to the same number is somebody else's conversation.
 */
const CLOCK_TOLERANCE_MS = 3_000;

/**
 * What became of earlier attempts, best witness first: an event or TwiML request that names this dispatch, the SID
 * a dead worker heartbeated, the provider's list by To alone.
 *
 * @param reveal gives the number, and is called only when the list has to be asked
 * @returns SIDs that this dispatch made, the one to keep first; empty when none is known (yet)
 */
export async function findEarlier(
  deps: Pick<ActivityDependencies, 'pool' | 'logger'>,
  dispatch: Dispatch,
  by: Pick<ChannelActs, 'list'>,
  heartbeat: DispatchHeartbeat | null,
  reveal: () => Promise<string>,
): Promise<string[]> {
  if (dispatch.sid !== null) return [dispatch.sid];
  const event = await latestEventFor(deps.pool, dispatch.dispatchId);
  if (event !== null) return [event.sid];
  if (heartbeat !== null && heartbeat.dispatchId === dispatch.dispatchId) return [heartbeat.sid];
  const { list } = by;
  if (list === null) return [];
  const to = await reveal();
  const ours = await logged(deps.logger, { dispatchId: dispatch.dispatchId }, () => list(to, dispatch));
  if (ours.length === 0) return [];
  const taken = await sidsOwnedByOthers(
    deps.pool,
    dispatch.dispatchId,
    ours.map(({ sid }) => sid),
  );
  return ours
    .filter(({ sid }) => !taken.has(sid))
    .sort(keepFirst)
    .map(({ sid }) => sid);
}

/** Never by the time of dialling or sending, which is empty while it is queued. */
export function isSince(dispatch: Pick<Dispatch, 'createdAt'>, dateCreated: Date | null): boolean {
  return dateCreated !== null && dateCreated.valueOf() >= dispatch.createdAt.valueOf() - CLOCK_TOLERANCE_MS;
}

/** What goes on before what is over, the older before the newer. */
function keepFirst(a: Earlier, b: Earlier): number {
  const over = Number(a.isOver) - Number(b.isOver);
  return over !== 0 ? over : (a.dateCreated?.valueOf() ?? 0) - (b.dateCreated?.valueOf() ?? 0);
}
