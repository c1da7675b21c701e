/** What a person agrees to before they call us from the app. As for other calls, a version never changes once shown. */
import { type ConsentText, findConsentText } from './consent-texts';

const VERSION = 'app-2026-11';

const texts: readonly ConsentText[] = [
  {
    job: 'app-call',
    allowsRecording: false,
    version: VERSION,
    language: 'en',
    text: [
      'We will connect this call with a mentor.',
      'You and the mentor see only our number, never each other’s.',
      'No number of yours is needed or kept for this call; afterwards we also delete the record of the call at our telephone company, Twilio.',
      'The call is not recorded. Mentors are not an emergency service.',
      'You can hang up at any time.',
    ].join(' '),
  },
  {
    job: 'app-call',
    allowsRecording: false,
    version: VERSION,
    language: 'es',
    text: [
      'Conectaremos esta llamada con un mentor.',
      'Usted y el mentor ven solamente nuestro número, nunca el del otro.',
      'Para esta llamada no se necesita ni se guarda ningún número suyo; después borramos también el registro de la llamada en nuestra compañía telefónica, Twilio.',
      'La llamada no se graba. Los mentores no son un servicio de emergencia.',
      'Puede colgar en cualquier momento.',
    ].join(' '),
  },
  {
    job: 'app-call',
    allowsRecording: false,
    version: VERSION,
    language: 'fr',
    text: [
      'Nous allons mettre cet appel en relation avec un mentor.',
      'Vous et le mentor ne voyez que notre numéro, jamais celui de l’autre.',
      'Aucun numéro à vous n’est nécessaire ni conservé pour cet appel ; ensuite, nous effaçons aussi la trace de l’appel chez notre opérateur, Twilio.',
      'L’appel n’est pas enregistré. Les mentors ne sont pas un service d’urgence.',
      'Vous pouvez raccrocher à tout moment.',
    ].join(' '),
  },
  {
    job: 'app-call',
    allowsRecording: false,
    version: VERSION,
    language: 'hi',
    text: [
      'हम इस कॉल को एक मेंटर से जोड़ेंगे।',
      'आप और मेंटर केवल हमारा नंबर देखते हैं, एक-दूसरे का कभी नहीं।',
      'इस कॉल के लिए आपका कोई नंबर न चाहिए, न रखा जाता है; बाद में हम अपनी टेलीफ़ोन कंपनी Twilio के पास से भी कॉल का रिकॉर्ड मिटा देते हैं।',
      'कॉल रिकॉर्ड नहीं की जाती। मेंटर आपातकालीन सेवा नहीं हैं।',
      'आप कभी भी फ़ोन रख सकते हैं।',
    ].join(' '),
  },
];

/** The texts to show now, one per language, for `GET /consent-texts/app-call`. */
export function currentAppConsentTexts(): readonly ConsentText[] {
  return texts;
}

/** The text to speak to somebody who has agreed to none yet; English where there is none in their language. */
export function appConsentTextFor(language: string): ConsentText | null {
  return texts.find((text) => text.language === language) ?? texts[0] ?? null;
}

/**
 * The text that a consent to a call from the app names; null when there is none. Who agreed to be called by us has
 * agreed to no less.
 */
export function findAppConsentText(version: string, language: string): ConsentText | null {
  return (
    texts.find((text) => text.version === version && text.language === language) ?? findConsentText(version, language)
  );
}
