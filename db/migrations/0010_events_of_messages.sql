-- Messages and alerts tell of themselves as calls do: their dispatches name them, and so do Twilio's events.

-- Up Migration

ALTER TABLE dispatches ADD COLUMN message_id uuid, ADD COLUMN alert_id uuid;
COMMENT ON COLUMN dispatches.message_id IS 'class: pseudonymous; the message it carries';
COMMENT ON COLUMN dispatches.alert_id IS 'class: pseudonymous; the voice alert it rings for';
CREATE INDEX dispatches_of_message ON dispatches (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX dispatches_of_alert ON dispatches (alert_id) WHERE alert_id IS NOT NULL;

ALTER TABLE webhook_events RENAME COLUMN kind TO type;
ALTER TABLE webhook_events RENAME COLUMN call_sid TO sid;
ALTER TABLE webhook_events
  ADD COLUMN message_id uuid,
  ADD COLUMN alert_id uuid,
  ADD COLUMN payload jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN attempts int NOT NULL DEFAULT 0,
  ADD COLUMN last_error text;
COMMENT ON COLUMN webhook_events.sid IS 'class: pseudonymous; of the call or message';
COMMENT ON COLUMN webhook_events.message_id IS 'class: pseudonymous';
COMMENT ON COLUMN webhook_events.alert_id IS 'class: pseudonymous';
COMMENT ON COLUMN webhook_events.payload IS 'class: pseudonymous; what else Twilio said, from a closed list: codes and counts, and ids of vault records';
COMMENT ON COLUMN webhook_events.attempts IS 'class: operational; how often it was handed to its handler';
COMMENT ON COLUMN webhook_events.last_error IS 'class: operational; the name of the last failure, never its text';
CREATE INDEX webhook_events_of_message ON webhook_events (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX webhook_events_of_alert ON webhook_events (alert_id) WHERE alert_id IS NOT NULL;

-- Down Migration

DROP INDEX webhook_events_of_alert, webhook_events_of_message;
ALTER TABLE webhook_events
  DROP COLUMN last_error, DROP COLUMN attempts, DROP COLUMN payload, DROP COLUMN alert_id, DROP COLUMN message_id;
COMMENT ON COLUMN webhook_events.sid IS 'class: pseudonymous';
ALTER TABLE webhook_events RENAME COLUMN sid TO call_sid;
ALTER TABLE webhook_events RENAME COLUMN type TO kind;
DROP INDEX dispatches_of_alert, dispatches_of_message;
ALTER TABLE dispatches DROP COLUMN alert_id, DROP COLUMN message_id;
