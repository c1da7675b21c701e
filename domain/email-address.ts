/** E-mail addresses: one spelling for each, so that one mailbox has one token. */
import { domainToASCII } from 'node:url';
import { SealedValue } from './sealed';

/** RFC 5321, 4.5.3.1, less the angle brackets. */
const LONGEST = 254;
const LONGEST_LOCAL = 64;
/**
 * An atom of RFC 5322, dots in between. No quotes, no comments, no routes: nobody's address needs them, and each has
 * been a way to smuggle a second recipient or a header into a mail.
 */
const LOCAL = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/**
 * @returns null for what is no address. In small letters, a domain of other scripts in ASCII: mailboxes that differ by
 * case only are one person's. What follows a `+` stays: to some carriers it is another mailbox
 */
export function parseEmailAddress(text: string): SealedValue<'email'> | null {
  // Longer than any address; what follows would search it all.
  if (text.length > 2 * LONGEST) return null;
  const given = text.trim();
  const at = given.lastIndexOf('@');
  const local = given.slice(0, Math.max(at, 0));
  // Empty for what is no domain. It would also take an address of IPv4 in five spellings, which the pattern refuses.
  const domain = domainToASCII(given.slice(at + 1)).toLowerCase();
  if (at < 1 || local.length > LONGEST_LOCAL || !LOCAL.test(local) || !DOMAIN.test(domain)) return null;
  const address = `${local.toLowerCase()}@${domain}`;
  return address.length > LONGEST ? null : SealedValue.of('email', address);
}
