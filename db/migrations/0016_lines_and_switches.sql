-- What stands between us and the phones: switches that staff turn, and lines that a provider has closed to us.

-- Up Migration

CREATE TABLE switches (
  name       text PRIMARY KEY CHECK (name IN ('voice', 'sms', 'email')),
  is_on      boolean NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE switches IS 'No row: it was never switched, and is on';
COMMENT ON COLUMN switches.name IS 'class: operational';
COMMENT ON COLUMN switches.is_on IS 'class: operational';
COMMENT ON COLUMN switches.changed_at IS 'class: operational';

CREATE TABLE provider_lines (
  line       text PRIMARY KEY CHECK (line IN ('twilio', 'mail')),
  stopped_at timestamptz,
  probed_at  timestamptz,
  code       text
);
COMMENT ON COLUMN provider_lines.line IS 'class: operational';
COMMENT ON COLUMN provider_lines.stopped_at IS 'class: operational; null while it is open';
COMMENT ON COLUMN provider_lines.probed_at IS 'class: operational; when the provider was last asked whether it takes us again';
COMMENT ON COLUMN provider_lines.code IS 'class: operational; the error that stopped it';

GRANT SELECT, INSERT, UPDATE ON switches, provider_lines TO kindline_application;

-- Down Migration

DROP TABLE provider_lines, switches;
