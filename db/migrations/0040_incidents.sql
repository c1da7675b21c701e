-- What the watchdog has found to be wrong, and whom it has told.

-- Up Migration

CREATE TABLE incidents (
  incident_id     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  kind            text NOT NULL,
  key             text NOT NULL,
  counts          jsonb NOT NULL,
  first_seen_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  raised_at       timestamptz,
  calm_since      timestamptz,
  closed_at       timestamptz,
  acknowledged_at timestamptz,
  acknowledged_by uuid REFERENCES subjects,
  CHECK (closed_at IS NULL OR raised_at IS NOT NULL),
  CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
-- The same trouble is one incident until it is over.
CREATE UNIQUE INDEX incidents_one_open ON incidents (kind, key) WHERE closed_at IS NULL;
-- `GET /incidents`: those that are raised, the newest first.
CREATE INDEX incidents_by_time ON incidents (raised_at DESC, incident_id DESC) WHERE raised_at IS NOT NULL;
COMMENT ON COLUMN incidents.incident_id IS 'class: pseudonymous';
COMMENT ON COLUMN incidents.kind IS 'class: operational';
COMMENT ON COLUMN incidents.key IS 'class: pseudonymous; of the user, mentor or call it is about, or a class or line';
COMMENT ON COLUMN incidents.counts IS 'class: operational';
COMMENT ON COLUMN incidents.first_seen_at IS 'class: operational';
COMMENT ON COLUMN incidents.last_seen_at IS 'class: operational';
COMMENT ON COLUMN incidents.raised_at IS 'class: operational; null: too short so far to tell anybody';
COMMENT ON COLUMN incidents.calm_since IS 'class: operational; nothing was found from then on';
COMMENT ON COLUMN incidents.closed_at IS 'class: operational';
COMMENT ON COLUMN incidents.acknowledged_at IS 'class: operational';
COMMENT ON COLUMN incidents.acknowledged_by IS 'class: pseudonymous; of staff';

CREATE TABLE incident_notices (
  incident_id     uuid NOT NULL REFERENCES incidents ON DELETE CASCADE,
  phase           text NOT NULL CHECK (phase IN ('firing', 'resolved')),
  channel         text NOT NULL CHECK (channel IN ('email', 'webhook')),
  recipient       int NOT NULL CHECK (recipient > 0),
  message_id      uuid NOT NULL DEFAULT gen_random_uuid(),
  noted_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  attempts        int NOT NULL DEFAULT 0,
  next_attempt_at timestamptz DEFAULT clock_timestamp(),
  done_at         timestamptz,
  last_error      text,
  PRIMARY KEY (incident_id, phase, channel, recipient),
  CHECK (done_at IS NULL OR next_attempt_at IS NULL)
);
CREATE INDEX incident_notices_due ON incident_notices (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
COMMENT ON TABLE incident_notices IS 'Written in the transaction that raises or closes an incident; who is to be told of it, and whether they were';
COMMENT ON COLUMN incident_notices.incident_id IS 'class: pseudonymous';
COMMENT ON COLUMN incident_notices.phase IS 'class: operational';
COMMENT ON COLUMN incident_notices.channel IS 'class: operational';
COMMENT ON COLUMN incident_notices.recipient IS 'class: operational; place in ALERT_EMAILS, from 1';
COMMENT ON COLUMN incident_notices.message_id IS 'class: pseudonymous; of the e-mail';
COMMENT ON COLUMN incident_notices.noted_at IS 'class: operational';
COMMENT ON COLUMN incident_notices.attempts IS 'class: operational';
COMMENT ON COLUMN incident_notices.next_attempt_at IS 'class: operational; null: done, or given up';
COMMENT ON COLUMN incident_notices.done_at IS 'class: operational';
COMMENT ON COLUMN incident_notices.last_error IS 'class: operational; in a word of ours';

GRANT SELECT, INSERT, UPDATE, DELETE ON incidents, incident_notices TO kindline_application;

INSERT INTO templates (name, is_built_in) VALUES ('incident', true), ('incident-over', true);
INSERT INTO template_versions (template_id, version, variables, languages)
SELECT template_id, 1, variables::jsonb, languages::jsonb
  FROM templates JOIN (VALUES
    ('incident', '{"what": {"type": "text", "maxLength": 300}, "link": {"type": "text", "maxLength": 300}}',
     '{"en": {"subject": "Kindline needs you", "text": "{{what}}\n\nMore: {{link}}"}}'),
    ('incident-over', '{"what": {"type": "text", "maxLength": 300}, "link": {"type": "text", "maxLength": 300}}',
     '{"en": {"subject": "Kindline: it is over", "text": "This is over: {{what}}\n\nMore: {{link}}"}}')
  ) AS seed (name, variables, languages) USING (name);

-- Down Migration

DELETE FROM template_versions USING templates t
 WHERE t.template_id = template_versions.template_id AND t.is_built_in AND t.name IN ('incident', 'incident-over');
DELETE FROM templates WHERE is_built_in AND name IN ('incident', 'incident-over');
DROP TABLE incident_notices, incidents;
