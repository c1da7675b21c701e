/**
 * Links that open something without a sign-in. Each token is made from its id by a key, so that a repeat or a reminder
 * carries the same link, and only its hash is stored: neither a copy of the database nor a payload opens anything.
 */
import { createHash, hkdfSync } from 'node:crypto';
import { lengthPrefixed } from './length-prefixed';
import type { ServiceKey } from './service-keys';

/** 48 bytes are 64 characters of base64url, none of which a mail program breaks or escapes. */
const BYTES = 48;
const FORM = /^[\w-]{64}$/;

/**
 * @param key the current service key `link`
 * @param use separates links of one id: a token made for one use opens no other
 */
export function linkToken(key: ServiceKey, use: 'unsubscribe', linkId: string): string {
  const info = lengthPrefixed(['kindline/link/1', use, linkId]);
  return Buffer.from(hkdfSync('sha256', key.key, Buffer.alloc(0), info, BYTES)).toString('base64url');
}

/** What is stored of a token, and looked up by; null for what cannot be one. */
export function linkHash(token: string): Buffer | null {
  return FORM.test(token) ? createHash('sha256').update(token).digest() : null;
}
