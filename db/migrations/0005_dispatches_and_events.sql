-- Outward acts, each claimed once, and what Twilio told us about them. Both tables stay unpartitioned: their unique
-- keys must hold always, and a unique index of a partitioned table holds only per partition.

-- Up Migration

CREATE TABLE dispatches (
  dispatch_id              uuid PRIMARY KEY,
  business_key             text NOT NULL UNIQUE,
  call_id                  uuid,
  workflow_id              text NOT NULL,
  recipient_token          bytea CHECK (octet_length(recipient_token) = 32),
  channel                  text NOT NULL CHECK (channel IN ('voice', 'sms', 'email')),
  message_class            text NOT NULL DEFAULT 'ordinary' CHECK (message_class IN ('ordinary', 'safety')),
  state                    text NOT NULL DEFAULT 'ready'
    CHECK (state IN ('ready', 'attempting', 'unknown', 'accepted', 'refused', 'lost', 'abandoned')),
  attempt                  int NOT NULL DEFAULT 0,
  lease_until              timestamptz,
  not_before               timestamptz,
  attempt_began_at         timestamptz,
  previous_attempt_began_at timestamptz,
  sender                   text NOT NULL,
  sid                      text UNIQUE,
  other_sids               text[] NOT NULL DEFAULT '{}',
  doubled_count            int NOT NULL DEFAULT 0,
  country                  text NOT NULL,
  error_code               text,
  error_class              text,
  created_at               timestamptz NOT NULL DEFAULT clock_timestamp(),
  settled_at               timestamptz,
  CHECK (state <> 'accepted' OR sid IS NOT NULL),
  CHECK (doubled_count = cardinality(other_sids)),
  CHECK (recipient_token IS NOT NULL OR state NOT IN ('ready', 'attempting', 'unknown'))
);
-- Two acts of unknown outcome towards one person could not be told apart: adopting the wrong one would show one
-- person's call to another.
CREATE UNIQUE INDEX dispatches_one_in_doubt ON dispatches (recipient_token, channel)
  WHERE state IN ('attempting', 'unknown');
CREATE INDEX dispatches_in_doubt ON dispatches (lease_until) WHERE state IN ('attempting', 'unknown');
CREATE INDEX dispatches_abandoned_open ON dispatches (recipient_token, channel)
  WHERE state = 'abandoned' AND settled_at IS NULL;
CREATE INDEX dispatches_of_call ON dispatches (call_id);
COMMENT ON COLUMN dispatches.dispatch_id IS 'class: pseudonymous';
COMMENT ON COLUMN dispatches.business_key IS 'class: pseudonymous';
COMMENT ON COLUMN dispatches.call_id IS 'class: pseudonymous';
COMMENT ON COLUMN dispatches.workflow_id IS 'class: pseudonymous';
COMMENT ON COLUMN dispatches.recipient_token IS 'class: pseudonymous';
COMMENT ON COLUMN dispatches.channel IS 'class: operational';
COMMENT ON COLUMN dispatches.message_class IS 'class: operational';
COMMENT ON COLUMN dispatches.state IS 'class: operational';
COMMENT ON COLUMN dispatches.attempt IS 'class: operational';
COMMENT ON COLUMN dispatches.lease_until IS 'class: operational; database clock';
COMMENT ON COLUMN dispatches.not_before IS 'class: operational; Retry-After of the provider';
COMMENT ON COLUMN dispatches.attempt_began_at IS 'class: operational; of the last attempt that may have sent something';
COMMENT ON COLUMN dispatches.previous_attempt_began_at IS 'class: operational; of the one before';
COMMENT ON COLUMN dispatches.sender IS 'class: operational; a number or service of ours';
COMMENT ON COLUMN dispatches.sid IS 'class: pseudonymous';
COMMENT ON COLUMN dispatches.other_sids IS 'class: pseudonymous; legs beyond the one intended';
COMMENT ON COLUMN dispatches.doubled_count IS 'class: operational; how many legs beyond the one intended';
COMMENT ON COLUMN dispatches.country IS 'class: operational';
COMMENT ON COLUMN dispatches.error_code IS 'class: operational';
COMMENT ON COLUMN dispatches.error_class IS 'class: operational';
COMMENT ON COLUMN dispatches.created_at IS 'class: operational';
COMMENT ON COLUMN dispatches.settled_at IS 'class: operational; since when the outcome is known for good';

CREATE TABLE webhook_events (
  seen_key    text PRIMARY KEY,
  kind        text NOT NULL,
  call_sid    text,
  dispatch_id uuid,
  call_id     uuid,
  leg         text,
  step        int,
  status      text,
  sequence    int,
  error_code  text,
  copies      int NOT NULL DEFAULT 1,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  handled_at  timestamptz
);
CREATE INDEX webhook_events_unhandled ON webhook_events (received_at) WHERE handled_at IS NULL;
CREATE INDEX webhook_events_of_call ON webhook_events (call_id, leg, step);
CREATE INDEX webhook_events_of_sid ON webhook_events (call_sid);
CREATE INDEX webhook_events_of_dispatch ON webhook_events (dispatch_id) WHERE dispatch_id IS NOT NULL;
COMMENT ON TABLE webhook_events IS 'Sanitised: never From, To, Caller, Called or Body';
COMMENT ON COLUMN webhook_events.seen_key IS 'class: pseudonymous; Twilio''s idempotency token, else SID, status and sequence';
COMMENT ON COLUMN webhook_events.kind IS 'class: operational';
COMMENT ON COLUMN webhook_events.call_sid IS 'class: pseudonymous';
COMMENT ON COLUMN webhook_events.dispatch_id IS 'class: pseudonymous';
COMMENT ON COLUMN webhook_events.call_id IS 'class: pseudonymous';
COMMENT ON COLUMN webhook_events.leg IS 'class: operational';
COMMENT ON COLUMN webhook_events.step IS 'class: operational';
COMMENT ON COLUMN webhook_events.status IS 'class: operational';
COMMENT ON COLUMN webhook_events.sequence IS 'class: operational';
COMMENT ON COLUMN webhook_events.error_code IS 'class: operational';
COMMENT ON COLUMN webhook_events.copies IS 'class: operational; how often it arrived';
COMMENT ON COLUMN webhook_events.received_at IS 'class: operational';
COMMENT ON COLUMN webhook_events.handled_at IS 'class: operational';

GRANT SELECT, INSERT, UPDATE ON dispatches, webhook_events TO kindline_application;

-- Down Migration

DROP TABLE webhook_events, dispatches;
