import type { z } from 'zod';
import { callStatistics as statisticsOf } from '../db/call-statistics';
import { checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { monthsOf } from './months';
import { statisticsQuery, type statisticsShape } from './retention-shapes';
import type { Routes } from './routes';

/** What is known of calls when nobody in them is known any more. */
export function callStatistics(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('GET /call-statistics', async (req, res) => {
    const { country, ...given } = checkedQuery(statisticsQuery, req);
    const months = await statisticsOf(deps.pool, { ...monthsOf(given), country });
    const answer: z.input<typeof statisticsShape> = { months };
    res.json(answer);
  });
}
