-- Scores of how somebody is, the alerts they begin, and who is asked then, step by step.

-- Up Migration

CREATE TABLE wellbeing_scores (
  event_id    uuid PRIMARY KEY,
  user_id     uuid NOT NULL REFERENCES subjects,
  score       double precision NOT NULL CHECK (score BETWEEN 0 AND 100),
  risk        text NOT NULL CHECK (risk IN ('low', 'medium', 'high')),
  measured_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE wellbeing_scores IS 'What the analysis has measured, as far as it still says something about now';
COMMENT ON COLUMN wellbeing_scores.event_id IS 'class: pseudonymous; of the analysis: the same event is taken once';
COMMENT ON COLUMN wellbeing_scores.user_id IS 'class: pseudonymous';
COMMENT ON COLUMN wellbeing_scores.score IS 'class: sensitive; 0 to 100, a higher one is better';
COMMENT ON COLUMN wellbeing_scores.risk IS 'class: sensitive';
COMMENT ON COLUMN wellbeing_scores.measured_at IS 'class: operational; the order of scores is by this';
COMMENT ON COLUMN wellbeing_scores.received_at IS 'class: operational';
CREATE INDEX wellbeing_scores_of_user ON wellbeing_scores (user_id, measured_at DESC, received_at DESC);
COMMENT ON INDEX wellbeing_scores_of_user IS 'serves: takeScores (db/wellbeing-scores.ts)';
CREATE INDEX wellbeing_scores_old ON wellbeing_scores USING brin (measured_at);
COMMENT ON INDEX wellbeing_scores_old IS 'serves: the sweep of scores that are too old to say anything';

CREATE TABLE escalation_policies (
  version  int PRIMARY KEY CHECK (version > 0),
  document jsonb NOT NULL,
  set_by   uuid NOT NULL REFERENCES subjects,
  set_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE escalation_policies IS 'Who is asked in an alert, in versions; before the first one the built-in policy holds';
COMMENT ON COLUMN escalation_policies.version IS 'class: operational; the highest is the policy of now';
COMMENT ON COLUMN escalation_policies.document IS 'class: operational; steps, waits and channels, and nobody''s name or number';
COMMENT ON COLUMN escalation_policies.set_by IS 'class: pseudonymous';
COMMENT ON COLUMN escalation_policies.set_at IS 'class: operational';

CREATE TABLE wellbeing_alerts (
  alert_id       uuid PRIMARY KEY,
  user_id        uuid NOT NULL REFERENCES subjects,
  trigger_reason text NOT NULL CHECK (trigger_reason IN ('risk-high', 'low-in-a-row', 'drop')),
  days           int NOT NULL CHECK (days BETWEEN 1 AND 14),
  state          text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'running', 'answered', 'escalated', 'closed')),
  end_reason     text CHECK (end_reason IN ('answered', 'answered-after-escalation', 'taken-over', 'handed-over',
                   'nobody-answered', 'nobody-to-ask', 'closed-by-user', 'closed-by-staff', 'user-erased',
                   'stopped-by-operator', 'workflow-failed')),
  policy_version int,
  due_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at     timestamptz,
  opened_at      timestamptz,
  ended_at       timestamptz,
  counts         boolean NOT NULL DEFAULT true,
  cooldown       tstzrange NOT NULL,
  CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
  CHECK ((ended_at IS NULL) = (state IN ('due', 'running'))),
  CONSTRAINT wellbeing_alerts_one_in_its_time EXCLUDE USING gist (user_id WITH =, cooldown WITH &&) WHERE (counts)
);
COMMENT ON TABLE wellbeing_alerts IS 'Each time that somebody''s scores were a reason to ask others to look after them';
COMMENT ON COLUMN wellbeing_alerts.alert_id IS 'class: pseudonymous';
COMMENT ON COLUMN wellbeing_alerts.user_id IS 'class: pseudonymous';
COMMENT ON COLUMN wellbeing_alerts.trigger_reason IS 'class: sensitive';
COMMENT ON COLUMN wellbeing_alerts.days IS 'class: sensitive; how long it has not been easy; all that friends are told';
COMMENT ON COLUMN wellbeing_alerts.state IS 'class: operational';
COMMENT ON COLUMN wellbeing_alerts.end_reason IS 'class: operational';
COMMENT ON COLUMN wellbeing_alerts.policy_version IS 'class: operational; the one it began with and keeps; 0: the built-in one';
COMMENT ON COLUMN wellbeing_alerts.due_at IS 'class: operational';
COMMENT ON COLUMN wellbeing_alerts.started_at IS 'class: operational; when Temporal took its workflow';
COMMENT ON COLUMN wellbeing_alerts.opened_at IS 'class: operational; when its workflow began';
COMMENT ON COLUMN wellbeing_alerts.ended_at IS 'class: operational';
COMMENT ON COLUMN wellbeing_alerts.counts IS 'class: operational; false when its workflow was lost before anybody was asked';
COMMENT ON COLUMN wellbeing_alerts.cooldown IS 'class: operational; no other alert of the user begins in it';
CREATE INDEX wellbeing_alerts_of_user ON wellbeing_alerts (user_id, due_at DESC, alert_id DESC);
COMMENT ON INDEX wellbeing_alerts_of_user IS 'serves: listWellbeingAlerts of a user (db/wellbeing-alerts.ts)';
CREATE INDEX wellbeing_alerts_newest ON wellbeing_alerts (due_at DESC, alert_id DESC);
COMMENT ON INDEX wellbeing_alerts_newest IS 'serves: listWellbeingAlerts for staff (db/wellbeing-alerts.ts)';
CREATE INDEX wellbeing_alerts_live ON wellbeing_alerts (due_at, alert_id) WHERE ended_at IS NULL;
COMMENT ON INDEX wellbeing_alerts_live IS 'serves: alertsToStart, wellbeingAlertsToClose (db/wellbeing-sweeps.ts), alertsStanding (db/wellbeing-standings.ts)';
CREATE INDEX wellbeing_alerts_old ON wellbeing_alerts (ended_at) WHERE ended_at IS NOT NULL;
COMMENT ON INDEX wellbeing_alerts_old IS 'serves: the sweep of old alerts';

CREATE TABLE wellbeing_alert_steps (
  alert_id     uuid NOT NULL REFERENCES wellbeing_alerts ON DELETE CASCADE,
  position     int NOT NULL CHECK (position > 0),
  who          text NOT NULL CHECK (who IN ('buddies', 'registered-contact', 'wellbeing-service', 'on-call', 'emergency')),
  channel      text NOT NULL CHECK (channel IN ('sms', 'email', 'voice')),
  state        text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'under-way', 'awaiting-human', 'answered',
                 'unanswered', 'skipped', 'not-begun', 'ended')),
  skipped_because text CHECK (skipped_because IN ('no-buddies', 'nobody-verified', 'all-opted-out', 'all-asked',
                 'no-contact', 'contact-refused', 'contact-opted-out', 'not-configured')),
  ask_ids      uuid[] NOT NULL DEFAULT '{}',
  buddy_ids    uuid[] NOT NULL DEFAULT '{}',
  response     text CHECK (response IN ('called', 'messaged', 'cannot-reach', 'unavailable')),
  confirmed_by uuid REFERENCES subjects,
  confirmed_at timestamptz,
  begun_at     timestamptz,
  ended_at     timestamptz,
  PRIMARY KEY (alert_id, position),
  CHECK ((state = 'skipped') = (skipped_because IS NOT NULL)),
  CHECK ((confirmed_by IS NULL) = (confirmed_at IS NULL))
);
COMMENT ON TABLE wellbeing_alert_steps IS 'The steps of an alert''s policy, each with what came of it';
COMMENT ON COLUMN wellbeing_alert_steps.alert_id IS 'class: pseudonymous';
COMMENT ON COLUMN wellbeing_alert_steps.position IS 'class: operational; from 1';
COMMENT ON COLUMN wellbeing_alert_steps.who IS 'class: operational';
COMMENT ON COLUMN wellbeing_alert_steps.channel IS 'class: operational';
COMMENT ON COLUMN wellbeing_alert_steps.state IS 'class: operational';
COMMENT ON COLUMN wellbeing_alert_steps.skipped_because IS 'class: operational';
COMMENT ON COLUMN wellbeing_alert_steps.ask_ids IS 'class: pseudonymous; check-ins, or the message or voice alert, that asked';
COMMENT ON COLUMN wellbeing_alert_steps.buddy_ids IS 'class: pseudonymous; whom its check-ins asked, in their order';
COMMENT ON COLUMN wellbeing_alert_steps.response IS 'class: sensitive; of the registered contact; buddies'' stand with their check-ins';
COMMENT ON COLUMN wellbeing_alert_steps.confirmed_by IS 'class: pseudonymous; the human who set the emergency step off';
COMMENT ON COLUMN wellbeing_alert_steps.confirmed_at IS 'class: operational';
COMMENT ON COLUMN wellbeing_alert_steps.begun_at IS 'class: operational';
COMMENT ON COLUMN wellbeing_alert_steps.ended_at IS 'class: operational';

CREATE TABLE registered_contacts (
  contact_id      uuid PRIMARY KEY,
  user_id         uuid NOT NULL REFERENCES subjects,
  subject_id      uuid NOT NULL UNIQUE REFERENCES subjects,
  name_record_id  uuid NOT NULL REFERENCES vault_records,
  phone_record_id uuid NOT NULL REFERENCES vault_records,
  phone_token     bytea CHECK (octet_length(phone_token) = 32),
  token_version   int NOT NULL,
  country         text NOT NULL,
  language        text NOT NULL CHECK (language ~ '^[a-z]{2}$'),
  link_hash       bytea UNIQUE CHECK (octet_length(link_hash) = 32),
  message_id      uuid NOT NULL,
  named_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  told_at         timestamptz,
  agreed_at       timestamptz,
  refused_at      timestamptz,
  removed_at      timestamptz,
  ip_record_id         uuid REFERENCES vault_records,
  user_agent_record_id uuid REFERENCES vault_records,
  CHECK (agreed_at IS NULL OR refused_at IS NULL)
);
COMMENT ON TABLE registered_contacts IS 'Whom a user has named to be asked when no buddy answers; told by text once, and free to refuse';
COMMENT ON COLUMN registered_contacts.contact_id IS 'class: pseudonymous';
COMMENT ON COLUMN registered_contacts.user_id IS 'class: pseudonymous; whose contact it is';
COMMENT ON COLUMN registered_contacts.subject_id IS 'class: pseudonymous; the contact as a person, one for each user that names them';
COMMENT ON COLUMN registered_contacts.name_record_id IS 'class: pseudonymous';
COMMENT ON COLUMN registered_contacts.phone_record_id IS 'class: pseudonymous';
COMMENT ON COLUMN registered_contacts.phone_token IS 'class: pseudonymous; null once the contact was removed or erased';
COMMENT ON COLUMN registered_contacts.token_version IS 'class: operational';
COMMENT ON COLUMN registered_contacts.country IS 'class: operational; ISO 3166, of the number';
COMMENT ON COLUMN registered_contacts.language IS 'class: operational; ISO 639-1';
COMMENT ON COLUMN registered_contacts.link_hash IS 'class: secret; SHA-256 of the link''s token; null until they were told';
COMMENT ON COLUMN registered_contacts.message_id IS 'class: pseudonymous; the text that tells them';
COMMENT ON COLUMN registered_contacts.named_at IS 'class: operational';
COMMENT ON COLUMN registered_contacts.told_at IS 'class: operational; when that text was begun';
COMMENT ON COLUMN registered_contacts.agreed_at IS 'class: operational';
COMMENT ON COLUMN registered_contacts.refused_at IS 'class: operational; never asked from then on';
COMMENT ON COLUMN registered_contacts.removed_at IS 'class: operational; by the user, or with an erasure';
COMMENT ON COLUMN registered_contacts.ip_record_id IS 'class: pseudonymous; vault record of the address they agreed or refused from';
COMMENT ON COLUMN registered_contacts.user_agent_record_id IS 'class: pseudonymous; vault record';
CREATE UNIQUE INDEX registered_contacts_one ON registered_contacts (user_id) WHERE removed_at IS NULL;
COMMENT ON INDEX registered_contacts_one IS 'serves: findRegisteredContact (db/registered-contacts.ts); one of each user';
CREATE INDEX registered_contacts_untold ON registered_contacts (named_at) WHERE told_at IS NULL AND removed_at IS NULL;
COMMENT ON INDEX registered_contacts_untold IS 'serves: untoldContacts (db/registered-contacts.ts)';
CREATE INDEX registered_contacts_of_target ON registered_contacts (phone_token, named_at) WHERE phone_token IS NOT NULL;
COMMENT ON INDEX registered_contacts_of_target IS 'serves: targetWaitMs (db/buddy-targets.ts)';
CREATE INDEX registered_contacts_removed ON registered_contacts (removed_at) WHERE removed_at IS NOT NULL;
COMMENT ON INDEX registered_contacts_removed IS 'serves: the sweep of contacts that were removed';

-- Why the system asked stands beside each text, whoever writes the text's row.
CREATE FUNCTION reason_of_system_check_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.trigger_reason IS NULL THEN
    NEW.trigger_reason := (SELECT a.trigger_reason FROM wellbeing_alerts a WHERE a.alert_id = NEW.alert_id);
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER buddy_check_in_requests_reason BEFORE INSERT ON buddy_check_in_requests
  FOR EACH ROW WHEN (NEW.kind = 'system') EXECUTE FUNCTION reason_of_system_check_in();

GRANT SELECT, INSERT, UPDATE, DELETE ON wellbeing_scores, wellbeing_alerts, wellbeing_alert_steps, registered_contacts
  TO kindline_application;
GRANT SELECT, INSERT ON escalation_policies TO kindline_application;

-- Those that messages were sent with stay on the way down.
INSERT INTO templates (name, is_built_in)
VALUES ('buddy.contact-named', true), ('buddy.contact-alert', true), ('buddy.contact-over', true),
       ('wellbeing.service', true), ('wellbeing.service-over', true), ('wellbeing.on-call', true),
       ('wellbeing.emergency', true)
ON CONFLICT DO NOTHING;

-- As in 0061: Spanish texts keep to the letters of GSM-7. What goes to the organisation says nothing about anybody.
INSERT INTO template_versions (template_id, version, variables, languages)
SELECT template_id, 1, variables::jsonb, languages::jsonb
  FROM templates JOIN (VALUES
    ('buddy.contact-named',
     '{"contact": {"type": "text", "maxLength": 40}, "user": {"type": "text", "maxLength": 40}, "link": {"type": "link"}}',
     '{"en": {"text": "Hi {{contact}}, {{user}} has named you to be asked if we fear they are not well. Yes, no, and your data: {{link}}\n\nReply STOP to opt out."},
       "es": {"text": "Hola {{contact}}, {{user}} quiere que le avisemos si tememos que no esta bien. Aceptar, rechazar, sus datos: {{link}}\n\nResponda STOP para darse de baja."}}'),
    ('buddy.contact-alert',
     '{"contact": {"type": "text", "maxLength": 40}, "user": {"type": "text", "maxLength": 40}, "days": {"type": "number", "min": 1, "max": 14}, "link": {"type": "link"}}',
     '{"en": {"text": "Hi {{contact}}, {{user}} may have had a hard time (last days: {{days}}). Please get in touch, then tell us: {{link}}\n\nReply STOP to opt out."},
       "es": {"text": "Hola {{contact}}, puede que {{user}} lo haya pasado mal (ultimos dias: {{days}}). Pongase en contacto y luego diganos: {{link}}\n\nResponda STOP para darse de baja."}}'),
    ('buddy.contact-over',
     '{"contact": {"type": "text", "maxLength": 40}, "user": {"type": "text", "maxLength": 40}, "link": {"type": "link"}}',
     '{"en": {"text": "Hi {{contact}}, somebody is looking after {{user}} now. You need do nothing more. Thank you. {{link}}\n\nReply STOP to opt out."},
       "es": {"text": "Hola {{contact}}, ya hay alguien pendiente de {{user}}. No tiene que hacer nada mas. Gracias. {{link}}\n\nResponda STOP para darse de baja."}}'),
    ('wellbeing.service',
     '{"reference": {"type": "text", "maxLength": 36}, "staffLink": {"type": "link"}}',
     '{"en": {"subject": "A wellbeing alert needs you", "text": "A wellbeing alert needs somebody to look at it. Please sign in: {{staffLink}} Reference: {{reference}}\n\nReply STOP to opt out.", "mail": "A wellbeing alert needs somebody to look at it: nobody who was asked before has been in touch.\n\nPlease sign in and look it up. When you see to it, close it there: whoever has been asked then knows.\n\nSign in: {{staffLink}}\n\nReference: {{reference}}", "speech": "A wellbeing alert needs somebody to look at it. Please sign in."},
       "es": {"subject": "Una alerta de bienestar espera", "text": "Una alerta de bienestar necesita que alguien la atienda. Inicie sesion: {{staffLink}} Referencia: {{reference}}\n\nResponda STOP para darse de baja.", "mail": "Una alerta de bienestar necesita que alguien la atienda: nadie de las personas avisadas se ha puesto en contacto.\n\nInicie sesión y búsquela. Cuando se encargue de ella, ciérrela allí: así lo sabrán todas las personas avisadas.\n\nIniciar sesión: {{staffLink}}\n\nReferencia: {{reference}}", "speech": "Una alerta de bienestar necesita que alguien la atienda. Por favor, inicie sesión."}}'),
    ('wellbeing.service-over',
     '{"reference": {"type": "text", "maxLength": 36}, "staffLink": {"type": "link"}}',
     '{"en": {"subject": "A wellbeing alert is over", "text": "A wellbeing alert is over. You need do nothing more. {{staffLink}} Reference: {{reference}}\n\nReply STOP to opt out.", "mail": "A wellbeing alert that you were told of is over: somebody has been in touch, or it was closed. You need do nothing more.\n\nSign in: {{staffLink}}\n\nReference: {{reference}}"},
       "es": {"subject": "Una alerta de bienestar ha terminado", "text": "Una alerta de bienestar ha terminado. No tiene que hacer nada mas. {{staffLink}} Referencia: {{reference}}\n\nResponda STOP para darse de baja.", "mail": "Una alerta de bienestar de la que le avisamos ha terminado: alguien se ha puesto en contacto, o se ha cerrado. No tiene que hacer nada más.\n\nIniciar sesión: {{staffLink}}\n\nReferencia: {{reference}}"}}'),
    ('wellbeing.on-call',
     '{"staffLink": {"type": "link"}}',
     '{"en": {"text": "A wellbeing alert needs you. Please sign in and look at it: {{staffLink}}\n\nReply STOP to opt out.", "speech": "An alert needs you. Please sign in and look at it."},
       "es": {"text": "Una alerta de bienestar le necesita. Inicie sesion y atiendala: {{staffLink}}\n\nResponda STOP para darse de baja.", "speech": "Una alerta le necesita. Por favor, inicie sesión y atiéndala."}}'),
    ('wellbeing.emergency',
     '{"staffLink": {"type": "link"}}',
     '{"en": {"text": "The emergency step of a wellbeing alert was confirmed. Please sign in now: {{staffLink}}\n\nReply STOP to opt out.", "speech": "The emergency step of an alert was confirmed by a colleague. Please sign in now."},
       "es": {"text": "Se ha confirmado el paso de emergencia de una alerta de bienestar. Inicie sesion ahora: {{staffLink}}\n\nResponda STOP para darse de baja.", "speech": "Una persona del equipo ha confirmado el paso de emergencia de una alerta. Por favor, inicie sesión ahora."}}')
  ) AS seed (name, variables, languages) USING (name)
ON CONFLICT DO NOTHING;

-- Down Migration

DELETE FROM template_versions USING templates
 WHERE templates.template_id = template_versions.template_id AND templates.is_built_in
   AND (templates.name LIKE 'buddy.contact-%' OR templates.name LIKE 'wellbeing.%')
   AND NOT EXISTS (SELECT FROM messages WHERE messages.template_id = templates.template_id::text);
DELETE FROM templates
 WHERE is_built_in AND (name LIKE 'buddy.contact-%' OR name LIKE 'wellbeing.%')
   AND NOT EXISTS (SELECT FROM template_versions WHERE template_versions.template_id = templates.template_id);
DROP TRIGGER buddy_check_in_requests_reason ON buddy_check_in_requests;
DROP FUNCTION reason_of_system_check_in();
DROP TABLE registered_contacts, wellbeing_alert_steps, wellbeing_alerts, escalation_policies, wellbeing_scores;
