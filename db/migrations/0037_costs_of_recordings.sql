-- Recordings cost something too.

-- Up Migration

ALTER TABLE cost_marks DROP CONSTRAINT cost_marks_source_check,
  ADD CONSTRAINT cost_marks_source_check CHECK (source IN ('texts', 'legs', 'inbound-texts', 'recordings'));
INSERT INTO cost_marks (source, noted_until) VALUES ('recordings', '-infinity');

-- Down Migration

DELETE FROM cost_marks WHERE source = 'recordings';
ALTER TABLE cost_marks DROP CONSTRAINT cost_marks_source_check,
  ADD CONSTRAINT cost_marks_source_check CHECK (source IN ('texts', 'legs', 'inbound-texts'));
