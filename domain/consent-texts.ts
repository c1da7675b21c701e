/**
 * What a person agrees to before a call is placed. A version never changes once it was shown: its words are what
 * was agreed to, and the call row and the audit entry name it. A change is a new version.
 */

export interface ConsentText {
  readonly job: 'mentor-call';
  readonly version: string;
  readonly language: string;
  readonly text: string;
}

const texts: readonly ConsentText[] = [
  {
    job: 'mentor-call',
    version: '2026-11',
    language: 'en',
    text: [
      'We will call the number you give us, now, and connect you with a mentor.',
      'You and the mentor see only our number, never each other’s.',
      'A number you give for this call only is destroyed when the call is over, within 24 hours at most; afterwards we also delete the record of the call at our telephone company, Twilio.',
      'The call is not recorded. Mentors are not an emergency service.',
      'You can cancel at any time.',
    ].join(' '),
  },
  {
    job: 'mentor-call',
    version: '2026-11',
    language: 'es',
    text: [
      'Llamaremos ahora al número que nos dé y le conectaremos con un mentor.',
      'Usted y el mentor ven solamente nuestro número, nunca el del otro.',
      'Un número que dé solo para esta llamada se destruye cuando la llamada termina, a más tardar en 24 horas; después borramos también el registro de la llamada en nuestra compañía telefónica, Twilio.',
      'La llamada no se graba. Los mentores no son un servicio de emergencia.',
      'Puede cancelar en cualquier momento.',
    ].join(' '),
  },
];

/** The texts to show now, one per language, for `GET /consent-texts/mentor-call`. */
export function currentConsentTexts(): readonly ConsentText[] {
  return texts;
}

/** The text that a consent names, or null when there is no such version in that language. */
export function findConsentText(version: string, language: string): ConsentText | null {
  return texts.find((text) => text.version === version && text.language === language) ?? null;
}
