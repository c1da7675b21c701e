/**
 * When a user's friends are asked to look after them. Rules only: what comes in are the scores that are kept, what comes
 * out is the reason, or none. Scores run from 0 to 100, a higher one is better.
 */

export const RISKS = ['low', 'medium', 'high'] as const;
export type Risk = (typeof RISKS)[number];

/** Why an alert begins, the gravest first: of several the first one is kept. */
export const TRIGGER_REASONS = ['risk-high', 'low-in-a-row', 'drop'] as const;
export type TriggerReason = (typeof TRIGGER_REASONS)[number];

export interface Score {
  /** 0 to 100. */
  readonly score: number;
  readonly risk: Risk;
  /** Epoch milliseconds. */
  readonly measuredAt: number;
}

export interface TriggerRules {
  /** A score at or under it is low. */
  readonly low: number;
  /** So many low ones, one after the other, are a reason. */
  readonly lowInARow: number;
  /** Further than this below the best of a week is a reason. */
  readonly drop: number;
}

export interface Trigger {
  readonly reason: TriggerReason;
  /** How long it has not been easy: whole days, 1 to 14. Of all that is measured, friends are told this alone. */
  readonly days: number;
}

const DAY = 24 * 3_600_000;
/** Scores that are older say nothing about now. */
export const SCORES_COUNT_FOR_MS = 14 * DAY;
/** In which the best score is looked for that the newest has dropped from. */
const DROP_WITHIN_MS = 7 * DAY;
/** A high risk is a reason for so long, whatever calmer score came in with it. */
const HIGH_RISK_LASTS_MS = DAY;

/**
 * Judges how things stand now. The order is that of measuring, whatever order the scores came in.
 * @param scores of one user; of the same instant the later one counts as newer
 * @param now epoch milliseconds
 */
export function triggerOf(scores: readonly Score[], rules: TriggerRules, now: number): Trigger | null {
  const counted = scores
    .filter(({ measuredAt }) => measuredAt > now - SCORES_COUNT_FOR_MS)
    .toSorted((a, b) => a.measuredAt - b.measuredAt);
  const latest = counted.at(-1);
  if (latest === undefined) return null;
  const isHigh = counted.some(
    (one) => one.risk === 'high' && (one === latest || one.measuredAt > now - HIGH_RISK_LASTS_MS),
  );
  if (isHigh) return { reason: 'risk-high', days: 1 };
  const run = lowRun(counted, rules.low);
  const first = run[0];
  if (first !== undefined && run.length >= rules.lowInARow) {
    return { reason: 'low-in-a-row', days: daysBetween(first.measuredAt, now) };
  }
  const best = bestBefore(counted, latest);
  if (best.score - latest.score > rules.drop) return { reason: 'drop', days: daysBetween(best.measuredAt, now) };
  return null;
}

/** The low scores at the end, oldest first. */
function lowRun(scores: readonly Score[], low: number): readonly Score[] {
  const lastGood = scores.findLastIndex(({ score }) => score > low);
  return scores.slice(lastGood + 1);
}

/** The best score of the week that ends with the latest; the newer one of two. */
function bestBefore(scores: readonly Score[], latest: Score): Score {
  return scores
    .filter(({ measuredAt }) => measuredAt > latest.measuredAt - DROP_WITHIN_MS)
    .reduce((best, one) => (one.score >= best.score ? one : best), latest);
}

function daysBetween(from: number, to: number): number {
  return Math.min(14, Math.max(1, Math.ceil((to - from) / DAY)));
}
