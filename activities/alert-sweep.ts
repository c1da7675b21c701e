import { alertsToClose, closeAlert, closeAlertLeg, destroyAlertNumbers } from '../db/alerts';
import type { OwnerState } from '../temporal/owners';
import type { ActivityDependencies } from './dependencies';
import { countWhere, SWEEP_BATCH } from './sweep-part';

/**
 * Alerts, and calls of alerts, whose rows say that they live while their workflow is gone (terminated, failed): closed,
 * with the numbers that were given for them. Their phones are ended by `endOrphanedCalls`.
 * @returns how many were mended
 */
export async function closeDeadAlerts(
  { pool }: Pick<ActivityDependencies, 'pool'>,
  owner: (workflowId: string) => Promise<OwnerState>,
  olderThanMs: number,
): Promise<number> {
  return await countWhere(await alertsToClose(pool, olderThanMs, SWEEP_BATCH), async (alert) => {
    const state = await owner(alert.workflowId);
    if (state === 'running') return false;
    const { alertId, legs } = alert;
    const endedAt = new Date();
    for (const leg of legs) {
      await closeAlertLeg(pool, { ...leg, alertId, outcome: 'cancelled', callSid: null, answeredAt: null, endedAt });
    }
    const end =
      state === 'stopped'
        ? ({ outcome: 'cancelled', endReason: 'stopped-by-operator' } as const)
        : ({ outcome: 'failed', endReason: 'workflow-failed' } as const);
    const wasLive = await closeAlert(pool, { alertId, ...end, reached: null, endedAt });
    await destroyAlertNumbers(pool, alertId);
    return wasLive || legs.length > 0;
  });
}
