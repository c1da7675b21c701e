-- What stays of a call when it has been kept for its time, and what keeps a person's rows from leaving at all.

-- Up Migration

-- The facts of mentor calls that are over, in one place: sums over calls read call_outcomes and come out the same before
-- and after a call is anonymised, because a fact that is kept is what this view said of its call.
CREATE VIEW ended_calls AS
  SELECT c.call_id, (c.requested_at AT TIME ZONE 'UTC')::date AS day, c.country, c.language, c.outcome, c.end_reason,
         c.limited_by,
         floor(extract(epoch FROM c.answered_at - c.requested_at))::int AS seconds_to_answer,
         floor(extract(epoch FROM c.bridged_at - c.requested_at))::int AS seconds_to_bridge,
         c.duration_seconds,
         (SELECT count(*)::int FROM mentor_offers o WHERE o.call_id = c.call_id) AS mentors_rung
    FROM call_logs c WHERE c.kind = 'mentor-call' AND NOT c.live;
COMMENT ON COLUMN ended_calls.call_id IS 'class: pseudonymous';
COMMENT ON COLUMN ended_calls.day IS 'class: operational; on which it was asked for, UTC';
COMMENT ON COLUMN ended_calls.country IS 'class: operational';
COMMENT ON COLUMN ended_calls.language IS 'class: operational';
COMMENT ON COLUMN ended_calls.outcome IS 'class: operational';
COMMENT ON COLUMN ended_calls.end_reason IS 'class: operational';
COMMENT ON COLUMN ended_calls.limited_by IS 'class: operational; which limit refused it';
COMMENT ON COLUMN ended_calls.seconds_to_answer IS 'class: operational; from the request until the user picked up';
COMMENT ON COLUMN ended_calls.seconds_to_bridge IS 'class: operational; from the request to the mentor';
COMMENT ON COLUMN ended_calls.duration_seconds IS 'class: operational; of the bridge';
COMMENT ON COLUMN ended_calls.mentors_rung IS 'class: operational';
GRANT SELECT ON ended_calls TO kindline_application;

CREATE TABLE call_facts (
  fact_id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  day               date NOT NULL,
  country           text NOT NULL,
  language          text NOT NULL,
  outcome           text NOT NULL,
  end_reason        text,
  limited_by        text,
  seconds_to_answer int,
  seconds_to_bridge int,
  duration_seconds  int,
  mentors_rung      int NOT NULL
);
COMMENT ON TABLE call_facts IS 'Mentor calls that were anonymised: nothing here leads to a person, a call or a mentor';
COMMENT ON COLUMN call_facts.fact_id IS 'class: operational; random, and made when the call was forgotten';
COMMENT ON COLUMN call_facts.day IS 'class: operational; on which it was asked for, UTC';
COMMENT ON COLUMN call_facts.country IS 'class: operational';
COMMENT ON COLUMN call_facts.language IS 'class: operational';
COMMENT ON COLUMN call_facts.outcome IS 'class: operational';
COMMENT ON COLUMN call_facts.end_reason IS 'class: operational';
COMMENT ON COLUMN call_facts.limited_by IS 'class: operational; which limit refused it';
COMMENT ON COLUMN call_facts.seconds_to_answer IS 'class: operational; from the request until the user picked up';
COMMENT ON COLUMN call_facts.seconds_to_bridge IS 'class: operational; from the request to the mentor';
COMMENT ON COLUMN call_facts.duration_seconds IS 'class: operational; of the bridge';
COMMENT ON COLUMN call_facts.mentors_rung IS 'class: operational';
CREATE INDEX call_facts_by_day ON call_facts (day);
COMMENT ON INDEX call_facts_by_day IS 'serves: callStatistics (db/call-statistics.ts)';
GRANT SELECT, INSERT ON call_facts TO kindline_application;

CREATE VIEW call_outcomes AS
  SELECT day, country, language, outcome, end_reason, limited_by, seconds_to_answer, seconds_to_bridge,
         duration_seconds, mentors_rung FROM ended_calls
  UNION ALL
  SELECT day, country, language, outcome, end_reason, limited_by, seconds_to_answer, seconds_to_bridge,
         duration_seconds, mentors_rung FROM call_facts;
COMMENT ON VIEW call_outcomes IS 'All mentor calls that are over, anonymised or not: what sums over calls are made from';
COMMENT ON COLUMN call_outcomes.day IS 'class: operational; on which it was asked for, UTC';
COMMENT ON COLUMN call_outcomes.country IS 'class: operational';
COMMENT ON COLUMN call_outcomes.language IS 'class: operational';
COMMENT ON COLUMN call_outcomes.outcome IS 'class: operational';
COMMENT ON COLUMN call_outcomes.end_reason IS 'class: operational';
COMMENT ON COLUMN call_outcomes.limited_by IS 'class: operational; which limit refused it';
COMMENT ON COLUMN call_outcomes.seconds_to_answer IS 'class: operational; from the request until the user picked up';
COMMENT ON COLUMN call_outcomes.seconds_to_bridge IS 'class: operational; from the request to the mentor';
COMMENT ON COLUMN call_outcomes.duration_seconds IS 'class: operational; of the bridge';
COMMENT ON COLUMN call_outcomes.mentors_rung IS 'class: operational';
GRANT SELECT ON call_outcomes TO kindline_application;

CREATE INDEX call_logs_over ON call_logs (ended_at, call_id) WHERE NOT live AND kind = 'mentor-call';
COMMENT ON INDEX call_logs_over IS 'serves: anonymiseOldCalls (db/call-anonymising.ts)';
CREATE INDEX costs_still_named ON costs (occurred_at, item) WHERE item !~~ 'anonymised:%' AND item !~~ 'number:%';
COMMENT ON INDEX costs_still_named IS 'serves: forgetOldCostItems (db/cost-items.ts)';
GRANT DELETE ON mentor_offers, dispatches, deletions_at_twilio TO kindline_application;

-- Twilio's own record of a call must go even when ours went first, because Twilio was away for all that time.
CREATE TABLE calls_left_at_twilio (
  sid      text PRIMARY KEY,
  since    timestamptz NOT NULL
);
COMMENT ON TABLE calls_left_at_twilio IS 'Legs of anonymised calls that are still to be deleted at Twilio; nothing else is known of them';
COMMENT ON COLUMN calls_left_at_twilio.sid IS 'class: pseudonymous';
COMMENT ON COLUMN calls_left_at_twilio.since IS 'class: operational';
GRANT SELECT, INSERT, DELETE ON calls_left_at_twilio TO kindline_application;

CREATE TABLE legal_holds (
  hold_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  subject_id uuid NOT NULL REFERENCES subjects,
  reason     text NOT NULL,
  placed_by  uuid NOT NULL REFERENCES subjects,
  placed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  lifted_by  uuid REFERENCES subjects,
  lifted_at  timestamptz,
  CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);
COMMENT ON TABLE legal_holds IS 'While one stands, neither a sweep nor an erasure takes what is held of this person';
COMMENT ON COLUMN legal_holds.hold_id IS 'class: pseudonymous';
COMMENT ON COLUMN legal_holds.subject_id IS 'class: pseudonymous';
COMMENT ON COLUMN legal_holds.reason IS 'class: operational; a word of a closed list';
COMMENT ON COLUMN legal_holds.placed_by IS 'class: pseudonymous';
COMMENT ON COLUMN legal_holds.placed_at IS 'class: operational';
COMMENT ON COLUMN legal_holds.lifted_by IS 'class: pseudonymous';
COMMENT ON COLUMN legal_holds.lifted_at IS 'class: operational';
CREATE UNIQUE INDEX legal_holds_once ON legal_holds (subject_id, reason) WHERE lifted_at IS NULL;
CREATE INDEX legal_holds_listed ON legal_holds (placed_at DESC, hold_id DESC);
COMMENT ON INDEX legal_holds_listed IS 'serves: listHolds (db/legal-holds.ts)';
GRANT SELECT, INSERT, UPDATE ON legal_holds TO kindline_application;

-- Down Migration

DROP TABLE legal_holds, calls_left_at_twilio;
REVOKE DELETE ON mentor_offers, dispatches, deletions_at_twilio FROM kindline_application;
DROP INDEX costs_still_named, call_logs_over;
DROP VIEW call_outcomes;
DROP TABLE call_facts;
DROP VIEW ended_calls;
