-- Whether a number or address that somebody saved is theirs: a code that was sent there, and came back.

-- Up Migration

ALTER TABLE contact_points ADD COLUMN verified_at timestamptz;
COMMENT ON COLUMN contact_points.verified_at IS 'class: operational; when a code that was sent there came back';

CREATE TABLE contact_point_codes (
  code_id          uuid PRIMARY KEY,
  contact_point_id uuid NOT NULL REFERENCES contact_points,
  subject_id       uuid NOT NULL REFERENCES subjects,
  recipient_token  bytea NOT NULL CHECK (octet_length(recipient_token) = 32),
  code_hash        bytea CHECK (octet_length(code_hash) = 32),
  tries            int NOT NULL DEFAULT 0 CHECK (tries BETWEEN 0 AND 5),
  created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at       timestamptz NOT NULL
);
COMMENT ON TABLE contact_point_codes IS 'Codes of the last day: the one that counts, and the others because they are counted; the code itself is nowhere';
COMMENT ON COLUMN contact_point_codes.code_id IS 'class: operational; of the message or alert that says it too';
COMMENT ON COLUMN contact_point_codes.contact_point_id IS 'class: pseudonymous';
COMMENT ON COLUMN contact_point_codes.subject_id IS 'class: pseudonymous';
COMMENT ON COLUMN contact_point_codes.recipient_token IS 'class: pseudonymous; a number saved anew gets no further codes';
COMMENT ON COLUMN contact_point_codes.code_hash IS 'class: secret; a keyed hash, null once the code counts no more';
COMMENT ON COLUMN contact_point_codes.tries IS 'class: operational';
COMMENT ON COLUMN contact_point_codes.created_at IS 'class: operational';
COMMENT ON COLUMN contact_point_codes.expires_at IS 'class: operational';

CREATE UNIQUE INDEX contact_point_codes_one ON contact_point_codes (contact_point_id) WHERE code_hash IS NOT NULL;
COMMENT ON INDEX contact_point_codes_one IS 'serves: takeTry (db/contact-point-codes.ts); one code at a time';
CREATE INDEX contact_point_codes_by_subject ON contact_point_codes (subject_id, created_at);
COMMENT ON INDEX contact_point_codes_by_subject IS 'serves: noteCode (db/contact-point-codes.ts)';
CREATE INDEX contact_point_codes_by_token ON contact_point_codes (recipient_token, created_at);
COMMENT ON INDEX contact_point_codes_by_token IS 'serves: noteCode (db/contact-point-codes.ts)';
CREATE INDEX contact_point_codes_old ON contact_point_codes (created_at);
COMMENT ON INDEX contact_point_codes_old IS 'serves: deleteOldCodes (db/contact-point-codes.ts)';

GRANT SELECT, INSERT, UPDATE, DELETE ON contact_point_codes TO kindline_application;

-- Down Migration

DROP TABLE contact_point_codes;
ALTER TABLE contact_points DROP COLUMN verified_at;
