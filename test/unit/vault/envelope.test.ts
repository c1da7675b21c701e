import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { VaultOpenError } from '../../../domain/errors';
import { SEALED_KINDS, type SealedKind, SealedValue } from '../../../domain/sealed';
import { openRecord, type RecordIdentity, type SealedRecord, sealRecord } from '../../../vault/envelope';

const RUNS = { numRuns: 300 };
const key = Buffer.from('00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', 'hex');

function seal(text: string, more: { kind?: SealedKind; recordId?: string; subjectKey?: Buffer } = {}): SealedRecord {
  const kind = more.kind ?? 'phone';
  return sealRecord({
    recordId: more.recordId ?? 'record-1',
    subjectId: 'subject-1',
    kind,
    plaintext: SealedValue.of(kind, text),
    subjectKey: more.subjectKey ?? key,
    subjectKeyVersion: 1,
  });
}
/** Whether it opens at all; anything but a clean refusal fails the test. */
function opens(record: SealedRecord, subjectKey: Buffer = key): boolean {
  try {
    openRecord(record, subjectKey);
    return true;
  } catch (error) {
    if (error instanceof VaultOpenError) return false;
    throw error;
  }
}
const flip = (bytes: Buffer, bit: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
};
/** Any string at all: also lone surrogates, which UTF-8 cannot hold, NUL and the empty string. */
const anyString = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
);

describe('a vault record', () => {
  it('opens to exactly what was sealed, whatever the string', () => {
    fc.assert(
      fc.property(anyString, fc.constantFrom(...SEALED_KINDS), (text, kind) => {
        const opened = openRecord(seal(text, { kind }), key);
        expect(opened.expose()).toBe(text);
        expect(opened.kind).toBe(kind);
      }),
      RUNS,
    );
  });

  it.each(['wrappedDataKey', 'ciphertext', 'commitment'] as const)(
    'does not open with any one bit of its %s flipped',
    (field) => {
      const record = seal('+14155550123');
      for (let bit = 0; bit < record[field].length * 8; bit++) {
        expect(opens({ ...record, [field]: flip(record[field], bit) })).toBe(false);
      }
    },
  );

  it.each(['wrappedDataKey', 'ciphertext', 'commitment'] as const)(
    'does not open with its %s cut short or made longer',
    (field) => {
      const record = seal('+14155550123');
      for (let length = 0; length < record[field].length; length++) {
        expect(opens({ ...record, [field]: record[field].subarray(0, length) })).toBe(false);
      }
      expect(opens({ ...record, [field]: Buffer.concat([record[field], Buffer.of(0)]) })).toBe(false);
    },
  );

  it('does not open under another identity: record, subject, kind, format or key version', () => {
    const changes: Partial<SealedRecord>[] = [
      { recordId: 'record-2' },
      { subjectId: 'subject-2' },
      { kind: 'name' },
      { format: 0 },
      { format: 2 },
      { keyVersion: 2 },
    ];
    for (const change of changes) expect(opens({ ...seal('+14155550123'), ...change })).toBe(false);
  });

  it('does not open with any one character of its ids changed, moved or added', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), fc.nat(70), (recordId, other, cut) => {
        fc.pre(recordId !== other);
        const record = seal('+14155550123', { recordId });
        expect(opens({ ...record, recordId: other })).toBe(false);
        // The same characters in all, divided differently between the two ids.
        const both = record.recordId + record.subjectId;
        fc.pre(cut !== record.recordId.length);
        expect(opens({ ...record, recordId: both.slice(0, cut), subjectId: both.slice(cut) })).toBe(false);
      }),
      RUNS,
    );
  });

  it('does not open with any part of another record of the same person', () => {
    const one = seal('+14155550123', { recordId: 'record-1' });
    const two = seal('+14155550124', { recordId: 'record-2' });
    for (const field of ['wrappedDataKey', 'ciphertext', 'commitment'] as const) {
      expect(opens({ ...one, [field]: two[field] })).toBe(false);
    }
    expect(opens({ ...two, recordId: one.recordId })).toBe(false);
    expect(
      opens({
        ...one,
        wrappedDataKey: two.wrappedDataKey,
        ciphertext: two.ciphertext,
        commitment: two.commitment,
      }),
    ).toBe(false);
  });

  it('does not open with the key of another person, or one bit off', () => {
    const record = seal('+14155550123');
    expect(opens(record, randomBytes(32))).toBe(false);
    for (let bit = 0; bit < 256; bit++) expect(opens(record, flip(key, bit))).toBe(false);
  });

  it('never uses an IV twice, and seals equal texts to different bytes', () => {
    const records = Array.from({ length: 500 }, () => seal('+14155550123'));
    const ivs = records.flatMap((record) =>
      [record.wrappedDataKey, record.ciphertext].map((b) => b.toString('hex', 0, 12)),
    );
    expect(new Set(ivs).size).toBe(1000);
    expect(new Set(records.map(({ ciphertext }) => ciphertext.toString('hex', 12))).size).toBe(500);
  });

  it('holds no trace of the text', () => {
    const text = '+14155550123';
    const bytes = Object.values(seal(text)).map((value) =>
      Buffer.isBuffer(value) ? value.toString('latin1') : String(value),
    );
    expect(bytes.join()).not.toContain(text.slice(1));
  });

  it('is sealed under its own kind only', () => {
    const input = { recordId: 'r', subjectId: 's', subjectKey: key, subjectKeyVersion: 1 };
    expect(() => sealRecord({ ...input, kind: 'name', plaintext: SealedValue.of('phone', '+14155550123') })).toThrow(
      TypeError,
    );
  });

  it('of a format we do not know is named as such, so that an old process never calls it damaged', () => {
    expect(() => openRecord({ ...seal('x'), format: 2 }, key)).toThrow(
      expect.objectContaining({ code: 'unknown-format' }),
    );
  });

  it('leaves the subject key untouched', () => {
    const subjectKey = Buffer.from(key);
    openRecord(seal('x', { subjectKey }), subjectKey);
    expect(subjectKey.equals(key)).toBe(true);
  });

  it('says in its error only what is wrong with it', () => {
    expect(() => openRecord({ ...seal('+14155550123'), subjectId: 'other' }, key)).toThrow(
      expect.objectContaining({ name: 'VaultOpenError', code: 'wrong-key', message: 'A vault record does not open' }),
    );
  });
});

describe('records sealed in the past', () => {
  /** The fields of a record, with bytes in base64. */
  interface Frozen {
    key: string;
    records: {
      text: string;
      record: RecordIdentity & Record<'format' | 'keyVersion', number> & Record<Bytes, string>;
    }[];
  }
  type Bytes = 'wrappedDataKey' | 'ciphertext' | 'commitment';
  const frozen: Frozen = JSON.parse(readFileSync(join(__dirname, 'fixtures/format-1.json'), 'utf8'));

  it.each(frozen.records.map(({ text, record }) => [text, record] as const))(
    'of format 1 still open: %s',
    (text, record) => {
      const sealed: SealedRecord = {
        ...record,
        wrappedDataKey: Buffer.from(record.wrappedDataKey, 'base64'),
        ciphertext: Buffer.from(record.ciphertext, 'base64'),
        commitment: Buffer.from(record.commitment, 'base64'),
      };
      expect(openRecord(sealed, Buffer.from(frozen.key, 'hex')).expose()).toBe(text);
    },
  );
});
