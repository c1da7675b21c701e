/**
 * Baseline of sealing and revealing: the same two layers (a data key under the subject key, the text under the data
 * key), the identity authenticated in both, a commitment to the data key; written straight down with `node:crypto`.
 * Nothing is checked, nothing is zeroed, nothing keeps the text from being printed.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export interface BareRecord {
  readonly recordId: string;
  readonly subjectId: string;
  readonly wrappedDataKey: Buffer;
  readonly ciphertext: Buffer;
  readonly commitment: Buffer;
}

export function bareSeal(recordId: string, subjectId: string, text: string, subjectKey: Buffer): BareRecord {
  const dataKey = randomBytes(32);
  return {
    recordId,
    subjectId,
    wrappedDataKey: encrypt(subjectKey, dataKey, identity('key', recordId, subjectId)),
    ciphertext: encrypt(dataKey, Buffer.from(text), identity('text', recordId, subjectId)),
    commitment: createHmac('sha256', dataKey)
      .update(identity('commitment', recordId, subjectId))
      .digest(),
  };
}

export function bareReveal(record: BareRecord, subjectKey: Buffer): string {
  const { recordId, subjectId } = record;
  const dataKey = decrypt(subjectKey, record.wrappedDataKey, identity('key', recordId, subjectId));
  const expected = createHmac('sha256', dataKey)
    .update(identity('commitment', recordId, subjectId))
    .digest();
  if (!timingSafeEqual(expected, record.commitment)) throw new Error('another key');
  return decrypt(dataKey, record.ciphertext, identity('text', recordId, subjectId)).toString('utf8');
}

function identity(layer: string, recordId: string, subjectId: string): Buffer {
  return Buffer.from(`${layer}|${recordId}|${subjectId}|phone|1|1`);
}

function encrypt(key: Buffer, plaintext: Buffer, aad: Buffer): Buffer {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(aad);
  return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, bytes: Buffer, aad: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
    .setAAD(aad)
    .setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
}
