/**
 * How well a mentor fits a request, as one number: a pure function of a few features, each with a weight. Whatever the
 * weights come from, configuration or feedback, they can be read and said.
 */

/** What of a mentor and a request a score is made from. */
export interface MatchFeatures {
  /** The first language of the wish that the mentor speaks, counted from its end: with [es, en] 2, 1, or 0 for none. */
  readonly languageRank: number;
  /** How many of the topics that were asked for. */
  readonly specialties: number;
  /** 1: the mentor's number is of the user's country. */
  readonly sameCountry: number;
  /** From 0 for just called to 1 for a day or more ago, or never. */
  readonly rested: number;
  /** Current calls by places, 0 to 1. */
  readonly load: number;
}

export const FEATURES = ['languageRank', 'specialties', 'sameCountry', 'rested', 'load'] as const;

/** Points for each feature. */
export interface Weights extends MatchFeatures {
  /** More topics than this many points are worth no more. */
  readonly mostForSpecialties: number;
}

export interface Scorer {
  readonly name: 'default' | 'learned';
  /** Of what was learned; 0 for the default. */
  readonly version: number;
  readonly weights: Weights;
}

/** What of the default may be configured. */
export interface DefaultPoints {
  readonly language: number;
  readonly specialty: number;
  readonly mostForSpecialties: number;
}

/** A common language matters more than any number of common topics: without it there is no conversation. */
export const USUAL_POINTS: DefaultPoints = { language: 100, specialty: 10, mostForSpecialties: 90 };

/** Wishes, and nothing else: whoever fits equally well is told apart by their calls. */
export function defaultScorer(points: DefaultPoints = USUAL_POINTS): Scorer {
  return {
    name: 'default',
    version: 0,
    weights: {
      languageRank: points.language,
      specialties: points.specialty,
      mostForSpecialties: points.mostForSpecialties,
      sameCountry: 0,
      rested: 0,
      load: 0,
    },
  };
}

/**
 * What was learned from feedback, but for one thing: a common language outweighs all the rest together. A few ratings must
 * never send somebody to a mentor whom they do not understand.
 */
export function learnedScorer(version: number, weights: Weights): Scorer {
  const allTopics = weights.specialties * MOST_TOPICS;
  const others = [Math.min(weights.mostForSpecialties, allTopics), weights.sameCountry, weights.rested, weights.load];
  const together = others.reduce((sum, points) => sum + Math.abs(points), 0);
  const languageRank = Math.max(weights.languageRank, together + 1);
  return { name: 'learned', version, weights: { ...weights, languageRank } };
}

/** As many as a request may name. */
const MOST_TOPICS = 10;

/** Points; more is better. `db/mentor-match.ts` says the same in SQL. */
export function scoreOf(features: MatchFeatures, { weights }: Scorer): number {
  return (
    weights.languageRank * features.languageRank +
    Math.min(weights.mostForSpecialties, weights.specialties * features.specialties) +
    weights.sameCountry * features.sameCountry +
    weights.rested * features.rested +
    weights.load * features.load
  );
}
