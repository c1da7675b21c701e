-- What was done and who was erased: rows that are added and never touched again.

-- Up Migration

CREATE TABLE audit_entries (
  entry_id  uuid PRIMARY KEY,
  at        timestamptz NOT NULL,
  actor     text NOT NULL,
  action    text NOT NULL,
  object_id text NOT NULL,
  purpose   text,
  outcome   text NOT NULL,
  canonical bytea NOT NULL,
  txid      xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX audit_entries_of_object ON audit_entries (object_id, at);
COMMENT ON TABLE audit_entries IS 'Append-only. The chain over the entries takes them by transaction id';
COMMENT ON COLUMN audit_entries.entry_id IS 'class: pseudonymous';
COMMENT ON COLUMN audit_entries.at IS 'class: operational';
COMMENT ON COLUMN audit_entries.actor IS 'class: pseudonymous';
COMMENT ON COLUMN audit_entries.action IS 'class: operational; closed list';
COMMENT ON COLUMN audit_entries.object_id IS 'class: pseudonymous';
COMMENT ON COLUMN audit_entries.purpose IS 'class: operational';
COMMENT ON COLUMN audit_entries.outcome IS 'class: operational; closed list';
COMMENT ON COLUMN audit_entries.canonical IS 'class: pseudonymous; the same fields as the bytes that a chain covers (jsonb would reorder them)';
COMMENT ON COLUMN audit_entries.txid IS 'class: operational';

CREATE TABLE erasures (
  erasure_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  subject_id uuid NOT NULL,
  actor      text NOT NULL,
  erased_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE erasures IS 'Append-only. Replayed after a restore, so that a backup brings nobody back';
COMMENT ON COLUMN erasures.erasure_id IS 'class: pseudonymous';
COMMENT ON COLUMN erasures.subject_id IS 'class: pseudonymous';
COMMENT ON COLUMN erasures.actor IS 'class: pseudonymous';
COMMENT ON COLUMN erasures.erased_at IS 'class: operational';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

-- Grants stop the application, triggers the owner too; ALWAYS also under session_replication_role = replica, which
-- would otherwise switch them off silently. What only a superuser can do, checkpoints outside the database show.
CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE ON audit_entries
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_entries_no_truncate BEFORE TRUNCATE ON audit_entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER erasures_append_only BEFORE UPDATE OR DELETE ON erasures
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER erasures_no_truncate BEFORE TRUNCATE ON erasures
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_append_only;
ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER audit_entries_no_truncate;
ALTER TABLE erasures ENABLE ALWAYS TRIGGER erasures_append_only;
ALTER TABLE erasures ENABLE ALWAYS TRIGGER erasures_no_truncate;

GRANT SELECT, INSERT ON audit_entries, erasures TO kindline_application;

-- Down Migration

DROP TABLE erasures, audit_entries;
DROP FUNCTION refuse_change();
