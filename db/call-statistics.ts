/**
 * Sums over mentor calls that are over. They are made from `call_outcomes` alone, which says the same of a call before
 * and after it was anonymised; whatever else is summed over calls has to be read there too.
 */
import { z } from 'zod';
import { type Db, many } from './query';

export interface CallMonth {
  /** `2026-11`, by the day on which the call was asked for, UTC. */
  readonly month: string;
  /** Of the phone that was rung, ISO 3166. */
  readonly country: string;
  /** Calls that were placed: without those that were merged or over a limit. */
  readonly calls: number;
  /** Of these, by outcome. */
  readonly completed: number;
  readonly helpline: number;
  readonly cancelled: number;
  readonly noAnswer: number;
  readonly failed: number;
  /** Seconds at the median; null where there was none. */
  readonly secondsToAnswer: number | null;
  readonly secondsToMentor: number | null;
  readonly conversationSeconds: number | null;
  /** Of all conversations with mentors. */
  readonly conversationSecondsInAll: number;
  readonly mentorsRung: number;
}

const monthRow = z
  .object({
    month: z.string(),
    country: z.string(),
    calls: z.int(),
    completed: z.int(),
    helpline: z.int(),
    cancelled: z.int(),
    no_answer: z.int(),
    failed: z.int(),
    to_answer: z.int().nullable(),
    to_bridge: z.int().nullable(),
    duration: z.int().nullable(),
    duration_in_all: z.coerce.number().int(),
    mentors_rung: z.coerce.number().int(),
  })
  .transform(
    ({ no_answer, to_answer, to_bridge, duration, duration_in_all, mentors_rung, ...row }): CallMonth => ({
      ...row,
      noAnswer: no_answer,
      secondsToAnswer: to_answer,
      secondsToMentor: to_bridge,
      conversationSeconds: duration,
      conversationSecondsInAll: duration_in_all,
      mentorsRung: mentors_rung,
    }),
  );

/**
 * By month and country, newest month first.
 * @param from first month, `2026-11`; both ends are included
 */
export function callStatistics(
  db: Db,
  { from, to, country }: { readonly from: string; readonly to: string; readonly country?: string | undefined },
): Promise<CallMonth[]> {
  return many(
    db,
    monthRow,
    `SELECT to_char(day, 'YYYY-MM') AS month, country, count(*)::int AS calls, ${countOf('completed')} AS completed,
            ${countOf('fallback-completed')} AS helpline, ${countOf('cancelled')} AS cancelled,
            ${countOf('no-answer')} AS no_answer, ${countOf('failed')} AS failed,
            percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds_to_answer) AS to_answer,
            percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds_to_bridge) AS to_bridge,
            percentile_disc(0.5) WITHIN GROUP (ORDER BY duration_seconds) FILTER (WHERE seconds_to_bridge IS NOT NULL)
              AS duration,
            coalesce(sum(duration_seconds) FILTER (WHERE seconds_to_bridge IS NOT NULL), 0) AS duration_in_all,
            sum(mentors_rung) AS mentors_rung
       FROM call_outcomes
      WHERE day >= to_date($1, 'YYYY-MM') AND day < to_date($2, 'YYYY-MM') + interval '1 month'
        AND outcome <> 'merged' AND limited_by IS NULL AND ($3::text IS NULL OR country = $3)
      GROUP BY to_char(day, 'YYYY-MM'), country ORDER BY month DESC, country`,
    [from, to, country],
  );
}

function countOf(outcome: string): string {
  return `count(*) FILTER (WHERE outcome = '${outcome}')::int`;
}
