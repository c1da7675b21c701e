-- Templates: what the organisation says, in versions. A change is a new version; what is in flight keeps its own.

-- Up Migration

CREATE TABLE templates (
  template_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name        text NOT NULL CHECK (name ~ '^[a-z][a-z0-9-]{0,39}$'),
  version     int NOT NULL DEFAULT 1,
  is_built_in boolean NOT NULL DEFAULT false,
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  deleted_at  timestamptz,
  CHECK (NOT is_built_in OR deleted_at IS NULL)
);
CREATE UNIQUE INDEX templates_by_name ON templates (name) WHERE deleted_at IS NULL;
COMMENT ON COLUMN templates.template_id IS 'class: operational';
COMMENT ON COLUMN templates.name IS 'class: operational; what requests name it by';
COMMENT ON COLUMN templates.version IS 'class: operational; the newest, shown as ETag';
COMMENT ON COLUMN templates.is_built_in IS 'class: operational; the service itself sends it, so it can be changed and not deleted';
COMMENT ON COLUMN templates.created_at IS 'class: operational';
COMMENT ON COLUMN templates.updated_at IS 'class: operational';
COMMENT ON COLUMN templates.deleted_at IS 'class: operational; its versions stay for what is in flight';

CREATE TABLE template_versions (
  template_id uuid NOT NULL REFERENCES templates,
  version     int NOT NULL CHECK (version > 0),
  variables   jsonb NOT NULL,
  languages   jsonb NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (template_id, version)
);
COMMENT ON TABLE template_versions IS 'Added to, never changed: the application may not update it';
COMMENT ON COLUMN template_versions.template_id IS 'class: operational';
COMMENT ON COLUMN template_versions.version IS 'class: operational';
COMMENT ON COLUMN template_versions.variables IS 'class: operational; names, types and limits, never values';
COMMENT ON COLUMN template_versions.languages IS 'class: operational; the organisation''s own words, by language';
COMMENT ON COLUMN template_versions.created_at IS 'class: operational';

GRANT SELECT, INSERT, UPDATE ON templates TO kindline_application;
GRANT SELECT, INSERT ON template_versions TO kindline_application;

INSERT INTO templates (name, is_built_in)
VALUES ('alert', true), ('reminder', true), ('update', true), ('opt-out-confirmed', true), ('opted-in', true),
       ('help', true), ('which-question', true), ('verification', true);

-- Spanish without á, í, ó and ú: they are not in the alphabet of GSM, and one of them doubles the price of a text.
INSERT INTO template_versions (template_id, version, variables, languages)
SELECT template_id, 1, variables::jsonb, languages::jsonb
  FROM templates JOIN (VALUES
    ('alert', '{"message": {"type": "text", "maxLength": 300}}',
     '{"en": {"subject": "An alert", "text": "Alert: {{message}}\n\nReply STOP to opt out.", "mail": "Alert: {{message}}", "speech": "This is an alert. {{message}}"},
       "es": {"subject": "Un aviso", "text": "Aviso: {{message}}\n\nResponda STOP para darse de baja.", "mail": "Aviso: {{message}}", "speech": "Esto es un aviso. {{message}}"}}'),
    ('reminder', '{"what": {"type": "text", "maxLength": 120}, "at": {"type": "time"}}',
     '{"en": {"subject": "A reminder", "text": "Reminder: {{what}}, {{at}}.\n\nReply STOP to opt out.", "mail": "Reminder: {{what}}, {{at}}.", "speech": "This is a reminder. {{what}}, {{at}}."},
       "es": {"subject": "Un recordatorio", "text": "Recordatorio: {{what}}, {{at}}.\n\nResponda STOP para darse de baja.", "mail": "Recordatorio: {{what}}, {{at}}.", "speech": "Esto es un recordatorio. {{what}}, {{at}}."}}'),
    ('update', '{"message": {"type": "text", "maxLength": 300}}',
     '{"en": {"subject": "News for you", "text": "Update: {{message}}\n\nReply STOP to opt out.", "mail": "Update: {{message}}", "speech": "We have news for you. {{message}}"},
       "es": {"subject": "Novedades", "text": "Novedad: {{message}}\n\nResponda STOP para darse de baja.", "mail": "Novedad: {{message}}", "speech": "Tenemos novedades. {{message}}"}}'),
    ('opt-out-confirmed', '{}',
     '{"en": {"text": "You have opted out: we will not text this number any more. Text START to hear from us again."},
       "es": {"text": "Se ha dado de baja: no le enviaremos otros mensajes. Escriba START para recibirlos de nuevo."}}'),
    ('opted-in', '{}',
     '{"en": {"text": "You will get texts from us again. Text HELP for help, STOP to opt out."},
       "es": {"text": "Usted recibe de nuevo nuestros mensajes. Escriba HELP para ayuda, STOP para darse de baja."}}'),
    ('help', '{}',
     '{"en": {"text": "Nobody reads texts to this number. In an emergency call your local emergency number. Text STOP to get no more texts from us."},
       "es": {"text": "Nadie lee estos mensajes. En una emergencia llame al servicio de emergencias de su zona. Escriba STOP para darse de baja."}}'),
    ('which-question', '{"first": {"type": "text", "maxLength": 40}, "second": {"type": "text", "maxLength": 40}}',
     '{"en": {"text": "Thank you. We asked you about two things. Which one is your answer for? Text A for {{first}}, B for {{second}}."},
       "es": {"text": "Gracias. Su respuesta puede ser para dos preguntas. Escriba A para {{first}}, B para {{second}}."}}'),
    ('verification', '{"code": {"type": "text", "maxLength": 12, "isSpelled": true}, "minutes": {"type": "number", "min": 1, "max": 1440}}',
     '{"en": {"subject": "Your code", "text": "Your code is {{code}}. It is good for {{minutes}} minutes. Tell it to nobody.", "speech": "Your code is {{code}}. Again: {{code}}."},
       "es": {"subject": "Su clave", "text": "Su clave es {{code}}. Vale {{minutes}} minutos. No la comparta con nadie.", "speech": "Su clave es {{code}}. Otra vez: {{code}}."}}')
  ) AS seed (name, variables, languages) USING (name);

-- Down Migration

DROP TABLE template_versions, templates;
