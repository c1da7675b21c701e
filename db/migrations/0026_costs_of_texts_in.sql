-- Texts to our numbers cost something too.

-- Up Migration

ALTER TABLE cost_marks DROP CONSTRAINT cost_marks_source_check,
  ADD CONSTRAINT cost_marks_source_check CHECK (source IN ('texts', 'legs', 'inbound-texts'));
INSERT INTO cost_marks (source, noted_until) VALUES ('inbound-texts', '-infinity');

-- Down Migration

DELETE FROM cost_marks WHERE source = 'inbound-texts';
ALTER TABLE cost_marks DROP CONSTRAINT cost_marks_source_check,
  ADD CONSTRAINT cost_marks_source_check CHECK (source IN ('texts', 'legs'));
