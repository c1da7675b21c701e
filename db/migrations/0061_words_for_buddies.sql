-- What buddies are asked, and what users hear of it. Texts fit into two segments of GSM-7 with their link, and name
-- nobody but by the first name; none says a score, or what the organisation is.

-- Up Migration

ALTER TABLE templates DROP CONSTRAINT templates_name_check;
ALTER TABLE templates ADD CONSTRAINT templates_name_check CHECK (name ~ '^[a-z][a-z0-9.-]{0,39}$');

-- Those that messages were sent with stay on the way down.
INSERT INTO templates (name, is_built_in)
VALUES ('buddy.invitation', true), ('buddy.check-in', true), ('buddy.reminder', true), ('buddy.alert', true),
       ('buddy.news', true)
ON CONFLICT DO NOTHING;

-- Spanish texts without á, í, ó and ú: they are not in the alphabet of GSM. In e-mails they stand.
INSERT INTO template_versions (template_id, version, variables, languages)
SELECT template_id, 1, variables::jsonb, languages::jsonb
  FROM templates JOIN (VALUES
    ('buddy.invitation',
     '{"buddy": {"type": "text", "maxLength": 40}, "user": {"type": "text", "maxLength": 40}, "days": {"type": "number", "min": 1, "max": 60},
       "acceptLink": {"type": "link"}, "declineLink": {"type": "link"}, "rightsLink": {"type": "link"}}',
     '{"en": {"subject": "{{user}} would like to ask you something",
              "text": "Hi {{buddy}}, {{user}} asks whether you will be their buddy: {{acceptLink}}",
              "mail": "Hi {{buddy}},\n\n{{user}} would like you to be their buddy: somebody who asks how they are when they have asked for it, or when they may be having a hard time.\n\nWhat it means: now and then you get a text message with a link. You call or write to {{user}} the way you always do, and then say on a page how it went. You need no app and no training, and you are never responsible for what happens. You are not an emergency service.\n\nHow often: {{user}} can ask you once in 24 hours at most. When {{user}} may be having a hard time we may ask you ourselves, once in three days at most. Nothing else comes from us.\n\nYour data: {{user}} gave us your name, your e-mail address and your phone number. We keep them encrypted, use them for this only, and give them to nobody. If you do not answer, we delete them within 30 days. You can see what we hold, take it with you, withdraw or have everything deleted at any time, also after you have answered.\n\nAccept: {{acceptLink}}\n\nDecline: {{declineLink}}\n\nSee or delete my data: {{rightsLink}}\n\nThese links are yours: please do not pass this e-mail on. They can be answered for {{days}} days. If you do nothing, you will not be {{user}}''s buddy."},
       "es": {"subject": "{{user}} quiere preguntarle algo",
              "text": "Hola {{buddy}}, {{user}} pregunta si quiere ser su persona de confianza: {{acceptLink}}",
              "mail": "Hola, {{buddy}}:\n\n{{user}} quiere que usted sea su persona de confianza: alguien que pregunta cómo está cuando lo ha pedido, o cuando quizá lo está pasando mal.\n\nQué significa: de vez en cuando recibirá un mensaje de texto con un enlace. Llama o escribe a {{user}} como siempre y después dice en una página cómo ha ido. No necesita ninguna aplicación ni formación, y nunca es responsable de lo que ocurra. No es un servicio de emergencias.\n\nCon qué frecuencia: {{user}} puede pedírselo como máximo una vez cada 24 horas. Cuando {{user}} quizá lo esté pasando mal podemos pedírselo nosotros, como máximo una vez cada tres días. Nada más le llegará de nuestra parte.\n\nSus datos: {{user}} nos dio su nombre, su dirección de correo y su número de teléfono. Los guardamos cifrados, los usamos solo para esto y no los damos a nadie. Si no responde, los borramos en un plazo de 30 días. Puede ver lo que guardamos, llevárselo, retirarse o pedir que se borre todo en cualquier momento, también después de responder.\n\nAceptar: {{acceptLink}}\n\nRechazar: {{declineLink}}\n\nVer o borrar mis datos: {{rightsLink}}\n\nEstos enlaces son suyos: por favor, no reenvíe este correo. Se pueden responder durante {{days}} días. Si no hace nada, no será la persona de confianza de {{user}}."}}'),
    ('buddy.check-in',
     '{"buddy": {"type": "text", "maxLength": 40}, "user": {"type": "text", "maxLength": 40}, "link": {"type": "link"}}',
     '{"en": {"text": "Hi {{buddy}}, {{user}} asks you to get in touch. Then tell us how it went: {{link}}\nOr reply 1 called, 2 wrote, 3 no answer, 4 cannot.\n\nReply STOP to opt out."},
       "es": {"text": "Hola {{buddy}}, {{user}} pide que le llame o escriba. Diga como fue: {{link}}\nO responda 1 llame, 2 escribi, 3 no contesta, 4 no puedo.\n\nResponda STOP para darse de baja."}}'),
    ('buddy.reminder',
     '{"buddy": {"type": "text", "maxLength": 40}, "user": {"type": "text", "maxLength": 40}, "link": {"type": "link"}}',
     '{"en": {"text": "Hi {{buddy}}, {{user}} is still waiting to hear from you. Please tell us how it went: {{link}}\n\nReply STOP to opt out."},
       "es": {"text": "Hola {{buddy}}, {{user}} sigue esperando noticias suyas. Por favor, diganos como fue: {{link}}\n\nResponda STOP para darse de baja."}}'),
    ('buddy.alert',
     '{"buddy": {"type": "text", "maxLength": 40}, "user": {"type": "text", "maxLength": 40}, "days": {"type": "number", "min": 1, "max": 14}, "link": {"type": "link"}}',
     '{"en": {"text": "Hi {{buddy}}, {{user}} may have had a hard time (last days: {{days}}). Please get in touch. What to do: {{link}}\n\nReply STOP to opt out."},
       "es": {"text": "Hola {{buddy}}, puede que {{user}} lo haya pasado mal (ultimos dias: {{days}}). Por favor, pongase en contacto. Que hacer: {{link}}\n\nResponda STOP para darse de baja."}}'),
    ('buddy.news',
     '{"news": {"type": "text", "maxLength": 160}, "circleLink": {"type": "link"}}',
     '{"en": {"subject": "News of your buddies", "text": "{{news}} {{circleLink}}\n\nReply STOP to opt out.", "mail": "{{news}}\n\nMy circle: {{circleLink}}"},
       "es": {"subject": "Novedades de sus personas de confianza", "text": "{{news}} {{circleLink}}\n\nResponda STOP para darse de baja.", "mail": "{{news}}\n\nMi círculo: {{circleLink}}"}}')
  ) AS seed (name, variables, languages) USING (name)
ON CONFLICT DO NOTHING;

-- Down Migration

-- Messages name the templates they were made from: nothing is taken back that something was sent with.
DELETE FROM template_versions USING templates
 WHERE templates.template_id = template_versions.template_id AND templates.name LIKE 'buddy.%' AND templates.is_built_in
   AND NOT EXISTS (SELECT FROM messages WHERE messages.template_id = templates.template_id::text);
DELETE FROM templates
 WHERE name LIKE 'buddy.%' AND is_built_in
   AND NOT EXISTS (SELECT FROM template_versions WHERE template_versions.template_id = templates.template_id);
-- Names are as narrow as before; one that is kept has its dot, and its row cannot be changed until the way up.
ALTER TABLE templates DROP CONSTRAINT templates_name_check;
ALTER TABLE templates ADD CONSTRAINT templates_name_check CHECK (name ~ '^[a-z][a-z0-9-]{0,39}$') NOT VALID;
DO $$ BEGIN
  ALTER TABLE templates VALIDATE CONSTRAINT templates_name_check;
EXCEPTION WHEN check_violation THEN NULL;
END $$;
