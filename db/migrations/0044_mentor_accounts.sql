-- Mentors with an account of their own: the invitation that leads them to it, and what they tell staff from their page.

-- Up Migration

ALTER TABLE mentors ADD COLUMN account_subject_id uuid REFERENCES subjects;
COMMENT ON COLUMN mentors.account_subject_id IS 'class: pseudonymous; whose account this mentor signs in with; null until an invitation was taken';
CREATE UNIQUE INDEX mentors_of_account ON mentors (account_subject_id)
  WHERE account_subject_id IS NOT NULL AND deleted_at IS NULL;
COMMENT ON INDEX mentors_of_account IS 'serves: findMentorOfAccount (db/mentor-accounts.ts); one account, one mentor';

CREATE TABLE mentor_invitations (
  mentor_id     uuid PRIMARY KEY REFERENCES mentors,
  invitation_id uuid NOT NULL UNIQUE,
  code_hash     bytea UNIQUE CHECK (octet_length(code_hash) = 32),
  invited_by    uuid NOT NULL REFERENCES subjects,
  made_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at    timestamptz NOT NULL,
  used_at       timestamptz,
  CHECK (used_at IS NULL OR code_hash IS NULL)
);
COMMENT ON TABLE mentor_invitations IS 'The newest invitation of each mentor; the code itself is nowhere';
COMMENT ON COLUMN mentor_invitations.mentor_id IS 'class: pseudonymous';
COMMENT ON COLUMN mentor_invitations.invitation_id IS 'class: pseudonymous; the code is made from it, by a key';
COMMENT ON COLUMN mentor_invitations.code_hash IS 'class: secret; a keyed hash, null once the code counts no more';
COMMENT ON COLUMN mentor_invitations.invited_by IS 'class: pseudonymous';
COMMENT ON COLUMN mentor_invitations.made_at IS 'class: operational';
COMMENT ON COLUMN mentor_invitations.expires_at IS 'class: operational';
COMMENT ON COLUMN mentor_invitations.used_at IS 'class: operational';

CREATE TABLE mentor_ring_notes (
  note_id   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  mentor_id uuid NOT NULL REFERENCES mentors,
  rung_at   timestamptz NOT NULL,
  noted_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at   timestamptz,
  seen_by   uuid REFERENCES subjects,
  UNIQUE (mentor_id, rung_at),
  CHECK ((seen_at IS NULL) = (seen_by IS NULL))
);
COMMENT ON TABLE mentor_ring_notes IS 'A mentor says: this ring came while I was busy. One for each ring, for staff to see';
COMMENT ON COLUMN mentor_ring_notes.note_id IS 'class: operational';
COMMENT ON COLUMN mentor_ring_notes.mentor_id IS 'class: pseudonymous';
COMMENT ON COLUMN mentor_ring_notes.rung_at IS 'class: operational; when the call was offered; names no call';
COMMENT ON COLUMN mentor_ring_notes.noted_at IS 'class: operational';
COMMENT ON COLUMN mentor_ring_notes.seen_at IS 'class: operational';
COMMENT ON COLUMN mentor_ring_notes.seen_by IS 'class: pseudonymous';
CREATE INDEX mentor_ring_notes_unseen ON mentor_ring_notes (noted_at) WHERE seen_at IS NULL;
COMMENT ON INDEX mentor_ring_notes_unseen IS 'serves: unseenRingNotes (db/mentor-rings.ts)';

GRANT SELECT, INSERT, UPDATE ON mentor_invitations TO kindline_application;
GRANT SELECT, INSERT, UPDATE, DELETE ON mentor_ring_notes TO kindline_application;

-- Down Migration

DROP TABLE mentor_ring_notes, mentor_invitations;
DROP INDEX mentors_of_account;
ALTER TABLE mentors DROP COLUMN account_subject_id;
