/** What things cost: read by month, and brought to the provider's own price when it has one. */
import { z } from 'zod';
import { type Db, execute, many, one } from './query';

export const COST_KINDS = ['voice', 'sms', 'number', 'recording'] as const;
export type CostKind = (typeof COST_KINDS)[number];

/** Postgres adds up to `numeric`, which comes as text; beyond this many millionths a sum is no sum of ours. */
const micro = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

export interface MonthlyCosts {
  /** `2026-11`. */
  readonly month: string;
  readonly kind: CostKind;
  /** ISO 3166; `ZZ` when it is not known. */
  readonly country: string;
  readonly currency: string;
  /** Legs, texts, numbers or recordings. */
  readonly count: number;
  /** Minutes begun, of recordings too, segments, or numbers. */
  readonly units: number;
  readonly amountMicro: number;
  /** How much of the amount is by our own table. */
  readonly estimatedMicro: number;
}

const monthlyRow = z
  .object({
    month: z.string(),
    kind: z.enum(COST_KINDS),
    country: z.string(),
    currency: z.string(),
    count: z.int(),
    units: z.int(),
    amount: micro,
    estimated: micro,
  })
  .transform(
    ({ amount, estimated, ...row }): MonthlyCosts => ({ ...row, amountMicro: amount, estimatedMicro: estimated }),
  );

export interface CostFilter {
  /** `2026-11`; both ends are included. */
  readonly from: string;
  readonly to: string;
  readonly kind?: CostKind | undefined;
  readonly country?: string | undefined;
}

/** By month, kind, country and currency; newest month first. */
export function monthlyCosts(db: Db, { from, to, kind, country }: CostFilter): Promise<MonthlyCosts[]> {
  return many(
    db,
    monthlyRow,
    `SELECT to_char(month, 'YYYY-MM') AS month, kind, country, currency, count(*)::int AS count,
            sum(units)::int AS units, sum(amount_micro) AS amount,
            coalesce(sum(amount_micro) FILTER (WHERE is_estimate), 0) AS estimated
       FROM costs
      WHERE month BETWEEN to_date($1, 'YYYY-MM') AND to_date($2, 'YYYY-MM')
        AND ($3::text IS NULL OR kind = $3) AND ($4::text IS NULL OR country = $4)
      GROUP BY costs.month, kind, country, currency ORDER BY costs.month DESC, kind, country, currency`,
    [from, to, kind, country],
  );
}

/** All that was spent in this month (UTC) in this currency, millionths. */
export async function spentThisMonth(db: Db, currency: string): Promise<number> {
  const { spent } = await one(
    db,
    z.object({ spent: micro }),
    `SELECT coalesce(sum(amount_micro), 0) AS spent FROM costs
      WHERE month = date_trunc('month', now() AT TIME ZONE 'UTC') AND currency = $1`,
    [currency],
  );
  return spent;
}

export interface Unpriced {
  /** The provider's SID. */
  readonly item: string;
  readonly kind: CostKind;
  /** In vain so far. */
  readonly looks: number;
}

/** What is due to be looked at for its price, longest due first. */
export function costsToLookAt(db: Db, limit: number): Promise<Unpriced[]> {
  return many(
    db,
    z.object({ item: z.string(), kind: z.enum(COST_KINDS), looks: z.int() }),
    `SELECT item, kind, looks FROM costs
      WHERE next_look_at IS NOT NULL AND next_look_at <= clock_timestamp() ORDER BY next_look_at LIMIT $1`,
    [limit],
  );
}

/** The provider's own price. @param units as the provider counts them; null leaves ours */
export async function notePrice(
  db: Db,
  item: string,
  price: { readonly micro: number; readonly currency: string; readonly units: number | null },
): Promise<void> {
  await execute(
    db,
    `UPDATE costs SET amount_micro = $2, currency = $3, units = coalesce($4, units), is_estimate = false,
            price_source = 'twilio', next_look_at = NULL
      WHERE item = $1`,
    [item, price.micro, price.currency, price.units],
  );
}

/** No price yet. @param againMs null: the estimate stays for good */
export async function noteNoPrice(db: Db, item: string, againMs: number | null): Promise<void> {
  await execute(
    db,
    `UPDATE costs SET looks = looks + 1, next_look_at = clock_timestamp() + $2 * interval '1 millisecond'
      WHERE item = $1 AND is_estimate`,
    [item, againMs],
  );
}
