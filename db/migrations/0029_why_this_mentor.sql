-- What a match was made with, also where nobody was found; and who may ask for calls while they are not for everybody.

-- Up Migration

COMMENT ON COLUMN mentor_offers.reasons IS 'class: sensitive; why this mentor, and why not the best of the others: scores of the preferences';

CREATE TABLE match_misses (
  call_id uuid NOT NULL REFERENCES call_logs ON DELETE CASCADE,
  step    int NOT NULL,
  why     text NOT NULL CHECK (why IN ('nobody-on-shift', 'all-busy')),
  times   int NOT NULL DEFAULT 1 CHECK (times > 0),
  last_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  reasons jsonb NOT NULL,
  PRIMARY KEY (call_id, step)
);
COMMENT ON TABLE match_misses IS 'Steps of calls for which nobody could be rung; one that is asked again keeps its last answer';
COMMENT ON COLUMN match_misses.call_id IS 'class: pseudonymous';
COMMENT ON COLUMN match_misses.step IS 'class: operational';
COMMENT ON COLUMN match_misses.why IS 'class: operational';
COMMENT ON COLUMN match_misses.times IS 'class: operational; how often it was asked';
COMMENT ON COLUMN match_misses.last_at IS 'class: operational';
COMMENT ON COLUMN match_misses.reasons IS 'class: sensitive; why not the best of those who were on shift';

CREATE TABLE match_models (
  version    int PRIMARY KEY CHECK (version > 0),
  weights    jsonb NOT NULL,
  ratings    int NOT NULL CHECK (ratings > 0),
  trained_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE match_models IS 'Weights of the scorer that learns from feedback; the last version is used where that is configured';
COMMENT ON COLUMN match_models.version IS 'class: operational';
COMMENT ON COLUMN match_models.weights IS 'class: operational; one number a feature, and nothing about anybody';
COMMENT ON COLUMN match_models.ratings IS 'class: operational; how many it was learned from';
COMMENT ON COLUMN match_models.trained_at IS 'class: operational';

CREATE TABLE mentor_call_access (
  subject_id uuid PRIMARY KEY REFERENCES subjects,
  added_by   uuid NOT NULL REFERENCES subjects,
  added_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX mentor_call_access_in_order ON mentor_call_access (added_at, subject_id);
COMMENT ON INDEX mentor_call_access_in_order IS 'serves: listAccess (db/mentor-call-access.ts)';
COMMENT ON TABLE mentor_call_access IS 'Who may ask for mentor calls where MENTOR_CALLS_ACCESS is list';
COMMENT ON COLUMN mentor_call_access.subject_id IS 'class: pseudonymous';
COMMENT ON COLUMN mentor_call_access.added_by IS 'class: pseudonymous';
COMMENT ON COLUMN mentor_call_access.added_at IS 'class: operational';

GRANT SELECT, INSERT, UPDATE, DELETE ON match_misses TO kindline_application;
GRANT SELECT, INSERT ON match_models TO kindline_application;
GRANT SELECT, INSERT, DELETE ON mentor_call_access TO kindline_application;

-- Down Migration

DROP TABLE mentor_call_access, match_models, match_misses;
COMMENT ON COLUMN mentor_offers.reasons IS 'class: sensitive; why this mentor: scores of the preferences';
