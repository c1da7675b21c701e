/** How the code of an invitation is written: what people read out to each other, and type on a phone. */

/** Crockford's base 32: no I, L, O or U, which are taken for something else or make words. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const LENGTH = 12;
const FORM = new RegExp(`^[${ALPHABET}]{${LENGTH}}$`);

/** How long a code can be used. */
export const INVITATION_DAYS = 7;

/** Bytes that make a code; five bits of each are used, 60 in all. */
export const INVITATION_BYTES = LENGTH;

/** `K7QM-2XPD-9WTF`, from random bytes. */
export function invitationCode(random: Uint8Array): string {
  if (random.length !== INVITATION_BYTES) throw new RangeError(`A code is made from ${INVITATION_BYTES} bytes`);
  return grouped(Array.from(random, (byte) => ALPHABET[byte & 31] ?? '').join(''));
}

/** The one spelling of a code that somebody typed: in any case, with or without hyphens; null for what cannot be one. */
export function parseInvitationCode(typed: string): string | null {
  const plain = typed
    .slice(0, 100)
    .toUpperCase()
    .replace(/[\s\u2010-\u2015-]/g, '')
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1');
  return FORM.test(plain) ? grouped(plain) : null;
}

/** In fours, so that nobody loses their place. */
function grouped(characters: string): string {
  return characters.replace(/(.{4})(?=.)/g, '$1-');
}
