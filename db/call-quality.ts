/** How each call went, one row a call; made from what the call has left behind, after its last callbacks have come. */
import { z } from 'zod';
import { type CallInsights, callInsights, ENDED_FIRST, type EndedFirst } from '../domain/call-quality';
import { TERMINAL_STATUSES } from '../domain/call-status';
import { type Db, execute, many, maybeOne } from './query';

export interface CallQuality {
  readonly callId: string;
  readonly endedAt: Date;
  readonly msToAnswer: number | null;
  readonly msToMentor: number | null;
  readonly mentorsRung: number;
  readonly bridgeSeconds: number;
  readonly reconnections: number;
  readonly ringBacks: number;
  /** Legs that somebody had answered and that ended as `failed`: dropped, and no goodbye. */
  readonly linesLost: number;
  readonly endedFirst: EndedFirst | null;
  readonly userPostDialDelayMs: number | null;
  readonly mentorPostDialDelayMs: number | null;
  readonly userSipCode: number | null;
  readonly mentorSipCode: number | null;
  /** By leg; empty where Voice Insights is off or has not told. */
  readonly insights: CallInsights;
  readonly insightsDueAt: Date | null;
}

/**
 * Twilio ends the mentor's line with the user's, and counts in seconds. The other way round the user is still told
 * something: a mentor's line that was over less than this before leaves open whether they hung up, or both at once.
 */
const APART = "interval '2 seconds'";
/** A call that nobody has looked at for so long will not be looked at any more. */
const LOOKED_BACK = "interval '7 days'";

/** A leg as its callbacks told it; `$who` is the leg and `$where` what else of them. */
const legTimes = (where: string): string => `LATERAL (
    SELECT min(at) FILTER (WHERE status = 'initiated') AS dialled, min(at) FILTER (WHERE status = 'ringing') AS rang,
           min(at) FILTER (WHERE status = 'in-progress') AS answered, max(at) FILTER (WHERE status = ANY($4)) AS ended,
           (max(payload->>'sip') FILTER (WHERE status = ANY($4)))::int AS sip,
           (array_agg(sid ORDER BY at DESC) FILTER (WHERE sid IS NOT NULL))[1] AS sid
      FROM (SELECT e.status, e.payload, e.sid, coalesce((e.payload->>'at')::timestamptz, e.received_at) AS at FROM webhook_events e
             WHERE e.call_id = c.call_id AND e.type IN ('call-status', 'asked') AND ${where}) AS told)`;

/** Null where one of them was never told, or the later one is the earlier: then they are of different legs. */
const ms = (from: string, to: string): string =>
  `CASE WHEN ${to} >= ${from} THEN round(extract(epoch FROM ${to} - ${from}) * 1000)::int END`;

/**
 * Notes how calls went that have been over for a while. May be repeated and run beside itself.
 *
 * @param settledMs how long a call must be over: its last callbacks may come after its end
 * @param timeLimitSeconds the longest conversation
 * @param insightsAfterMs after how long Voice Insights is asked; null: never
 * @returns how many were noted
 */
export async function noteCallQuality(
  db: Db,
  how: {
    readonly settledMs: number;
    readonly timeLimitSeconds: number;
    readonly insightsAfterMs: number | null;
    readonly limit: number;
  },
): Promise<number> {
  return await execute(
    db,
    `INSERT INTO call_quality (call_id, ended_at, ms_to_answer, ms_to_mentor, mentors_rung, bridge_seconds, reconnections,
            ring_backs, lines_lost, ended_first, user_pdd_ms, mentor_pdd_ms, user_sip_code, mentor_sip_code, user_sid, mentor_sid,
            insights_due_at)
     SELECT c.call_id, c.ended_at, ${ms('c.requested_at', 'u.answered')}, ${ms('c.answered_at', 'c.bridged_at')},
            coalesce(o.rung, 0), coalesce(c.duration_seconds, 0), coalesce(o.reconnections, 0), r.rings, f.lost,
            CASE WHEN c.bridged_at IS NULL OR u.ended IS NULL OR m.ended IS NULL THEN NULL
                 WHEN m.ended <= u.ended - ${APART}
                 THEN CASE WHEN m.ended - m.answered >= make_interval(secs => $3::int - 2) THEN 'time-limit' ELSE 'mentor' END
                 WHEN m.ended < u.ended THEN NULL
                 ELSE 'user' END,
            ${ms('u.dialled', 'u.rang')}, ${ms('m.dialled', 'm.rang')}, u.sip, m.sip, coalesce(c.call_sid, u.sid), m.sid,
            CASE WHEN coalesce(c.call_sid, u.sid) IS NOT NULL THEN c.ended_at + $2 * interval '1 millisecond' END
       FROM (SELECT l.call_id, l.call_sid, l.mentor_id, l.requested_at, l.answered_at, l.bridged_at, l.ended_at, l.duration_seconds
               FROM call_logs l
              WHERE NOT l.live AND l.kind = 'mentor-call' AND l.outcome <> 'merged'
                AND l.ended_at BETWEEN clock_timestamp() - ${LOOKED_BACK} AND clock_timestamp() - $1 * interval '1 millisecond'
                AND NOT EXISTS (SELECT 1 FROM call_quality q WHERE q.call_id = l.call_id)
              ORDER BY l.ended_at LIMIT $5) AS c
       LEFT JOIN LATERAL (
         SELECT count(*) AS rung, count(*) FILTER (WHERE is_after_talk) AS reconnections, max(step) AS last_step,
                max(step) FILTER (WHERE mentor_id = c.mentor_id) AS talked_step
           FROM (SELECT f.step, f.mentor_id, lag(f.result) OVER (ORDER BY f.step) IS NOT DISTINCT FROM 'completed' AS is_after_talk
                   FROM mentor_offers f WHERE f.call_id = c.call_id AND f.result IS DISTINCT FROM 'not-rung') AS offers) AS o ON true
       LEFT JOIN LATERAL (
         SELECT count(*) AS rings FROM dispatches d
          WHERE d.call_id = c.call_id AND d.channel = 'voice' AND d.sid IS NOT NULL AND d.created_at > c.bridged_at) AS r ON true
       LEFT JOIN LATERAL (
         SELECT count(DISTINCT e.sid) AS lost FROM webhook_events e
          WHERE e.call_id = c.call_id AND e.leg IN ('user', 'mentor') AND e.type IN ('call-status', 'asked') AND e.status = 'failed'
            AND EXISTS (SELECT FROM webhook_events a WHERE a.sid = e.sid AND a.status = 'in-progress')) AS f ON true
       LEFT JOIN ${legTimes("e.leg = 'user'")} AS u ON true
       LEFT JOIN ${legTimes("e.leg = 'mentor' AND e.step = coalesce(o.talked_step, o.last_step)")} AS m ON true
     ON CONFLICT (call_id) DO NOTHING`,
    [how.settledMs, how.insightsAfterMs, how.timeLimitSeconds, TERMINAL_STATUSES, how.limit],
  );
}

const qualityRow = z.object({
  call_id: z.uuid(),
  ended_at: z.date(),
  ms_to_answer: z.int().nullable(),
  ms_to_mentor: z.int().nullable(),
  mentors_rung: z.int(),
  bridge_seconds: z.int(),
  reconnections: z.int(),
  ring_backs: z.int(),
  lines_lost: z.int(),
  ended_first: z.enum(ENDED_FIRST).nullable(),
  user_pdd_ms: z.int().nullable(),
  mentor_pdd_ms: z.int().nullable(),
  user_sip_code: z.int().nullable(),
  mentor_sip_code: z.int().nullable(),
  insights: callInsights,
  insights_due_at: z.date().nullable(),
});

/** Null while the call goes on, and for a minute or two after its end. */
export async function findCallQuality(db: Db, callId: string): Promise<CallQuality | null> {
  const row = await maybeOne(
    db,
    qualityRow,
    `SELECT call_id, ended_at, ms_to_answer, ms_to_mentor, mentors_rung, bridge_seconds, reconnections, ring_backs, lines_lost,
            ended_first, user_pdd_ms, mentor_pdd_ms, user_sip_code, mentor_sip_code, insights, insights_due_at
       FROM call_quality WHERE call_id = $1`,
    [callId],
  );
  if (row === null) return null;
  return {
    callId: row.call_id,
    endedAt: row.ended_at,
    msToAnswer: row.ms_to_answer,
    msToMentor: row.ms_to_mentor,
    mentorsRung: row.mentors_rung,
    bridgeSeconds: row.bridge_seconds,
    reconnections: row.reconnections,
    ringBacks: row.ring_backs,
    linesLost: row.lines_lost,
    endedFirst: row.ended_first,
    userPostDialDelayMs: row.user_pdd_ms,
    mentorPostDialDelayMs: row.mentor_pdd_ms,
    userSipCode: row.user_sip_code,
    mentorSipCode: row.mentor_sip_code,
    insights: row.insights,
    insightsDueAt: row.insights_due_at,
  };
}

export interface InsightsDue {
  readonly callId: string;
  readonly userSid: string;
  readonly mentorSid: string | null;
  /** Looked for so often before. */
  readonly looks: number;
}

/** Calls whose Voice Insights should be complete by now, the longest due first. */
export async function insightsDue(db: Db, limit: number): Promise<InsightsDue[]> {
  const due = z.object({
    call_id: z.uuid(),
    user_sid: z.string(),
    mentor_sid: z.string().nullable(),
    insights_looks: z.int(),
  });
  const rows = await many(
    db,
    due,
    `SELECT call_id, user_sid, mentor_sid, insights_looks FROM call_quality
      WHERE insights_due_at <= clock_timestamp() AND user_sid IS NOT NULL ORDER BY insights_due_at LIMIT $1`,
    [limit],
  );
  return rows.map((row) => ({
    callId: row.call_id,
    userSid: row.user_sid,
    mentorSid: row.mentor_sid,
    looks: row.insights_looks,
  }));
}

/** One more look. @param againMs when the next is due, should this one find nothing; null: there is none */
export async function beginLook(db: Db, callId: string, againMs: number | null): Promise<void> {
  await execute(
    db,
    `UPDATE call_quality SET insights_looks = insights_looks + 1,
            insights_due_at = clock_timestamp() + $2 * interval '1 millisecond' WHERE call_id = $1`,
    [callId, againMs],
  );
}

/** Keeps what was found beside what was found before. @param isWhole whether nothing more is looked for */
export async function keepInsights(db: Db, callId: string, found: CallInsights, isWhole: boolean): Promise<void> {
  await execute(
    db,
    `UPDATE call_quality SET insights = insights || $2::jsonb,
            insights_due_at = CASE WHEN $3 THEN NULL ELSE insights_due_at END WHERE call_id = $1`,
    [callId, JSON.stringify(found), isWhole],
  );
}
