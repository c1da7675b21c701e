-- Mentors and when they can be rung. Name and number are in the vault.

-- Up Migration

CREATE TABLE mentors (
  mentor_id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  subject_id           uuid NOT NULL REFERENCES subjects,
  name_record_id       uuid NOT NULL REFERENCES vault_records,
  phone_record_id      uuid NOT NULL REFERENCES vault_records,
  phone_token          bytea CHECK (octet_length(phone_token) = 32),
  country              text NOT NULL,
  specialties          text[] NOT NULL DEFAULT '{}',
  languages            text[] NOT NULL DEFAULT '{}',
  zone                 text NOT NULL,
  available            boolean NOT NULL DEFAULT true,
  max_concurrent_calls int NOT NULL DEFAULT 1 CHECK (max_concurrent_calls BETWEEN 1 AND 20),
  last_called_at       timestamptz,
  created_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  deleted_at           timestamptz
);
CREATE INDEX mentors_in_order ON mentors (created_at, mentor_id) WHERE deleted_at IS NULL;
CREATE INDEX mentors_by_token ON mentors (phone_token) WHERE deleted_at IS NULL;
COMMENT ON COLUMN mentors.mentor_id IS 'class: pseudonymous';
COMMENT ON COLUMN mentors.subject_id IS 'class: pseudonymous';
COMMENT ON COLUMN mentors.name_record_id IS 'class: pseudonymous';
COMMENT ON COLUMN mentors.phone_record_id IS 'class: pseudonymous';
COMMENT ON COLUMN mentors.phone_token IS 'class: pseudonymous; knows a mentor who rings one of our numbers';
COMMENT ON COLUMN mentors.country IS 'class: operational';
COMMENT ON COLUMN mentors.specialties IS 'class: sensitive; may say something about the mentor''s own life';
COMMENT ON COLUMN mentors.languages IS 'class: operational';
COMMENT ON COLUMN mentors.zone IS 'class: operational; IANA';
COMMENT ON COLUMN mentors.available IS 'class: operational';
COMMENT ON COLUMN mentors.max_concurrent_calls IS 'class: operational';
COMMENT ON COLUMN mentors.last_called_at IS 'class: operational';
COMMENT ON COLUMN mentors.created_at IS 'class: operational';
COMMENT ON COLUMN mentors.updated_at IS 'class: operational';
COMMENT ON COLUMN mentors.deleted_at IS 'class: operational';

CREATE TABLE mentor_windows (
  mentor_id uuid NOT NULL REFERENCES mentors,
  weekday   int NOT NULL CHECK (weekday BETWEEN 1 AND 7),
  starts    time NOT NULL,
  ends      time NOT NULL,
  PRIMARY KEY (mentor_id, weekday, starts, ends)
);
COMMENT ON TABLE mentor_windows IS 'Local time of the mentor: [starts, ends), over midnight when ends <= starts, all day when equal';
COMMENT ON COLUMN mentor_windows.mentor_id IS 'class: pseudonymous';
COMMENT ON COLUMN mentor_windows.weekday IS 'class: operational; ISO, 1 is Monday';
COMMENT ON COLUMN mentor_windows.starts IS 'class: operational';
COMMENT ON COLUMN mentor_windows.ends IS 'class: operational';

GRANT SELECT, INSERT, UPDATE ON mentors TO kindline_application;
GRANT SELECT, INSERT, DELETE ON mentor_windows TO kindline_application;

-- Down Migration

DROP TABLE mentor_windows, mentors;
