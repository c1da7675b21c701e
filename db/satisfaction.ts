/** What people thought of their calls, as means of many answers; fewer than it takes to hide behind give none. */
import { z } from 'zod';
import { LEAST_ANSWERS_A_MONTH, LEAST_ANSWERS_OF_A_MENTOR } from '../domain/feedback';
import { many, one, type Db } from './query';

export interface MonthlySatisfaction {
  /** `2026-11`, UTC. */
  readonly month: string;
  readonly answers: number;
  /** From 1 to 5 with one decimal; null when there are too few answers. */
  readonly mean: number | null;
  /** How many gave 1, 2, 3, 4 and 5; null when there are too few answers. */
  readonly ratings: readonly number[] | null;
}

const monthlyRow = z
  .object({ month: z.string(), answers: z.int(), mean: z.number(), ratings: z.array(z.int()) })
  .transform(({ month, answers, mean, ratings }): MonthlySatisfaction => {
    const isEnough = answers >= LEAST_ANSWERS_A_MONTH;
    return { month, answers, mean: isEnough ? mean : null, ratings: isEnough ? ratings : null };
  });

/** By the month of the answer; newest first, months without any left out. Both ends, `2026-11`, are included. */
export function satisfactionByMonth(
  db: Db,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<MonthlySatisfaction[]> {
  const counts = [1, 2, 3, 4, 5].map((n) => `count(*) FILTER (WHERE rating = ${n})`).join(', ');
  return many(
    db,
    monthlyRow,
    `SELECT to_char(given_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month, count(*)::int AS answers,
            round(avg(rating), 1)::float8 AS mean, ARRAY[${counts}]::int[] AS ratings
       FROM call_feedback
      WHERE given_at >= to_date($1, 'YYYY-MM')::timestamp AT TIME ZONE 'UTC'
        AND given_at < (to_date($2, 'YYYY-MM') + interval '1 month') AT TIME ZONE 'UTC'
      GROUP BY 1 ORDER BY 1 DESC`,
    [from, to],
  );
}

/** Of the last year; both null while there are too few. */
export interface MentorSatisfaction {
  readonly answers: number | null;
  readonly mean: number | null;
}

export async function satisfactionWithMentor(db: Db, mentorId: string): Promise<MentorSatisfaction> {
  const { answers, mean } = await one(
    db,
    z.object({ answers: z.int(), mean: z.number().nullable() }),
    `SELECT count(*)::int AS answers, round(avg(rating), 1)::float8 AS mean FROM call_feedback
      WHERE mentor_id = $1 AND given_at > clock_timestamp() - interval '1 year'`,
    [mentorId],
  );
  return answers < LEAST_ANSWERS_OF_A_MENTOR ? { answers: null, mean: null } : { answers, mean };
}
