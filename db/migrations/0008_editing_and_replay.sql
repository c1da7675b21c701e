-- Two people who edit one mentor, a creation that is asked for twice, and events that an admin hands over again.

-- Up Migration

-- Counts changes; the ETag of a mentor. An edit names the version it was made from, or is refused.
ALTER TABLE mentors ADD COLUMN version int NOT NULL DEFAULT 1;
COMMENT ON COLUMN mentors.version IS 'class: operational; counts changes, shown as ETag';

-- What an Idempotency-Key has made, for a day. The body itself is nowhere: only its keyed hash.
CREATE TABLE idempotent_creations (
  request_id   uuid PRIMARY KEY,
  request_hash text NOT NULL,
  object_id    uuid NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX idempotent_creations_old ON idempotent_creations (created_at);
COMMENT ON COLUMN idempotent_creations.request_id IS 'class: pseudonymous; keyed hash of caller, route and Idempotency-Key';
COMMENT ON COLUMN idempotent_creations.request_hash IS 'class: pseudonymous; keyed hash of the body';
COMMENT ON COLUMN idempotent_creations.object_id IS 'class: pseudonymous; what was made';
COMMENT ON COLUMN idempotent_creations.created_at IS 'class: operational';
GRANT SELECT, INSERT, DELETE ON idempotent_creations TO kindline_application;

-- An id for URLs: the seen key is Twilio's, and holds its SID.
ALTER TABLE webhook_events ADD COLUMN event_id uuid NOT NULL DEFAULT gen_random_uuid();
CREATE UNIQUE INDEX webhook_events_by_id ON webhook_events (event_id);
-- The list of an admin: what nobody has handled first.
CREATE INDEX webhook_events_listed ON webhook_events ((handled_at IS NULL) DESC, received_at DESC, event_id DESC);
COMMENT ON COLUMN webhook_events.event_id IS 'class: pseudonymous';
COMMENT ON COLUMN webhook_events.seen_key IS 'class: pseudonymous; SID and status: one event, however often it comes';

-- Down Migration

COMMENT ON COLUMN webhook_events.seen_key IS 'class: pseudonymous; Twilio''s idempotency token, else SID, status and sequence';
DROP INDEX webhook_events_listed, webhook_events_by_id;
ALTER TABLE webhook_events DROP COLUMN event_id;
DROP TABLE idempotent_creations;
ALTER TABLE mentors DROP COLUMN version;
