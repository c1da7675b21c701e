import { closeWellbeingAlert } from '../db/wellbeing-course';
import { openAsksOf, wellbeingAlertsToClose } from '../db/wellbeing-sweeps';
import type { DueAlert } from '../db/wellbeing-scores';
import { wellbeingAlertWorkflowId } from '../domain/wellbeing-alert';
import type { OwnerState } from '../temporal/owners';
import { tellCheckInOver } from '../temporal/wellbeing-alerts';
import { cancelVoiceAlert } from '../temporal/voice-alerts';
import type { ActivityDependencies } from './dependencies';
import { createWalk } from './sweep-part';

const TELL_WITHIN_MS = 2_000;

/**
 * Wellbeing alerts whose rows say that they live while their workflow is gone (terminated, failed): closed, and nobody is
 * asked for them any more.
 * @returns what walks them, and says how many it has mended
 */
export function createWellbeingSweep(
  { pool, temporal, logger }: Pick<ActivityDependencies, 'pool' | 'temporal' | 'logger'>,
  owner: (workflowId: string) => Promise<OwnerState>,
  olderThanMs: number,
): () => Promise<number> {
  const walk = createWalk<DueAlert>((limit, after) => wellbeingAlertsToClose(pool, olderThanMs, limit, after));
  const close = async ({ alertId }: DueAlert): Promise<boolean> => {
    const state = await owner(wellbeingAlertWorkflowId(alertId));
    if (state === 'running') return false;
    for (const { askId, by } of await openAsksOf(pool, alertId)) {
      if (by === 'check-in') await tellCheckInOver(temporal, askId, TELL_WITHIN_MS);
      if (by === 'call') await cancelVoiceAlert(temporal, askId);
    }
    const endReason = state === 'stopped' ? 'stopped-by-operator' : 'workflow-failed';
    const end = { alertId, state: 'closed', endReason, decision: null, endedAt: new Date().toISOString() } as const;
    const isNew = (await closeWellbeingAlert(pool, end))?.isNew === true;
    if (isNew) {
      const fields = { alertId, errorCode: 'wellbeing-alert-lost', reason: endReason };
      logger.error(fields, 'a wellbeing alert has lost its workflow');
    }
    return isNew;
  };
  return () => walk(close);
}
