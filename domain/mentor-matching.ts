/**
 * Which mentor to ring: who can be rung at all, and in which order. Pure; time and chance come from outside. The
 * statement that reserves (`db/mentor-match.ts`) says the same, and a test holds the two together.
 * Order: the mentor asked for, then the score, then fewest current calls, then least recently called, then chance, so
 * that nobody is always last.
 */
import { type MatchFeatures, type Scorer, scoreOf } from './match-scorers';
import type { MentorPreferences } from './mentor-call';

/** A mentor as matching needs them: no name, no number. */
export interface MentorCandidate {
  readonly mentorId: string;
  readonly languages: readonly string[];
  readonly specialties: readonly string[];
  readonly country: string;
  readonly isOnShift: boolean;
  /** The mentor's own switch. */
  readonly available: boolean;
  readonly maxConcurrentCalls: number;
  readonly currentCalls: number;
  readonly lastCalledAt: Date | null;
}

export interface MatchRequest {
  readonly preferences: MentorPreferences;
  /** Of the user. */
  readonly country: string;
  /** Mentors who were rung already. */
  readonly exclude: readonly string[];
  /** Only this mentor may be rung: to be connected again. */
  readonly only?: string | undefined;
}

/** Somebody who is on shift, as the order sees them. */
export interface Standing {
  readonly mentorId: string;
  readonly askedFor: boolean;
  readonly score: number;
  readonly features: MatchFeatures;
  readonly currentCalls: number;
  readonly lastCalledAt: Date | null;
  readonly isFree: boolean;
  readonly wasTried: boolean;
}

/** Why somebody else was rung instead. */
export const WHY_NOT = [
  'tried-already',
  'busy',
  // They stood before the one who was rung, but their place was taken at that very moment.
  'taken-meanwhile',
  'another-was-asked-for',
  'lower-score',
  'more-calls',
  'called-more-recently',
  'chance',
] as const;

/** `all-busy`: somebody is on shift, but has no place free or was tried already. */
export interface MatchResult {
  readonly ranked: readonly Standing[];
  readonly why: 'ranked' | 'nobody-on-shift' | 'all-busy';
}

/** Everybody who can be rung now, best first. @param random in [0, 1), as `Math.random` */
export function rankMentors(
  candidates: readonly MentorCandidate[],
  request: MatchRequest,
  scorer: Scorer,
  { at, random }: { at: Date; random: () => number },
): MatchResult {
  const onShift = candidates
    .filter(({ mentorId }) => request.only === undefined || mentorId === request.only)
    .filter(({ available, isOnShift }) => available && isOnShift)
    .map((mentor) => ({ ...standingOf(mentor, request, scorer, at), chance: random() }));
  const free = onShift.filter(({ isFree, wasTried }) => isFree && !wasTried);
  if (free.length === 0) return { ranked: [], why: onShift.length === 0 ? 'nobody-on-shift' : 'all-busy' };
  return { ranked: free.toSorted((a, b) => inOrder(a, b) || a.chance - b.chance), why: 'ranked' };
}

/** Negative where the first goes before the second; 0 where chance decides. */
export function inOrder(a: Standing, b: Standing): number {
  return (
    Number(b.askedFor) - Number(a.askedFor) ||
    b.score - a.score ||
    a.currentCalls - b.currentCalls ||
    (a.lastCalledAt?.getTime() ?? 0) - (b.lastCalledAt?.getTime() ?? 0)
  );
}

const DAY_MS = 24 * 3_600_000;

function standingOf(mentor: MentorCandidate, request: MatchRequest, scorer: Scorer, at: Date): Standing {
  const { languages = [], specialties = [], mentorId } = request.preferences;
  // The first wish counts most: with [es, en] somebody who speaks Spanish goes before somebody who speaks English.
  const best = languages.findIndex((language) => mentor.languages.includes(language));
  const sinceCalled = mentor.lastCalledAt === null ? DAY_MS : at.getTime() - mentor.lastCalledAt.getTime();
  const features: MatchFeatures = {
    languageRank: best < 0 ? 0 : languages.length - best,
    specialties: specialties.filter((specialty) => mentor.specialties.includes(specialty)).length,
    sameCountry: Number(mentor.country === request.country),
    rested: Math.min(1, Math.max(0, sinceCalled / DAY_MS)),
    load: mentor.currentCalls / mentor.maxConcurrentCalls,
  };
  return {
    mentorId: mentor.mentorId,
    askedFor: mentor.mentorId === mentorId,
    score: scoreOf(features, scorer),
    features,
    currentCalls: mentor.currentCalls,
    lastCalledAt: mentor.lastCalledAt,
    isFree: mentor.currentCalls < mentor.maxConcurrentCalls,
    wasTried: request.exclude.includes(mentor.mentorId),
  };
}
