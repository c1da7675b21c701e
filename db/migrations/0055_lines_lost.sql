-- How many lines of a call were lost, as far as Twilio says so.

-- Up Migration

ALTER TABLE call_quality ADD COLUMN lines_lost int NOT NULL DEFAULT 0;
COMMENT ON COLUMN call_quality.lines_lost IS 'class: operational; legs that somebody had answered and that ended as failed';

-- Down Migration

ALTER TABLE call_quality DROP COLUMN lines_lost;
