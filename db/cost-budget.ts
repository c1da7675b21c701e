/** What the organisation wants to spend in a month at most; it stops nothing, it warns. */
import { z } from 'zod';
import { appendAudit } from './audit';
import { noteAppEvent } from './app-events';
import { spentThisMonth } from './costs';
import type { ExpectedVersion } from './mentors';
import { type Db, execute, maybeOne, one } from './query';

export interface CostBudget {
  /** Per month, millionths; null: there is none. */
  readonly amountMicro: number | null;
  readonly currency: string;
  /** The share of it at which a warning is given, once a month. */
  readonly warnAtPercent: number;
  readonly version: number;
  /** When this month's warning was given; null: not yet. */
  readonly warnedAt: Date | null;
}

const budgetRow = z
  .object({
    amount: z.coerce.number().int().nullable(),
    currency: z.string(),
    percent: z.int(),
    version: z.int(),
    warned_at: z.date().nullable(),
  })
  .transform(
    (row): CostBudget => ({
      amountMicro: row.amount,
      currency: row.currency,
      warnAtPercent: row.percent,
      version: row.version,
      warnedAt: row.warned_at,
    }),
  );
const THIS_MONTH = `date_trunc('month', now() AT TIME ZONE 'UTC')::date`;
const COLUMNS = `amount_micro AS amount, currency, warn_at_percent AS percent, version,
  CASE WHEN warned_month = ${THIS_MONTH} THEN warned_at END AS warned_at`;

export function readBudget(db: Db): Promise<CostBudget> {
  return one(db, budgetRow, `SELECT ${COLUMNS} FROM cost_budget`);
}

/**
 * Sets the budget, with an audit entry; this month's warning may then come again. Give it a transaction.
 * @returns null when somebody else was faster
 */
export async function setBudget(
  tx: Db,
  budget: Pick<CostBudget, 'amountMicro' | 'currency' | 'warnAtPercent'>,
  expected: ExpectedVersion,
  actor: string,
): Promise<CostBudget | null> {
  const changed = await execute(
    tx,
    `UPDATE cost_budget SET amount_micro = $1, currency = $2, warn_at_percent = $3, version = version + 1,
            set_by = $4, set_at = clock_timestamp(), warned_month = NULL, warned_at = NULL
      WHERE $5::int[] IS NULL OR version = ANY($5)`,
    [budget.amountMicro, budget.currency, budget.warnAtPercent, actor, expected === 'any' ? null : expected],
  );
  if (changed === 0) return null;
  await appendAudit(tx, { actor, action: 'cost-budget.changed', objectId: 'cost-budget', outcome: 'done' });
  return await readBudget(tx);
}

export interface BudgetUse {
  /** Millionths, of this month, in the budget's currency. */
  readonly spentMicro: number;
  /** Null without a budget. */
  readonly percent: number | null;
  /** Whether the share at which is warned has been reached. */
  readonly isWarned: boolean;
}

/** How much of a budget is used. */
export async function budgetUse(db: Db, { amountMicro, currency, warnAtPercent }: CostBudget): Promise<BudgetUse> {
  const spentMicro = await spentThisMonth(db, currency);
  const percent = amountMicro === null ? null : Math.floor((spentMicro * 100) / amountMicro);
  return { spentMicro, percent, isWarned: percent !== null && percent >= warnAtPercent };
}

/**
 * Takes this month's warning, if it is due and nobody has: whoever set the budget is told as an event of the app. Give it
 * a transaction.
 * @returns whether this is the one
 */
export async function takeWarning(tx: Db): Promise<boolean> {
  const row = await maybeOne(
    tx,
    z.object({ warning_id: z.uuid(), set_by: z.uuid().nullable() }),
    `UPDATE cost_budget SET warned_month = ${THIS_MONTH}, warned_at = clock_timestamp(), warning_id = gen_random_uuid()
      WHERE warned_month IS DISTINCT FROM ${THIS_MONTH} RETURNING warning_id, set_by`,
  );
  if (row === null) return false;
  const { warning_id: objectId, set_by: subjectId } = row;
  // Each warning is an object of its own: next month's says the same words and is another one.
  if (subjectId !== null) {
    await noteAppEvent(tx, { subjectId, type: 'cost-budget.warning', objectId, state: 'warning' });
  }
  return true;
}
