import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { VaultOpenError } from '../../../domain/errors';
import { SEALED_KINDS, type SealedKind, SealedValue } from '../../../domain/sealed';
import { openRecord, type SealedRecord, sealRecord } from '../../../vault/envelope';

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
const refusesToOpen = (record: SealedRecord, subjectKey: Buffer = key): void => {
  expect(() => openRecord(record, subjectKey)).toThrow(VaultOpenError);
};
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
        refusesToOpen({ ...record, [field]: flip(record[field], bit) });
      }
    },
  );

  it.each(['wrappedDataKey', 'ciphertext', 'commitment'] as const)(
    'does not open with its %s cut short or made longer',
    (field) => {
      const record = seal('+14155550123');
      for (let length = 0; length < record[field].length; length++) {
        refusesToOpen({ ...record, [field]: record[field].subarray(0, length) });
      }
      refusesToOpen({ ...record, [field]: Buffer.concat([record[field], Buffer.of(0)]) });
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
    for (const change of changes) refusesToOpen({ ...seal('+14155550123'), ...change });
  });

  it('does not open with any one character of its ids changed, moved or added', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.uuid(), fc.nat(70), (recordId, other, cut) => {
        fc.pre(recordId !== other);
        const record = seal('+14155550123', { recordId });
        refusesToOpen({ ...record, recordId: other });
        // The same characters in all, divided differently between the two ids.
        const both = record.recordId + record.subjectId;
        fc.pre(cut !== record.recordId.length);
        refusesToOpen({ ...record, recordId: both.slice(0, cut), subjectId: both.slice(cut) });
      }),
      RUNS,
    );
  });

  it('does not open with any part of another record of the same person', () => {
    const one = seal('+14155550123', { recordId: 'record-1' });
    const two = seal('+14155550124', { recordId: 'record-2' });
    for (const field of ['wrappedDataKey', 'ciphertext', 'commitment'] as const) {
      refusesToOpen({ ...one, [field]: two[field] });
    }
    refusesToOpen({ ...two, recordId: one.recordId });
    refusesToOpen({
      ...one,
      wrappedDataKey: two.wrappedDataKey,
      ciphertext: two.ciphertext,
      commitment: two.commitment,
    });
  });

  it('does not open with the key of another person, or one bit off', () => {
    const record = seal('+14155550123');
    refusesToOpen(record, randomBytes(32));
    for (let bit = 0; bit < 256; bit++) refusesToOpen(record, flip(key, bit));
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

  it('leaves the subject key untouched', () => {
    const subjectKey = Buffer.from(key);
    openRecord(seal('x', { subjectKey }), subjectKey);
    expect(subjectKey.equals(key)).toBe(true);
  });

  it('says in its error only what is wrong with it', () => {
    try {
      openRecord({ ...seal('+14155550123'), subjectId: 'other' }, key);
      throw new Error('it opened');
    } catch (error) {
      expect(error).toMatchObject({
        name: 'VaultOpenError',
        code: 'wrong-key',
        message: 'A vault record does not open',
      });
    }
  });
});

describe('records sealed in the past', () => {
  interface Frozen {
    key: string;
    records: { text: string; record: Record<string, string | number> }[];
  }
  const frozen = JSON.parse(readFileSync(join(__dirname, 'fixtures/format-1.json'), 'utf8')) as Frozen;

  it.each(frozen.records.map(({ text, record }) => [text, record] as const))(
    'of format 1 still open: %s',
    (text, record) => {
      const bytes = (name: string): Buffer => Buffer.from(String(record[name]), 'base64');
      const opened = openRecord(
        {
          recordId: String(record['recordId']),
          subjectId: String(record['subjectId']),
          kind: String(record['kind']) as SealedKind,
          format: Number(record['format']),
          keyVersion: Number(record['keyVersion']),
          wrappedDataKey: bytes('wrappedDataKey'),
          ciphertext: bytes('ciphertext'),
          commitment: bytes('commitment'),
        },
        Buffer.from(frozen.key, 'hex'),
      );
      expect(opened.expose()).toBe(text);
    },
  );
});
