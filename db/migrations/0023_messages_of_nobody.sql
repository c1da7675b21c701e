-- Messages whose workflow is gone do not stay open for ever.

-- Up Migration

ALTER TABLE messages ADD COLUMN owner_asked_at timestamptz;
COMMENT ON COLUMN messages.owner_asked_at IS 'class: operational; when Temporal was last asked whether the workflow of this message runs';
-- Whose turn it is to be asked after: the one that nobody has asked after for longest.
CREATE INDEX messages_to_ask_after ON messages (coalesce(owner_asked_at, opened_at)) WHERE live;
COMMENT ON INDEX messages_to_ask_after IS 'serves: takeOpenMessages (db/open-messages.ts)';

-- Down Migration

DROP INDEX messages_to_ask_after;
ALTER TABLE messages DROP COLUMN owner_asked_at;
