-- Whose answer decided an alert: they are told that it counted, and others that it was decided.

-- Up Migration

ALTER TABLE wellbeing_alerts ADD COLUMN decided_by uuid;
COMMENT ON COLUMN wellbeing_alerts.decided_by IS 'class: pseudonymous; check-in, message or voice alert whose answer decided it; null: none did';

-- Down Migration

ALTER TABLE wellbeing_alerts DROP COLUMN decided_by;
