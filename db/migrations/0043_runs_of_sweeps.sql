-- What a run of the retention sweep has done, part by part, and when a sweep last came to its end.

-- Up Migration

CREATE TABLE retention_runs (
  run_id     uuid PRIMARY KEY,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at   timestamptz,
  is_whole   boolean,
  CHECK ((ended_at IS NULL) = (is_whole IS NULL))
);
COMMENT ON COLUMN retention_runs.run_id IS 'class: operational; of the workflow';
COMMENT ON COLUMN retention_runs.started_at IS 'class: operational';
COMMENT ON COLUMN retention_runs.ended_at IS 'class: operational';
COMMENT ON COLUMN retention_runs.is_whole IS 'class: operational; every part came to its end';
CREATE INDEX retention_runs_old ON retention_runs (started_at, run_id);
COMMENT ON INDEX retention_runs_old IS 'serves: deleteOldRuns (db/retention-runs.ts)';

-- Written in the transaction of the page it counts: a run that is killed goes on behind the last page that was committed,
-- and no row is counted twice or not at all.
CREATE TABLE retention_progress (
  run_id    uuid NOT NULL REFERENCES retention_runs ON DELETE CASCADE,
  kind      text NOT NULL,
  found     bigint NOT NULL DEFAULT 0,
  taken     bigint NOT NULL DEFAULT 0,
  held      bigint NOT NULL DEFAULT 0,
  cursor_at timestamptz,
  cursor_id text,
  ended_at  timestamptz,
  PRIMARY KEY (run_id, kind),
  CHECK ((cursor_at IS NULL) = (cursor_id IS NULL))
);
COMMENT ON COLUMN retention_progress.run_id IS 'class: operational';
COMMENT ON COLUMN retention_progress.kind IS 'class: operational; a part of the sweep';
COMMENT ON COLUMN retention_progress.found IS 'class: operational; rows whose time was over';
COMMENT ON COLUMN retention_progress.taken IS 'class: operational; of these, what was deleted, destroyed or anonymised';
COMMENT ON COLUMN retention_progress.held IS 'class: operational; of these, what a legal hold has kept';
COMMENT ON COLUMN retention_progress.cursor_at IS 'class: operational; of the last row that was looked at; null at the end';
COMMENT ON COLUMN retention_progress.cursor_id IS 'class: pseudonymous; of the same; null at the end';
COMMENT ON COLUMN retention_progress.ended_at IS 'class: operational';

CREATE TABLE sweeps (
  sweep           text PRIMARY KEY,
  known_since     timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_success_at timestamptz
);
COMMENT ON TABLE sweeps IS 'Whether what recurs still comes to its end; a schedule that stops says so to nobody';
COMMENT ON COLUMN sweeps.sweep IS 'class: operational';
COMMENT ON COLUMN sweeps.known_since IS 'class: operational; one that has never run is stale from here on';
COMMENT ON COLUMN sweeps.last_success_at IS 'class: operational';
INSERT INTO sweeps (sweep) VALUES ('retention');

GRANT SELECT, INSERT, UPDATE, DELETE ON retention_runs TO kindline_application;
GRANT SELECT, INSERT, UPDATE, DELETE ON retention_progress TO kindline_application;
GRANT SELECT, UPDATE ON sweeps TO kindline_application;

-- Down Migration

DROP TABLE sweeps, retention_progress, retention_runs;
