/** What users read of their buddies where they asked to be told by text or e-mail: one sentence of each, first names only. */
import type { BuddyLanguage } from './buddies';

export const BUDDY_NEWS = [
  'accepted',
  'declined',
  'expired',
  'withdrawn',
  'called',
  'messaged',
  'cannot-reach',
  'unavailable',
  'unanswered',
  'undeliverable',
  'not-delivered-invitation',
  'renewal-asked',
] as const;
export type BuddyNews = (typeof BUDDY_NEWS)[number];

const SENTENCES: Readonly<Record<BuddyLanguage, Readonly<Record<BuddyNews, string>>>> = {
  en: {
    accepted: '{} has agreed to be your buddy.',
    declined: '{} does not want to be your buddy.',
    expired: '{} has not answered your invitation in time. You can send it again.',
    withdrawn: '{} is not your buddy any more.',
    called: '{} says: I have called.',
    messaged: '{} says: I have written.',
    'cannot-reach': '{} says: I could not reach you.',
    unavailable: '{} cannot get in touch right now.',
    unanswered: '{} has not answered. You can ask another buddy.',
    undeliverable: 'Our text did not reach {}. You can ask another buddy.',
    'not-delivered-invitation': 'Our e-mail did not reach {}. Please check the address.',
    'renewal-asked': '{} asks for a new link. You can send your invitation again.',
  },
  // Without the accents that the cheap alphabet of texts lacks.
  es: {
    accepted: '{} ha aceptado ser su persona de confianza.',
    declined: '{} no quiere ser su persona de confianza.',
    expired: '{} no ha respondido a tiempo. Puede volver a preguntar.',
    withdrawn: '{} ya no es su persona de confianza.',
    called: '{} dice: he llamado.',
    messaged: '{} dice: he escrito.',
    'cannot-reach': '{} dice: no he podido contactar.',
    unavailable: '{} no puede ponerse en contacto ahora.',
    unanswered: '{} no ha respondido. Puede preguntar a otra persona.',
    undeliverable: 'Nuestro mensaje no ha llegado a {}. Puede preguntar a otra persona.',
    'not-delivered-invitation': 'Nuestro correo no ha llegado a {}. Compruebe la direccion.',
    'renewal-asked': '{} pide un enlace nuevo. Puede enviar su invitacion otra vez.',
  },
};

const NAMELESS: Readonly<Record<BuddyLanguage, string>> = {
  en: 'somebody on your list',
  es: 'una persona de su lista',
};

/** @param name first name, as {@link plainFirstName} writes it; null: of somebody who was erased, or cannot be written so */
export function buddyNews(news: BuddyNews, name: string | null, language: BuddyLanguage): string {
  const sentence = SENTENCES[language][news];
  if (name !== null) return sentence.replace('{}', () => name);
  const nameless = sentence.replace('{}', NAMELESS[language]);
  return `${nameless.charAt(0).toUpperCase()}${nameless.slice(1)}`;
}
