/**
 * Which mentor to ring: who can be rung at all, and in which order. Pure; time and chance come from outside.
 * Order: the mentor asked for, then how well wishes are met, then fewest current calls, then least recently called,
 * then chance, so that nobody is always last.
 */
import { type AvailabilityWindow, isInside } from './availability';
import type { MentorPreferences } from './mentor-call';

/** A mentor as matching needs them: no name, no number. */
export interface MentorCandidate {
  readonly mentorId: string;
  readonly languages: readonly string[];
  readonly specialties: readonly string[];
  readonly zone: string;
  readonly windows: readonly AvailabilityWindow[];
  /** The mentor's own switch. */
  readonly available: boolean;
  readonly maxConcurrentCalls: number;
  readonly currentCalls: number;
  readonly lastCalledAt: Date | null;
}

/** Why somebody stands where they stand; kept with the offer. Class sensitive, because of the specialties. */
export interface MatchReasons {
  readonly askedFor: boolean;
  readonly score: number;
  readonly languages: readonly string[];
  readonly specialties: readonly string[];
  readonly currentCalls: number;
  /** ISO 8601. */
  readonly lastCalledAt: string | null;
  /** How many could have been rung. */
  readonly among: number;
}

export interface RankedMentor {
  readonly mentorId: string;
  readonly reasons: MatchReasons;
}

export interface MatchRequest {
  readonly preferences: MentorPreferences;
  /** Mentors who were rung already. */
  readonly exclude: readonly string[];
  /** Only this mentor may be rung: to be connected again. */
  readonly only?: string;
  readonly at: Date;
  /** In [0, 1), as `Math.random`. */
  readonly random: () => number;
}

/** `all-busy`: somebody is on shift, but has no place free or was tried already. */
export interface MatchResult {
  readonly ranked: readonly RankedMentor[];
  readonly why: 'ranked' | 'nobody-on-shift' | 'all-busy';
}

/** A common language matters more than any number of common topics: without it there is no conversation. */
const POINTS_PER_LANGUAGE_WISH = 100;
const POINTS_PER_SPECIALTY = 10;
const MOST_SPECIALTY_POINTS = 90;

/** Everybody who can be rung now, best first. */
export function rankMentors(candidates: readonly MentorCandidate[], request: MatchRequest): MatchResult {
  const onShift = candidates.filter(
    (mentor) =>
      (request.only === undefined || mentor.mentorId === request.only) &&
      mentor.available &&
      isInside(mentor.windows, mentor.zone, request.at),
  );
  const free = onShift.filter(
    (mentor) => mentor.currentCalls < mentor.maxConcurrentCalls && !request.exclude.includes(mentor.mentorId),
  );
  if (free.length === 0) return { ranked: [], why: onShift.length === 0 ? 'nobody-on-shift' : 'all-busy' };
  const drawn = free.map((mentor) => ({
    mentor,
    chance: request.random(),
    reasons: reasonsFor(mentor, request.preferences, free.length),
  }));
  drawn.sort(
    (a, b) =>
      Number(b.reasons.askedFor) - Number(a.reasons.askedFor) ||
      b.reasons.score - a.reasons.score ||
      a.mentor.currentCalls - b.mentor.currentCalls ||
      (a.mentor.lastCalledAt?.getTime() ?? 0) - (b.mentor.lastCalledAt?.getTime() ?? 0) ||
      a.chance - b.chance,
  );
  return { ranked: drawn.map(({ mentor, reasons }) => ({ mentorId: mentor.mentorId, reasons })), why: 'ranked' };
}

function reasonsFor(mentor: MentorCandidate, wish: MentorPreferences, among: number): MatchReasons {
  const wanted = wish.languages ?? [];
  const languages = wanted.filter((language) => mentor.languages.includes(language));
  const specialties = (wish.specialties ?? []).filter((specialty) => mentor.specialties.includes(specialty));
  // The first wish counts most: with [es, en] somebody who speaks Spanish goes before somebody who speaks English.
  const best = languages[0];
  const languagePoints = best === undefined ? 0 : POINTS_PER_LANGUAGE_WISH * (wanted.length - wanted.indexOf(best));
  return {
    askedFor: wish.mentorId === mentor.mentorId,
    score: languagePoints + Math.min(MOST_SPECIALTY_POINTS, POINTS_PER_SPECIALTY * specialties.length),
    languages,
    specialties,
    currentCalls: mentor.currentCalls,
    lastCalledAt: mentor.lastCalledAt?.toISOString() ?? null,
    among,
  };
}
