-- Messages, and the people they are for who have no account with us.

-- Up Migration

CREATE TABLE recipients (
  recipient_token bytea PRIMARY KEY CHECK (octet_length(recipient_token) = 32),
  token_version   int NOT NULL,
  subject_id      uuid NOT NULL REFERENCES subjects,
  created_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX recipients_of_subject ON recipients (subject_id);
COMMENT ON TABLE recipients IS 'Whom a number or address stands for that nobody has saved: their rights hang on the subject';
COMMENT ON COLUMN recipients.recipient_token IS 'class: pseudonymous; the row is gone after erasure';
COMMENT ON COLUMN recipients.token_version IS 'class: operational';
COMMENT ON COLUMN recipients.subject_id IS 'class: pseudonymous';
COMMENT ON COLUMN recipients.created_at IS 'class: operational';

CREATE TABLE messages (
  message_id        uuid PRIMARY KEY,
  batch_id          uuid,
  batch_row         int,
  requested_by      uuid NOT NULL REFERENCES subjects,
  subject_id        uuid NOT NULL REFERENCES subjects,
  record_id         uuid NOT NULL REFERENCES vault_records,
  owns_record       boolean NOT NULL,
  content_record_id uuid NOT NULL REFERENCES vault_records,
  template_id       text,
  template_version  int,
  language          text NOT NULL,
  channel           text NOT NULL CHECK (channel IN ('sms', 'email')),
  kind              text NOT NULL,
  message_class     text NOT NULL CHECK (message_class IN ('ordinary', 'safety')),
  urgency           text NOT NULL CHECK (urgency IN ('emergency', 'normal', 'bulk')),
  recipient_token   bytea CHECK (octet_length(recipient_token) = 32),
  country           text NOT NULL,
  state             text NOT NULL,
  reason            text,
  error_code        text,
  error_class       text,
  sid               text,
  sender            text,
  segments          int,
  attempts          int NOT NULL DEFAULT 0,
  next_attempt_at   timestamptz,
  fallback          text CHECK (fallback = 'voice'),
  fallback_alert_id uuid,
  request_hash      text NOT NULL,
  not_before        timestamptz,
  not_after         timestamptz,
  requested_at      timestamptz NOT NULL,
  opened_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  sent_at           timestamptz,
  ended_at          timestamptz,
  live              boolean NOT NULL,
  CHECK (live = (ended_at IS NULL)),
  CHECK ((batch_id IS NULL) = (batch_row IS NULL)),
  CHECK ((template_id IS NULL) = (template_version IS NULL))
);
-- A batch: how many are in which state, and which rows.
CREATE UNIQUE INDEX messages_of_batch ON messages (batch_id, batch_row) WHERE batch_id IS NOT NULL;
CREATE INDEX messages_of_batch_by_state ON messages (batch_id, state) WHERE batch_id IS NOT NULL;
-- GET /messages of somebody: what they got, and what they asked for.
CREATE INDEX messages_of_subject ON messages (subject_id, opened_at DESC, message_id DESC);
CREATE INDEX messages_requested ON messages (requested_by, opened_at DESC, message_id DESC);
-- GET /messages of staff: everything, and what did not arrive.
CREATE INDEX messages_by_time ON messages (opened_at DESC, message_id DESC);
CREATE INDEX messages_failed ON messages (opened_at DESC, message_id DESC)
  WHERE state IN ('undelivered', 'failed', 'lost');
-- What is still to be done, and what waits for its next try.
CREATE INDEX messages_live ON messages (opened_at) WHERE live;
CREATE INDEX messages_pending ON messages (next_attempt_at) WHERE live AND next_attempt_at IS NOT NULL;
-- A receipt whose URL named no message.
CREATE INDEX messages_by_sid ON messages (sid) WHERE sid IS NOT NULL;
-- Retention: what has been over for long.
CREATE INDEX messages_over ON messages (ended_at) WHERE NOT live;
-- Before a record is destroyed as unreferenced it is asked whether a message names it.
CREATE INDEX messages_by_record ON messages (record_id);
CREATE INDEX messages_by_content ON messages (content_record_id);
COMMENT ON COLUMN messages.message_id IS 'class: pseudonymous';
COMMENT ON COLUMN messages.batch_id IS 'class: pseudonymous; null unless it is a row of a batch';
COMMENT ON COLUMN messages.batch_row IS 'class: operational';
COMMENT ON COLUMN messages.requested_by IS 'class: pseudonymous; who asked for it';
COMMENT ON COLUMN messages.subject_id IS 'class: pseudonymous; who is to get it';
COMMENT ON COLUMN messages.record_id IS 'class: pseudonymous; the number or address';
COMMENT ON COLUMN messages.owns_record IS 'class: operational; whether the number was given for this message only, and is destroyed with it';
COMMENT ON COLUMN messages.content_record_id IS 'class: pseudonymous; the text, or the variables of the template';
COMMENT ON COLUMN messages.template_id IS 'class: operational; null when the text was given as it is';
COMMENT ON COLUMN messages.template_version IS 'class: operational';
COMMENT ON COLUMN messages.language IS 'class: operational';
COMMENT ON COLUMN messages.channel IS 'class: operational';
COMMENT ON COLUMN messages.kind IS 'class: operational';
COMMENT ON COLUMN messages.message_class IS 'class: operational';
COMMENT ON COLUMN messages.urgency IS 'class: operational';
COMMENT ON COLUMN messages.recipient_token IS 'class: pseudonymous; gone after erasure';
COMMENT ON COLUMN messages.country IS 'class: operational';
COMMENT ON COLUMN messages.state IS 'class: operational; when it is over, how it ended';
COMMENT ON COLUMN messages.reason IS 'class: operational; why it waits, or ended so';
COMMENT ON COLUMN messages.error_code IS 'class: operational; the first one Twilio gave for the last try';
COMMENT ON COLUMN messages.error_class IS 'class: operational';
COMMENT ON COLUMN messages.sid IS 'class: pseudonymous; of the last try';
COMMENT ON COLUMN messages.sender IS 'class: operational; a number or service of ours that must be used';
COMMENT ON COLUMN messages.segments IS 'class: operational';
COMMENT ON COLUMN messages.attempts IS 'class: operational';
COMMENT ON COLUMN messages.next_attempt_at IS 'class: operational';
COMMENT ON COLUMN messages.fallback IS 'class: operational';
COMMENT ON COLUMN messages.fallback_alert_id IS 'class: pseudonymous; the call that says it instead';
COMMENT ON COLUMN messages.request_hash IS 'class: pseudonymous; keyed hash of the request';
COMMENT ON COLUMN messages.not_before IS 'class: operational';
COMMENT ON COLUMN messages.not_after IS 'class: operational';
COMMENT ON COLUMN messages.requested_at IS 'class: operational';
COMMENT ON COLUMN messages.opened_at IS 'class: operational; by the database clock';
COMMENT ON COLUMN messages.sent_at IS 'class: operational; since when the provider has it';
COMMENT ON COLUMN messages.ended_at IS 'class: operational';
COMMENT ON COLUMN messages.live IS 'class: operational';

-- Twilio keeps its record of a message as it keeps that of a call.
ALTER TABLE deletions_at_twilio RENAME COLUMN call_sid TO sid;

GRANT SELECT, INSERT, DELETE ON recipients TO kindline_application;
GRANT SELECT, INSERT, UPDATE, DELETE ON messages TO kindline_application;

-- Down Migration

ALTER TABLE deletions_at_twilio RENAME COLUMN sid TO call_sid;
DROP TABLE messages, recipients;
