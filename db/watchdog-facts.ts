/** What the watchdog looks at: counts of the last while, each by one statement. */
import { z } from 'zod';
import type { WatchdogFacts, WatchdogLimits } from '../domain/watchdog-rules';
import { mentorsScheduled } from './mentors-on-shift';
import { lineStates } from './provider-lines';
import { retentionFreshness } from './retention-runs';
import { type Db, many, one } from './query';
import { alertsStanding } from './wellbeing-standings';

/** Of each pattern at most so many: whoever looks begins with the worst. */
const MOST_OF_A_KIND = 20;

/**
 * @param windowMs how far back
 * @param limits patterns below them are not read at all
 */
export async function watchdogFacts(db: Db, windowMs: number, limits: WatchdogLimits): Promise<WatchdogFacts> {
  const [calls, mentors, stoppedLines] = [await callCounts(db, windowMs), await mentorCounts(db), await lineStates(db)];
  return {
    calls: { total: calls.total, failed: calls.failed },
    hasRequests: calls.requests > 0,
    mentors,
    userCalls: await many(db, userRow, USER_CALLS, [windowMs, limits.userCalls, MOST_OF_A_KIND]),
    shortCalls: await many(db, mentorRow, SHORT_CALLS, [
      windowMs,
      limits.shortCalls,
      MOST_OF_A_KIND,
      Math.round(limits.shortCallMs / 1_000),
    ]),
    sharedNumbers: await many(db, numberRow, SHARED_NUMBERS, [windowMs, limits.accounts, MOST_OF_A_KIND]),
    sharedBuddies: await many(db, buddyRow, SHARED_BUDDIES, [NAMED_WITHIN_MS, limits.targetAccounts, MOST_OF_A_KIND]),
    errorCodes: await many(db, codeRow, ERROR_CODES, [windowMs]),
    unanswered: (await one(db, z.object({ count }), UNANSWERED, [windowMs])).count,
    // Every one: whoever is left out would be told to be over.
    alertsAwaitingHuman: await alertsStanding(db, 'awaiting-human'),
    alertsReachedNobody: await alertsStanding(db, 'reached-nobody'),
    retentionStaleSince: (await retentionFreshness(db)).staleSince,
    stoppedLines: stoppedLines.flatMap(({ line, code, stoppedAt }) => (stoppedAt === null ? [] : [{ line, code }])),
  };
}

/** No index is searched for a `clock_timestamp()`, which is volatile. */
const WITHIN = "statement_timestamp() - $1 * interval '1 millisecond'";

/** A failure is any end but a conversation, the user's own no, and a user who did not pick up. */
function callCounts(db: Db, windowMs: number) {
  return one(
    db,
    z.object({ total: z.coerce.number(), failed: z.coerce.number(), requests: z.coerce.number() }),
    `SELECT count(*) FILTER (WHERE ended_at >= ${WITHIN} AND was_call) AS total,
            count(*) FILTER (WHERE ended_at >= ${WITHIN} AND was_call AND outcome NOT IN ('completed', 'cancelled')
                               AND end_reason <> 'user-not-reached') AS failed,
            count(*) FILTER (WHERE opened_at >= ${WITHIN}) AS requests
       FROM (SELECT opened_at, ended_at, outcome, end_reason, outcome <> 'merged' AND end_reason <> 'too-many-requests' AS was_call FROM call_logs
              WHERE kind = 'mentor-call' AND (opened_at >= ${WITHIN} OR ended_at >= ${WITHIN})) AS recent`,
    [windowMs],
  );
}

async function mentorCounts(db: Db): Promise<WatchdogFacts['mentors']> {
  const scheduled = await mentorsScheduled(db, new Date());
  return {
    scheduled: scheduled.length,
    free: scheduled.filter(({ isOn, freePlaces }) => isOn && freePlaces > 0).length,
  };
}

const count = z.coerce.number();

const userRow = z.object({ user_id: z.uuid(), count }).transform((row) => ({ userId: row.user_id, count: row.count }));
/** Every request counts, also one that was turned away: that is how trying again and again looks. */
const USER_CALLS = `SELECT user_id, count(*) FROM (
    SELECT user_id FROM call_logs WHERE kind = 'mentor-call' AND opened_at >= ${WITHIN}
    UNION ALL SELECT subject_id FROM refused_requests WHERE refused_at >= ${WITHIN}) AS asked
  GROUP BY user_id HAVING count(*) >= $2 ORDER BY count(*) DESC, user_id LIMIT $3`;

const mentorRow = z
  .object({ mentor_id: z.uuid(), count })
  .transform((row) => ({ mentorId: row.mentor_id, count: row.count }));
/** Of each conversation, not of the whole call: after a short one the same caller is put through to somebody else. */
const SHORT_CALLS = `SELECT mentor_id, count(*) FROM mentor_offers
  WHERE offered_at >= ${WITHIN} AND talked_seconds < $4
  GROUP BY mentor_id HAVING count(*) >= $2 ORDER BY count(*) DESC, mentor_id LIMIT $3`;

const numberRow = z
  .object({ call_id: z.uuid(), accounts: count })
  .transform((row) => ({ callId: row.call_id, accounts: row.accounts }));
/**
 * Named by the first call that rang it, also when that one has left the window: an incident keeps no token, because what
 * leads to a person must go with them. Who was turned away counts too: the limits stop a number from being rung by many.
 */
const SHARED_NUMBERS = `SELECT coalesce(
      (SELECT i.key FROM incidents i JOIN call_logs c ON c.call_id::text = i.key
        WHERE i.kind = 'accounts-to-one-number' AND i.closed_at IS NULL AND c.recipient_token = shared.recipient_token
        ORDER BY i.first_seen_at LIMIT 1),
      shared.first)::uuid AS call_id, accounts
  FROM (SELECT recipient_token, count(DISTINCT user_id) AS accounts,
               (array_agg(call_id::text ORDER BY asked_at, call_id) FILTER (WHERE call_id IS NOT NULL))[1] AS first
          FROM (SELECT recipient_token, user_id, call_id, opened_at AS asked_at FROM call_logs
                 WHERE kind = 'mentor-call' AND opened_at >= ${WITHIN}
                UNION ALL SELECT recipient_token, subject_id, NULL, refused_at FROM refused_requests
                 WHERE refused_at >= ${WITHIN}) AS asked
         WHERE recipient_token IS NOT NULL
         GROUP BY recipient_token HAVING count(DISTINCT user_id) >= $2 AND count(call_id) > 0) AS shared
 ORDER BY accounts DESC, call_id LIMIT $3`;

/** A week: whoever wants somebody pestered through many accounts makes them one after the other. */
const NAMED_WITHIN_MS = 7 * 86_400_000;

const buddyRow = z
  .object({ buddy_id: z.uuid(), accounts: count })
  .transform((row) => ({ buddyId: row.buddy_id, accounts: row.accounts }));
/**
 * Who was taken off a list again still counts, where they were written to. Named by a buddy, for the reason and in the way
 * of {@link SHARED_NUMBERS}.
 */
const SHARED_BUDDIES = `WITH named AS (
    SELECT b.email_token AS token, b.user_id, b.buddy_id, b.created_at AS at FROM buddy_contacts b
     WHERE b.created_at >= ${WITHIN} AND b.email_token IS NOT NULL
    UNION ALL
    SELECT b.phone_token, b.user_id, b.buddy_id, b.created_at FROM buddy_contacts b
     WHERE b.created_at >= ${WITHIN} AND b.phone_token IS NOT NULL
    UNION ALL
    SELECT i.email_token, b.user_id, b.buddy_id, i.asked_at FROM buddy_invitations i JOIN buddy_contacts b USING (buddy_id)
     WHERE i.asked_at >= ${WITHIN} AND i.email_token IS NOT NULL)
  SELECT buddy_id, max(accounts) AS accounts FROM (
    SELECT coalesce(
             (SELECT i.key FROM incidents i JOIN named n ON n.buddy_id::text = i.key
               WHERE i.kind = 'accounts-to-one-buddy' AND i.closed_at IS NULL AND n.token = shared.token
               ORDER BY i.first_seen_at LIMIT 1),
             shared.first)::uuid AS buddy_id, accounts
      FROM (SELECT token, count(DISTINCT user_id) AS accounts,
                   (array_agg(buddy_id::text ORDER BY at, buddy_id))[1] AS first
              FROM named GROUP BY token HAVING count(DISTINCT user_id) > $2) AS shared) AS found
 GROUP BY buddy_id ORDER BY accounts DESC, buddy_id LIMIT $3`;

const codeRow = z.object({ code: z.coerce.number(), count });
/** Of refusals at the request, and of what was told later. */
const ERROR_CODES = `SELECT code, sum(n) AS count FROM (
    SELECT error_code AS code, count(*) AS n FROM dispatches
     WHERE settled_at >= ${WITHIN} AND error_code ~ '^[0-9]{4,6}$' GROUP BY error_code
    UNION ALL
    SELECT error_code, count(*) FROM webhook_events
     WHERE received_at >= ${WITHIN} AND error_code ~ '^[0-9]{4,6}$' GROUP BY error_code) AS told
 GROUP BY code`;

/**
 * Acts that were tried and have neither a SID nor a refusal to show. Most leave no error behind: a timeout makes a row
 * `unknown`, a 429 or no connection `ready` again, and patience that is over `lost` or `abandoned`. The end of the lease is
 * the one time that all of them keep. One that is under way is no failure yet, nor is one that was withdrawn just now.
 */
const UNANSWERED = `SELECT count(*) FROM dispatches
  WHERE sid IS NULL AND attempt > 0 AND lease_until >= ${WITHIN} AND channel <> 'email'
    AND (error_class IS NULL OR error_class IN ('unknown', 'retry'))
    AND (state IN ('ready', 'unknown', 'lost', 'refused')
         OR (state = 'abandoned' AND lease_until <= clock_timestamp()))`;
