-- What calls, texts and numbers cost: an estimate at once, the provider's own price as soon as it knows it. And the
-- indexes of what Twilio told us, each with the query it is there for.

-- Up Migration

CREATE TABLE costs (
  -- One price per thing at the provider; a number of ours is paid for each month.
  item          text PRIMARY KEY,
  kind          text NOT NULL CHECK (kind IN ('voice', 'sms', 'number', 'recording')),
  country       text NOT NULL,
  month         date NOT NULL CHECK (month = date_trunc('month', month)),
  units         int NOT NULL CHECK (units >= 0),
  amount_micro  bigint NOT NULL CHECK (amount_micro >= 0),
  currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  is_estimate   boolean NOT NULL,
  price_source  text NOT NULL,
  occurred_at   timestamptz NOT NULL,
  looks         int NOT NULL DEFAULT 0,
  next_look_at  timestamptz,
  CHECK (is_estimate OR next_look_at IS NULL)
);
COMMENT ON TABLE costs IS 'A leg, a text, a number for a month, a recording: what it cost, or is likely to';
COMMENT ON COLUMN costs.item IS 'class: pseudonymous; SID of a leg, text or recording; for a number of ours the number and the month';
COMMENT ON COLUMN costs.kind IS 'class: operational';
COMMENT ON COLUMN costs.country IS 'class: operational; ZZ when it is not known';
COMMENT ON COLUMN costs.month IS 'class: operational; its first day, UTC';
COMMENT ON COLUMN costs.units IS 'class: operational; minutes begun, segments, or one number';
COMMENT ON COLUMN costs.amount_micro IS 'class: operational; millionths of the currency';
COMMENT ON COLUMN costs.currency IS 'class: operational; ISO 4217';
COMMENT ON COLUMN costs.is_estimate IS 'class: operational; by our table, because the provider has not said';
COMMENT ON COLUMN costs.price_source IS 'class: operational; which table, or twilio';
COMMENT ON COLUMN costs.occurred_at IS 'class: operational';
COMMENT ON COLUMN costs.looks IS 'class: operational; how often the provider was asked in vain';
COMMENT ON COLUMN costs.next_look_at IS 'class: operational; null: not asked (again)';
CREATE INDEX costs_by_month ON costs (month, kind, country, currency);
COMMENT ON INDEX costs_by_month IS 'serves: monthlyCosts, spentThisMonth (db/costs.ts)';
CREATE INDEX costs_to_look_at ON costs (next_look_at) WHERE next_look_at IS NOT NULL;
COMMENT ON INDEX costs_to_look_at IS 'serves: costsToLookAt (db/costs.ts)';
GRANT SELECT, INSERT, UPDATE ON costs TO kindline_application;

-- Up to where acts and events have been turned into costs.
CREATE TABLE cost_marks (
  source     text PRIMARY KEY CHECK (source IN ('texts', 'legs')),
  noted_until timestamptz NOT NULL
);
COMMENT ON COLUMN cost_marks.source IS 'class: operational';
COMMENT ON COLUMN cost_marks.noted_until IS 'class: operational';
INSERT INTO cost_marks (source, noted_until) VALUES ('texts', '-infinity'), ('legs', '-infinity');
GRANT SELECT, UPDATE ON cost_marks TO kindline_application;

-- One row: what the organisation wants to spend in a month at most.
CREATE TABLE cost_budget (
  is_the_one    boolean PRIMARY KEY DEFAULT true CHECK (is_the_one),
  amount_micro  bigint CHECK (amount_micro > 0),
  currency      text NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$'),
  warn_at_percent int NOT NULL DEFAULT 80 CHECK (warn_at_percent BETWEEN 1 AND 100),
  version       int NOT NULL DEFAULT 1,
  set_by        uuid REFERENCES subjects,
  set_at        timestamptz,
  warned_month  date,
  warned_at     timestamptz,
  warning_id    uuid
);
COMMENT ON COLUMN cost_budget.is_the_one IS 'class: operational; there is one budget';
COMMENT ON COLUMN cost_budget.amount_micro IS 'class: operational; per month, millionths of the currency; null: none';
COMMENT ON COLUMN cost_budget.currency IS 'class: operational; ISO 4217';
COMMENT ON COLUMN cost_budget.warn_at_percent IS 'class: operational';
COMMENT ON COLUMN cost_budget.version IS 'class: operational; counts changes, shown as ETag';
COMMENT ON COLUMN cost_budget.set_by IS 'class: pseudonymous; who is told of a warning';
COMMENT ON COLUMN cost_budget.set_at IS 'class: operational';
COMMENT ON COLUMN cost_budget.warned_month IS 'class: operational; a warning is given once a month';
COMMENT ON COLUMN cost_budget.warned_at IS 'class: operational';
COMMENT ON COLUMN cost_budget.warning_id IS 'class: pseudonymous; what the app was told of';
INSERT INTO cost_budget DEFAULT VALUES;
GRANT SELECT, UPDATE ON cost_budget TO kindline_application;

CREATE INDEX dispatches_accepted ON dispatches (settled_at) WHERE state = 'accepted';
COMMENT ON INDEX dispatches_accepted IS 'serves: noteTextCosts (db/cost-items.ts)';

CREATE INDEX webhook_events_ended_legs ON webhook_events (received_at)
  WHERE type = 'call-status' AND status = 'completed';
COMMENT ON INDEX webhook_events_ended_legs IS 'serves: noteLegCosts (db/cost-items.ts)';
CREATE INDEX webhook_events_failed ON webhook_events (received_at DESC, event_id DESC)
  WHERE handled_at IS NULL AND attempts > 0;
COMMENT ON INDEX webhook_events_failed IS 'serves: listEvents (db/webhook-events.ts): what failed';

COMMENT ON INDEX webhook_events_unhandled IS 'serves: unhandledEvents (db/webhook-events.ts): what waits to be tried again';
COMMENT ON INDEX webhook_events_listed IS 'serves: listEvents (db/webhook-events.ts): by time';
COMMENT ON INDEX webhook_events_by_id IS 'serves: findEvent (db/webhook-events.ts)';
COMMENT ON INDEX webhook_events_of_call IS 'serves: legSeen (db/webhook-events.ts)';
COMMENT ON INDEX webhook_events_of_sid IS 'serves: lastStatus (db/webhook-events.ts)';
COMMENT ON INDEX webhook_events_of_dispatch IS 'serves: latestEventFor (db/dispatch-claims.ts)';

-- What waits is listed by time, like everything else; when each of it is tried next is its workflow's own.
DROP INDEX messages_pending;
CREATE INDEX messages_pending ON messages (opened_at DESC, message_id DESC) WHERE state = 'waiting';
COMMENT ON INDEX messages_of_batch IS 'serves: listMessages (db/message-rows.ts): of a batch';
COMMENT ON INDEX messages_of_batch_by_state IS 'serves: countMessages (db/message-batches.ts)';
COMMENT ON INDEX messages_of_subject IS 'serves: listMessages (db/message-rows.ts): by subject';
COMMENT ON INDEX messages_requested IS 'serves: listMessages (db/message-rows.ts): by who asked';
COMMENT ON INDEX messages_by_time IS 'serves: listMessages (db/message-rows.ts): by time';
COMMENT ON INDEX messages_failed IS 'serves: listMessages (db/message-rows.ts): what failed';
COMMENT ON INDEX messages_pending IS 'serves: listMessages (db/message-rows.ts): what waits for its time or its next try';
COMMENT ON INDEX messages_over IS 'serves: deleteOldMessages (db/message-rows.ts)';
COMMENT ON INDEX messages_live IS 'serves: silentTexts (db/silent-texts.ts)';
COMMENT ON INDEX messages_by_sid IS 'serves: silentTexts (db/silent-texts.ts)';
COMMENT ON INDEX messages_by_record IS 'serves: destroyUnreferencedRecords (db/unreferenced-records.ts)';
COMMENT ON INDEX messages_by_content IS 'serves: destroyUnreferencedRecords (db/unreferenced-records.ts)';
COMMENT ON INDEX webhook_events_of_message IS 'serves: messageReceipts (db/message-rows.ts)';
COMMENT ON INDEX webhook_events_of_alert IS 'serves: listEvents (db/webhook-events.ts): of an alert';

-- Down Migration

COMMENT ON INDEX messages_of_batch IS NULL;
COMMENT ON INDEX messages_of_batch_by_state IS NULL;
COMMENT ON INDEX messages_of_subject IS NULL;
COMMENT ON INDEX messages_requested IS NULL;
COMMENT ON INDEX messages_by_time IS NULL;
COMMENT ON INDEX messages_failed IS NULL;
COMMENT ON INDEX messages_live IS NULL;
COMMENT ON INDEX messages_by_sid IS NULL;
COMMENT ON INDEX messages_by_record IS NULL;
COMMENT ON INDEX messages_by_content IS NULL;
COMMENT ON INDEX webhook_events_of_message IS NULL;
COMMENT ON INDEX webhook_events_of_alert IS NULL;
DROP INDEX messages_pending;
CREATE INDEX messages_pending ON messages (next_attempt_at) WHERE live AND next_attempt_at IS NOT NULL;
COMMENT ON INDEX messages_over IS NULL;
COMMENT ON INDEX webhook_events_of_dispatch IS NULL;
COMMENT ON INDEX webhook_events_of_sid IS NULL;
COMMENT ON INDEX webhook_events_of_call IS NULL;
COMMENT ON INDEX webhook_events_by_id IS NULL;
COMMENT ON INDEX webhook_events_listed IS NULL;
COMMENT ON INDEX webhook_events_unhandled IS NULL;
DROP INDEX webhook_events_failed, webhook_events_ended_legs, dispatches_accepted;
DROP TABLE cost_budget, cost_marks, costs;
