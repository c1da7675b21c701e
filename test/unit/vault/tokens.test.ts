import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { parsePhoneNumber } from '../../../domain/phone-number';
import { SealedValue } from '../../../domain/sealed';
import { createServiceKeys } from '../../../vault/service-keys';
import { createTokenizer } from '../../../vault/tokens';

const keyOf = (byte: number): Buffer => Buffer.alloc(32, byte);
const first = { version: 1, key: keyOf(1) };
const second = { version: 2, key: keyOf(2) };
const phone = (number: string): SealedValue => SealedValue.of('phone', number);
/** Fictional numbers of several area codes, as people write them. */
const written = fc
  .record({
    area: fc.constantFrom('415', '212', '305'),
    line: fc.integer({ min: 100, max: 199 }),
    spelling: fc.constantFrom('+1 A 555 0L', '+1A5550L', '(A) 555-0L', 'A.555.0L', '1-A-555-0L'),
  })
  .map(({ area, line, spelling }) => spelling.replace('A', area).replace('L', String(line)));

describe('tokens', () => {
  it('are equal exactly when the E.164 numbers are, however they were written', () => {
    const { token } = createTokenizer([first]);
    fc.assert(
      fc.property(written, written, (a, b) => {
        const [one, two] = [parsePhoneNumber(a, 'US').e164, parsePhoneNumber(b, 'US').e164];
        expect(token(one).equals(token(two))).toBe(one.expose() === two.expose());
      }),
    );
  });

  it('have 32 bytes and are no plain hash of the number', () => {
    const number = '+14155550123';
    const token = createTokenizer([first]).token(phone(number));
    expect(token).toHaveLength(32);
    expect(token.equals(createHash('sha256').update(number).digest())).toBe(false);
  });

  it('change with the key version; during a rotation both are tried, the newest first', () => {
    const before = createTokenizer([first]);
    const during = createTokenizer([first, second]);
    const number = phone('+14155550123');
    expect(during.version).toBe(2);
    expect(during.token(number).equals(before.token(number))).toBe(false);
    expect(during.candidates(number).map(String)).toEqual([during.token(number), before.token(number)].map(String));
  });

  it.each(['415 555 0123', '+1 415 555 0123', '', '+0123456789', '+14155550123\n'])(
    'are not made from "%s"',
    (number) => {
      expect(() => createTokenizer([first]).token(phone(number))).toThrow(TypeError);
    },
  );

  it('are not made from a value of another kind, nor without a key', () => {
    expect(() => createTokenizer([first]).token(SealedValue.of('name', '+14155550123'))).toThrow(TypeError);
    expect(() => createTokenizer([])).toThrow(RangeError);
  });
});

describe('keyed hashes', () => {
  const { keyedHash } = createTokenizer([first]);

  it('depend on the label and on where one part ends', () => {
    const hashes = [keyedHash('a', 'bc'), keyedHash('a', 'b', 'c'), keyedHash('a', 'bc', ''), keyedHash('ab', 'c')];
    expect(new Set(hashes.map((hash) => hash.toString('hex'))).size).toBe(4);
    expect(keyedHash('a', 'bc').equals(keyedHash('a', 'bc'))).toBe(true);
  });
});

describe('the id of a call', () => {
  const { callIdFor } = createTokenizer([first]);

  it('is a UUID of version 8, the same for the same caller, route and key', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (caller, route, key) => {
        expect(callIdFor(caller, route, key)).toMatch(
          /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
        );
        expect(callIdFor(caller, route, key)).toBe(callIdFor(caller, route, key));
      }),
    );
  });

  it('is another for another caller, route, key or organisation', () => {
    const ids = [
      callIdFor('u1', 'POST /connect-mentor', 'k'),
      callIdFor('u2', 'POST /connect-mentor', 'k'),
      callIdFor('u1', 'POST /other', 'k'),
      callIdFor('u1', 'POST /connect-mentor', 'K'),
      createTokenizer([second]).callIdFor('u1', 'POST /connect-mentor', 'k'),
    ];
    expect(new Set(ids).size).toBe(5);
  });
});

describe('service keys', () => {
  const keys = createServiceKeys([
    { purpose: 'token', ...first },
    { purpose: 'link', version: 1, key: keyOf(3) },
    { purpose: 'token', ...second },
  ]);

  it('give the newest first, by purpose', () => {
    expect(keys.current('token').version).toBe(2);
    expect(keys.all('token').map(({ version }) => version)).toEqual([2, 1]);
    expect(keys.all('audit-chain')).toEqual([]);
  });

  it('fail loudly when one is missing or too short', () => {
    expect(() => keys.current('audit-chain')).toThrow(expect.objectContaining({ code: 'no-service-key' }));
    expect(() => createServiceKeys([{ purpose: 'token', version: 1, key: Buffer.alloc(16) }])).toThrow(
      expect.objectContaining({ code: 'bad-service-key' }),
    );
  });
});
