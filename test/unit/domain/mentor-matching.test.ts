import * as fc from 'fast-check';
import { defaultScorer } from '../../../domain/match-scorers';
import { type MatchRequest, type MentorCandidate, rankMentors } from '../../../domain/mentor-matching';

const NOW = new Date('2026-11-21T12:00:00Z');

function mentor(mentorId: string, more: Partial<MentorCandidate> = {}): MentorCandidate {
  return {
    mentorId,
    languages: ['en'],
    specialties: [],
    country: 'US',
    isOnShift: true,
    available: true,
    maxConcurrentCalls: 1,
    currentCalls: 0,
    lastCalledAt: null,
    ...more,
  };
}
function ranked(candidates: MentorCandidate[], more: Partial<MatchRequest> = {}, random = () => 0.5) {
  const request = { preferences: {}, country: 'US', exclude: [], ...more };
  return rankMentors(candidates, request, defaultScorer(), { at: NOW, random });
}
const order = (candidates: MentorCandidate[], more: Partial<MatchRequest> = {}, random = () => 0.5): string[] =>
  ranked(candidates, more, random).ranked.map(({ mentorId }) => mentorId);

describe('who can be rung', () => {
  it.each([
    ['switched off', { available: false }, 'nobody-on-shift'],
    ['not on shift', { isOnShift: false }, 'nobody-on-shift'],
    ['in as many calls as they take', { currentCalls: 1 }, 'all-busy'],
  ])('nobody who is %s', (_what, more, why) => {
    expect(ranked([mentor('a', more)])).toEqual({ ranked: [], why });
  });

  it('nobody who was tried already', () => {
    expect(ranked([mentor('a')], { exclude: ['a'] })).toEqual({ ranked: [], why: 'all-busy' });
    expect(order([mentor('a'), mentor('b')], { exclude: ['a'] })).toEqual(['b']);
  });

  it('only the one who is to be connected again', () => {
    expect(order([mentor('a'), mentor('b')], { only: 'b' })).toEqual(['b']);
    expect(ranked([mentor('a')], { only: 'b' }).why).toBe('nobody-on-shift');
  });

  it('nobody among no mentors', () => {
    expect(ranked([])).toEqual({ ranked: [], why: 'nobody-on-shift' });
  });
});

describe('in which order', () => {
  it('a mentor who was asked for goes first, whatever else is wished', () => {
    const candidates = [mentor('a', { languages: ['es'], specialties: ['sleep'] }), mentor('b', { languages: ['fr'] })];
    expect(order(candidates, { preferences: { mentorId: 'b', languages: ['es'], specialties: ['sleep'] } })[0]).toBe(
      'b',
    );
  });

  it('a common language goes before any number of common topics', () => {
    const topics = Array.from({ length: 30 }, (_, i) => `topic-${i}`);
    const candidates = [mentor('topics', { languages: [], specialties: topics }), mentor('language')];
    expect(order(candidates, { preferences: { languages: ['en'], specialties: topics } })[0]).toBe('language');
  });

  it('the language named first goes before the one named second', () => {
    const candidates = [mentor('en'), mentor('es', { languages: ['es'] })];
    expect(order(candidates, { preferences: { languages: ['es', 'en'] } })).toEqual(['es', 'en']);
  });

  it('wishes rank, they do not exclude', () => {
    expect(order([mentor('a')], { preferences: { languages: ['fr'], specialties: ['twins'] } })).toEqual(['a']);
  });

  it('then fewest current calls, then least recently called, those never called first', () => {
    const busy = mentor('busy', { currentCalls: 1, maxConcurrentCalls: 2 });
    const recent = mentor('recent', { lastCalledAt: new Date('2026-11-21T11:00:00Z') });
    const older = mentor('older', { lastCalledAt: new Date('2026-11-01T00:00:00Z') });
    expect(order([busy, recent, older, mentor('never')])).toEqual(['never', 'older', 'recent', 'busy']);
  });

  it('then chance, from the source that is given', () => {
    const draws = [0.9, 0.1, 0.5];
    expect(order([mentor('a'), mentor('b'), mentor('c')], {}, () => draws.shift() ?? 0)).toEqual(['b', 'c', 'a']);
  });

  it('says what the score was made from', () => {
    const candidates = [
      mentor('a', { specialties: ['sleep', 'twins'], lastCalledAt: new Date('2026-11-21T06:00:00Z') }),
      mentor('b'),
    ];
    const first = ranked(candidates, { preferences: { languages: ['en'], specialties: ['twins'] } }).ranked[0];
    expect(first).toMatchObject({
      mentorId: 'a',
      askedFor: false,
      score: 110,
      features: { languageRank: 1, specialties: 1, sameCountry: 1, rested: 0.25, load: 0 },
    });
  });

  it('is complete, without repeats, and does not depend on the order of the candidates', () => {
    const candidate = fc.record({
      languages: fc.subarray(['en', 'es', 'fr']),
      specialties: fc.subarray(['sleep', 'twins']),
      currentCalls: fc.integer({ min: 0, max: 2 }),
      lastCalledAt: fc.option(fc.date({ noInvalidDate: true, min: new Date(1), max: NOW })),
    });
    fc.assert(
      fc.property(fc.array(candidate, { maxLength: 12 }), fc.subarray(['en', 'es']), (parts, languages) => {
        const all = parts.map((part, i) => mentor(`m${i}`, { ...part, maxConcurrentCalls: 3 }));
        const chance = new Map(all.map(({ mentorId }, i) => [mentorId, (i * 7 + 3) % 13]));
        const rank = (list: MentorCandidate[]): string[] => {
          const draws = list.map(({ mentorId }) => chance.get(mentorId) ?? 0);
          return order(list, { preferences: { languages } }, () => draws.shift() ?? 0);
        };
        expect(new Set(rank(all)).size).toBe(all.length);
        expect(rank(all.toReversed())).toEqual(rank(all));
      }),
    );
  });
});
