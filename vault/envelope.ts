/**
 * Envelope encryption of one vault record: subject key → data key of the record → plaintext, AES-256-GCM twice.
 *
 * Both layers authenticate the record's id, subject, kind, format and key version, so a ciphertext that is moved to
 * another row, renamed to another kind or replayed under another key version does not open. GCM alone commits to no
 * key (a crafted ciphertext can open under two of them), so a commitment to the data key is stored and compared
 * before the text is opened.
 *
 * Format 1, bytes:
 *   wrapped data key = IV (12) ‖ encrypted data key (32) ‖ tag (16)
 *   ciphertext       = IV (12) ‖ encrypted text ‖ tag (16), text = encoding (1: 0 UTF-8, 1 UTF-16LE) ‖ bytes
 *   commitment       = HMAC-SHA256(data key, identity)
 * where identity = the fields of `identityOf`, length-prefixed, with the number of the layer in it
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { VaultOpenError } from '../domain/errors';
import { type SealedKind, SealedValue } from '../domain/sealed';
import { lengthPrefixed } from './length-prefixed';

const FORMAT = 1;
const KEY_BYTES = 32;
// 96 bits: the one length for which GCM takes the IV as it is. Random, and each data key encrypts exactly once.
const IV_BYTES = 12;
// Explicit on both sides: Node would otherwise accept a truncated tag when it opens.
const TAG_BYTES = 16;

/** The identity that a record's bytes are bound to. */
export interface RecordIdentity {
  readonly recordId: string;
  readonly subjectId: string;
  readonly kind: SealedKind;
}

/** A row of `vault_records`, as far as it matters for opening it. */
export interface SealedRecord extends RecordIdentity {
  readonly format: number;
  /** Version of the subject key. */
  readonly keyVersion: number;
  readonly wrappedDataKey: Buffer;
  readonly ciphertext: Buffer;
  readonly commitment: Buffer;
}

/** Seals one value under a subject key of 32 bytes; the key stays the caller's, and is not kept. */
export function sealRecord(input: {
  readonly recordId: string;
  readonly subjectId: string;
  readonly kind: SealedKind;
  readonly plaintext: SealedValue;
  readonly subjectKey: Buffer;
  readonly subjectKeyVersion: number;
}): SealedRecord {
  const { recordId, subjectId, kind, subjectKeyVersion } = input;
  if (input.plaintext.kind !== kind) throw new TypeError('A value is sealed under its own kind only');
  const bound = { recordId, subjectId, kind, format: FORMAT, keyVersion: subjectKeyVersion };
  const identity = identityOf(bound);
  // Asked of the system once instead of three times: less than half the time for the randomness, measured by itself.
  const random = randomBytes(KEY_BYTES + 2 * IV_BYTES);
  const dataKey = random.subarray(0, KEY_BYTES);
  const keyIv = random.subarray(KEY_BYTES, KEY_BYTES + IV_BYTES);
  const textIv = random.subarray(KEY_BYTES + IV_BYTES);
  const text = encode(input.plaintext.expose());
  try {
    return {
      ...bound,
      wrappedDataKey: encrypt(input.subjectKey, keyIv, dataKey, forLayer(identity, LAYERS.dataKey)),
      ciphertext: encrypt(dataKey, textIv, text, forLayer(identity, LAYERS.text)),
      commitment: commit(dataKey, forLayer(identity, LAYERS.commitment)),
    };
  } finally {
    random.fill(0);
    text.fill(0);
  }
}

/**
 * Opens a record.
 * @throws {VaultOpenError} when anything about it is not as it was sealed; it never says what was inside
 */
export function openRecord(record: SealedRecord, subjectKey: Buffer): SealedValue {
  if (record.format !== FORMAT) throw new VaultOpenError('unknown-format');
  const identity = identityOf(record);
  const dataKey = decrypt(subjectKey, record.wrappedDataKey, forLayer(identity, LAYERS.dataKey), 'wrong-key');
  let text: Buffer | undefined;
  try {
    const expected = commit(dataKey, forLayer(identity, LAYERS.commitment));
    if (record.commitment.length !== expected.length || !timingSafeEqual(record.commitment, expected)) {
      throw new VaultOpenError('wrong-key');
    }
    text = decrypt(dataKey, record.ciphertext, forLayer(identity, LAYERS.text), 'not-authentic');
    return SealedValue.of(record.kind, decode(text));
  } finally {
    dataKey.fill(0);
    text?.fill(0);
  }
}

type Bound = RecordIdentity & { readonly format: number; readonly keyVersion: number };

/** The three uses of the identity; each names itself in it, so that none can stand in for another. */
const LAYERS = { dataKey: 1, text: 2, commitment: 3 } as const;
/** The layer is the first byte after the first length. */
const LAYER_AT = 4;

/** The bytes that authenticate a record, with room for the layer. */
function identityOf(record: Bound): Buffer {
  const { recordId, subjectId, kind, format, keyVersion } = record;
  return lengthPrefixed(['\0kindline/record', recordId, subjectId, kind, String(format), String(keyVersion)]);
}

/** Written into the same buffer (OpenSSL reads it at once): building it anew for each layer costs speed, measurably. */
function forLayer(identity: Buffer, layer: number): Buffer {
  identity[LAYER_AT] = layer;
  return identity;
}

function commit(dataKey: Buffer, identity: Buffer): Buffer {
  return createHmac('sha256', dataKey).update(identity).digest();
}

function encrypt(key: Buffer, iv: Buffer, plaintext: Buffer, aad: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES }).setAAD(aad);
  const encrypted = cipher.update(plaintext);
  cipher.final();
  return Buffer.concat([iv, encrypted, cipher.getAuthTag()]);
}

function decrypt(key: Buffer, bytes: Buffer, aad: Buffer, problem: 'wrong-key' | 'not-authentic'): Buffer {
  if (bytes.length < IV_BYTES + TAG_BYTES) throw new VaultOpenError('malformed');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(aad)
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  // One chunk in, one chunk out: GCM is a stream, `final` only checks the tag.
  const plaintext = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES));
  try {
    decipher.final();
    return plaintext;
  } catch {
    plaintext.fill(0);
    throw new VaultOpenError(problem);
  }
}

/** UTF-8; text with a lone surrogate (JSON can carry one) would be changed by it, and goes as UTF-16 instead. */
function encode(text: string): Buffer {
  const utf16 = /\p{Surrogate}/u.test(text);
  const encoding = utf16 ? 'utf16le' : 'utf8';
  const bytes = Buffer.alloc(1 + Buffer.byteLength(text, encoding), utf16 ? 1 : 0);
  bytes.write(text, 1, encoding);
  return bytes;
}

function decode(bytes: Buffer): string {
  if (bytes[0] === 0) return bytes.toString('utf8', 1);
  if (bytes[0] === 1) return bytes.toString('utf16le', 1);
  throw new VaultOpenError('malformed');
}
