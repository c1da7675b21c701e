-- Requests for a call that were turned away, for the watchdog; and how long each mentor of a call has talked.

-- Up Migration

CREATE TABLE refused_requests (
  subject_id uuid NOT NULL REFERENCES subjects,
  refused_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX refused_requests_by_time ON refused_requests (refused_at, subject_id);
COMMENT ON INDEX refused_requests_by_time IS 'serves: watchdogFacts (db/watchdog-facts.ts)';
COMMENT ON TABLE refused_requests IS 'Somebody asked for a call more often than the limits allow; no call has come of it';
COMMENT ON COLUMN refused_requests.subject_id IS 'class: pseudonymous';
COMMENT ON COLUMN refused_requests.refused_at IS 'class: operational';
GRANT SELECT, INSERT, DELETE ON refused_requests TO kindline_application;

ALTER TABLE mentor_offers ADD COLUMN talked_seconds int CHECK (talked_seconds >= 0);
COMMENT ON COLUMN mentor_offers.talked_seconds IS 'class: operational; of this mentor''s conversation; null: there was none, or it goes on';

-- Down Migration

ALTER TABLE mentor_offers DROP COLUMN talked_seconds;
DROP TABLE refused_requests;
