-- Calls that users make in the app: no number is rung for them, and so no record of one is named. Who may make
-- them is known to Twilio by a name that means nothing to anybody else.

-- Up Migration

ALTER TABLE call_logs ALTER COLUMN record_id DROP NOT NULL;
COMMENT ON COLUMN call_logs.record_id IS 'class: pseudonymous; the number that is rung; null where the user called from the app';
ALTER TABLE call_logs ADD COLUMN way_in text NOT NULL DEFAULT 'phone' CHECK (way_in IN ('phone', 'app'));
COMMENT ON COLUMN call_logs.way_in IS 'class: operational; phone: we rang the user; app: they called us';

CREATE TABLE voice_identities (
  identity         text PRIMARY KEY CHECK (identity ~ '^[0-9a-f]{64}$'),
  subject_id       uuid NOT NULL REFERENCES subjects,
  country          text NOT NULL,
  language         text NOT NULL,
  consent_version  text,
  consent_language text,
  issued_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at       timestamptz NOT NULL,
  CHECK ((consent_version IS NULL) = (consent_language IS NULL))
);
COMMENT ON TABLE voice_identities IS 'Whom Twilio means by client:<identity>, for as long as the last token that says so counts';
COMMENT ON COLUMN voice_identities.identity IS 'class: pseudonymous; a keyed hash of the subject, which only this table leads back to';
COMMENT ON COLUMN voice_identities.subject_id IS 'class: pseudonymous';
COMMENT ON COLUMN voice_identities.country IS 'class: operational; whose helpline they are offered';
COMMENT ON COLUMN voice_identities.language IS 'class: operational; in which they are spoken to';
COMMENT ON COLUMN voice_identities.consent_version IS 'class: operational; the text that was agreed to with the token; null: with the call, or by key';
COMMENT ON COLUMN voice_identities.consent_language IS 'class: operational';
COMMENT ON COLUMN voice_identities.issued_at IS 'class: operational';
COMMENT ON COLUMN voice_identities.expires_at IS 'class: operational; when the token does';

CREATE INDEX voice_identities_of_subject ON voice_identities (subject_id);
COMMENT ON INDEX voice_identities_of_subject IS 'serves: endVoiceIdentities (db/voice-identities.ts)';
CREATE INDEX voice_identities_over ON voice_identities (expires_at);
COMMENT ON INDEX voice_identities_over IS 'serves: deleteOldVoiceIdentities (db/voice-identities.ts)';

GRANT SELECT, INSERT, UPDATE, DELETE ON voice_identities TO kindline_application;

-- Down Migration

DROP TABLE voice_identities;
ALTER TABLE call_logs DROP COLUMN way_in;
-- Whoever goes back has no calls from the app: a row without a number is not known there.
ALTER TABLE call_logs ALTER COLUMN record_id SET NOT NULL;
