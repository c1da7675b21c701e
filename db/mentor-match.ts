/**
 * The match: one statement that finds who is on shift by an index on ranges, puts them in order and takes a place of the
 * first one that has one. `domain/mentor-matching.ts` says the same in TypeScript; a test holds the two together.
 */
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Scorer } from '../domain/match-scorers';
import type { MatchRequest } from '../domain/mentor-matching';
import { mentorOfStep } from './mentor-slots';
import { inTransaction } from './pool';
import { type Db, execute, one } from './query';

export interface Match extends MatchRequest {
  readonly callId: string;
  readonly step: number;
  /** The call's maximum and five minutes; only a sweep looks at it. */
  readonly leaseMs: number;
}

export interface Matched {
  /** The mentor of this step: of a repeated match the first one, whoever would be the best by now. */
  readonly mentorId: string | null;
  readonly why: 'reserved' | 'nobody-on-shift' | 'all-busy';
  /** True when this step had a mentor before. */
  readonly again: boolean;
}

/** So many of the others are kept with their reasons; how many there were is kept of all. */
const OTHERS_KEPT = 20;
/** So many of the best are looked at for a place; of all others it is known that there are better ones. */
const TRIED_AT_ONCE = 100;

const matchRow = z.object({
  on_shift: z.int(),
  free: z.int(),
  taken: z.uuid().nullable(),
  /** Null where somebody was found: then it is with the offer. */
  reasons: z.unknown(),
});

/**
 * Who is on shift and how they stand ($1 wished languages, $2 specialties, $3 country of the user, $4 tried already,
 * $5 the only one, $6 the one asked for, $7 to $12 weights, $13 the call). A place that somebody before them in the queue
 * has just been offered is kept for that call, and is nobody else's.
 */
const STANDING =
  'mentor_id, places, last_called_at, calls, tried, asked_for, language_rank, specialties, same_country, rested, load, chance, kept';
const RANKED = `
  on_shift AS MATERIALIZED (
    SELECT m.mentor_id, m.max_concurrent_calls AS places, m.last_called_at, coalesce(b.calls, 0) AS calls,
           m.mentor_id = ANY($4::uuid[]) AS tried, m.mentor_id IS NOT DISTINCT FROM $6::uuid AS asked_for,
           coalesce((SELECT cardinality($1::text[]) + 1 - min(w.n)
                       FROM unnest($1::text[]) WITH ORDINALITY AS w(language, n) WHERE w.language = ANY(m.languages)), 0) AS language_rank,
           (SELECT count(*) FROM unnest($2::text[]) AS w(topic) WHERE w.topic = ANY(m.specialties)) AS specialties,
           (m.country = $3)::int AS same_country,
           greatest(0, least(1, coalesce(extract(epoch FROM now() - m.last_called_at)::float8 / 86400, 1))) AS rested,
           coalesce(b.calls, 0)::float8 / m.max_concurrent_calls AS load, random() AS chance, coalesce(k.kept, 0) AS kept
      FROM mentor_shifts t JOIN mentors m USING (mentor_id)
      LEFT JOIN (SELECT mentor_id, count(*)::int AS calls FROM mentor_slots WHERE call_id IS NOT NULL GROUP BY mentor_id) b
             USING (mentor_id)
      LEFT JOIN (SELECT offered_mentor_id AS mentor_id, count(*)::int AS kept FROM mentor_queue
                  WHERE offered_until > clock_timestamp() AND call_id <> $13 GROUP BY offered_mentor_id) k USING (mentor_id)
     WHERE t.during @> now() AND m.available AND m.deleted_at IS NULL AND ($5::uuid IS NULL OR m.mentor_id = $5)
  ), ranked AS MATERIALIZED (
    SELECT ${STANDING}, score, row_number() OVER (ORDER BY asked_for DESC, score DESC, calls, last_called_at NULLS FIRST, chance) AS place
      FROM (SELECT ${STANDING}, $7::float8 * language_rank + least($8::float8, $9::float8 * specialties)
                      + $10::float8 * same_country + $11::float8 * rested + $12::float8 * load AS score
              FROM on_shift) AS scored
  )`;

const REASON = `'askedFor', r.asked_for, 'score', r.score, 'currentCalls', r.calls, 'lastCalledAt', r.last_called_at,
  'features', jsonb_build_object('languageRank', r.language_rank, 'specialties', r.specialties,
                                 'sameCountry', r.same_country, 'rested', r.rested, 'load', r.load)`;

/** Why not this one (`r`), but the chosen one (`c`, null where nobody was). */
const WHY_NOT = `CASE
  WHEN r.tried THEN 'tried-already' WHEN r.calls + r.kept >= r.places THEN 'busy'
  WHEN c.place IS NULL OR r.place < c.place THEN 'taken-meanwhile' WHEN r.asked_for <> c.asked_for THEN 'another-was-asked-for'
  WHEN r.score <> c.score THEN 'lower-score' WHEN r.calls <> c.calls THEN 'more-calls'
  WHEN r.last_called_at IS DISTINCT FROM c.last_called_at THEN 'called-more-recently' ELSE 'chance' END`;

/**
 * $13 the call, $14 its step, $15 the lease in ms, $16 the scorer. `call_id IS NULL` outside too: the row that was found free
 * may have been taken before it is locked; what others are about to take is skipped.
 */
const MATCH = `
  WITH ${RANKED}, taken AS (
    UPDATE mentor_slots s
       SET call_id = $13, step = $14, lease_until = clock_timestamp() + $15 * interval '1 millisecond'
     WHERE s.call_id IS NULL AND (s.mentor_id, s.n) = (
       SELECT f.mentor_id, f.n
         FROM (SELECT mentor_id, places, place FROM ranked WHERE calls + kept < places AND NOT tried ORDER BY place LIMIT ${TRIED_AT_ONCE}) r
         JOIN mentor_slots f USING (mentor_id)
        WHERE f.call_id IS NULL AND f.n <= r.places
        ORDER BY r.place, f.n LIMIT 1 FOR UPDATE OF f SKIP LOCKED)
    RETURNING s.mentor_id
  ), called AS (
    UPDATE mentors m SET last_called_at = clock_timestamp() FROM taken WHERE m.mentor_id = taken.mentor_id
  ), counted AS (
    SELECT count(*)::int AS on_shift, count(*) FILTER (WHERE tried)::int AS tried,
           count(*) FILTER (WHERE calls + kept < places AND NOT tried)::int AS free FROM ranked
  ), chosen AS (
    SELECT ${STANDING}, score, place FROM ranked WHERE mentor_id = (SELECT mentor_id FROM taken)
  ), explained AS (
    SELECT jsonb_build_object(
      'scorer', $16::jsonb,
      'counts', (SELECT jsonb_build_object('onShift', on_shift, 'free', free, 'busy', on_shift - free - tried,
                                           'triedAlready', tried) FROM counted),
      'chosen', (SELECT jsonb_build_object(${REASON}, 'met', jsonb_build_object(
                          'languages', ARRAY(SELECT w FROM unnest($1::text[]) AS w WHERE w = ANY(m.languages)),
                          'specialties', ARRAY(SELECT w FROM unnest($2::text[]) AS w WHERE w = ANY(m.specialties))))
                   FROM chosen r JOIN mentors m USING (mentor_id)),
      'others', coalesce((SELECT jsonb_agg(other ORDER BY place) FROM (
                   SELECT r.place, jsonb_build_object('mentorId', r.mentor_id, 'why', ${WHY_NOT}, ${REASON}) AS other
                     FROM ranked r LEFT JOIN chosen c ON true
                    WHERE r.mentor_id IS DISTINCT FROM c.mentor_id ORDER BY r.place LIMIT ${OTHERS_KEPT}) AS best), '[]'::jsonb)
    ) AS reasons
  ), offered AS (
    INSERT INTO mentor_offers (call_id, step, mentor_id, reasons)
    SELECT $13, $14, taken.mentor_id, explained.reasons FROM taken, explained
  )
  SELECT on_shift, free, (SELECT mentor_id FROM taken) AS taken,
         CASE WHEN EXISTS (SELECT 1 FROM taken) THEN NULL ELSE (SELECT reasons FROM explained) END AS reasons
    FROM counted`;

/**
 * Reserves a place of the best free mentor for a step of a call, and keeps the reasons. Asked again for the same step it
 * gives the same mentor: the phone may be ringing already. A call that is over reserves nobody.
 */
export async function reserveBest(pool: Pool, match: Match, scorer: Scorer): Promise<Matched> {
  return await inTransaction(pool, (tx) => reserved(tx, match, scorer));
}

async function reserved(tx: Db, match: Match, scorer: Scorer): Promise<Matched> {
  const { callId, step } = match;
  // The lock orders us with closeCall: a late match must not take a place for a call that nobody will end again. And with
  // ourselves: of two matches of one step at the same time the second finds what the first has made.
  const live = await execute(tx, 'SELECT 1 FROM call_logs WHERE call_id = $1 AND live FOR NO KEY UPDATE', [callId]);
  // The offer is unique per step and outlives the place: it decides who was first, also after the release.
  const first = await mentorOfStep(tx, callId, step);
  if (first !== null) return { mentorId: first, why: 'reserved', again: true };
  if (live === 0) return { mentorId: null, why: 'all-busy', again: false };
  const { name, version } = scorer;
  const values = [...rankValues(match, scorer), callId, step, match.leaseMs, JSON.stringify({ name, version })];
  let row = await one(tx, matchRow, MATCH, values);
  // Everybody who looked free was being taken at that instant: who is by now is seen by a second look.
  if (row.taken === null && row.free > 0) row = await one(tx, matchRow, MATCH, values);
  const why = row.taken !== null ? 'reserved' : row.on_shift === 0 ? 'nobody-on-shift' : 'all-busy';
  if (row.taken === null) {
    await execute(
      tx,
      `INSERT INTO match_misses (call_id, step, why, reasons) VALUES ($1, $2, $3, $4)
       ON CONFLICT (call_id, step) DO UPDATE
         SET why = excluded.why, reasons = excluded.reasons, times = match_misses.times + 1, last_at = clock_timestamp()`,
      [callId, step, why, JSON.stringify(row.reasons)],
    );
  }
  return { mentorId: row.taken, why, again: false };
}

function rankValues({ preferences, country, exclude, only }: MatchRequest, { weights }: Scorer): unknown[] {
  return [
    preferences.languages ?? [],
    preferences.specialties ?? [],
    country,
    exclude,
    only ?? null,
    preferences.mentorId ?? null,
    weights.languageRank,
    weights.mostForSpecialties,
    weights.specialties,
    weights.sameCountry,
    weights.rested,
    weights.load,
  ];
}
