/** E-mail addresses: one spelling for each, so that one mailbox has one token. */
import { SealedValue } from './sealed';

/** What SMTP can carry (RFC 5321), a little narrower: no quotes, no comments, no address literal. */
const ADDRESS = /^[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

/**
 * @returns null for what is no address. In small letters: mailboxes that differ by case only are one person's
 */
export function parseEmailAddress(text: string): SealedValue<'email'> | null {
  const address = text.trim().toLowerCase();
  const local = address.split('@')[0] ?? '';
  if (address.length > 254 || !ADDRESS.test(address) || /^\.|\.\.|\.$/.test(local)) return null;
  return SealedValue.of('email', address);
}
