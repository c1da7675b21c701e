-- Where the recipients of a batch sleep, as whoever sends it knows.

-- Up Migration

ALTER TABLE message_batches ADD COLUMN zone text;
COMMENT ON COLUMN message_batches.zone IS 'class: operational; IANA; of recipients that name none and have told none; null: not given';
ALTER TABLE message_batch_rows ADD COLUMN zone text;
COMMENT ON COLUMN message_batch_rows.zone IS 'class: operational; IANA; null: none of its own';

-- Down Migration

ALTER TABLE message_batch_rows DROP COLUMN zone;
ALTER TABLE message_batches DROP COLUMN zone;
