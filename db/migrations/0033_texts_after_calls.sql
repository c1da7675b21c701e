-- The texts that a mentor call may end with. Anybody may read them on the phone: they name no purpose, no mentor and no
-- organisation.

-- Up Migration

INSERT INTO templates (name, is_built_in) VALUES ('helplines', true), ('how-was-it', true);

-- Spanish and French without letters that are not in the alphabet of GSM: one of them doubles the price of a text.
INSERT INTO template_versions (template_id, version, variables, languages)
SELECT template_id, 1, variables::jsonb, languages::jsonb
  FROM templates JOIN (VALUES
    ('helplines', '{"lines": {"type": "text", "maxLength": 60, "isSpelled": true}, "emergency": {"type": "text", "maxLength": 20, "isSpelled": true}}',
     '{"en": {"text": "You can call {{lines}}. In an emergency call {{emergency}}.\n\nReply STOP to opt out."},
       "es": {"text": "Puede llamar a {{lines}}. En una emergencia, al {{emergency}}.\n\nResponda STOP para darse de baja."},
       "fr": {"text": "Vous pouvez appeler {{lines}}. En cas d''urgence : {{emergency}}.\n\nEnvoyez STOP pour ne plus recevoir de messages."},
       "hi": {"text": "आप {{lines}} पर फ़ोन कर सकते हैं। आपात स्थिति में {{emergency}}।\n\nबंद करने के लिए STOP लिखें।"}}'),
    ('how-was-it', '{}',
     '{"en": {"text": "How was it? Reply with a number from 1 (not good) to 5 (very good), and a word if you like.\n\nReply STOP to opt out."},
       "es": {"text": "¿Qué tal fue? Responda con una cifra del 1 (mal) al 5 (muy bien), y una palabra si quiere.\n\nResponda STOP para darse de baja."},
       "fr": {"text": "Alors, bien ou pas ? Répondez par un chiffre de 1 (pas bien) à 5 (très bien), et un mot si vous voulez.\n\nEnvoyez STOP pour ne plus recevoir de messages."},
       "hi": {"text": "कैसा रहा? 1 (अच्छा नहीं) से 5 (बहुत अच्छा) तक एक अंक और चाहें तो एक शब्द लिखें।\n\nबंद करने के लिए STOP लिखें।"}}')
  ) AS seed (name, variables, languages) USING (name);

-- Down Migration

-- Messages name the templates they were made from: nothing is taken back that something was sent with.
DELETE FROM template_versions USING templates
 WHERE templates.template_id = template_versions.template_id AND templates.name IN ('helplines', 'how-was-it')
   AND NOT EXISTS (SELECT FROM messages WHERE messages.template_id = templates.template_id::text);
DELETE FROM templates
 WHERE name IN ('helplines', 'how-was-it')
   AND NOT EXISTS (SELECT FROM template_versions WHERE template_versions.template_id = templates.template_id);
