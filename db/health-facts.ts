import { z } from 'zod';
import { type Db, one } from './query';
import { freshnessRow, RETENTION_FRESHNESS, type SweepFreshness } from './retention-runs';
import { obstacleRow, OBSTACLES, obstaclesOf, type SendingObstacles } from './sending-obstacles';

/** What the database knows of how the service is. */
export interface HealthFacts {
  readonly obstacles: SendingObstacles;
  readonly retention: SweepFreshness;
}

const factsRow = z.object({ obstacles: z.array(obstacleRow), retention: freshnessRow });

/** In one statement: `/health` asks the database once. */
export async function healthFacts(db: Db): Promise<HealthFacts> {
  const { obstacles, retention } = await one(
    db,
    factsRow,
    `SELECT (SELECT coalesce(json_agg(o), '[]') FROM (${OBSTACLES}) o) AS obstacles,
            (SELECT row_to_json(r) FROM (${RETENTION_FRESHNESS}) r) AS retention`,
  );
  return { obstacles: obstaclesOf(obstacles), retention };
}
