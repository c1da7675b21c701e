/**
 * Scores as they come in, and the alerts that they begin: one transaction, so that no score is kept whose alert is
 * forgotten. Users are judged one after the other by a lock each, whoever sends; the exclusion constraint of the alerts
 * is what holds.
 */
import type { Pool } from 'pg';
import { z } from 'zod';
import { type Risk, RISKS, type Score, type TriggerRules, triggerOf } from '../domain/wellbeing-triggers';
import { inTransaction } from './pool';
import { type Db, execute, many } from './query';

export interface ScoreEvent {
  readonly eventId: string;
  readonly userId: string;
  /** 0 to 100. */
  readonly score: number;
  readonly risk: Risk;
  readonly measuredAt: Date;
}

export interface ScoreRules {
  readonly triggers: TriggerRules;
  /** From one alert of a user to the next, ms. */
  readonly alertSpacingMs: number;
  /** Older ones are neither kept nor judged, ms. */
  readonly countForMs: number;
}

export interface DueAlert {
  readonly alertId: string;
  readonly userId: string;
}

export interface TakenScores {
  readonly taken: number;
  readonly repeated: number;
  readonly tooOld: number;
  readonly ofUnknownUsers: number;
  /** Begun by them: to be started now. */
  readonly alerts: readonly DueAlert[];
}

/** No more than this many of a user's newest scores are looked at. */
const MOST_SCORES = 1_000;

/** May be repeated: an event that was taken before is counted as such, and judged with nothing. */
export async function takeScores(
  pool: Pool,
  events: readonly ScoreEvent[],
  { triggers, alertSpacingMs, countForMs }: ScoreRules,
  now = Date.now(),
): Promise<TakenScores> {
  const recent = events.filter(({ measuredAt }) => measuredAt.valueOf() > now - countForMs);
  return await inTransaction(pool, async (tx) => {
    const known = await knownUsers(tx, recent);
    const ofKnown = recent.filter(({ userId }) => known.has(userId));
    const touched = await insertScores(tx, ofKnown);
    const scores = await scoresOf(tx, [...new Set(touched)], countForMs);
    const due = [...scores].flatMap(([userId, theirs]) => {
      const trigger = triggerOf(theirs, triggers, now);
      return trigger === null ? [] : [{ userId, ...trigger }];
    });
    return {
      taken: touched.length,
      repeated: ofKnown.length - touched.length,
      tooOld: events.length - recent.length,
      ofUnknownUsers: recent.length - ofKnown.length,
      alerts: await insertAlerts(tx, due, alertSpacingMs),
    };
  });
}

/** Locked until the transaction ends: in the order of their locks, so that two batches never wait for each other. */
async function knownUsers(tx: Db, events: readonly ScoreEvent[]): Promise<ReadonlySet<string>> {
  const userIds = [...new Set(events.map(({ userId }) => userId))];
  await execute(
    tx,
    `SELECT pg_advisory_xact_lock(key)
       FROM (SELECT DISTINCT hashtextextended('wellbeing:' || u, 0) AS key FROM unnest($1::uuid[]) u ORDER BY key) locks`,
    [userIds],
  );
  const rows = await many(
    tx,
    z.object({ subject_id: z.uuid() }),
    // An erasure comes wholly before, or finds the scores.
    'SELECT subject_id FROM subjects WHERE subject_id = ANY($1) AND erased_at IS NULL ORDER BY subject_id FOR KEY SHARE',
    [userIds],
  );
  return new Set(rows.map(({ subject_id: userId }) => userId));
}

/** @returns the user of each event that was new */
async function insertScores(tx: Db, events: readonly ScoreEvent[]): Promise<string[]> {
  const rows = await many(
    tx,
    z.object({ user_id: z.uuid() }),
    `INSERT INTO wellbeing_scores (event_id, user_id, score, risk, measured_at)
     SELECT id, user_id, score, risk, measured_at
       FROM unnest($1::uuid[], $2::uuid[], $3::float8[], $4::text[], $5::timestamptz[])
         AS event(id, user_id, score, risk, measured_at) ORDER BY id
     ON CONFLICT DO NOTHING RETURNING user_id`,
    [
      events.map(({ eventId }) => eventId),
      events.map(({ userId }) => userId),
      events.map(({ score }) => score),
      events.map(({ risk }) => risk),
      events.map(({ measuredAt }) => measuredAt),
    ],
  );
  return rows.map(({ user_id: userId }) => userId);
}

const scoreRow = z.object({ user_id: z.uuid(), score: z.number(), risk: z.enum(RISKS), measured_at: z.date() });

async function scoresOf(tx: Db, userIds: readonly string[], countForMs: number): Promise<Map<string, Score[]>> {
  const rows = await many(
    tx,
    scoreRow,
    `SELECT u.user_id, s.score, s.risk, s.measured_at
       FROM unnest($1::uuid[]) AS u(user_id) CROSS JOIN LATERAL (
            SELECT score, risk, measured_at, received_at, event_id FROM wellbeing_scores w
             WHERE w.user_id = u.user_id AND w.measured_at > clock_timestamp() - $2 * interval '1 millisecond'
             ORDER BY measured_at DESC, received_at DESC LIMIT $3) s
      ORDER BY u.user_id, s.measured_at, s.received_at, s.event_id`,
    [userIds, countForMs, MOST_SCORES],
  );
  const scores = new Map<string, Score[]>();
  for (const { user_id: userId, score, risk, measured_at: measuredAt } of rows) {
    const theirs = scores.get(userId) ?? [];
    theirs.push({ score, risk, measuredAt: measuredAt.valueOf() });
    scores.set(userId, theirs);
  }
  return scores;
}

/** One in its time for each user: what would be another one is left out without a word. */
async function insertAlerts(
  tx: Db,
  due: readonly { readonly userId: string; readonly reason: string; readonly days: number }[],
  spacingMs: number,
): Promise<DueAlert[]> {
  if (due.length === 0) return [];
  const rows = await many(
    tx,
    z.object({ alert_id: z.uuid(), user_id: z.uuid() }),
    `INSERT INTO wellbeing_alerts (alert_id, user_id, trigger_reason, days, cooldown)
     SELECT gen_random_uuid(), user_id, reason, days,
            tstzrange(clock_timestamp(), clock_timestamp() + $4 * interval '1 millisecond')
       FROM unnest($1::uuid[], $2::text[], $3::int[]) AS due(user_id, reason, days)
     ON CONFLICT DO NOTHING RETURNING alert_id, user_id`,
    [due.map(({ userId }) => userId), due.map(({ reason }) => reason), due.map(({ days }) => days), spacingMs],
  );
  return rows.map(({ alert_id: alertId, user_id: userId }) => ({ alertId, userId }));
}
