/** The figures that the service is judged by, over all calls and mentors; nothing here is about anybody. */
import { z } from 'zod';
import { mentorsOnShift } from './mentors-on-shift';
import { type Db, one } from './query';

type Quantiles = Readonly<Record<'0.5' | '0.95', number | null>>;

export interface CallFigures {
  /** Null without any call that could come to a mentor. */
  readonly successRatio: number | null;
  readonly waitSeconds: Quantiles;
  readonly conversationSeconds: Quantiles;
}

const figuresRow = z.object({
  success: z.number().nullable(),
  wait_half: z.number().nullable(),
  wait_most: z.number().nullable(),
  talk_half: z.number().nullable(),
  talk_most: z.number().nullable(),
});

/**
 * @param windowMs of calls that ended within this. A call that its user took back, or did not pick up, or that was one
 *   too many, says nothing about how well mentors are found; one whose user waited in vain does.
 */
export async function callFigures(db: Db, windowMs: number): Promise<CallFigures> {
  const quantile = (of: string, share: number) => `percentile_cont(${share}) WITHIN GROUP (ORDER BY ${of})::float8`;
  const wait = 'extract(epoch FROM bridged_at - answered_at)';
  const talk = '(CASE WHEN bridged_at IS NOT NULL THEN duration_seconds END)';
  const row = await one(
    db,
    figuresRow,
    `SELECT avg((outcome = 'completed')::int::float8) FILTER (
              WHERE outcome <> 'merged' AND limited_by IS NULL
                AND end_reason NOT IN ('cancelled-by-user', 'user-not-reached')) AS success,
            ${quantile(wait, 0.5)} AS wait_half, ${quantile(wait, 0.95)} AS wait_most,
            ${quantile(talk, 0.5)} AS talk_half, ${quantile(talk, 0.95)} AS talk_most
       FROM call_logs
      WHERE NOT live AND kind = 'mentor-call' AND ended_at > clock_timestamp() - $1 * interval '1 millisecond'`,
    [windowMs],
  );
  return {
    successRatio: row.success,
    waitSeconds: { '0.5': row.wait_half, '0.95': row.wait_most },
    conversationSeconds: { '0.5': row.talk_half, '0.95': row.talk_most },
  };
}

/** Of all mentors, the share that could be rung at this time; null where there are none. */
export async function availableShare(db: Db, at: Date): Promise<number | null> {
  const { count } = await one(
    db,
    z.object({ count: z.int() }),
    'SELECT count(*)::int AS count FROM mentors WHERE deleted_at IS NULL',
    [],
  );
  if (count === 0) return null;
  const free = (await mentorsOnShift(db, at)).filter(({ freePlaces }) => freePlaces > 0);
  return free.length / count;
}

/** A mean of fewer answers is somebody's own. */
const LEAST_ANSWERS = 10;

/** Mean answer, 1 to 5, to how calls were, of the answers given within this (ms); null while there are fewer than ten. */
export async function meanSatisfaction(db: Db, windowMs: number): Promise<number | null> {
  const { mean } = await one(
    db,
    z.object({ mean: z.number().nullable() }),
    `SELECT CASE WHEN count(*) >= ${LEAST_ANSWERS} THEN avg(rating)::float8 END AS mean
       FROM call_feedback WHERE given_at > clock_timestamp() - $1 * interval '1 millisecond'`,
    [windowMs],
  );
  return mean;
}
