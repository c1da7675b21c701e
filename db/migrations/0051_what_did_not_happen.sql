-- What did not happen: rings of mentors whose place was kept for a user who did not pick up, and answers of Twilio.

-- Up Migration

-- A mentor who was never rung counts as nobody.
CREATE OR REPLACE VIEW ended_calls AS
  SELECT c.call_id, (c.requested_at AT TIME ZONE 'UTC')::date AS day, c.country, c.language, c.outcome, c.end_reason,
         c.limited_by,
         floor(extract(epoch FROM c.answered_at - c.requested_at))::int AS seconds_to_answer,
         floor(extract(epoch FROM c.bridged_at - c.requested_at))::int AS seconds_to_bridge,
         c.duration_seconds,
         (SELECT count(*)::int FROM mentor_offers o
           WHERE o.call_id = c.call_id AND o.result IS DISTINCT FROM 'not-rung') AS mentors_rung
    FROM call_logs c WHERE c.kind = 'mentor-call' AND NOT c.live;
COMMENT ON COLUMN mentor_offers.result IS 'class: operational; not-rung: the place was taken, and no phone of the mentor rang';

-- What the watchdog counts every minute: acts that were tried and have no SID. Few at any time, but for an outage.
CREATE INDEX dispatches_unanswered ON dispatches (lease_until) WHERE sid IS NULL AND attempt > 0;

-- Down Migration

DROP INDEX dispatches_unanswered;
CREATE OR REPLACE VIEW ended_calls AS
  SELECT c.call_id, (c.requested_at AT TIME ZONE 'UTC')::date AS day, c.country, c.language, c.outcome, c.end_reason,
         c.limited_by,
         floor(extract(epoch FROM c.answered_at - c.requested_at))::int AS seconds_to_answer,
         floor(extract(epoch FROM c.bridged_at - c.requested_at))::int AS seconds_to_bridge,
         c.duration_seconds,
         (SELECT count(*)::int FROM mentor_offers o WHERE o.call_id = c.call_id) AS mentors_rung
    FROM call_logs c WHERE c.kind = 'mentor-call' AND NOT c.live;
COMMENT ON COLUMN mentor_offers.result IS 'class: operational';
