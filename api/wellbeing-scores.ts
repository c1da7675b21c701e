import type { z } from 'zod';
import { type DueAlert, takeScores } from '../db/wellbeing-scores';
import { noteAlertStarted } from '../db/wellbeing-sweeps';
import { SCORES_COUNT_FOR_MS } from '../domain/wellbeing-triggers';
import { checkedBody } from './checked-input';
import type { ApiDeps } from './deps';
import { SCORES_BODY } from './limits';
import type { Routes } from './routes';
import { scoreEvents, type scoresTaken } from './wellbeing-shapes';

/** What the analysis has measured: kept, judged, and where it is due the beginning of an alert. */
export function wellbeingScores(routes: Routes, deps: ApiDeps): void {
  routes.signedIn(
    'POST /api/wellbeing/scores',
    async (req, res) => {
      const { events } = checkedBody(scoreEvents, req);
      const { triggers, alertSpacingMs } = deps.config.wellbeing;
      const { alerts, ...counts } = await takeScores(
        deps.pool,
        events.map((event) => ({
          ...event,
          userId: event.userId.toLowerCase(),
          measuredAt: new Date(event.measuredAt),
        })),
        { triggers, alertSpacingMs, countForMs: SCORES_COUNT_FOR_MS },
      );
      await Promise.all(alerts.map((alert) => begin(deps, alert)));
      const answer: z.input<typeof scoresTaken> = counts;
      res.json(answer);
    },
    { jsonLimit: SCORES_BODY },
  );
}

/** Never fails: what is due is in its row, and a worker begins what is not begun from here. */
async function begin({ wellbeing, pool, logger }: ApiDeps, alert: DueAlert): Promise<void> {
  try {
    await wellbeing.start(alert);
    await noteAlertStarted(pool, alert.alertId);
  } catch (error) {
    logger.warn({ alertId: alert.alertId, error }, 'a due alert is left to the worker');
  }
}
