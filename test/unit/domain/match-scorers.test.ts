import * as fc from 'fast-check';
import { defaultScorer, learnedScorer, type MatchFeatures, scoreOf } from '../../../domain/match-scorers';

const nothing: MatchFeatures = { languageRank: 0, specialties: 0, sameCountry: 0, rested: 0, load: 0 };
const features = (more: Partial<MatchFeatures>): MatchFeatures => ({ ...nothing, ...more });

describe('the default scorer', () => {
  it('gives points for each place of a language in the wish, and for topics up to a limit', () => {
    const score = (more: Partial<MatchFeatures>) => scoreOf(features(more), defaultScorer());
    expect(score({ languageRank: 2 })).toBe(200);
    expect(score({ languageRank: 1, specialties: 3 })).toBe(130);
    expect(score({ specialties: 10 })).toBe(90);
    expect(score({ sameCountry: 1, rested: 1, load: 1 })).toBe(0);
  });

  it('takes its points from the configuration', () => {
    const scorer = defaultScorer({ language: 7, specialty: 20, mostForSpecialties: 50 });
    expect(scoreOf(features({ languageRank: 1, specialties: 5 }), scorer)).toBe(57);
  });
});

describe('a scorer that has learned', () => {
  const weights = {
    languageRank: 0.1,
    specialties: 0.4,
    mostForSpecialties: 1_000,
    sameCountry: -0.2,
    rested: 0.5,
    load: -2,
  };

  it('counts what it has learned', () => {
    const scorer = learnedScorer(3, weights);
    expect(scorer).toMatchObject({ name: 'learned', version: 3 });
    expect(scoreOf(features({ specialties: 2, rested: 1 }), scorer)).toBeCloseTo(1.3);
  });

  it('never prefers somebody who is not understood, whatever a few ratings have said', () => {
    const weight = fc.double({ min: -50, max: 50, noNaN: true });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const others = fc.record({
      specialties: fc.integer({ min: 0, max: 10 }),
      sameCountry: fc.constantFrom(0, 1),
      rested: share,
      load: share,
    });
    const learned = fc.record({
      languageRank: weight,
      specialties: weight,
      mostForSpecialties: fc.double({ min: 0, max: 100, noNaN: true }),
      sameCountry: weight,
      rested: weight,
      load: weight,
    });
    fc.assert(
      fc.property(learned, others, others, (found, one, another) => {
        const scorer = learnedScorer(1, found);
        const understood = scoreOf({ ...one, languageRank: 1 }, scorer);
        expect(understood).toBeGreaterThan(scoreOf({ ...another, languageRank: 0 }, scorer));
      }),
    );
  });
});
