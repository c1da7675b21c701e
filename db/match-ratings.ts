/** Past offers with what those who were called have said: what a scorer learns from. Ids and figures only. */
import { z } from 'zod';
import type { RatedMatch } from '../domain/match-learning';
import { matchReasons } from './match-reasons';
import { type Db, many } from './query';

/** More teaches nothing new, and has to fit into memory. */
const MOST_RATINGS = 20_000;

const ratedRow = z.object({
  rating: z.int().min(1).max(5),
  mentor_id: z.uuid(),
  reasons: matchReasons.nullable().catch(null),
});

/** Rated calls that led to a mentor, the newest first; without those from before reasons were kept. */
export async function ratedMatches(db: Db): Promise<readonly RatedMatch[]> {
  const rows = await many(
    db,
    ratedRow,
    `SELECT f.rating, o.mentor_id, o.reasons
       FROM call_feedback f CROSS JOIN LATERAL (
         SELECT mentor_id, reasons, offered_at FROM mentor_offers
          WHERE call_id = f.call_id AND result = 'completed' ORDER BY step DESC LIMIT 1) o
      WHERE f.rating IS NOT NULL ORDER BY o.offered_at DESC LIMIT $1`,
    [MOST_RATINGS],
  );
  return rows.flatMap(({ rating, mentor_id: chosen, reasons }) => {
    if (reasons === null || reasons.chosen === null) return [];
    const others = reasons.others.filter(
      ({ why }) => why !== 'busy' && why !== 'tried-already' && why !== 'taken-meanwhile',
    );
    return [{ rating, chosen, free: [{ mentorId: chosen, ...reasons.chosen }, ...others] }];
  });
}
