import { Context } from '@temporalio/activity';
import { appendAudit } from '../db/audit';
import { closeAbandoned, findDispatch, settleAccepted, type Accepted, type Dispatch } from '../db/dispatches';
import { inTransaction } from '../db/pool';
import { isDestroyed } from '../domain/errors';
import { type ChannelActs, undo } from './channel-acts';
import type { ActivityDependencies } from './dependencies';
import { dispatchAbandoned } from './failures';
import { findEarlier, type DispatchHeartbeat } from './reconcile';

type Deps = Pick<ActivityDependencies, 'pool' | 'logger'>;

/**
 * Settles a dispatch with what came out of it: the first is its own, if no other is yet; every further one is a
 * double, counted and, where that can be done, ended.
 *
 * @returns the SID that counts; null when the row says something else by now and has to be read again
 * @throws ApplicationFailure `DispatchAbandoned` after ending what came out of a withdrawn dispatch
 */
export async function keep(
  deps: Deps,
  by: Pick<ChannelActs, 'undo'>,
  dispatchId: string,
  sids: readonly string[],
): Promise<{ sid: string } | null> {
  let withdrawn: string | null = null;
  for (const sid of sids) {
    const settled = await settle(deps, dispatchId, sid);
    if (settled === 'abandoned') withdrawn = sid;
    if (settled === 'abandoned' || settled === 'second') await undo(deps, by, dispatchId, sid);
  }
  if (withdrawn !== null) throw dispatchAbandoned(by.undo === null ? withdrawn : null);
  const row = await findDispatch(deps.pool, dispatchId);
  return row?.state === 'accepted' && row.sid !== null ? { sid: row.sid } : null;
}

async function settle(deps: Deps, dispatchId: string, sid: string): Promise<Accepted> {
  const audited = {
    accepted: 'dispatch.accepted',
    second: 'dispatch.doubled',
    abandoned: 'dispatch.abandoned',
  } as const;
  const settled = await inTransaction(deps.pool, async (tx) => {
    const outcome = await settleAccepted(tx, dispatchId, sid);
    if (outcome !== 'taken') {
      await appendAudit(tx, { actor: 'system', action: audited[outcome], objectId: dispatchId, outcome: 'done' });
    }
    return outcome;
  });
  if (settled === 'second') {
    deps.logger.error({ dispatchId, callSid: sid }, 'dispatch-doubled');
    Context.current().metricMeter.createCounter('kindline_dispatches_doubled').add(1);
  }
  return settled;
}

/**
 * Sees a withdrawn dispatch to its end: what came out of an attempt is ended; an attempt that may still be under way
 * is awaited.
 *
 * @param reveal gives the number, for the provider's list
 * @returns how long to wait before looking again (ms)
 * @throws ApplicationFailure `DispatchAbandoned` when nothing of it rings, or ever will
 */
export async function withdraw(
  deps: Deps,
  by: Pick<ChannelActs, 'undo' | 'list'>,
  dispatch: Dispatch,
  heartbeat: DispatchHeartbeat | null,
  reveal: () => Promise<string>,
): Promise<number> {
  const { dispatchId, leaseRemainingMs } = dispatch;
  if (dispatch.sid !== null) {
    await undo(deps, by, dispatchId, dispatch.sid);
    throw dispatchAbandoned(by.undo === null ? dispatch.sid : null);
  }
  if (dispatch.settledAt !== null) throw dispatchAbandoned();
  // Whoever holds the lease may be about to send; the lease is longer than the list takes to settle.
  if (leaseRemainingMs > 0) return leaseRemainingMs;
  const found = await findEarlier(deps, dispatch, by, heartbeat, reveal).catch((error: unknown) => {
    // Without the number the list cannot be asked. A call that comes out late is hung up unspoken.
    if (isDestroyed(error)) return [];
    throw error;
  });
  if (found.length > 0) await keep(deps, by, dispatchId, found);
  await closeAbandoned(deps.pool, dispatchId);
  throw dispatchAbandoned();
}
