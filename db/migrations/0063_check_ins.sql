-- Check-ins: what a buddy answered by text waits in the question it answers until the workflow has it; and how many days
-- an alert is about, which its page says.

-- Up Migration

ALTER TABLE open_questions ADD COLUMN response text CHECK (response IN ('called', 'messaged', 'cannot-reach', 'unavailable'));
COMMENT ON COLUMN open_questions.response IS 'class: sensitive; of a check-in: which answer came by text';

ALTER TABLE buddy_check_in_requests ADD COLUMN alert_days int CHECK (alert_days BETWEEN 1 AND 60);
COMMENT ON COLUMN buddy_check_in_requests.alert_days IS 'class: sensitive; of an alert: how many days it is about';

-- Down Migration

ALTER TABLE buddy_check_in_requests DROP COLUMN alert_days;
ALTER TABLE open_questions DROP COLUMN response;
