import * as fc from 'fast-check';
import { type Score, type TriggerRules, triggerOf } from '../../../domain/wellbeing-triggers';

const DAY = 24 * 3_600_000;
const NOW = Date.parse('2026-11-21T12:00:00Z');
const RULES: TriggerRules = { low: 40, lowInARow: 3, drop: 20 };

const at = (daysAgo: number, score: number, risk: Score['risk'] = 'low'): Score => ({
  score,
  risk,
  measuredAt: NOW - daysAgo * DAY,
});
const judged = (...scores: Score[]) => triggerOf(scores, RULES, NOW);

describe('three low scores in a row', () => {
  it('are a reason, at the threshold too, with the days since the first of them', () => {
    expect(judged(at(5, 42), at(4, 40), at(2, 39), at(1, 40))).toEqual({ reason: 'low-in-a-row', days: 4 });
  });

  it('are none when a better one lies between them, or there are only two', () => {
    expect(judged(at(4, 40), at(3, 41), at(2, 40), at(1, 40))).toBeNull();
    expect(judged(at(2, 40), at(1, 40))).toBeNull();
  });

  it('are judged by when they were measured, not by when they came', () => {
    expect(judged(at(1, 30), at(3, 30), at(2, 30))).toEqual({ reason: 'low-in-a-row', days: 3 });
    expect(judged(at(1, 30), at(3, 30), at(2, 45))).toBeNull();
  });
});

describe('a drop', () => {
  it('is a reason when the newest is more than the threshold below the best of its week', () => {
    expect(judged(at(6, 81), at(3, 90), at(1, 69))).toEqual({ reason: 'drop', days: 3 });
    expect(judged(at(3, 90), at(1, 70))).toBeNull();
  });

  it('is none when the best is more than a week before the newest', () => {
    expect(judged(at(8, 95), at(1, 60))).toBeNull();
  });
});

describe('a high risk', () => {
  it('is a reason by itself, and goes before the others', () => {
    expect(judged(at(0.1, 90, 'high'))).toEqual({ reason: 'risk-high', days: 1 });
    expect(judged(at(3, 10), at(2, 10), at(1, 10, 'high'))).toMatchObject({ reason: 'risk-high' });
  });

  it('is not hidden by a calmer score of the same day, and is by one of a later day', () => {
    expect(judged(at(0.5, 70, 'high'), at(0.4, 70))).toMatchObject({ reason: 'risk-high' });
    expect(judged(at(3, 70, 'high'), at(0.4, 70))).toBeNull();
  });
});

const score = fc.record({
  score: fc.double({ min: 0, max: 100, noNaN: true }),
  risk: fc.constantFrom<Score['risk']>('low', 'medium'),
  measuredAt: fc.integer({ min: NOW - 20 * DAY, max: NOW }),
});
const distinct = fc.uniqueArray(score, { maxLength: 30, selector: ({ measuredAt }) => measuredAt });

/** Written apart from the rules: counts one by one. */
function expected(scores: readonly Score[]): string | null {
  const counted = scores.filter(({ measuredAt }) => NOW - measuredAt < 14 * DAY);
  const newestFirst = [...counted].sort((a, b) => b.measuredAt - a.measuredAt);
  const [latest] = newestFirst;
  if (latest === undefined) return null;
  if (newestFirst.slice(0, 3).filter((one) => one.score <= 40).length === 3) return 'low-in-a-row';
  const week = newestFirst.filter((one) => latest.measuredAt - one.measuredAt < 7 * DAY);
  return Math.max(...week.map((one) => one.score)) - latest.score > 20 ? 'drop' : null;
}

it('gives the reason that counting one by one gives, in whatever order scores come', () => {
  fc.assert(
    fc.property(distinct, fc.integer(), (scores, seed) => {
      const shuffled = [...scores].sort((a, b) => ((a.measuredAt ^ seed) % 97) - ((b.measuredAt ^ seed) % 97));
      expect(triggerOf(shuffled, RULES, NOW)?.reason ?? null).toBe(expected(scores));
    }),
  );
});

it('never looks at scores of more than 14 days ago, and tells 1 to 14 days', () => {
  fc.assert(
    fc.property(distinct, (scores) => {
      const recent = scores.filter(({ measuredAt }) => measuredAt > NOW - 14 * DAY);
      const trigger = triggerOf(scores, RULES, NOW);
      expect(trigger).toEqual(triggerOf(recent, RULES, NOW));
      if (trigger === null) return;
      expect(Number.isInteger(trigger.days)).toBe(true);
      expect(trigger.days >= 1 && trigger.days <= 14).toBe(true);
    }),
  );
});

it('goes by the thresholds that are configured', () => {
  const strict: TriggerRules = { low: 60, lowInARow: 2, drop: 5 };
  expect(triggerOf([at(2, 60), at(1, 59)], strict, NOW)).toMatchObject({ reason: 'low-in-a-row' });
  expect(triggerOf([at(2, 80), at(1, 74)], strict, NOW)).toMatchObject({ reason: 'drop' });
});
