-- What an invitation says of times is what is configured, and a reminder is said. Of one number a user asks only so often,
-- through whatever addresses.

-- Up Migration

-- Words that the organisation has made its own stay; from now on they may name the times too.
INSERT INTO template_versions (template_id, version, variables, languages)
SELECT t.template_id, (SELECT max(version) + 1 FROM template_versions l WHERE l.template_id = t.template_id),
       now.variables || seed.variables::jsonb, CASE now.languages WHEN first.languages THEN seed.languages::jsonb ELSE now.languages END
  FROM templates t JOIN template_versions now USING (template_id, version)
  JOIN template_versions first ON first.template_id = t.template_id AND first.version = 1
 CROSS JOIN (VALUES
    ('{"askedEvery": {"type": "text", "maxLength": 40}, "alertedEvery": {"type": "text", "maxLength": 40},
       "remindedAfter": {"type": "text", "maxLength": 40}, "keptFor": {"type": "text", "maxLength": 40}}',
     '{"en": {"subject": "{{user}} would like to ask you something",
              "text": "Hi {{buddy}}, {{user}} asks whether you will be their buddy: {{acceptLink}}",
              "mail": "Hi {{buddy}},\n\n{{user}} would like you to be their buddy: somebody who asks how they are when they have asked for it, or when they may be having a hard time.\n\nWhat it means: now and then you get a text message with a link. You call or write to {{user}} the way you always do, and then say on a page how it went. You need no app and no training, and you are never responsible for what happens. You are not an emergency service.\n\nHow often: {{user}} can ask you once in {{askedEvery}} at most. When {{user}} may be having a hard time we may ask you ourselves, once in {{alertedEvery}} at most. A text that you leave unanswered is followed by one reminder at most, after {{remindedAfter}}. Nothing else comes to a buddy from us, but for answers to what you text us.\n\nYour data: {{user}} gave us your name, your e-mail address and your phone number. We keep them encrypted, use them for this only, and give them to nobody but the companies that carry our messages. If you do not answer, we delete them {{keptFor}} after the last link that we have sent you has run out. You can see what we hold, take it with you, withdraw or have everything deleted at any time, also after you have answered.\n\nAccept: {{acceptLink}}\n\nDecline: {{declineLink}}\n\nSee or delete my data: {{rightsLink}}\n\nThese links are yours: please do not pass this e-mail on. They can be answered for {{days}} days. If you do nothing, you will not be {{user}}''s buddy."},
       "es": {"subject": "{{user}} quiere preguntarle algo",
              "text": "Hola {{buddy}}, {{user}} pregunta si quiere ser su persona de confianza: {{acceptLink}}",
              "mail": "Hola, {{buddy}}:\n\n{{user}} quiere que usted sea su persona de confianza: alguien que pregunta cómo está cuando lo ha pedido, o cuando quizá lo está pasando mal.\n\nQué significa: de vez en cuando recibirá un mensaje de texto con un enlace. Llama o escribe a {{user}} como siempre y después dice en una página cómo ha ido. No necesita ninguna aplicación ni formación, y nunca es responsable de lo que ocurra. No es un servicio de emergencias.\n\nCon qué frecuencia: {{user}} puede pedírselo como máximo una vez cada {{askedEvery}}. Cuando {{user}} quizá lo esté pasando mal podemos pedírselo nosotros, como máximo una vez cada {{alertedEvery}}. A un mensaje que deje sin respuesta le sigue como máximo un recordatorio, al cabo de {{remindedAfter}}. Como persona de confianza no le llegará nada más de nuestra parte, salvo respuestas a lo que usted nos escriba.\n\nSus datos: {{user}} nos dio su nombre, su dirección de correo y su número de teléfono. Los guardamos cifrados, los usamos solo para esto y no los damos a nadie, salvo a las empresas que transmiten nuestros mensajes. Si no responde, los borramos {{keptFor}} después de que caduque el último enlace que le hayamos enviado. Puede ver lo que guardamos, llevárselo, retirarse o pedir que se borre todo en cualquier momento, también después de responder.\n\nAceptar: {{acceptLink}}\n\nRechazar: {{declineLink}}\n\nVer o borrar mis datos: {{rightsLink}}\n\nEstos enlaces son suyos: por favor, no reenvíe este correo. Se pueden responder durante {{days}} días. Si no hace nada, no será la persona de confianza de {{user}}."}}')
  ) AS seed (variables, languages)
 WHERE t.name = 'buddy.invitation' AND t.is_built_in;
UPDATE templates t
   SET version = (SELECT max(version) FROM template_versions l WHERE l.template_id = t.template_id),
       updated_at = clock_timestamp()
 WHERE t.name = 'buddy.invitation' AND t.is_built_in;

ALTER TABLE buddy_invitations ADD COLUMN phone_token bytea;
COMMENT ON COLUMN buddy_invitations.phone_token IS 'class: pseudonymous; for the e-mails of one user to one person, whatever their addresses';
UPDATE buddy_invitations i SET phone_token = b.phone_token FROM buddy_contacts b
 WHERE b.buddy_id = i.buddy_id AND b.phone_token IS NOT NULL;
CREATE INDEX buddy_invitations_of_phone ON buddy_invitations (phone_token) WHERE counts AND phone_token IS NOT NULL;
COMMENT ON INDEX buddy_invitations_of_phone IS 'serves: askedSoFar (db/buddy-invitations.ts)';

-- Down Migration

DROP INDEX buddy_invitations_of_phone;
ALTER TABLE buddy_invitations DROP COLUMN phone_token;

-- What something was sent with stays; the newest is one without the times, which nobody would fill in.
DELETE FROM template_versions v USING templates t
 WHERE t.template_id = v.template_id AND t.name = 'buddy.invitation' AND t.is_built_in AND v.variables ? 'askedEvery'
   AND NOT EXISTS (SELECT FROM messages m WHERE m.template_id = t.template_id::text AND m.template_version = v.version);
INSERT INTO template_versions (template_id, version, variables, languages)
SELECT t.template_id, newest.version + 1, before.variables, before.languages
  FROM templates t
 CROSS JOIN LATERAL (SELECT * FROM template_versions v WHERE v.template_id = t.template_id
                      ORDER BY v.version DESC LIMIT 1) newest
 CROSS JOIN LATERAL (SELECT * FROM template_versions v WHERE v.template_id = t.template_id AND NOT v.variables ? 'askedEvery'
                      ORDER BY v.version DESC LIMIT 1) before
 WHERE t.name = 'buddy.invitation' AND t.is_built_in AND newest.variables ? 'askedEvery';
UPDATE templates t SET version = (SELECT max(version) FROM template_versions l WHERE l.template_id = t.template_id)
 WHERE t.name = 'buddy.invitation' AND t.is_built_in;
