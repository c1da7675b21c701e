-- The chain over the audit entries, and the keys that only the process that writes it may open.

-- Up Migration

CREATE TABLE audit_chain (
  position    bigint PRIMARY KEY CHECK (position > 0),
  -- No foreign key: checking one would lock, and so write to, every entry that is chained.
  entry_id    uuid NOT NULL UNIQUE,
  txid        xid8 NOT NULL,
  key_version int NOT NULL CHECK (key_version > 0),
  mac         bytea NOT NULL CHECK (octet_length(mac) = 32)
);
COMMENT ON TABLE audit_chain IS 'Append-only. Each entry''s place, with a keyed hash over the entry and all before it';
COMMENT ON COLUMN audit_chain.position IS 'class: operational; from 1, without gaps';
COMMENT ON COLUMN audit_chain.entry_id IS 'class: pseudonymous';
COMMENT ON COLUMN audit_chain.txid IS 'class: operational; of the entry: the chain goes on behind the last one';
COMMENT ON COLUMN audit_chain.key_version IS 'class: operational; of the service key audit-chain';
COMMENT ON COLUMN audit_chain.mac IS 'class: operational; says nothing about the entry without the key';

CREATE INDEX audit_entries_in_chain_order ON audit_entries (txid, entry_id);
CREATE INDEX erasures_of_subject ON erasures (subject_id);

CREATE TRIGGER audit_chain_append_only BEFORE UPDATE OR DELETE ON audit_chain
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_chain_no_truncate BEFORE TRUNCATE ON audit_chain
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE audit_chain ENABLE ALWAYS TRIGGER audit_chain_append_only;
ALTER TABLE audit_chain ENABLE ALWAYS TRIGGER audit_chain_no_truncate;

GRANT SELECT, INSERT ON audit_chain TO kindline_worker;

-- Whoever could name a transaction of long ago could add an entry behind the place that the chain has reached.
REVOKE INSERT ON audit_entries FROM kindline_application;
GRANT INSERT (entry_id, at, actor, action, object_id, purpose, outcome, canonical) ON audit_entries
  TO kindline_application;

-- The API holds the key ring too: it must not even see the wrapped keys of the chain and of its checkpoints.
ALTER TABLE service_keys DROP CONSTRAINT service_keys_purpose_check;
ALTER TABLE service_keys ADD CONSTRAINT service_keys_purpose_check
  CHECK (purpose IN ('payload-codec', 'token', 'link', 'audit-chain', 'audit-checkpoint'));
ALTER TABLE service_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY service_keys_of_everybody ON service_keys TO kindline_application
  USING (purpose NOT IN ('audit-chain', 'audit-checkpoint'));
CREATE POLICY service_keys_of_the_chain ON service_keys TO kindline_worker
  USING (purpose IN ('audit-chain', 'audit-checkpoint'));

-- Down Migration

DROP POLICY service_keys_of_the_chain ON service_keys;
DROP POLICY service_keys_of_everybody ON service_keys;
ALTER TABLE service_keys DISABLE ROW LEVEL SECURITY;
-- The chain they were for is gone.
DELETE FROM service_keys WHERE purpose IN ('audit-chain', 'audit-checkpoint');
ALTER TABLE service_keys DROP CONSTRAINT service_keys_purpose_check;
ALTER TABLE service_keys ADD CONSTRAINT service_keys_purpose_check
  CHECK (purpose IN ('payload-codec', 'token', 'link', 'audit-chain'));
REVOKE INSERT (entry_id, at, actor, action, object_id, purpose, outcome, canonical) ON audit_entries
  FROM kindline_application;
GRANT INSERT ON audit_entries TO kindline_application;
DROP INDEX erasures_of_subject;
DROP INDEX audit_entries_in_chain_order;
DROP TABLE audit_chain;
