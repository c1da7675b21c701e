-- Who waits to be rung when a mentor is free, and to whom a free place is offered.

-- Up Migration

CREATE TABLE mentor_queue (
  call_id           uuid PRIMARY KEY REFERENCES call_logs,
  waiting_since     timestamptz NOT NULL DEFAULT clock_timestamp(),
  entry             bigint GENERATED ALWAYS AS IDENTITY,
  waits_until       timestamptz NOT NULL,
  offered_mentor_id uuid REFERENCES mentors,
  offered_until     timestamptz,
  CHECK ((offered_mentor_id IS NULL) = (offered_until IS NULL))
);
CREATE INDEX mentor_queue_in_order ON mentor_queue (waiting_since, entry);
COMMENT ON INDEX mentor_queue_in_order IS 'Whose turn it is, and the position of one who waits';
COMMENT ON TABLE mentor_queue IS 'One row per call that waits for a mentor to be free; it goes when the call is rung for its place, or is over';
COMMENT ON COLUMN mentor_queue.call_id IS 'class: pseudonymous';
COMMENT ON COLUMN mentor_queue.waiting_since IS 'class: operational; who comes back into the queue keeps it, so the longest wait goes first';
COMMENT ON COLUMN mentor_queue.entry IS 'class: operational; decides between those who wait since the same instant';
COMMENT ON COLUMN mentor_queue.waits_until IS 'class: operational; then the workflow gives up';
COMMENT ON COLUMN mentor_queue.offered_mentor_id IS 'class: pseudonymous; whose place is kept for this call until offered_until';
COMMENT ON COLUMN mentor_queue.offered_until IS 'class: operational; an offer that is not taken by then goes to the next';

GRANT SELECT, INSERT, UPDATE, DELETE ON mentor_queue TO kindline_application;

-- Down Migration

DROP TABLE mentor_queue;
