-- The order of the audit trail outlives the server that it began on, and no entry can stop whoever reads it.

-- Up Migration

-- Entries are chained in the order of their transactions. A server that a logical dump was brought back to counts its
-- transactions from the beginning again: `npm run audit:continue` then raises all numbers by what the old one reached.
CREATE FUNCTION audit_number(xid8) RETURNS xid8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT $1';
ALTER TABLE audit_entries ALTER COLUMN txid SET DEFAULT audit_number(pg_current_xact_id());
COMMENT ON COLUMN audit_entries.txid IS 'class: operational; audit_number of the transaction that wrote it';

-- Whoever took the role of the API over could otherwise fill the memory of the one who chains with one entry.
ALTER TABLE audit_entries ADD CONSTRAINT audit_entries_are_small CHECK (
  octet_length(canonical) <= 4096
  AND octet_length(actor) + octet_length(action) + octet_length(object_id) + octet_length(coalesce(purpose, ''))
      + octet_length(outcome) <= 2048);

-- Down Migration

ALTER TABLE audit_entries DROP CONSTRAINT audit_entries_are_small;
COMMENT ON COLUMN audit_entries.txid IS 'class: operational';
ALTER TABLE audit_entries ALTER COLUMN txid SET DEFAULT pg_current_xact_id();
DROP FUNCTION audit_number(xid8);
