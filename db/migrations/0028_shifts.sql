-- When mentors are on shift, as ranges of time that an index finds: weekly hours and exceptions are expanded two weeks
-- ahead, with clocks as they are set then. Matching reads ranges only.

-- Up Migration

CREATE TABLE mentor_exceptions (
  exception_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  mentor_id    uuid NOT NULL REFERENCES mentors,
  kind         text NOT NULL CHECK (kind IN ('away', 'shift')),
  starts       timestamp NOT NULL,
  ends         timestamp NOT NULL CHECK (ends > starts),
  zone         text,
  source       text NOT NULL DEFAULT 'entered' CHECK (source IN ('entered', 'imported')),
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX mentor_exceptions_of_mentor ON mentor_exceptions (mentor_id, starts, exception_id);
COMMENT ON INDEX mentor_exceptions_of_mentor IS 'serves: listExceptions, expandShifts (db/mentor-exceptions.ts, db/mentor-shifts.ts)';
COMMENT ON TABLE mentor_exceptions IS 'Days away and single shifts, beside the weekly hours. Being away goes before every shift';
COMMENT ON COLUMN mentor_exceptions.exception_id IS 'class: pseudonymous';
COMMENT ON COLUMN mentor_exceptions.mentor_id IS 'class: pseudonymous';
COMMENT ON COLUMN mentor_exceptions.kind IS 'class: operational';
COMMENT ON COLUMN mentor_exceptions.starts IS 'class: operational; on the clock of the zone';
COMMENT ON COLUMN mentor_exceptions.ends IS 'class: operational; on the clock of the zone';
COMMENT ON COLUMN mentor_exceptions.zone IS 'class: operational; IANA; null is the mentor''s own, whichever it is then';
COMMENT ON COLUMN mentor_exceptions.source IS 'class: operational; an import replaces what the one before has brought';
COMMENT ON COLUMN mentor_exceptions.created_at IS 'class: operational';

CREATE TABLE mentor_shifts (
  mentor_id uuid NOT NULL REFERENCES mentors,
  during    tstzrange NOT NULL CHECK (NOT isempty(during)),
  PRIMARY KEY (mentor_id, during)
);
CREATE INDEX mentor_shifts_during ON mentor_shifts USING gist (during);
COMMENT ON INDEX mentor_shifts_during IS 'serves: reserveBest (db/mentor-match.ts)';
COMMENT ON TABLE mentor_shifts IS 'Made from weekly hours and exceptions, and made anew when they change and once a day; ranges of one mentor never touch';
COMMENT ON COLUMN mentor_shifts.mentor_id IS 'class: pseudonymous';
COMMENT ON COLUMN mentor_shifts.during IS 'class: operational; UTC';

ALTER TABLE mentors ADD COLUMN shifts_until timestamptz;
COMMENT ON COLUMN mentors.shifts_until IS 'class: operational; up to when the shifts are expanded; null is not yet';
CREATE INDEX mentors_to_expand ON mentors (shifts_until NULLS FIRST) WHERE deleted_at IS NULL;
COMMENT ON INDEX mentors_to_expand IS 'serves: mentorsToExpand (db/mentor-shifts.ts)';

CREATE INDEX mentor_slots_taken ON mentor_slots (mentor_id) WHERE call_id IS NOT NULL;
COMMENT ON INDEX mentor_slots_taken IS 'serves: reserveBest (db/mentor-match.ts)';

-- So that nobody is off shift between this and the first sweep. On days on which clocks change it may be an hour off
-- until then.
INSERT INTO mentor_shifts (mentor_id, during)
SELECT mentor_id, unnest(range_agg(tstzrange(begins, greatest(ends, begins + interval '1 minute'))))
  FROM (SELECT m.mentor_id, (day + w.starts) AT TIME ZONE m.zone AS begins,
               (day + w.ends + CASE WHEN w.ends <= w.starts THEN interval '1 day' ELSE interval '0' END) AT TIME ZONE m.zone AS ends
          FROM mentors m JOIN mentor_windows w USING (mentor_id)
          CROSS JOIN generate_series(date_trunc('day', localtimestamp) - interval '2 days', localtimestamp + interval '15 days', interval '1 day') AS day
         WHERE m.deleted_at IS NULL AND extract(isodow FROM day) = w.weekday) AS hours
 GROUP BY mentor_id;

GRANT SELECT, INSERT, UPDATE, DELETE ON mentor_exceptions TO kindline_application;
GRANT SELECT, INSERT, DELETE ON mentor_shifts TO kindline_application;

-- Down Migration

DROP INDEX mentor_slots_taken, mentors_to_expand;
ALTER TABLE mentors DROP COLUMN shifts_until;
DROP TABLE mentor_shifts, mentor_exceptions;
