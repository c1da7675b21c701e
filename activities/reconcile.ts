import { latestEventFor, sidsOwnedByOthers, type Dispatch } from '../db/dispatches';
import { isTerminal } from '../domain/call-status';
import type { ProviderCall } from '../providers/twilio-voice';
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
 * @returns SIDs of calls this dispatch made, the one to keep first; empty when none is known (yet)
 */
export async function findEarlierCalls(
  deps: Pick<ActivityDependencies, 'pool' | 'voice' | 'logger'>,
  dispatch: Dispatch,
  heartbeat: DispatchHeartbeat | null,
  reveal: () => Promise<string>,
): Promise<string[]> {
  if (dispatch.sid !== null) return [dispatch.sid];
  const event = await latestEventFor(deps.pool, dispatch.dispatchId);
  if (event !== null) return [event.sid];
  if (heartbeat !== null && heartbeat.dispatchId === dispatch.dispatchId) return [heartbeat.sid];
  const to = await reveal();
  const listed = await logged(deps.logger, { dispatchId: dispatch.dispatchId }, () => deps.voice.listCallsTo(to));
  const ours = listed.filter((call) => couldBeOf(dispatch, call));
  if (ours.length === 0) return [];
  const taken = new Set(
    await sidsOwnedByOthers(
      deps.pool,
      dispatch.dispatchId,
      ours.map((call) => call.sid),
    ),
  );
  return ours
    .filter((call) => !taken.has(call.sid))
    .sort(keepFirst)
    .map((call) => call.sid);
}

/** Never by StartTime, which is empty while a call is queued. The partial unique index makes this unambiguous. */
export function couldBeOf(dispatch: Pick<Dispatch, 'createdAt' | 'sender'>, call: ProviderCall): boolean {
  return (
    call.direction === 'outbound-api' &&
    call.from === dispatch.sender &&
    call.dateCreated !== null &&
    call.dateCreated.valueOf() >= dispatch.createdAt.valueOf() - CLOCK_TOLERANCE_MS
  );
}

/** A call that goes on before one that is over, the older before the newer. */
function keepFirst(a: ProviderCall, b: ProviderCall): number {
  const over = Number(isTerminal(a.status)) - Number(isTerminal(b.status));
  return over !== 0 ? over : (a.dateCreated?.valueOf() ?? 0) - (b.dateCreated?.valueOf() ?? 0);
}
