/** First names, as messages say them. */
import type { BuddyLanguage } from './buddies';
import { countSegments } from './segments';

/** A longer one could push the link of a text into a third segment. */
const LONGEST = 20;

const SOMEBODY: Readonly<Record<BuddyLanguage, { readonly user: string; readonly buddy: string }>> = {
  en: { user: 'your friend', buddy: 'there' },
  es: { user: 'su amigo', buddy: 'buenas' },
};

/** The first word of a name; the whole where that is all there is. */
export function firstName(name: string): string {
  return Array.from(name.trim().split(/\s+/)[0] ?? '')
    .slice(0, LONGEST)
    .join('');
}

/**
 * The first name in letters of a text message's cheap alphabet (3GPP TS 23.038): accents that it lacks are dropped
 * (ë, ã, ő).
 * @returns null for a name in another script: one letter of it would halve what fits into a segment
 */
export function plainFirstName(name: string): string | null {
  const plain = Array.from(firstName(name))
    .map((letter) => (isCheap(letter) ? letter : letter.normalize('NFD').replaceAll(/\p{M}/gu, '')))
    .join('');
  return plain !== '' && isCheap(plain) ? plain : null;
}

/**
 * {@link plainFirstName} for a text to a buddy, or "your friend".
 * @param whose the one who is written to is never called "your friend"
 */
export function firstNameForText(name: string, language: BuddyLanguage, whose: 'user' | 'buddy'): string {
  return plainFirstName(name) ?? SOMEBODY[language][whose];
}

function isCheap(text: string): boolean {
  return countSegments(text).encoding === 'gsm-7';
}
