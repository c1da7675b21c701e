import type { Response } from 'express';
import type { z } from 'zod';
import { budgetUse, type CostBudget, readBudget, setBudget } from '../db/cost-budget';
import { monthlyCosts, type MonthlyCosts } from '../db/costs';
import { inTransaction } from '../db/pool';
import { checkedBody, checkedQuery } from './checked-input';
import { type budgetShape, costsQuery, type costsShape, newBudget } from './costs-shapes';
import type { ApiDeps } from './deps';
import { entityTag, expectedVersion } from './entity-tags';
import { monthsOf } from './months';
import { Problem } from './problems';
import type { Routes } from './routes';

/** What calls, texts and numbers cost, and the budget they are held against. */
export function costs(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('GET /costs', async (req, res) => {
    const { kind, country, ...given } = checkedQuery(costsQuery, req);
    const { from, to } = monthsOf(given);
    const found = await monthlyCosts(deps.pool, { from, to, kind, country });
    const answer: z.input<typeof costsShape> = {
      costs: found,
      totals: totalsOf(found),
      budget: await shown(deps, await readBudget(deps.pool)),
    };
    res.json(answer);
  });

  routes.signedIn('GET /costs/budget', async (_req, res) => {
    await send(deps, res, await readBudget(deps.pool));
  });

  routes.signedIn('PUT /costs/budget', async (req, res, caller) => {
    const expected = expectedVersion(req);
    const body = checkedBody(newBudget, req);
    const budget = await inTransaction(deps.pool, (tx) => setBudget(tx, body, expected, caller.subjectId));
    if (budget === null) throw new Problem('stale-version');
    await send(deps, res, budget);
  });
}

async function send(deps: ApiDeps, res: Response, budget: CostBudget): Promise<void> {
  const answer = await shown(deps, budget);
  res.set('ETag', entityTag(budget.version)).json(answer);
}

async function shown(deps: ApiDeps, budget: CostBudget): Promise<z.input<typeof budgetShape>> {
  const { amountMicro, currency, warnAtPercent, warnedAt } = budget;
  const { spentMicro, percent: usedPercent, isWarned } = await budgetUse(deps.pool, budget);
  return {
    amountMicro,
    currency,
    warnAtPercent,
    spentMicro,
    usedPercent,
    isWarned,
    warnedAt: warnedAt?.toISOString() ?? null,
  };
}

function totalsOf(found: readonly MonthlyCosts[]): z.input<typeof costsShape>['totals'] {
  const totals = new Map<string, { month: string; currency: string; amountMicro: number; estimatedMicro: number }>();
  for (const { month, currency, amountMicro, estimatedMicro } of found) {
    const total = totals.get(month + currency) ?? { month, currency, amountMicro: 0, estimatedMicro: 0 };
    total.amountMicro += amountMicro;
    total.estimatedMicro += estimatedMicro;
    totals.set(month + currency, total);
  }
  return [...totals.values()];
}
