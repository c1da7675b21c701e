-- Texts that say nothing any more are asked after, and Twilio's own records of texts do not stay for ever.

-- Up Migration

ALTER TABLE dispatches ADD COLUMN asked_at timestamptz, ADD COLUMN forgotten_at timestamptz;
COMMENT ON COLUMN dispatches.asked_at IS 'class: operational; when the provider was last asked what became of a silent text';
COMMENT ON COLUMN dispatches.forgotten_at IS 'class: operational; since when the provider has no record of the text';
-- Which texts Twilio still has a record of, oldest first.
CREATE INDEX dispatches_texts_at_twilio ON dispatches (created_at)
  WHERE channel = 'sms' AND sid IS NOT NULL AND forgotten_at IS NULL;

-- Down Migration

DROP INDEX dispatches_texts_at_twilio;
ALTER TABLE dispatches DROP COLUMN forgotten_at, DROP COLUMN asked_at;
