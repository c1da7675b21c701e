-- What the app is told: that a call, message, alert or batch has a new state. Ids and states only. A row is written with
-- the change it tells of, delivered to APP_WEBHOOK_URL by a workflow, and read by the streams of signed-in people.

-- Up Migration

CREATE TABLE app_events (
  event_id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  -- In the order of their transactions, as audit entries are: a late commit is never skipped by whoever reads on.
  txid            xid8 NOT NULL DEFAULT audit_number(pg_current_xact_id()),
  position        bigint GENERATED ALWAYS AS IDENTITY,
  -- No foreign key: nothing may refuse an event and with it the change that it tells of.
  subject_id      uuid NOT NULL,
  type            text NOT NULL,
  object_id       uuid NOT NULL,
  state           text NOT NULL,
  happened_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  delivery        text NOT NULL DEFAULT 'waiting' CHECK (delivery IN ('waiting', 'delivered', 'failed')),
  attempts        int NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  give_up_at      timestamptz NOT NULL DEFAULT clock_timestamp() + interval '24 hours',
  delivered_at    timestamptz,
  last_error      text
);
CREATE INDEX app_events_waiting ON app_events (next_attempt_at) WHERE delivery = 'waiting';
CREATE INDEX app_events_of_subject ON app_events (subject_id, txid, position);
CREATE INDEX app_events_of_object ON app_events (object_id, txid, position);
CREATE INDEX app_events_listed ON app_events (happened_at DESC, event_id DESC);
COMMENT ON COLUMN app_events.event_id IS 'class: pseudonymous; webhook-id of Standard Webhooks and id of the stream';
COMMENT ON COLUMN app_events.txid IS 'class: operational; orders events with position';
COMMENT ON COLUMN app_events.position IS 'class: operational';
COMMENT ON COLUMN app_events.subject_id IS 'class: pseudonymous; who sees it in their stream';
COMMENT ON COLUMN app_events.type IS 'class: operational; the kind of object and its state';
COMMENT ON COLUMN app_events.object_id IS 'class: pseudonymous; the call, message, alert or batch';
COMMENT ON COLUMN app_events.state IS 'class: operational; of the object';
COMMENT ON COLUMN app_events.happened_at IS 'class: operational';
COMMENT ON COLUMN app_events.delivery IS 'class: operational';
COMMENT ON COLUMN app_events.attempts IS 'class: operational; how often it was sent to the app';
COMMENT ON COLUMN app_events.next_attempt_at IS 'class: operational; while an attempt is under way, when another may begin';
COMMENT ON COLUMN app_events.give_up_at IS 'class: operational';
COMMENT ON COLUMN app_events.delivered_at IS 'class: operational';
COMMENT ON COLUMN app_events.last_error IS 'class: operational; a word of ours, never a text of the app''s';
GRANT SELECT, INSERT, UPDATE, DELETE ON app_events TO kindline_application;

-- Down Migration

DROP TABLE app_events;
