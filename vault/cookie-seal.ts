/**
 * Values that a browser keeps for us and can neither read nor change: JSON under AES-256-GCM, with a key made from the
 * service key `link` for one use. Any process of the API opens what another has sealed.
 *
 * Bytes, in base64url: IV (12) ‖ encrypted JSON ‖ tag (16); the use is authenticated with them.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { lengthPrefixed } from './length-prefixed';
import type { ServiceKey } from './service-keys';

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Browsers keep 4,096 bytes a cookie, its name and attributes among them. */
const MOST_CHARACTERS = 3_500;

/** `session`: who is signed in. `sign-in`: what a sign-in that is under way must come back with. */
export type CookieUse = 'session' | 'sign-in';

export interface CookieSeal {
  seal(use: CookieUse, value: object): string;
  /** What was sealed for this use; null for anything else. Whether it still counts is for the caller to say. */
  open(use: CookieUse, text: string): unknown;
}

/** @param keys all live versions of the service key `link`, newest first */
export function createCookieSeal(keys: readonly ServiceKey[]): CookieSeal {
  const [current] = keys;
  if (current === undefined) throw new RangeError('There is no link key');
  return {
    seal(use, value) {
      // One key for all cookies of a use: random IVs of 96 bits are good for 2³² of them.
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', keyFor(current, use), iv, { authTagLength: TAG_BYTES });
      const text = cipher.setAAD(Buffer.from(use)).update(JSON.stringify(value), 'utf8');
      cipher.final();
      const sealed = Buffer.concat([iv, text, cipher.getAuthTag()]).toString('base64url');
      if (sealed.length > MOST_CHARACTERS) throw new RangeError('A browser would not keep a cookie of this size');
      return sealed;
    },
    open(use, text) {
      if (text.length > MOST_CHARACTERS || !/^[\w-]+$/.test(text)) return null;
      const bytes = Buffer.from(text, 'base64url');
      if (bytes.length <= IV_BYTES + TAG_BYTES) return null;
      for (const key of keys) {
        const json = opened(keyFor(key, use), bytes, use);
        if (json !== null) return JSON.parse(json);
      }
      return null;
    },
  };
}

function keyFor({ key }: ServiceKey, use: CookieUse): Buffer {
  return Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), lengthPrefixed(['kindline/cookie/1', use]), 32));
}

function opened(key: Buffer, bytes: Buffer, use: CookieUse): string | null {
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(use))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  const text = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES));
  try {
    decipher.final();
    return text.toString('utf8');
  } catch {
    return null;
  }
}
