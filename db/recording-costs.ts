/** Turns recordings into costs, as `cost-items.ts` does for texts and legs. */
import { z } from 'zod';
import { FIRST_LOOK_MS, PRICE_TABLE, PRICES_CURRENCY, RECORDING_MINUTE } from '../domain/prices';
import { LOOK_BACK } from './cost-items';
import { type Db, one } from './query';

/**
 * Recordings that have ended since the last time, by minutes begun. One without sound costs nothing and is none.
 * @returns how many costs were noted; `limit` means there are more
 */
export async function noteRecordingCosts(db: Db, limit: number): Promise<number> {
  const { made } = await one(
    db,
    z.object({ made: z.int() }),
    `WITH mark AS (SELECT noted_until FROM cost_marks WHERE source = 'recordings' FOR UPDATE),
     due AS (
       SELECT r.recording_sid AS sid, r.country, r.ended_at AS at,
              greatest(1, ceil(coalesce(r.duration_seconds, 0) / 60.0))::int AS units
         FROM call_recordings r
        WHERE r.state = 'completed' AND r.ended_at > (SELECT noted_until - ${LOOK_BACK} FROM mark)
          AND (SELECT c.item FROM costs c WHERE c.item = r.recording_sid) IS NULL
        ORDER BY r.ended_at LIMIT $1),
     made AS (
       INSERT INTO costs (item, kind, country, month, units, amount_micro, currency, is_estimate, price_source,
                          occurred_at, next_look_at)
       SELECT sid, 'recording', country, date_trunc('month', at AT TIME ZONE 'UTC'), units, units * $2::bigint, $3, true,
              $4, at, at + $5 * interval '1 millisecond'
         FROM due
       ON CONFLICT (item) DO NOTHING RETURNING 1),
     moved AS (
       UPDATE cost_marks SET noted_until =
           CASE WHEN (SELECT count(*) FROM due) < $1 THEN now() ELSE (SELECT max(at) FROM due) END
        WHERE source = 'recordings')
     SELECT count(*)::int AS made FROM made`,
    [limit, RECORDING_MINUTE, PRICES_CURRENCY, PRICE_TABLE, FIRST_LOOK_MS],
  );
  return made;
}
