-- A number that the carrier says does not exist: its owner sees it, and another one of theirs is written to first.

-- Up Migration

ALTER TABLE contact_points
  ADD COLUMN unreachable_since timestamptz,
  ADD COLUMN unreachable_code text,
  ADD CONSTRAINT contact_points_unreachable CHECK ((unreachable_since IS NULL) = (unreachable_code IS NULL));
COMMENT ON COLUMN contact_points.unreachable_since IS 'class: operational; when Twilio first said that no such number can be reached; null again once it was verified or saved anew';
COMMENT ON COLUMN contact_points.unreachable_code IS 'class: operational; Twilio''s code for it';

-- Down Migration

ALTER TABLE contact_points DROP COLUMN unreachable_since, DROP COLUMN unreachable_code;
