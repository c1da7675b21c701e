/**
 * Secrets in links. Derived, not drawn: a retry or a reminder makes the same link again, and only the SHA-256 is
 * ever stored. A resend on request raises the version, which kills the older link.
 */
import { createHash, hkdfSync, timingSafeEqual } from 'node:crypto';
import { lengthPrefixed } from './length-prefixed';

/** 64 URL-safe characters (48 bytes): HKDF of the link key over the link's id and version. */
export function linkToken(key: Buffer, linkId: string, version: number): string {
  const info = lengthPrefixed(['kindline/link/1', linkId, String(version)]);
  return Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), info, 48)).toString('base64url');
}

/** What is stored of a link token. */
export function linkTokenHash(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}

/** Whether a token that somebody presents is the stored one; in constant time. */
export function isLinkToken(presented: string, storedHash: Buffer): boolean {
  const hash = linkTokenHash(presented);
  return storedHash.length === hash.length && timingSafeEqual(storedHash, hash);
}
