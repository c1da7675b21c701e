import { evaluate, expectedRating, learn, type RatedMatch } from '../../../domain/match-learning';
import { defaultScorer, type MatchFeatures } from '../../../domain/match-scorers';
import { SeededRandom } from '../../chaos/seeded-random';

/** Calls among four mentors each, rated by a rule that nobody told the scorers. */
function calls(count: number, ratingOf: (features: MatchFeatures, noise: number) => number): RatedMatch[] {
  const random = new SeededRandom(7);
  return Array.from({ length: count }, () => {
    const free = ['a', 'b', 'c', 'd'].map((mentorId) => ({
      mentorId,
      askedFor: false,
      currentCalls: 0,
      lastCalledAt: null,
      features: {
        languageRank: 1,
        specialties: random.between(0, 3),
        sameCountry: random.between(0, 1),
        rested: random.next(),
        load: random.next(),
      },
    }));
    const chosen = random.pick(free);
    const rating = Math.round(ratingOf(chosen.features, random.next() - 0.5));
    return { rating: Math.min(5, Math.max(1, rating)), chosen: chosen.mentorId, free };
  });
}
/** Whoever is rested and of the same country is liked; topics make no difference. */
const liked = ({ rested, sameCountry }: MatchFeatures, noise: number) => 2 + 1.5 * rested + sameCountry + noise;

const source = (): (() => number) => {
  const random = new SeededRandom(1);
  return () => random.next();
};

it('finds what the ratings go with', () => {
  const { weights } = learn(calls(800, liked));
  expect(weights.rested).toBeGreaterThan(1);
  expect(weights.sameCountry).toBeGreaterThan(0.6);
  expect(Math.abs(weights.specialties)).toBeLessThan(0.15);
  expect(Math.abs(weights.load)).toBeLessThan(0.3);
});

it('believes little where there are few ratings, and nothing of what never differs', () => {
  const few = learn(calls(6, liked)).weights;
  expect(Math.abs(few.rested)).toBeLessThan(0.6);
  expect(few.languageRank).toBeCloseTo(0);
});

it('expects ratings that can be given', () => {
  const model = learn(calls(200, liked));
  const features = { languageRank: 0, specialties: 0, sameCountry: 0, rested: 0, load: 0 };
  expect(expectedRating(model, { ...features, rested: 100 })).toBe(5);
  expect(expectedRating(model, { ...features, rested: -100 })).toBe(1);
});

describe('beside the rules', () => {
  it('shows a gain where there is something to learn, with a range that does not hold 0', () => {
    const result = evaluate(calls(200, liked), defaultScorer(), source());
    expect(result.calls).toBe(200);
    expect(result.agreement).toBeGreaterThan(0.1);
    expect(result.agreement).toBeLessThan(0.9);
    expect(result.expected.gain.low).toBeGreaterThan(0);
    expect(result.expected.learned.mean - result.expected.default.mean).toBeCloseTo(result.expected.gain.mean);
    expect(result.given?.mean).toBeGreaterThan(3);
  });

  it('shows hardly any where ratings are chance', () => {
    const noise = new SeededRandom(3);
    const { gain } = evaluate(
      calls(200, () => noise.between(1, 5)),
      defaultScorer(),
      source(),
    ).expected;
    expect(Math.abs(gain.mean)).toBeLessThan(0.5);
  });

  it('says the same of the same calls', () => {
    const same = calls(50, liked);
    expect(evaluate(same, defaultScorer(), source())).toEqual(evaluate(same, defaultScorer(), source()));
  });
});
