-- How calls were, said by those who were called: by key, by text or in the app.

-- Up Migration

CREATE TABLE call_feedback (
  call_id        uuid PRIMARY KEY,
  mentor_id      uuid NOT NULL,
  rating         int NOT NULL CHECK (rating BETWEEN 1 AND 5),
  via            text NOT NULL CHECK (via IN ('key', 'sms', 'app')),
  word_record_id uuid REFERENCES vault_records,
  given_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  changed_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX call_feedback_by_time ON call_feedback (given_at);
CREATE INDEX call_feedback_of_mentor ON call_feedback (mentor_id, given_at);
CREATE INDEX call_feedback_words ON call_feedback (word_record_id) WHERE word_record_id IS NOT NULL;
COMMENT ON INDEX call_feedback_by_time IS 'serves: satisfactionByMonth (db/satisfaction.ts)';
COMMENT ON INDEX call_feedback_of_mentor IS 'serves: satisfactionWithMentor (db/satisfaction.ts)';
COMMENT ON INDEX call_feedback_words IS 'serves: destroyUnreferencedRecords (db/unreferenced-records.ts)';
-- The call is named without a foreign key: its log is anonymised one day, and what people thought of their calls stays.
COMMENT ON TABLE call_feedback IS 'How somebody''s call was: one answer a call, shown to others only as a mean of many';
COMMENT ON COLUMN call_feedback.call_id IS 'class: pseudonymous; leads to nobody any more when the call''s log is gone';
COMMENT ON COLUMN call_feedback.mentor_id IS 'class: pseudonymous; whom they talked with last';
COMMENT ON COLUMN call_feedback.rating IS 'class: sensitive; from 1, not good, to 5, very good';
COMMENT ON COLUMN call_feedback.via IS 'class: operational';
COMMENT ON COLUMN call_feedback.word_record_id IS 'class: pseudonymous; vault record of what they wrote beside it';
COMMENT ON COLUMN call_feedback.given_at IS 'class: operational; the month it counts for';
COMMENT ON COLUMN call_feedback.changed_at IS 'class: operational';
GRANT SELECT, INSERT, UPDATE ON call_feedback TO kindline_application;

-- Down Migration

DROP TABLE call_feedback;
