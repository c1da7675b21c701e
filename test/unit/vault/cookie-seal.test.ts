import { randomBytes } from 'node:crypto';
import { createCookieSeal } from '../../../vault/cookie-seal';

const KEY = { version: 1, key: randomBytes(32) };
const VALUE = { id: 'x', roles: ['mentor'] };

describe('what a browser keeps for us', () => {
  const seal = createCookieSeal([KEY]);

  it('opens as it was sealed, in any process with the same key', () => {
    expect(createCookieSeal([KEY]).open('session', seal.seal('session', VALUE))).toEqual(VALUE);
  });

  it('can be read by nobody, and is never the same twice', () => {
    const [one, two] = [seal.seal('session', VALUE), seal.seal('session', VALUE)];
    expect(one).not.toBe(two);
    expect(Buffer.from(one, 'base64url').toString('latin1')).not.toContain('mentor');
  });

  it('counts for its own use alone', () => {
    expect(seal.open('sign-in', seal.seal('session', VALUE))).toBeNull();
  });

  it('opens with the key that was current when it was sealed, and with no other', () => {
    const next = { version: 2, key: randomBytes(32) };
    const old = seal.seal('session', VALUE);
    expect(createCookieSeal([next, KEY]).open('session', old)).toEqual(VALUE);
    expect(createCookieSeal([next]).open('session', old)).toBeNull();
  });

  it('is worth nothing with any byte changed', () => {
    const bytes = Buffer.from(seal.seal('session', VALUE), 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(seal.open('session', changed.toString('base64url'))).toBeNull();
    }
  });

  it.each(['', 'x', 'not base64!', 'A'.repeat(20), 'A'.repeat(5_000), '{"id":"x"}'])('is not %s', (text) => {
    expect(seal.open('session', text)).toBeNull();
  });

  it('is refused when no browser would keep it', () => {
    expect(() => seal.seal('session', { text: 'x'.repeat(4_000) })).toThrow(RangeError);
  });
});
