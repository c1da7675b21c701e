-- Voice alerts: whom to ring in which order, and what became of it. Each ringing of a phone is a row of the call log.

-- Up Migration

CREATE TABLE voice_alerts (
  alert_id            uuid PRIMARY KEY,
  workflow_id         text NOT NULL,
  requested_by        uuid NOT NULL REFERENCES subjects,
  message_id          uuid,
  kind                text NOT NULL,
  message_class       text NOT NULL CHECK (message_class IN ('ordinary', 'safety')),
  urgency             text NOT NULL CHECK (urgency IN ('emergency', 'normal', 'bulk')),
  template_id         text,
  template_version    int,
  acknowledge         boolean NOT NULL,
  neutral_first       boolean NOT NULL,
  attempts            int NOT NULL CHECK (attempts > 0),
  escalation_delay_ms int NOT NULL CHECK (escalation_delay_ms >= 0),
  sms_when_exhausted  boolean NOT NULL,
  state               text NOT NULL,
  outcome             text,
  end_reason          text,
  live                boolean NOT NULL,
  position            int,
  reached_position    int,
  reached_at          timestamptz,
  request_hash        text NOT NULL,
  requested_at        timestamptz NOT NULL,
  opened_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at            timestamptz,
  CHECK (live = (outcome IS NULL)),
  CHECK (live = (ended_at IS NULL)),
  CHECK ((reached_position IS NULL) = (reached_at IS NULL))
);
-- The newest alerts of one requester, and of all.
CREATE INDEX voice_alerts_of_requester ON voice_alerts (requested_by, opened_at DESC, alert_id DESC);
CREATE INDEX voice_alerts_by_time ON voice_alerts (opened_at DESC, alert_id DESC);
CREATE INDEX voice_alerts_live ON voice_alerts (opened_at) WHERE live;
COMMENT ON COLUMN voice_alerts.alert_id IS 'class: pseudonymous';
COMMENT ON COLUMN voice_alerts.workflow_id IS 'class: pseudonymous';
COMMENT ON COLUMN voice_alerts.requested_by IS 'class: pseudonymous';
COMMENT ON COLUMN voice_alerts.message_id IS 'class: pseudonymous; the message it is the fallback of';
COMMENT ON COLUMN voice_alerts.kind IS 'class: operational';
COMMENT ON COLUMN voice_alerts.message_class IS 'class: operational';
COMMENT ON COLUMN voice_alerts.urgency IS 'class: operational';
COMMENT ON COLUMN voice_alerts.template_id IS 'class: operational';
COMMENT ON COLUMN voice_alerts.template_version IS 'class: operational';
COMMENT ON COLUMN voice_alerts.acknowledge IS 'class: operational';
COMMENT ON COLUMN voice_alerts.neutral_first IS 'class: operational; a key before anything personal';
COMMENT ON COLUMN voice_alerts.attempts IS 'class: operational; at each phone, at most';
COMMENT ON COLUMN voice_alerts.escalation_delay_ms IS 'class: operational';
COMMENT ON COLUMN voice_alerts.sms_when_exhausted IS 'class: operational';
COMMENT ON COLUMN voice_alerts.state IS 'class: operational; when the alert is over, its outcome';
COMMENT ON COLUMN voice_alerts.outcome IS 'class: operational';
COMMENT ON COLUMN voice_alerts.end_reason IS 'class: operational';
COMMENT ON COLUMN voice_alerts.live IS 'class: operational';
COMMENT ON COLUMN voice_alerts.position IS 'class: operational; whose phone is rung, from 1';
COMMENT ON COLUMN voice_alerts.reached_position IS 'class: operational; who acknowledged or heard it';
COMMENT ON COLUMN voice_alerts.reached_at IS 'class: operational';
COMMENT ON COLUMN voice_alerts.request_hash IS 'class: pseudonymous; keyed hash of the request body';
COMMENT ON COLUMN voice_alerts.requested_at IS 'class: operational';
COMMENT ON COLUMN voice_alerts.opened_at IS 'class: operational; by the database clock';
COMMENT ON COLUMN voice_alerts.ended_at IS 'class: operational';

CREATE TABLE voice_alert_recipients (
  alert_id          uuid NOT NULL REFERENCES voice_alerts,
  position          int NOT NULL CHECK (position > 0),
  subject_id        uuid NOT NULL REFERENCES subjects,
  record_id         uuid NOT NULL REFERENCES vault_records,
  owns_record       boolean NOT NULL,
  content_record_id uuid NOT NULL REFERENCES vault_records,
  recipient_token   bytea CHECK (octet_length(recipient_token) = 32),
  country           text NOT NULL,
  language          text NOT NULL,
  last_outcome      text,
  text_message_id   uuid,
  PRIMARY KEY (alert_id, position)
);
CREATE INDEX voice_alert_recipients_of_subject ON voice_alert_recipients (subject_id);
COMMENT ON TABLE voice_alert_recipients IS 'Who is rung for an alert, in order';
COMMENT ON COLUMN voice_alert_recipients.alert_id IS 'class: pseudonymous';
COMMENT ON COLUMN voice_alert_recipients.position IS 'class: operational';
COMMENT ON COLUMN voice_alert_recipients.subject_id IS 'class: pseudonymous';
COMMENT ON COLUMN voice_alert_recipients.record_id IS 'class: pseudonymous; the number';
COMMENT ON COLUMN voice_alert_recipients.owns_record IS 'class: operational; destroyed with the alert when true';
COMMENT ON COLUMN voice_alert_recipients.content_record_id IS 'class: pseudonymous; the words, under the recipient''s own key';
COMMENT ON COLUMN voice_alert_recipients.recipient_token IS 'class: pseudonymous';
COMMENT ON COLUMN voice_alert_recipients.country IS 'class: operational';
COMMENT ON COLUMN voice_alert_recipients.language IS 'class: operational';
COMMENT ON COLUMN voice_alert_recipients.last_outcome IS 'class: operational; of the last call to this phone';
COMMENT ON COLUMN voice_alert_recipients.text_message_id IS 'class: pseudonymous; the text sent when everybody had been tried';

-- A call of an alert has no consent text and no preferences; a mentor call still has all of them.
ALTER TABLE call_logs
  ADD COLUMN kind text NOT NULL DEFAULT 'mentor-call' CHECK (kind IN ('mentor-call', 'alert')),
  ADD COLUMN alert_id uuid REFERENCES voice_alerts,
  ADD COLUMN position int,
  ADD COLUMN attempt int,
  ALTER COLUMN request_hash DROP NOT NULL,
  ALTER COLUMN consent_version DROP NOT NULL,
  ALTER COLUMN consent_language DROP NOT NULL,
  ALTER COLUMN may_call_back DROP NOT NULL,
  ALTER COLUMN preferences DROP NOT NULL,
  ADD CONSTRAINT call_logs_of_a_mentor_call CHECK (kind <> 'mentor-call' OR
    (request_hash IS NOT NULL AND consent_version IS NOT NULL AND consent_language IS NOT NULL
     AND may_call_back IS NOT NULL AND preferences IS NOT NULL)),
  ADD CONSTRAINT call_logs_of_an_alert CHECK ((kind = 'alert') =
    (alert_id IS NOT NULL AND position IS NOT NULL AND attempt IS NOT NULL));
COMMENT ON COLUMN call_logs.kind IS 'class: operational';
COMMENT ON COLUMN call_logs.alert_id IS 'class: pseudonymous';
COMMENT ON COLUMN call_logs.position IS 'class: operational; which recipient of the alert, from 1';
COMMENT ON COLUMN call_logs.attempt IS 'class: operational; which try at that phone, from 1';
COMMENT ON COLUMN call_logs.user_id IS 'class: pseudonymous; who is rung';
DROP INDEX call_logs_one_live_per_user;
CREATE UNIQUE INDEX call_logs_one_live_per_user ON call_logs (user_id) WHERE live AND kind = 'mentor-call';
CREATE INDEX call_logs_of_alert ON call_logs (alert_id, position, attempt) WHERE alert_id IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON voice_alerts, voice_alert_recipients TO kindline_application;

-- Down Migration

DELETE FROM call_logs WHERE kind = 'alert';
DROP INDEX call_logs_of_alert, call_logs_one_live_per_user;
CREATE UNIQUE INDEX call_logs_one_live_per_user ON call_logs (user_id) WHERE live;
ALTER TABLE call_logs
  DROP CONSTRAINT call_logs_of_an_alert,
  DROP CONSTRAINT call_logs_of_a_mentor_call,
  ALTER COLUMN preferences SET NOT NULL,
  ALTER COLUMN may_call_back SET NOT NULL,
  ALTER COLUMN consent_language SET NOT NULL,
  ALTER COLUMN consent_version SET NOT NULL,
  ALTER COLUMN request_hash SET NOT NULL,
  DROP COLUMN attempt, DROP COLUMN position, DROP COLUMN alert_id, DROP COLUMN kind;
COMMENT ON COLUMN call_logs.user_id IS 'class: pseudonymous';
DROP TABLE voice_alert_recipients, voice_alerts;
