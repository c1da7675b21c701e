-- Mentor calls, the places mentors have for them, and who was offered which.

-- Up Migration

CREATE TABLE call_logs (
  call_id             uuid PRIMARY KEY,
  workflow_id         text NOT NULL,
  user_id             uuid NOT NULL REFERENCES subjects,
  record_id           uuid NOT NULL REFERENCES vault_records,
  number_is_for_this_call_only boolean NOT NULL,
  recipient_token     bytea CHECK (octet_length(recipient_token) = 32),
  country             text NOT NULL,
  language            text NOT NULL,
  organisation_number text NOT NULL,
  status              text NOT NULL,
  outcome             text,
  end_reason          text,
  live                boolean NOT NULL,
  merged_into         uuid,
  limited_by          text CHECK (limited_by IN ('user', 'target')),
  request_hash        text NOT NULL,
  consent_version     text NOT NULL,
  consent_language    text NOT NULL,
  may_call_back       boolean NOT NULL,
  preferences         jsonb NOT NULL,
  mentor_id           uuid REFERENCES mentors,
  call_sid            text,
  requested_at        timestamptz NOT NULL,
  opened_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  answered_at         timestamptz,
  bridged_at          timestamptz,
  ended_at            timestamptz,
  duration_seconds    int,
  CHECK (live = (outcome IS NULL)),
  CHECK (live = (ended_at IS NULL)),
  CHECK ((outcome = 'merged') = (merged_into IS NOT NULL))
);
-- A second tap never rings twice: one live call per user, whatever runs at the same time.
CREATE UNIQUE INDEX call_logs_one_live_per_user ON call_logs (user_id) WHERE live;
CREATE INDEX call_logs_of_user ON call_logs (user_id, opened_at DESC, call_id DESC);
CREATE INDEX call_logs_of_recipient ON call_logs (recipient_token, opened_at DESC);
CREATE INDEX call_logs_live ON call_logs (opened_at) WHERE live;
CREATE INDEX call_logs_by_sid ON call_logs (call_sid) WHERE call_sid IS NOT NULL;
COMMENT ON COLUMN call_logs.call_id IS 'class: pseudonymous';
COMMENT ON COLUMN call_logs.workflow_id IS 'class: pseudonymous';
COMMENT ON COLUMN call_logs.user_id IS 'class: pseudonymous';
COMMENT ON COLUMN call_logs.record_id IS 'class: pseudonymous; the number that is rung';
COMMENT ON COLUMN call_logs.number_is_for_this_call_only IS 'class: operational; destroyed with the call when true';
COMMENT ON COLUMN call_logs.recipient_token IS 'class: pseudonymous; of the number that is rung';
COMMENT ON COLUMN call_logs.country IS 'class: operational';
COMMENT ON COLUMN call_logs.language IS 'class: operational';
COMMENT ON COLUMN call_logs.organisation_number IS 'class: operational; a number of ours, nobody else''s';
COMMENT ON COLUMN call_logs.status IS 'class: operational; when the call is over, its outcome';
COMMENT ON COLUMN call_logs.outcome IS 'class: operational';
COMMENT ON COLUMN call_logs.end_reason IS 'class: operational';
COMMENT ON COLUMN call_logs.live IS 'class: operational';
COMMENT ON COLUMN call_logs.merged_into IS 'class: pseudonymous; the live call that won';
COMMENT ON COLUMN call_logs.limited_by IS 'class: operational; which limit refused it';
COMMENT ON COLUMN call_logs.request_hash IS 'class: pseudonymous; keyed hash of the request body';
COMMENT ON COLUMN call_logs.consent_version IS 'class: operational';
COMMENT ON COLUMN call_logs.consent_language IS 'class: operational';
COMMENT ON COLUMN call_logs.may_call_back IS 'class: operational';
COMMENT ON COLUMN call_logs.preferences IS 'class: sensitive';
COMMENT ON COLUMN call_logs.mentor_id IS 'class: pseudonymous';
COMMENT ON COLUMN call_logs.call_sid IS 'class: pseudonymous; the user''s leg';
COMMENT ON COLUMN call_logs.requested_at IS 'class: operational';
COMMENT ON COLUMN call_logs.opened_at IS 'class: operational; by the database clock: limits count from here';
COMMENT ON COLUMN call_logs.answered_at IS 'class: operational';
COMMENT ON COLUMN call_logs.bridged_at IS 'class: operational';
COMMENT ON COLUMN call_logs.ended_at IS 'class: operational';
COMMENT ON COLUMN call_logs.duration_seconds IS 'class: operational; of the bridge';

CREATE TABLE mentor_slots (
  mentor_id   uuid NOT NULL REFERENCES mentors,
  n           int NOT NULL CHECK (n > 0),
  call_id     uuid REFERENCES call_logs,
  step        int,
  lease_until timestamptz,
  PRIMARY KEY (mentor_id, n),
  UNIQUE (call_id, step),
  CHECK ((call_id IS NULL) = (step IS NULL) AND (call_id IS NULL) = (lease_until IS NULL))
);
COMMENT ON TABLE mentor_slots IS 'One row per place a mentor has. A count of calls double-books under concurrency (tried: 14 of 426)';
COMMENT ON COLUMN mentor_slots.mentor_id IS 'class: pseudonymous';
COMMENT ON COLUMN mentor_slots.n IS 'class: operational';
COMMENT ON COLUMN mentor_slots.call_id IS 'class: pseudonymous';
COMMENT ON COLUMN mentor_slots.step IS 'class: operational';
COMMENT ON COLUMN mentor_slots.lease_until IS 'class: operational';

CREATE VIEW mentor_current_calls AS
  SELECT m.mentor_id, count(s.call_id)::int AS current_calls
    FROM mentors m LEFT JOIN mentor_slots s ON s.mentor_id = m.mentor_id AND s.call_id IS NOT NULL
   GROUP BY m.mentor_id;
COMMENT ON COLUMN mentor_current_calls.mentor_id IS 'class: pseudonymous';
COMMENT ON COLUMN mentor_current_calls.current_calls IS 'class: operational';

CREATE TABLE mentor_offers (
  call_id    uuid NOT NULL REFERENCES call_logs,
  step       int NOT NULL,
  mentor_id  uuid NOT NULL REFERENCES mentors,
  offered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  result     text,
  reasons    jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (call_id, step)
);
CREATE INDEX mentor_offers_of_mentor ON mentor_offers (mentor_id, offered_at DESC);
COMMENT ON TABLE mentor_offers IS 'Which mentor a call was offered to at which step; outlives the slot, so that a late repeat finds the first mentor';
COMMENT ON COLUMN mentor_offers.call_id IS 'class: pseudonymous';
COMMENT ON COLUMN mentor_offers.step IS 'class: operational';
COMMENT ON COLUMN mentor_offers.mentor_id IS 'class: pseudonymous';
COMMENT ON COLUMN mentor_offers.offered_at IS 'class: operational';
COMMENT ON COLUMN mentor_offers.result IS 'class: operational';
COMMENT ON COLUMN mentor_offers.reasons IS 'class: sensitive; why this mentor: scores of the preferences';

GRANT SELECT, INSERT, UPDATE ON call_logs, mentor_offers TO kindline_application;
GRANT SELECT, INSERT, UPDATE, DELETE ON mentor_slots TO kindline_application;
GRANT SELECT ON mentor_current_calls TO kindline_application;

-- Down Migration

DROP TABLE mentor_offers;
DROP VIEW mentor_current_calls;
DROP TABLE mentor_slots, call_logs;
