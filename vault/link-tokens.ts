/**
 * Links that open something without a sign-in. Each token is made from its id by a key, so that a repeat or a reminder
 * carries the same link, and only its hash is stored: neither a copy of the database nor a payload opens anything.
 */
import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { MessageLink } from '../domain/message-links';
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
  return tokenOf(key, use, linkId);
}

/**
 * Of a link that a message carries: a higher version opens what the versions before it no longer do. It ends in a letter
 * or a digit: phones that make addresses in a text tappable leave a last hyphen or underscore out.
 * @param key the current service key `link`
 */
export function messageLinkToken(key: ServiceKey, { use, id, version }: MessageLink): string {
  for (let attempt = 0; ; attempt += 1) {
    const token = tokenOf(key, use, `${id}:${version}:${attempt}`);
    if (/[A-Za-z0-9]$/.test(token)) return token;
  }
}

function tokenOf({ key }: ServiceKey, use: string, linkId: string): string {
  const info = lengthPrefixed(['kindline/link/1', use, linkId]);
  return Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), info, BYTES)).toString('base64url');
}

/** The hash of {@link messageLinkToken}: all that is stored of it. */
export function messageLinkHash(key: ServiceKey, link: MessageLink): Buffer {
  return createHash('sha256').update(messageLinkToken(key, link)).digest();
}

/** What is stored of a token, and looked up by; null for what cannot be one. */
export function linkHash(token: string): Buffer | null {
  return FORM.test(token) ? createHash('sha256').update(token).digest() : null;
}

/** For a link that is shown once and never made again. */
export function newLinkToken(): string {
  return randomBytes(BYTES).toString('base64url');
}
