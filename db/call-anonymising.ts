/**
 * Mentor calls that have been over for their time. What a sum is made of goes on under a new random id; the row goes with
 * everything that hangs on it, in the same statement. The audit entries keep the call's id, which then leads nowhere.
 */
import { FORGET_ITEM } from './cost-items';
import type { Held } from './legal-holds';
import { type OldPage, type OldRows, pageOf, takePage } from './old-rows';
import type { Db } from './query';

const FACTS = `day, country, language, outcome, end_reason, limited_by, seconds_to_answer, seconds_to_bridge,
       duration_seconds, mentors_rung`;

/**
 * Of each table with a `call_id` what becomes of its rows. A test holds the list against the schema: a table that is added
 * later and not named here would keep a way back, or keep the call from leaving.
 */
const OF_A_CALL: Readonly<Record<string, string>> = {
  mentor_offers: 'DELETE FROM mentor_offers WHERE call_id IN (SELECT key FROM going)',
  match_misses: 'DELETE FROM match_misses WHERE call_id IN (SELECT key FROM going)',
  // Empty long since, but for a workflow that nothing has ended.
  mentor_slots: `UPDATE mentor_slots SET call_id = NULL, step = NULL, lease_until = NULL
                  WHERE call_id IN (SELECT key FROM going)`,
  dispatches: `DELETE FROM dispatches WHERE call_id IN (SELECT key FROM going)
               RETURNING array_append(other_sids, sid) AS sids`,
  webhook_events: 'DELETE FROM webhook_events WHERE call_id IN (SELECT key FROM going) RETURNING sid',
  app_events: 'DELETE FROM app_events WHERE object_id IN (SELECT key FROM going)',
  // What they thought of it counts for its month, and for their mentor; it is nobody's call any more.
  call_feedback: `UPDATE call_feedback SET call_id = gen_random_uuid(), word_record_id = NULL,
                         given_at = date_trunc('day', given_at, 'UTC'),
                         changed_at = date_trunc('day', changed_at, 'UTC')
                   WHERE call_id IN (SELECT key FROM going)`,
  call_quality: 'DELETE FROM call_quality WHERE call_id IN (SELECT key FROM going)',
  // One that the provider still has must be deleted there first, and is not forgotten with its call.
  call_recordings: 'UPDATE call_recordings SET call_id = gen_random_uuid() WHERE call_id IN (SELECT key FROM going)',
  mentor_queue: 'DELETE FROM mentor_queue WHERE call_id IN (SELECT key FROM going)',
  // A text may still name the question; what it was about is nobody's any more.
  open_questions: 'UPDATE open_questions SET object_id = gen_random_uuid() WHERE object_id IN (SELECT key FROM going)',
};

/** The tables whose rows leave with their call. */
export const TABLES_OF_A_CALL: readonly string[] = Object.keys(OF_A_CALL);

/** What the legs of these calls were at Twilio, and what they cost. */
const OF_ITS_LEGS = `
  legs AS (SELECT c.call_sid AS sid FROM call_logs c JOIN going ON c.call_id = going.key WHERE c.call_sid IS NOT NULL
           UNION SELECT sid FROM of_webhook_events WHERE sid IS NOT NULL
           UNION SELECT sid FROM of_dispatches CROSS JOIN LATERAL unnest(sids) AS sid WHERE sid IS NOT NULL),
  paid AS (UPDATE costs SET ${FORGET_ITEM} WHERE item IN (SELECT sid FROM legs)),
  still_there AS (INSERT INTO calls_left_at_twilio (sid, since)
                  SELECT sid, now() FROM legs
                   WHERE sid LIKE 'CA%' AND NOT EXISTS (SELECT FROM deletions_at_twilio d WHERE d.sid = legs.sid)
                  ON CONFLICT (sid) DO NOTHING),
  not_there AS (DELETE FROM deletions_at_twilio WHERE sid IN (SELECT sid FROM legs))`;

/** One page, in one statement. What its legs cost must have been noted before: their events leave too. */
export function anonymiseOldCalls(db: Db, rows: OldRows): Promise<OldPage> {
  const old = {
    table: 'call_logs',
    key: 'call_id',
    time: 't.ended_at',
    where: "NOT t.live AND t.kind = 'mentor-call'",
  };
  const page = pageOf({ ...old, heldWhere: ({ calls }: Held) => `t.call_id IN ${calls}` }, rows);
  const hanging = Object.entries(OF_A_CALL).map(([table, act]) => `of_${table} AS (${act})`);
  const acts = `
    going AS (SELECT key FROM page WHERE NOT is_held),
    facts AS (INSERT INTO call_facts (${FACTS}) SELECT ${FACTS} FROM ended_calls WHERE call_id IN (SELECT key FROM going)),
    ${hanging.join(',\n    ')},${OF_ITS_LEGS},
    gone AS (DELETE FROM call_logs WHERE call_id IN (SELECT key FROM going) RETURNING 1)`;
  // Locked: of two runs at once only one may note the facts of a call. The other one passes it by.
  return takePage(db, rows.isDryRun ? page : `${page} FOR UPDATE OF t SKIP LOCKED`, acts, rows);
}
