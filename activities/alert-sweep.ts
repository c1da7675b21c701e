import { type AlertToClose, alertsToClose, closeAlert, closeAlertLeg, destroyAlertNumbers } from '../db/alerts';
import type { OwnerState } from '../temporal/owners';
import type { ActivityDependencies } from './dependencies';
import { countAlertEnd } from './outcome-metrics';
import { createWalk } from './sweep-part';

/**
 * Alerts, and calls of alerts, whose rows say that they live while their workflow is gone (terminated, failed): closed,
 * with the numbers that were given for them. Their phones are ended by `endOrphanedCalls`.
 * @returns what walks them, and says how many it has mended
 */
export function createAlertSweep(
  { pool }: Pick<ActivityDependencies, 'pool'>,
  owner: (workflowId: string) => Promise<OwnerState>,
  olderThanMs: number,
): () => Promise<number> {
  const walk = createWalk<AlertToClose>((limit, after) => alertsToClose(pool, olderThanMs, limit, after));
  const close = async ({ alertId, workflowId, legs }: AlertToClose): Promise<boolean> => {
    const state = await owner(workflowId);
    if (state === 'running') return false;
    const endedAt = new Date();
    for (const leg of legs) {
      await closeAlertLeg(pool, { ...leg, alertId, outcome: 'cancelled', callSid: null, answeredAt: null, endedAt });
    }
    const end =
      state === 'stopped'
        ? ({ outcome: 'cancelled', endReason: 'stopped-by-operator' } as const)
        : ({ outcome: 'failed', endReason: 'workflow-failed' } as const);
    const wasLive = await closeAlert(pool, { alertId, ...end, reached: null, endedAt });
    if (wasLive) countAlertEnd(end.outcome);
    await destroyAlertNumbers(pool, alertId);
    return wasLive || legs.length > 0;
  };
  return () => walk(close);
}
