/**
 * What ratings say about the weights of a score: a ridge regression on a handful of features, small enough to be read and
 * argued with. And how it would have chosen, beside the rules, among those who were free then.
 */
import { FEATURES, learnedScorer, type MatchFeatures, type Scorer, scoreOf, type Weights } from './match-scorers';
import { inOrder, type Standing } from './mentor-matching';

/** A call that was rated: who was free, and which of them it went to. */
export interface RatedMatch {
  /** 1 to 5. */
  readonly rating: number;
  readonly chosen: string;
  /** With the one who was chosen. */
  readonly free: readonly Omit<Standing, 'score' | 'isFree' | 'wasTried'>[];
}

export interface Model {
  readonly intercept: number;
  readonly weights: Weights;
}

/** The mean of a figure, and in which range it lies in 95 of 100 samples drawn anew from the same calls. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

export interface Evaluation {
  readonly calls: number;
  /** In how many of them both would have chosen the same mentor, 0 to 1. */
  readonly agreement: number;
  /** As the model expects it of whom each would have chosen; a model that has not seen the call. */
  readonly expected: { readonly default: Estimate; readonly learned: Estimate; readonly gain: Estimate };
  /** What was really given where the learned one would have chosen whom the call went to; null where it never would. */
  readonly given: Estimate | null;
}

/** As many imaginary calls pull every weight to nothing: without many ratings little is believed. */
const RIDGE = 10;
const FOLDS = 5;
const SAMPLES = 1_000;
/** No limit: what more topics are worth was learned too. */
const NO_LIMIT = 1_000;

/** @param matches at least one */
export function learn(matches: readonly RatedMatch[]): Model {
  const rows = matches.flatMap(({ rating, chosen, free }) => {
    const mentor = free.find(({ mentorId }) => mentorId === chosen);
    return mentor === undefined ? [] : [{ x: FEATURES.map((name) => mentor.features[name]), y: rating }];
  });
  const meanY = mean(rows.map(({ y }) => y));
  const meanX = FEATURES.map((_, i) => mean(rows.map(({ x }) => x[i] ?? 0)));
  const centred = rows.map(({ x, y }) => ({ x: x.map((value, i) => value - (meanX[i] ?? 0)), y: y - meanY }));
  const matrix = FEATURES.map((_, i) =>
    FEATURES.map((__, j) => sum(centred.map(({ x }) => (x[i] ?? 0) * (x[j] ?? 0))) + (i === j ? RIDGE : 0)),
  );
  const right = FEATURES.map((_, i) => sum(centred.map(({ x, y }) => (x[i] ?? 0) * y)));
  const [languageRank = 0, specialties = 0, sameCountry = 0, rested = 0, load = 0] = solved(matrix, right);
  const weights = { languageRank, specialties, sameCountry, rested, load, mostForSpecialties: NO_LIMIT };
  return { intercept: meanY - sum(FEATURES.map((name, i) => weights[name] * (meanX[i] ?? 0))), weights };
}

/** The rating that a model expects, 1 to 5. */
export function expectedRating(model: Model, features: MatchFeatures): number {
  const rating = model.intercept + sum(FEATURES.map((name) => model.weights[name] * features[name]));
  return Math.min(5, Math.max(1, rating));
}

/**
 * Compares both scorers on past calls. Each call is judged by a model learned from the others.
 * @param random in [0, 1); the same source gives the same figures
 */
export function evaluate(matches: readonly RatedMatch[], rules: Scorer, random: () => number): Evaluation {
  const models = Array.from({ length: FOLDS }, (_, fold) => {
    const others = matches.filter((__, j) => j % FOLDS !== fold);
    return others.length === 0 ? null : learn(others);
  });
  const results = matches.flatMap((match, i) => {
    const model = models[i % FOLDS];
    if (model === null || model === undefined) return [];
    const [byRules, byModel] = [choice(match, rules), choice(match, learnedScorer(0, model.weights))];
    if (byRules === undefined || byModel === undefined) return [];
    return [
      {
        isSame: byRules.mentorId === byModel.mentorId,
        rules: expectedRating(model, byRules.features),
        learned: expectedRating(model, byModel.features),
        given: byModel.mentorId === match.chosen ? match.rating : null,
      },
    ];
  });
  const given = results.flatMap((result) => (result.given === null ? [] : [result.given]));
  return {
    calls: results.length,
    agreement: mean(results.map(({ isSame }) => Number(isSame))),
    expected: {
      default: estimate(
        results.map(({ rules: rating }) => rating),
        random,
      ),
      learned: estimate(
        results.map(({ learned }) => learned),
        random,
      ),
      gain: estimate(
        results.map(({ rules: rating, learned }) => learned - rating),
        random,
      ),
    },
    given: given.length === 0 ? null : estimate(given, random),
  };
}

/** Whom a scorer puts first; where two stand alike, the one who was put first then. */
function choice({ free }: RatedMatch, scorer: Scorer) {
  const standings = free.map((one) => ({
    ...one,
    score: scoreOf(one.features, scorer),
    isFree: true,
    wasTried: false,
  }));
  return standings.toSorted(inOrder)[0];
}

function estimate(figures: readonly number[], random: () => number): Estimate {
  const means = Array.from({ length: SAMPLES }, () =>
    mean(figures.map(() => figures[Math.floor(random() * figures.length)] ?? 0)),
  ).toSorted((a, b) => a - b);
  const at = (share: number): number => means[Math.min(SAMPLES - 1, Math.floor(share * SAMPLES))] ?? Number.NaN;
  return { mean: mean(figures), low: at(0.025), high: at(0.975) };
}

/** Gauss, with the largest pivot; the ridge keeps it from being zero. */
function solved(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i] ?? 0]);
  const size = rows.length;
  for (let column = 0; column < size; column += 1) {
    const at = (row: number): number => Math.abs(rows[row]?.[column] ?? 0);
    let pivot = column;
    for (let row = column + 1; row < size; row += 1) if (at(row) > at(pivot)) pivot = row;
    [rows[column], rows[pivot]] = [rows[pivot] ?? [], rows[column] ?? []];
    const head = rows[column] ?? [];
    for (const [i, row] of rows.entries()) {
      if (i === column) continue;
      const factor = (row[column] ?? 0) / (head[column] ?? 1);
      rows[i] = row.map((value, j) => value - factor * (head[j] ?? 0));
    }
  }
  return rows.map((row, i) => (row[size] ?? 0) / (row[i] ?? 1));
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0);
}

function mean(figures: readonly number[]): number {
  return figures.length === 0 ? Number.NaN : sum(figures) / figures.length;
}
