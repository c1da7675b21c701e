-- Messages to many: what was asked for, and every recipient of it with what is wrong with them.

-- Up Migration

CREATE TABLE message_batches (
  batch_id          uuid PRIMARY KEY,
  requested_by      uuid NOT NULL REFERENCES subjects,
  state             text NOT NULL
    CHECK (state IN ('receiving', 'checked', 'sending', 'paused', 'completed', 'cancelled', 'discarded')),
  kind              text NOT NULL,
  message_class     text NOT NULL CHECK (message_class IN ('ordinary', 'safety')),
  channel           text NOT NULL CHECK (channel IN ('sms', 'email')),
  language          text NOT NULL,
  template_id       uuid,
  template_version  int,
  content_record_id uuid REFERENCES vault_records,
  request_hash      text NOT NULL,
  fallback          text CHECK (fallback IN ('voice')),
  not_before        timestamptz,
  not_after         timestamptz,
  row_count         int NOT NULL DEFAULT 0,
  ready_count       int NOT NULL DEFAULT 0,
  duplicate_count   int NOT NULL DEFAULT 0,
  invalid_count     int NOT NULL DEFAULT 0,
  received_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  checked_at        timestamptz,
  started_at        timestamptz,
  ended_at          timestamptz
);
CREATE INDEX message_batches_of_requester ON message_batches (requested_by, received_at DESC, batch_id DESC);
CREATE INDEX message_batches_listed ON message_batches (received_at DESC, batch_id DESC);
-- Batches whose workflow may be gone.
CREATE INDEX message_batches_live ON message_batches (received_at) WHERE state IN ('sending', 'paused');
COMMENT ON COLUMN message_batches.batch_id IS 'class: pseudonymous';
COMMENT ON COLUMN message_batches.requested_by IS 'class: pseudonymous';
COMMENT ON COLUMN message_batches.state IS 'class: operational';
COMMENT ON COLUMN message_batches.kind IS 'class: operational';
COMMENT ON COLUMN message_batches.message_class IS 'class: operational';
COMMENT ON COLUMN message_batches.channel IS 'class: operational';
COMMENT ON COLUMN message_batches.language IS 'class: operational; of rows that name none';
COMMENT ON COLUMN message_batches.template_id IS 'class: operational';
COMMENT ON COLUMN message_batches.template_version IS 'class: operational; pinned when it was asked for';
COMMENT ON COLUMN message_batches.content_record_id IS 'class: pseudonymous; the words, for rows without their own variables';
COMMENT ON COLUMN message_batches.request_hash IS 'class: pseudonymous; keyed hash of the request without its rows';
COMMENT ON COLUMN message_batches.fallback IS 'class: operational';
COMMENT ON COLUMN message_batches.not_before IS 'class: operational';
COMMENT ON COLUMN message_batches.not_after IS 'class: operational';
COMMENT ON COLUMN message_batches.row_count IS 'class: operational';
COMMENT ON COLUMN message_batches.ready_count IS 'class: operational; rows that can be sent';
COMMENT ON COLUMN message_batches.duplicate_count IS 'class: operational';
COMMENT ON COLUMN message_batches.invalid_count IS 'class: operational';
COMMENT ON COLUMN message_batches.received_at IS 'class: operational; when the first byte was read';
COMMENT ON COLUMN message_batches.checked_at IS 'class: operational; when the last row was';
COMMENT ON COLUMN message_batches.started_at IS 'class: operational';
COMMENT ON COLUMN message_batches.ended_at IS 'class: operational';

CREATE TABLE message_batch_rows (
  batch_id          uuid NOT NULL REFERENCES message_batches,
  row               int NOT NULL CHECK (row > 0),
  -- Stored with the row, so that a page that is started twice starts the same messages.
  message_id        uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  problem           text,
  duplicate_of      int,
  given_record_id   uuid REFERENCES vault_records,
  subject_id        uuid REFERENCES subjects,
  record_id         uuid REFERENCES vault_records,
  owns_record       boolean NOT NULL DEFAULT false,
  recipient_token   bytea CHECK (octet_length(recipient_token) = 32),
  token_version     int,
  country           text,
  language          text,
  content_record_id uuid REFERENCES vault_records,
  started_at        timestamptz,
  PRIMARY KEY (batch_id, row),
  CHECK (problem IS NOT NULL OR given_record_id IS NOT NULL OR subject_id IS NOT NULL),
  CHECK ((problem = 'duplicate') IS NOT TRUE OR duplicate_of IS NOT NULL)
);
CREATE INDEX message_batch_rows_not_started ON message_batch_rows (batch_id, row)
  WHERE problem IS NULL AND started_at IS NULL;
CREATE INDEX message_batch_rows_problems ON message_batch_rows (batch_id, row) WHERE problem IS NOT NULL;
CREATE INDEX message_batch_rows_by_given ON message_batch_rows (given_record_id) WHERE given_record_id IS NOT NULL;
CREATE INDEX message_batch_rows_by_record ON message_batch_rows (record_id) WHERE record_id IS NOT NULL;
CREATE INDEX message_batch_rows_by_content ON message_batch_rows (content_record_id) WHERE content_record_id IS NOT NULL;
COMMENT ON COLUMN message_batch_rows.batch_id IS 'class: pseudonymous';
COMMENT ON COLUMN message_batch_rows.row IS 'class: operational; the first recipient is row 1';
COMMENT ON COLUMN message_batch_rows.message_id IS 'class: pseudonymous';
COMMENT ON COLUMN message_batch_rows.problem IS 'class: operational; a code; null: it can be sent';
COMMENT ON COLUMN message_batch_rows.duplicate_of IS 'class: operational; the earlier row with the same recipient';
COMMENT ON COLUMN message_batch_rows.given_record_id IS 'class: pseudonymous; the row as it was given, under the key of who gave it; destroyed when it is started';
COMMENT ON COLUMN message_batch_rows.subject_id IS 'class: pseudonymous; who is to get it';
COMMENT ON COLUMN message_batch_rows.record_id IS 'class: pseudonymous; the number or address';
COMMENT ON COLUMN message_batch_rows.owns_record IS 'class: operational; the number was given with the row, and is destroyed with its message';
COMMENT ON COLUMN message_batch_rows.recipient_token IS 'class: pseudonymous';
COMMENT ON COLUMN message_batch_rows.token_version IS 'class: operational';
COMMENT ON COLUMN message_batch_rows.country IS 'class: operational';
COMMENT ON COLUMN message_batch_rows.language IS 'class: operational';
COMMENT ON COLUMN message_batch_rows.content_record_id IS 'class: pseudonymous; its own variables, under the key of who gets them';
COMMENT ON COLUMN message_batch_rows.started_at IS 'class: operational; when its message was handed to Temporal';

GRANT SELECT, INSERT, UPDATE ON message_batches, message_batch_rows TO kindline_application;

-- Down Migration

DROP TABLE message_batch_rows, message_batches;
