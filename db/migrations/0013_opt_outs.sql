-- Who does not want what, what Twilio blocks besides, and what people text to us.

-- Up Migration

CREATE TABLE opt_outs (
  opt_out_id      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  recipient_token bytea NOT NULL CHECK (octet_length(recipient_token) = 32),
  token_version   int NOT NULL,
  scope           text NOT NULL,
  since           timestamptz NOT NULL DEFAULT clock_timestamp(),
  lifted_at       timestamptz
);
CREATE UNIQUE INDEX opt_outs_once ON opt_outs (recipient_token, scope) WHERE lifted_at IS NULL;
CREATE INDEX opt_outs_lifted ON opt_outs (lifted_at) WHERE lifted_at IS NOT NULL;
COMMENT ON TABLE opt_outs IS 'Outlives the person''s other rows: forgetting it would text them again';
COMMENT ON COLUMN opt_outs.opt_out_id IS 'class: pseudonymous';
COMMENT ON COLUMN opt_outs.recipient_token IS 'class: pseudonymous; of the number that sent it';
COMMENT ON COLUMN opt_outs.token_version IS 'class: operational';
COMMENT ON COLUMN opt_outs.scope IS 'class: pseudonymous; organisation, or the relation of a masked number';
COMMENT ON COLUMN opt_outs.since IS 'class: operational';
COMMENT ON COLUMN opt_outs.lifted_at IS 'class: operational';

CREATE TABLE provider_blocks (
  block_id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  recipient_token bytea NOT NULL CHECK (octet_length(recipient_token) = 32),
  sender          text NOT NULL,
  error_code      text,
  since           timestamptz NOT NULL DEFAULT clock_timestamp(),
  others_allowed_at timestamptz,
  lifted_at       timestamptz
);
CREATE UNIQUE INDEX provider_blocks_once ON provider_blocks (recipient_token, sender) WHERE lifted_at IS NULL;
CREATE INDEX provider_blocks_lifted ON provider_blocks (lifted_at) WHERE lifted_at IS NOT NULL;
COMMENT ON TABLE provider_blocks IS 'Pairs that Twilio blocks; kept beside the opt-outs, because START to one number does not unblock another';
COMMENT ON COLUMN provider_blocks.block_id IS 'class: pseudonymous';
COMMENT ON COLUMN provider_blocks.recipient_token IS 'class: pseudonymous';
COMMENT ON COLUMN provider_blocks.sender IS 'class: operational; a number or service of ours';
COMMENT ON COLUMN provider_blocks.error_code IS 'class: operational; 21610, or null when the person said so first';
COMMENT ON COLUMN provider_blocks.since IS 'class: operational';
COMMENT ON COLUMN provider_blocks.others_allowed_at IS 'class: operational; the person has asked for texts at another number of ours since';
COMMENT ON COLUMN provider_blocks.lifted_at IS 'class: operational';

CREATE TABLE preferences (
  subject_id uuid NOT NULL REFERENCES subjects,
  channel    text NOT NULL CHECK (channel IN ('sms', 'email', 'voice')),
  kind       text NOT NULL,
  allowed    boolean NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (subject_id, channel, kind)
);
COMMENT ON TABLE preferences IS 'What a person has chosen; what is not here is allowed';
COMMENT ON COLUMN preferences.subject_id IS 'class: pseudonymous';
COMMENT ON COLUMN preferences.channel IS 'class: operational';
COMMENT ON COLUMN preferences.kind IS 'class: operational';
COMMENT ON COLUMN preferences.allowed IS 'class: operational';
COMMENT ON COLUMN preferences.changed_at IS 'class: operational';

CREATE TABLE preference_versions (
  subject_id uuid PRIMARY KEY REFERENCES subjects,
  version    int NOT NULL
);
COMMENT ON COLUMN preference_versions.subject_id IS 'class: pseudonymous';
COMMENT ON COLUMN preference_versions.version IS 'class: operational; counts changes, shown as ETag';

CREATE TABLE policies (
  name       text PRIMARY KEY,
  is_on      boolean NOT NULL DEFAULT false,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE policies IS 'Decisions of the organisation that change what people are protected from; each change is audited';
COMMENT ON COLUMN policies.name IS 'class: operational';
COMMENT ON COLUMN policies.is_on IS 'class: operational';
COMMENT ON COLUMN policies.changed_at IS 'class: operational';
INSERT INTO policies (name) VALUES ('emergency-ignores-opt-out');

CREATE TABLE open_questions (
  question_id     uuid PRIMARY KEY,
  kind            text NOT NULL CHECK (kind IN ('survey', 'check-in')),
  object_id       uuid NOT NULL,
  subject_id      uuid NOT NULL REFERENCES subjects,
  recipient_token bytea CHECK (octet_length(recipient_token) = 32),
  sender          text NOT NULL,
  answers         text[],
  asked_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  closed_at       timestamptz
);
CREATE INDEX open_questions_of_recipient ON open_questions (recipient_token, sender, asked_at DESC) WHERE closed_at IS NULL;
CREATE INDEX open_questions_old ON open_questions (asked_at);
COMMENT ON TABLE open_questions IS 'What somebody was asked by text and may answer by text';
COMMENT ON COLUMN open_questions.question_id IS 'class: pseudonymous';
COMMENT ON COLUMN open_questions.kind IS 'class: operational';
COMMENT ON COLUMN open_questions.object_id IS 'class: pseudonymous; the call, check-in or survey it belongs to';
COMMENT ON COLUMN open_questions.subject_id IS 'class: pseudonymous; who was asked';
COMMENT ON COLUMN open_questions.recipient_token IS 'class: pseudonymous; gone after erasure';
COMMENT ON COLUMN open_questions.sender IS 'class: operational; the number or service of ours that asked';
COMMENT ON COLUMN open_questions.answers IS 'class: operational; which answers fit, in capitals; null: any';
COMMENT ON COLUMN open_questions.asked_at IS 'class: operational';
COMMENT ON COLUMN open_questions.closed_at IS 'class: operational';

CREATE TABLE inbound_texts (
  inbound_id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  seen_key          text NOT NULL UNIQUE,
  message_sid       text NOT NULL,
  subject_id        uuid REFERENCES subjects,
  sender_token      bytea CHECK (octet_length(sender_token) = 32),
  token_version     int,
  sender_record_id  uuid REFERENCES vault_records,
  body_record_id    uuid REFERENCES vault_records,
  country           text,
  our_number        text NOT NULL,
  service_sid       text,
  opt_out_type      text,
  received_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  routed_at         timestamptz,
  routed_as         text,
  question_id       uuid REFERENCES open_questions,
  other_question_id uuid REFERENCES open_questions,
  answer            text,
  answer_message_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  answered_at       timestamptz
);
CREATE INDEX inbound_texts_of_sender ON inbound_texts (sender_token, received_at DESC);
CREATE INDEX inbound_texts_answered ON inbound_texts (sender_token, answered_at) WHERE answered_at IS NOT NULL;
CREATE INDEX inbound_texts_old ON inbound_texts (received_at);
CREATE INDEX inbound_texts_of_question ON inbound_texts (question_id) WHERE question_id IS NOT NULL;
CREATE INDEX inbound_texts_of_other_question ON inbound_texts (other_question_id) WHERE other_question_id IS NOT NULL;
COMMENT ON TABLE inbound_texts IS 'Texts to our numbers; who wrote what is in the vault until it is swept';
COMMENT ON COLUMN inbound_texts.inbound_id IS 'class: pseudonymous';
COMMENT ON COLUMN inbound_texts.seen_key IS 'class: pseudonymous; the webhook event';
COMMENT ON COLUMN inbound_texts.message_sid IS 'class: pseudonymous';
COMMENT ON COLUMN inbound_texts.subject_id IS 'class: pseudonymous; the person who has that number';
COMMENT ON COLUMN inbound_texts.sender_token IS 'class: pseudonymous; null for a sender that is no phone number, and after erasure';
COMMENT ON COLUMN inbound_texts.token_version IS 'class: operational';
COMMENT ON COLUMN inbound_texts.sender_record_id IS 'class: pseudonymous; their number';
COMMENT ON COLUMN inbound_texts.body_record_id IS 'class: pseudonymous; what they wrote';
COMMENT ON COLUMN inbound_texts.country IS 'class: operational';
COMMENT ON COLUMN inbound_texts.our_number IS 'class: operational; the number of ours they wrote to';
COMMENT ON COLUMN inbound_texts.service_sid IS 'class: operational; the Messaging Service that number is in';
COMMENT ON COLUMN inbound_texts.opt_out_type IS 'class: operational; what Twilio took it for';
COMMENT ON COLUMN inbound_texts.received_at IS 'class: operational';
COMMENT ON COLUMN inbound_texts.routed_at IS 'class: operational';
COMMENT ON COLUMN inbound_texts.routed_as IS 'class: operational';
COMMENT ON COLUMN inbound_texts.question_id IS 'class: pseudonymous; the question it answers, or may answer';
COMMENT ON COLUMN inbound_texts.other_question_id IS 'class: pseudonymous; the other one it may answer; null when it is settled';
COMMENT ON COLUMN inbound_texts.answer IS 'class: operational; template of the automatic answer';
COMMENT ON COLUMN inbound_texts.answer_message_id IS 'class: pseudonymous; the message that answers it, if one does';
COMMENT ON COLUMN inbound_texts.answered_at IS 'class: operational; the place in the interval was taken';

GRANT SELECT, INSERT, UPDATE, DELETE ON opt_outs, provider_blocks, open_questions, inbound_texts TO kindline_application;
GRANT SELECT, INSERT, UPDATE ON preferences, preference_versions TO kindline_application;
GRANT SELECT, UPDATE ON policies TO kindline_application;

-- Down Migration

DROP TABLE inbound_texts, open_questions, policies, preference_versions, preferences, provider_blocks, opt_outs;
