import { findAlert } from '../db/alerts';
import { voiceAlertWorkflowId } from '../domain/voice-alert';
import { ownerState, type OwnerState } from '../temporal/owners';
import type { ActivityDependencies } from './dependencies';

type Deps = Pick<ActivityDependencies, 'pool' | 'temporal'>;

/**
 * The call that says a message instead: it has taken over the number, and destroys it at its own end. Null for one that
 * was only meant to be: neither runs nor has ever written a row, and so destroys nothing.
 * @param alertId as the message's row names it, before anything is begun
 */
export async function begunFallback(
  deps: Deps,
  alertId: string | null,
  owner: (workflowId: string) => Promise<OwnerState> = (workflowId) => ownerState(deps.temporal, workflowId),
): Promise<string | null> {
  if (alertId === null) return null;
  if ((await owner(voiceAlertWorkflowId(alertId))) === 'running') return alertId;
  return (await findAlert(deps.pool, alertId)) === null ? null : alertId;
}
