-- Twilio keeps its record of a call, both numbers in it, for ever unless told otherwise. Which ones are gone there.

-- Up Migration

CREATE TABLE deletions_at_twilio (
  call_sid   text PRIMARY KEY,
  deleted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN deletions_at_twilio.call_sid IS 'class: pseudonymous';
COMMENT ON COLUMN deletions_at_twilio.deleted_at IS 'class: operational';

GRANT SELECT, INSERT ON deletions_at_twilio TO kindline_application;

-- Down Migration

DROP TABLE deletions_at_twilio;
