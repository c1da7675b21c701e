-- How each mentor call went, as far as can be known: made from what is stored anyway, once a call is over.

-- Up Migration

CREATE TABLE call_quality (
  call_id         uuid PRIMARY KEY REFERENCES call_logs ON DELETE CASCADE,
  ended_at        timestamptz NOT NULL,
  ms_to_answer    int CHECK (ms_to_answer >= 0),
  ms_to_mentor    int CHECK (ms_to_mentor >= 0),
  mentors_rung    int NOT NULL,
  bridge_seconds  int NOT NULL,
  reconnections   int NOT NULL,
  ring_backs      int NOT NULL,
  ended_first     text CHECK (ended_first IN ('user', 'mentor', 'time-limit')),
  user_pdd_ms     int CHECK (user_pdd_ms >= 0),
  mentor_pdd_ms   int CHECK (mentor_pdd_ms >= 0),
  user_sip_code   int,
  mentor_sip_code int,
  user_sid        text,
  mentor_sid      text,
  insights        jsonb NOT NULL DEFAULT '{}',
  insights_due_at timestamptz,
  insights_looks  int NOT NULL DEFAULT 0
);
CREATE INDEX call_quality_ended ON call_quality (ended_at);
CREATE INDEX call_quality_insights_due ON call_quality (insights_due_at) WHERE insights_due_at IS NOT NULL;
-- Calls that are over and whose quality is not noted yet are looked for among the latest ones.
CREATE INDEX call_logs_ended ON call_logs (ended_at) WHERE NOT live;
COMMENT ON TABLE call_quality IS 'One row per mentor call that is over; goes with the call''s row';
COMMENT ON COLUMN call_quality.call_id IS 'class: pseudonymous';
COMMENT ON COLUMN call_quality.ended_at IS 'class: operational';
COMMENT ON COLUMN call_quality.ms_to_answer IS 'class: operational; from the request until the user picked up';
COMMENT ON COLUMN call_quality.ms_to_mentor IS 'class: operational; from the user''s key 1 to the mentor''s';
COMMENT ON COLUMN call_quality.mentors_rung IS 'class: operational';
COMMENT ON COLUMN call_quality.bridge_seconds IS 'class: operational; all conversations of the call together';
COMMENT ON COLUMN call_quality.reconnections IS 'class: operational; how often a mentor was rung after a conversation of the same call';
COMMENT ON COLUMN call_quality.ring_backs IS 'class: operational; how often the user was rung again';
COMMENT ON COLUMN call_quality.ended_first IS 'class: operational; whose line ended first: a goodbye cannot be told from a lost line';
COMMENT ON COLUMN call_quality.user_pdd_ms IS 'class: operational; post-dial delay: from dialling to ringing';
COMMENT ON COLUMN call_quality.mentor_pdd_ms IS 'class: operational; of the mentor they talked with, or who was rung last';
COMMENT ON COLUMN call_quality.user_sip_code IS 'class: operational; SIP response at the end of the leg';
COMMENT ON COLUMN call_quality.mentor_sip_code IS 'class: operational';
COMMENT ON COLUMN call_quality.user_sid IS 'class: pseudonymous';
COMMENT ON COLUMN call_quality.mentor_sid IS 'class: pseudonymous';
COMMENT ON COLUMN call_quality.insights IS 'class: operational; by leg, what Twilio''s Voice Insights measured: jitter, loss, who disconnected';
COMMENT ON COLUMN call_quality.insights_due_at IS 'class: operational; null: read, given up, or not wanted';
COMMENT ON COLUMN call_quality.insights_looks IS 'class: operational';

GRANT SELECT, INSERT, UPDATE, DELETE ON call_quality TO kindline_application;

-- Down Migration

DROP INDEX call_logs_ended;
DROP TABLE call_quality;
