-- What was kept for its time can leave: events, and alerts with their calls. Of an act that stays,
-- because its key must never come twice, whom it reached is forgotten.

-- Up Migration

GRANT DELETE ON webhook_events, voice_alerts, voice_alert_recipients, call_logs TO kindline_application;

-- Rows come in the order of their time: a summary per range of pages finds the old ones, and costs an insert nothing.
CREATE INDEX webhook_events_old ON webhook_events USING brin (received_at);
COMMENT ON INDEX webhook_events_old IS 'serves: deleteOldWebhookEvents (db/webhook-events.ts)';
CREATE INDEX dispatches_old ON dispatches USING brin (created_at);
COMMENT ON INDEX dispatches_old IS 'serves: forgetOldRecipients (db/dispatch-outcomes.ts)';
CREATE INDEX voice_alerts_over ON voice_alerts (ended_at) WHERE NOT live;
COMMENT ON INDEX voice_alerts_over IS 'serves: deleteOldAlerts (db/alert-course.ts)';

-- Down Migration

DROP INDEX voice_alerts_over, dispatches_old, webhook_events_old;
REVOKE DELETE ON webhook_events, voice_alerts, voice_alert_recipients, call_logs FROM kindline_application;
