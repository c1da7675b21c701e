/* oxlint-disable typescript/restrict-template-expressions, typescript/no-misused-spread -- done here on purpose */
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import {
  KindlineError,
  PhoneNumberError,
  RecordDestroyed,
  SubjectErased,
  VaultOpenError,
} from '../../../domain/errors';
import { SEALED_KINDS, SealedValue } from '../../../domain/sealed';

const NUMBER = '+14155550123';
const phone = SealedValue.of('phone', NUMBER);

/** Every ordinary way in which a value ends up in a text. */
const waysToPrint: Record<string, (value: SealedValue) => string> = {
  'a template literal': (value) => `${value}`,
  'string concatenation': (value) => 'to ' + String(value),
  String: (value) => String(value),
  'JSON.stringify': (value) => JSON.stringify({ to: value, list: [value] }),
  'util.inspect, deep and with hidden properties': (value) =>
    inspect({ a: { b: [value] } }, { depth: 9, showHidden: true }),
  'an error message': (value) => inspect(new Error(`cannot call ${value}`)),
  'the cause of an error': (value) => inspect(new Error('cannot call', { cause: value })),
  'a property of an error': (value) => inspect(Object.assign(new Error('no'), { value })),
  'a Map': (value) => inspect(new Map([[value, value]])),
  'Object.entries': (value) => JSON.stringify(Object.entries(value)),
  'a spread copy': (value) => JSON.stringify({ ...value }) + inspect({ ...value }),
  'a structured clone': (value) => inspect(structuredClone({ ...value })),
  'its property names': (value) => [...Reflect.ownKeys(value), ...Object.getOwnPropertyNames(value)].map(String).join(),
};

describe('a sealed value', () => {
  it.each(Object.entries(waysToPrint))('does not leak through %s', (_name, print) => {
    expect(print(phone)).not.toContain('4155550');
    expect(print(SealedValue.of('name', 'Ada Lovelace'))).not.toContain('Lovelace');
  });

  it('shows its kind and, for a phone number, its last two digits', () => {
    expect(`${phone}`).toBe('[phone ••23]');
    expect(JSON.stringify({ phone })).toBe('{"phone":"[phone ••23]"}');
    expect(inspect(phone)).toBe('[phone ••23]');
    expect(`${SealedValue.of('email', 'a@example.org')}`).toBe('[email]');
  });

  it('shows no digit of a number so short that two of them would tell it', () => {
    expect(`${SealedValue.of('phone', '988')}`).toBe('[phone]');
  });

  it('prints no part of any text, whatever is in it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SEALED_KINDS), fc.string({ minLength: 8, maxLength: 40 }), (kind, text) => {
        fc.pre(!text.includes('[') && !text.includes('phone'));
        const printed = inspect([SealedValue.of(kind, text), `${SealedValue.of(kind, text)}`]);
        for (let i = 0; i + 6 <= text.length; i++) expect(printed).not.toContain(text.slice(i, i + 6));
      }),
    );
  });

  it('gives its plaintext through expose() and cannot be changed', () => {
    expect(phone.expose()).toBe(NUMBER);
    expect(() => Object.assign(phone, { kind: 'text' })).toThrow(TypeError);
  });
});

describe('errors of our own', () => {
  it('have stable codes and constant messages', () => {
    const errors = [
      new PhoneNumberError('not-valid'),
      new VaultOpenError('wrong-key'),
      new RecordDestroyed(),
      new SubjectErased(),
    ];
    expect(errors.map((error) => [error.name, error.code])).toEqual([
      ['PhoneNumberError', 'not-valid'],
      ['VaultOpenError', 'wrong-key'],
      ['RecordDestroyed', 'record-destroyed'],
      ['SubjectErased', 'subject-erased'],
    ]);
    for (const error of errors) expect(error).toBeInstanceOf(KindlineError);
  });
});
