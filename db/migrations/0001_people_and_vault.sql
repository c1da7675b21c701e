-- People, their keys and their sealed records. Every column says its data class; a test fails on one that does not.

-- Up Migration

-- The migration runner's own table, made by it just before this file runs.
COMMENT ON COLUMN schema_migrations.id IS 'class: operational; order of execution';
COMMENT ON COLUMN schema_migrations.name IS 'class: operational; file of the migration';
COMMENT ON COLUMN schema_migrations.run_on IS 'class: operational';

CREATE TABLE subjects (
  subject_id    uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_token bytea UNIQUE CHECK (octet_length(account_token) = 32),
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  erased_at     timestamptz
);
COMMENT ON TABLE subjects IS 'A person whose data we hold';
COMMENT ON COLUMN subjects.subject_id IS 'class: pseudonymous';
COMMENT ON COLUMN subjects.account_token IS 'class: pseudonymous; keyed hash of the issuer''s subject; gone after erasure';
COMMENT ON COLUMN subjects.created_at IS 'class: operational';
COMMENT ON COLUMN subjects.erased_at IS 'class: operational';

CREATE TABLE subject_keys (
  subject_id   uuid NOT NULL REFERENCES subjects,
  version      int NOT NULL CHECK (version > 0),
  ring         text NOT NULL CHECK (ring IN ('local', 'kms')),
  root_key_id  text NOT NULL,
  wrapped      bytea,
  state        text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'destroyed')),
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  destroyed_at timestamptz,
  PRIMARY KEY (subject_id, version),
  -- The state is not a flag beside the key: a destroyed key has no bytes left to be used by mistake.
  CHECK ((state = 'active') = (wrapped IS NOT NULL)),
  CHECK ((state = 'destroyed') = (destroyed_at IS NOT NULL))
);
COMMENT ON TABLE subject_keys IS 'The key of a person, wrapped by the key ring; destroying it erases the person';
COMMENT ON COLUMN subject_keys.subject_id IS 'class: pseudonymous';
COMMENT ON COLUMN subject_keys.version IS 'class: operational';
COMMENT ON COLUMN subject_keys.ring IS 'class: operational';
COMMENT ON COLUMN subject_keys.root_key_id IS 'class: operational';
COMMENT ON COLUMN subject_keys.wrapped IS 'class: secret; wrapped, opens only with the root key';
COMMENT ON COLUMN subject_keys.state IS 'class: operational';
COMMENT ON COLUMN subject_keys.created_at IS 'class: operational';
COMMENT ON COLUMN subject_keys.destroyed_at IS 'class: operational';

CREATE TABLE service_keys (
  purpose     text NOT NULL CHECK (purpose IN ('payload-codec', 'token', 'link', 'audit-chain')),
  version     int NOT NULL CHECK (version > 0),
  ring        text NOT NULL CHECK (ring IN ('local', 'kms')),
  root_key_id text NOT NULL,
  wrapped     bytea NOT NULL,
  state       text NOT NULL CHECK (state IN ('current', 'previous', 'retired')),
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (purpose, version)
);
CREATE UNIQUE INDEX service_keys_one_current ON service_keys (purpose) WHERE state = 'current';
COMMENT ON TABLE service_keys IS 'Keys of the organisation that belong to no person, wrapped by the key ring';
COMMENT ON COLUMN service_keys.purpose IS 'class: operational';
COMMENT ON COLUMN service_keys.version IS 'class: operational';
COMMENT ON COLUMN service_keys.ring IS 'class: operational';
COMMENT ON COLUMN service_keys.root_key_id IS 'class: operational';
COMMENT ON COLUMN service_keys.wrapped IS 'class: secret; wrapped, opens only with the root key';
COMMENT ON COLUMN service_keys.state IS 'class: operational; live versions are current and previous';
COMMENT ON COLUMN service_keys.created_at IS 'class: operational';

CREATE TABLE vault_records (
  record_id        uuid PRIMARY KEY,
  subject_id       uuid NOT NULL REFERENCES subjects,
  kind             text NOT NULL,
  format           int NOT NULL,
  key_version      int NOT NULL,
  wrapped_data_key bytea,
  ciphertext       bytea,
  commitment       bytea,
  created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at       timestamptz,
  destroyed_at     timestamptz,
  -- What is left of a destroyed record is the fact that there was one.
  CHECK ((destroyed_at IS NULL) = (ciphertext IS NOT NULL)),
  CHECK ((destroyed_at IS NULL) = (wrapped_data_key IS NOT NULL)),
  CHECK ((destroyed_at IS NULL) = (commitment IS NOT NULL))
);
CREATE INDEX vault_records_of_subject ON vault_records (subject_id) WHERE destroyed_at IS NULL;
CREATE INDEX vault_records_expiring ON vault_records (expires_at) WHERE destroyed_at IS NULL AND expires_at IS NOT NULL;
COMMENT ON TABLE vault_records IS 'One sealed piece of personal data each: the only place where sealed data may be';
COMMENT ON COLUMN vault_records.record_id IS 'class: pseudonymous';
COMMENT ON COLUMN vault_records.subject_id IS 'class: pseudonymous';
COMMENT ON COLUMN vault_records.kind IS 'class: operational';
COMMENT ON COLUMN vault_records.format IS 'class: operational';
COMMENT ON COLUMN vault_records.key_version IS 'class: operational';
COMMENT ON COLUMN vault_records.wrapped_data_key IS 'class: secret; wrapped, opens only with the subject key';
COMMENT ON COLUMN vault_records.ciphertext IS 'class: sealed';
COMMENT ON COLUMN vault_records.commitment IS 'class: operational; of the data key, says nothing about the plaintext';
COMMENT ON COLUMN vault_records.created_at IS 'class: operational';
COMMENT ON COLUMN vault_records.expires_at IS 'class: operational; a number given for one call lives 24 hours at most';
COMMENT ON COLUMN vault_records.destroyed_at IS 'class: operational';

CREATE TABLE contact_points (
  contact_point_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  subject_id       uuid NOT NULL REFERENCES subjects,
  record_id        uuid NOT NULL UNIQUE REFERENCES vault_records,
  kind             text NOT NULL CHECK (kind IN ('phone', 'email')),
  token            bytea CHECK (octet_length(token) = 32),
  token_version    int NOT NULL,
  country          text,
  created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  deleted_at       timestamptz,
  CHECK ((deleted_at IS NULL) = (token IS NOT NULL))
);
CREATE UNIQUE INDEX contact_points_once ON contact_points (subject_id, kind, token) WHERE deleted_at IS NULL;
CREATE INDEX contact_points_by_token ON contact_points (token) WHERE deleted_at IS NULL;
COMMENT ON TABLE contact_points IS 'A number or address that a person saved; the value is in the vault';
COMMENT ON COLUMN contact_points.contact_point_id IS 'class: pseudonymous';
COMMENT ON COLUMN contact_points.subject_id IS 'class: pseudonymous';
COMMENT ON COLUMN contact_points.record_id IS 'class: pseudonymous';
COMMENT ON COLUMN contact_points.kind IS 'class: operational';
COMMENT ON COLUMN contact_points.token IS 'class: pseudonymous; gone when the contact point is';
COMMENT ON COLUMN contact_points.token_version IS 'class: operational';
COMMENT ON COLUMN contact_points.country IS 'class: operational';
COMMENT ON COLUMN contact_points.created_at IS 'class: operational';
COMMENT ON COLUMN contact_points.deleted_at IS 'class: operational';

GRANT SELECT, INSERT, UPDATE ON subjects, subject_keys, service_keys, vault_records, contact_points TO kindline_application;

-- Down Migration

DROP TABLE contact_points, vault_records, service_keys, subject_keys, subjects;
