-- Indexes that no query finds are gone. By themselves: who drops one holds up everybody who uses its table, and is not to
-- wait for anything else meanwhile.

-- Up Migration

DROP INDEX messages_live;
-- A receipt is found by its dispatch; calls of an alert have a row of their own.
DROP INDEX messages_by_sid;
DROP INDEX dispatches_of_alert;

-- Down Migration

CREATE INDEX dispatches_of_alert ON dispatches (alert_id) WHERE alert_id IS NOT NULL;
CREATE INDEX messages_by_sid ON messages (sid) WHERE sid IS NOT NULL;
COMMENT ON INDEX messages_by_sid IS 'serves: silentTexts (db/silent-texts.ts)';
CREATE INDEX messages_live ON messages (opened_at) WHERE live;
COMMENT ON INDEX messages_live IS 'serves: silentTexts (db/silent-texts.ts)';
