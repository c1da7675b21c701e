-- How long a message takes until the provider has it is told of those that had to wait for nothing: which had to, in its
-- dispatch, is known there only.

-- Up Migration

ALTER TABLE messages ADD COLUMN was_held boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN messages.was_held IS 'class: operational; whether it had to wait in its dispatch: for its line, the day, its turn';

-- Down Migration

ALTER TABLE messages DROP COLUMN was_held;
