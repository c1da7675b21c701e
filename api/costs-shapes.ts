import { z } from 'zod';
import { COST_KINDS } from '../db/costs';
import { monthsQuery } from './months';
import { countryCode, month, time } from './shared-shapes';

const micro = z.int().min(0).meta({ description: 'Millionths of the currency.' });
const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'A currency is expected here: three capital letters, as USD.')
  .meta({ description: 'ISO 4217.', examples: ['USD'] });

export const costsQuery = monthsQuery.extend({
  kind: z.enum(COST_KINDS).optional(),
  country: countryCode.optional(),
});

const sums = {
  amountMicro: micro,
  estimatedMicro: micro.meta({
    description: 'How much of it is by our own table, because Twilio has not said its price (yet).',
  }),
};

const budgetFields = {
  amountMicro: z.int().min(1).nullable().meta({ description: 'Per month, millionths of the currency; null: none.' }),
  currency,
  warnAtPercent: z.int().min(1).max(100),
};

export const newBudget = z
  .strictObject({ ...budgetFields, warnAtPercent: budgetFields.warnAtPercent.default(80) })
  .meta({ id: 'NewCostBudget' });

export const budgetShape = z
  .strictObject({
    ...budgetFields,
    spentMicro: micro.meta({ description: 'This month, in this currency.' }),
    usedPercent: z.int().min(0).nullable(),
    isWarned: z.boolean().meta({ description: 'Whether the share at which is warned has been reached.' }),
    warnedAt: time.nullable().meta({ description: 'When this month’s warning was given.' }),
  })
  .meta({ id: 'CostBudget' });

export const costsShape = z
  .strictObject({
    costs: z.array(
      z.strictObject({
        month,
        kind: z.enum(COST_KINDS),
        country: z.string().meta({ description: 'ISO 3166; ZZ when it is not known.' }),
        currency,
        count: z.int().meta({ description: 'Legs, texts, numbers or recordings.' }),
        units: z.int().meta({ description: 'Minutes begun, of recordings too, segments, or numbers.' }),
        ...sums,
      }),
    ),
    totals: z.array(z.strictObject({ month, currency, ...sums })),
    budget: budgetShape,
  })
  .meta({ id: 'Costs' });
