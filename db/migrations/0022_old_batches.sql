-- Batches leave as their messages do: what was given for them, and who was on the list.

-- Up Migration

GRANT DELETE ON message_batches, message_batch_rows TO kindline_application;

-- Down Migration

REVOKE DELETE ON message_batches, message_batch_rows FROM kindline_application;
