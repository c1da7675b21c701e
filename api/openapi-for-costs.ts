import { budgetShape, costsQuery, costsShape, newBudget } from './costs-shapes';
import type { Operation } from './openapi-operations';

const BUDGET = {
  amountMicro: 250_000_000,
  currency: 'USD',
  warnAtPercent: 80,
  spentMicro: 83_016_600,
  usedPercent: 33,
  isWarned: false,
  warnedAt: null,
};
const COSTS = {
  costs: [
    {
      month: '2026-11',
      kind: 'sms',
      country: 'US',
      currency: 'USD',
      count: 7_801,
      units: 10_002,
      amountMicro: 83_016_600,
      estimatedMicro: 0,
    },
  ],
  totals: [{ month: '2026-11', currency: 'USD', amountMicro: 83_016_600, estimatedMicro: 0 }],
  budget: BUDGET,
} as const;
const ONE_BUDGET = { content: { 'application/json': budgetShape }, example: BUDGET, headers: ['ETag'] } as const;

/** What it costs. */
export const COST_OPERATIONS = {
  'GET /costs': {
    id: 'getCosts',
    tag: 'Costs',
    summary: 'What calls, texts and numbers cost, by month, kind and country',
    description: 'Twilio’s own price where it has told it; until then an estimate, which is said.',
    query: costsQuery,
    answers: {
      200: { description: 'Newest month first.', content: { 'application/json': costsShape }, example: COSTS },
    },
  },
  'GET /costs/budget': {
    id: 'getCostBudget',
    tag: 'Costs',
    summary: 'What a month may cost, and how much of it is used',
    answers: { 200: { description: 'The budget; ETag names this version of it.', ...ONE_BUDGET } },
  },
  'PUT /costs/budget': {
    id: 'setCostBudget',
    tag: 'Costs',
    summary: 'Sets what a month may cost before somebody is told',
    description: 'Stops nothing. Told once a month: to whoever set it as an event, in the log, as a metric. Audited.',
    body: {
      schema: newBudget,
      examples: {
        'a budget': { amountMicro: 250_000_000, currency: 'USD', warnAtPercent: 80 },
        none: { amountMicro: null, currency: 'USD' },
      },
    },
    isEdit: true,
    answers: { 200: { description: 'Set; ETag names the new version.', ...ONE_BUDGET } },
  },
} as const satisfies Partial<Record<string, Operation>>;
