/**
 * Tokens: keyed hashes that can be compared and looked up, but neither read nor guessed. A plain hash of a phone
 * number is no protection: all mobile numbers of the world fit in a table.
 */
import { createHmac } from 'node:crypto';
import type { SealedValue } from '../domain/sealed';
import { lengthPrefixed } from './length-prefixed';
import type { ServiceKey } from './service-keys';

export interface Tokenizer {
  /** Version of the key that `token` uses; stored beside the token. */
  readonly version: number;
  /** 32 bytes; equal exactly when the E.164 numbers, or the addresses, are equal under one key version. */
  readonly token: (destination: SealedValue) => Buffer;
  /** The token under every live key version, newest first: for look-ups with `= ANY(…)` during a rotation. */
  readonly candidates: (destination: SealedValue) => Buffer[];
  /** 32 bytes over any other texts (request bodies, account names); the label separates the uses. */
  readonly keyedHash: (label: string, ...parts: readonly string[]) => Buffer;
  /** The id of the call that this caller starts with this Idempotency-Key: the same request, the same id. */
  readonly callIdFor: (caller: string, route: string, idempotencyKey: string) => string;
}

/** @param keys all live versions of the service key `token` */
export function createTokenizer(keys: readonly ServiceKey[]): Tokenizer {
  const [current, ...older] = keys.toSorted((a, b) => b.version - a.version);
  if (current === undefined) throw new RangeError('There is no token key');
  const tokenOf = (key: Buffer, to: SealedValue): Buffer =>
    to.kind === 'email' ? hmac(key, 'email', [address(to)]) : hmac(key, 'phone', [e164(to)]);
  return {
    version: current.version,
    token: (to) => tokenOf(current.key, to),
    candidates: (to) => [current, ...older].map(({ key }) => tokenOf(key, to)),
    keyedHash: (label, ...parts) => hmac(current.key, `hash/${label}`, parts),
    callIdFor: (caller, route, idempotencyKey) =>
      // Never from the body: an id made from a number could be guessed from the number.
      uuidFrom(hmac(current.key, 'call-id', [caller, route, idempotencyKey])),
  };
}

function hmac(key: Buffer, label: string, parts: readonly string[]): Buffer {
  return createHmac('sha256', key)
    .update(lengthPrefixed(['kindline/token/1', label, ...parts]))
    .digest();
}

/** Two spellings of one number must never get two tokens, so anything but E.164 is a mistake of ours. */
function e164(phone: SealedValue): string {
  const number = phone.expose();
  if (phone.kind !== 'phone' || !/^\+[1-9]\d{6,14}$/.test(number)) {
    throw new TypeError('A token is made from an E.164 number only');
  }
  return number;
}

/** As `parseEmailAddress` writes it: the same mailbox, the same token. */
function address(email: SealedValue): string {
  const text = email.expose();
  if (text !== text.trim().toLowerCase() || !text.includes('@')) {
    throw new TypeError('A token is made from an address in its one spelling only');
  }
  return text;
}

/** A UUID of version 8 (RFC 9562: bits of our own choosing) from the first 16 bytes. */
function uuidFrom(bytes: Buffer): string {
  const id = Buffer.from(bytes.subarray(0, 16));
  id[6] = ((id[6] ?? 0) & 0x0f) | 0x80;
  id[8] = ((id[8] ?? 0) & 0x3f) | 0x80;
  const hex = id.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
