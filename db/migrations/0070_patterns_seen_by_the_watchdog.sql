-- What the watchdog could not see: that several accounts ask for one number when the limits turn them away, and short
-- talks of a call that went on with somebody else.

-- Up Migration

ALTER TABLE refused_requests ADD COLUMN recipient_token bytea CHECK (octet_length(recipient_token) = 32);
COMMENT ON COLUMN refused_requests.recipient_token IS 'class: pseudonymous; of the number that was to be rung; null: none was named';

CREATE INDEX mentor_offers_talked ON mentor_offers (offered_at, mentor_id) WHERE talked_seconds IS NOT NULL;
COMMENT ON INDEX mentor_offers_talked IS 'serves: watchdogFacts (db/watchdog-facts.ts)';

-- Down Migration

DROP INDEX mentor_offers_talked;
ALTER TABLE refused_requests DROP COLUMN recipient_token;
