/** Versions of the weights that were learned from feedback. None is ever changed. */
import { z } from 'zod';
import { defaultScorer, type DefaultPoints, learnedScorer, type Scorer, type Weights } from '../domain/match-scorers';
import { type Db, maybeOne, one } from './query';

const weights = z.object({
  languageRank: z.number(),
  specialties: z.number(),
  mostForSpecialties: z.number(),
  sameCountry: z.number(),
  rested: z.number(),
  load: z.number(),
});

/** The scorer that is configured; before anything was learned the default one. */
export async function currentScorer(
  db: Db,
  { scorer, points }: { scorer: Scorer['name']; points: DefaultPoints },
): Promise<Scorer> {
  const last =
    scorer === 'default'
      ? null
      : await maybeOne(
          db,
          z.object({ version: z.int(), weights }),
          'SELECT version, weights FROM match_models ORDER BY version DESC LIMIT 1',
        );
  return last === null ? defaultScorer(points) : learnedScorer(last.version, last.weights);
}

/** Keeps what was learned, from so many ratings, as the newest version. @returns its number */
export async function saveModel(db: Db, learned: Weights, ratings: number): Promise<number> {
  const { version } = await one(
    db,
    z.object({ version: z.int() }),
    `INSERT INTO match_models (version, weights, ratings)
     SELECT coalesce(max(version), 0) + 1, $1, $2 FROM match_models RETURNING version`,
    [JSON.stringify(learned), ratings],
  );
  return version;
}
