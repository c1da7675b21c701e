-- Who has texted STOP is not invited again by the same user either, until a START.

-- Up Migration

ALTER TABLE buddy_refusals
  DROP CONSTRAINT buddy_refusals_reason_check,
  ADD CONSTRAINT buddy_refusals_reason_check CHECK (reason IN ('declined', 'withdrawn', 'blocked', 'stopped')),
  ADD COLUMN stopped_by bytea CHECK (octet_length(stopped_by) = 32),
  ADD CONSTRAINT buddy_refusals_stopped_by CHECK ((reason = 'stopped') = (stopped_by IS NOT NULL));
COMMENT ON COLUMN buddy_refusals.stopped_by IS 'class: pseudonymous; of the number that texted STOP, and whose START lifts it; null: no START does';
CREATE INDEX buddy_refusals_stopped ON buddy_refusals (stopped_by) WHERE stopped_by IS NOT NULL;
COMMENT ON INDEX buddy_refusals_stopped IS 'serves: liftStops (db/buddy-refusals.ts)';

-- Down Migration

DROP INDEX buddy_refusals_stopped;
DELETE FROM buddy_refusals WHERE reason = 'stopped';
ALTER TABLE buddy_refusals
  DROP COLUMN stopped_by,
  DROP CONSTRAINT buddy_refusals_reason_check,
  ADD CONSTRAINT buddy_refusals_reason_check CHECK (reason IN ('declined', 'withdrawn', 'blocked'));
