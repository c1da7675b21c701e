-- What the provider has taken costs, also where it was withdrawn too late or nobody intended it; and a leg whose end was
-- asked for costs as one whose end was told.

-- Up Migration

DROP INDEX dispatches_accepted;
CREATE INDEX dispatches_taken ON dispatches (settled_at) WHERE sid IS NOT NULL;
COMMENT ON INDEX dispatches_taken IS 'serves: noteTextCosts (db/cost-items.ts)';
DROP INDEX webhook_events_ended_legs;
CREATE INDEX webhook_events_ended_legs ON webhook_events (received_at)
  WHERE type IN ('call-status', 'asked') AND status = 'completed';
COMMENT ON INDEX webhook_events_ended_legs IS 'serves: noteLegCosts (db/cost-items.ts)';
-- A text that had left before it was withdrawn has reached somebody, too.
DROP INDEX dispatches_of_recipient;
CREATE INDEX dispatches_of_recipient ON dispatches (recipient_token, channel, attempt_began_at DESC)
  WHERE state IN ('accepted', 'attempting', 'unknown') OR (state = 'abandoned' AND sid IS NOT NULL);

-- Down Migration

DROP INDEX dispatches_of_recipient;
CREATE INDEX dispatches_of_recipient ON dispatches (recipient_token, channel, attempt_began_at DESC)
  WHERE state IN ('accepted', 'attempting', 'unknown');
DROP INDEX webhook_events_ended_legs;
CREATE INDEX webhook_events_ended_legs ON webhook_events (received_at)
  WHERE type = 'call-status' AND status = 'completed';
COMMENT ON INDEX webhook_events_ended_legs IS 'serves: noteLegCosts (db/cost-items.ts)';
DROP INDEX dispatches_taken;
CREATE INDEX dispatches_accepted ON dispatches (settled_at) WHERE state = 'accepted';
COMMENT ON INDEX dispatches_accepted IS 'serves: noteTextCosts (db/cost-items.ts)';
