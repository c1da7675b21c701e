-- Recordings that both sides agreed to. The sound stays at the provider: here is what it is called there, and when it must go.

-- Up Migration

CREATE TABLE call_recordings (
  recording_id     uuid PRIMARY KEY,
  -- No reference to the call, whose row may go first: what is not deleted at the provider must not be forgotten here.
  call_id          uuid NOT NULL,
  user_id          uuid NOT NULL REFERENCES subjects,
  mentor_id        uuid REFERENCES mentors,
  step             int NOT NULL,
  call_sid         text NOT NULL,
  country          text NOT NULL,
  recording_sid    text UNIQUE,
  state            text NOT NULL DEFAULT 'requested'
    CHECK (state IN ('requested', 'in-progress', 'completed', 'absent')),
  duration_seconds int CHECK (duration_seconds >= 0),
  agreed_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at       timestamptz,
  ended_at         timestamptz,
  delete_because   text CHECK (delete_because IN ('erased', 'not-agreed', 'not-wanted', 'doubled')),
  deleted_at       timestamptz,
  deletion_confirmed_at timestamptz,
  CHECK (state IN ('requested', 'in-progress') OR recording_sid IS NOT NULL),
  CHECK (deletion_confirmed_at IS NULL OR deleted_at IS NOT NULL)
);
CREATE INDEX call_recordings_of_call ON call_recordings (call_id, agreed_at, recording_id);
CREATE INDEX call_recordings_to_delete ON call_recordings (agreed_at, recording_id) WHERE deletion_confirmed_at IS NULL;
CREATE INDEX call_recordings_ended ON call_recordings (ended_at) WHERE state = 'completed';
CREATE INDEX call_recordings_of_user ON call_recordings (user_id);
CREATE INDEX call_recordings_of_mentor ON call_recordings (mentor_id);
COMMENT ON INDEX call_recordings_of_call IS 'serves: listRecordings (db/recordings.ts)';
COMMENT ON INDEX call_recordings_to_delete IS 'serves: recordingsToDelete (db/recording-deletion.ts)';
COMMENT ON INDEX call_recordings_ended IS 'serves: noteRecordingCosts (db/recording-costs.ts)';
COMMENT ON INDEX call_recordings_of_user IS 'serves: forgetTokens (db/erasure.ts)';
COMMENT ON INDEX call_recordings_of_mentor IS 'serves: forgetTokens (db/erasure.ts)';
COMMENT ON TABLE call_recordings IS 'What is recorded at the provider, with the consent of both. The sound itself is never here';
COMMENT ON COLUMN call_recordings.recording_id IS 'class: pseudonymous; also the dispatch that asked for it';
COMMENT ON COLUMN call_recordings.call_id IS 'class: pseudonymous';
COMMENT ON COLUMN call_recordings.user_id IS 'class: pseudonymous; who agreed in the request';
COMMENT ON COLUMN call_recordings.mentor_id IS 'class: pseudonymous; who agreed by key';
COMMENT ON COLUMN call_recordings.step IS 'class: operational; which mentor of the call';
COMMENT ON COLUMN call_recordings.call_sid IS 'class: pseudonymous; the user''s leg, which is recorded';
COMMENT ON COLUMN call_recordings.country IS 'class: operational';
COMMENT ON COLUMN call_recordings.recording_sid IS 'class: pseudonymous; null until the provider has told it';
COMMENT ON COLUMN call_recordings.state IS 'class: operational; the provider''s word, a final one stays';
COMMENT ON COLUMN call_recordings.duration_seconds IS 'class: operational';
COMMENT ON COLUMN call_recordings.agreed_at IS 'class: operational; when the mentor pressed the key: its time counts from here';
COMMENT ON COLUMN call_recordings.started_at IS 'class: operational';
COMMENT ON COLUMN call_recordings.ended_at IS 'class: operational';
COMMENT ON COLUMN call_recordings.delete_because IS 'class: operational; why it must go before its time; null: it need not';
COMMENT ON COLUMN call_recordings.deleted_at IS 'class: operational; when its deletion was asked for';
COMMENT ON COLUMN call_recordings.deletion_confirmed_at IS 'class: operational; since when the provider does not know it any more';

CREATE TABLE recording_links (
  link_hash    bytea PRIMARY KEY CHECK (octet_length(link_hash) = 32),
  recording_id uuid NOT NULL REFERENCES call_recordings ON DELETE CASCADE,
  made_by      uuid NOT NULL REFERENCES subjects,
  made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at   timestamptz NOT NULL,
  used_at      timestamptz
);
CREATE INDEX recording_links_of_recording ON recording_links (recording_id);
CREATE INDEX recording_links_old ON recording_links (expires_at);
COMMENT ON INDEX recording_links_of_recording IS 'serves: forgetOldRecordings (db/recording-deletion.ts), by its reference';
COMMENT ON INDEX recording_links_old IS 'serves: forgetOldRecordings (db/recording-deletion.ts)';
COMMENT ON TABLE recording_links IS 'Links by which an admin listens to a recording once; only their hashes are here';
COMMENT ON COLUMN recording_links.link_hash IS 'class: secret; SHA-256 of the token';
COMMENT ON COLUMN recording_links.recording_id IS 'class: pseudonymous';
COMMENT ON COLUMN recording_links.made_by IS 'class: pseudonymous; the admin';
COMMENT ON COLUMN recording_links.made_at IS 'class: operational';
COMMENT ON COLUMN recording_links.expires_at IS 'class: operational';
COMMENT ON COLUMN recording_links.used_at IS 'class: operational; it opens once';

GRANT SELECT, INSERT, UPDATE, DELETE ON call_recordings, recording_links TO kindline_application;

ALTER TABLE dispatches DROP CONSTRAINT dispatches_channel_check,
  ADD CONSTRAINT dispatches_channel_check CHECK (channel IN ('voice', 'sms', 'email', 'recording'));

-- Down Migration

DELETE FROM dispatches WHERE channel = 'recording';
ALTER TABLE dispatches DROP CONSTRAINT dispatches_channel_check,
  ADD CONSTRAINT dispatches_channel_check CHECK (channel IN ('voice', 'sms', 'email'));
DROP TABLE recording_links, call_recordings;
