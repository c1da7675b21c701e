-- How often somebody asks, over all API processes, and how often a recipient was reached.

-- Up Migration

-- Of rate-limiter-flexible, which names the columns and fills them by position. Not logged to the WAL: what a crash of
-- Postgres forgets is at most a minute of counting, and no request waits for a disk.
CREATE UNLOGGED TABLE request_rates (
  key    varchar(255) PRIMARY KEY,
  points integer NOT NULL DEFAULT 0,
  expire bigint
);
CREATE INDEX request_rates_over ON request_rates (expire);
COMMENT ON COLUMN request_rates.key IS 'class: pseudonymous; keyed hash of a subject, an address or a subject at a route';
COMMENT ON COLUMN request_rates.points IS 'class: operational; requests counted';
COMMENT ON COLUMN request_rates.expire IS 'class: operational; until when they count, ms since 1970';
GRANT SELECT, INSERT, UPDATE, DELETE ON request_rates TO kindline_application;

-- Limits per recipient: the newest acts towards one token on one channel.
CREATE INDEX dispatches_of_recipient ON dispatches (recipient_token, channel, attempt_began_at DESC)
  WHERE state IN ('accepted', 'attempting', 'unknown');

-- Down Migration

DROP INDEX dispatches_of_recipient;
DROP TABLE request_rates;
