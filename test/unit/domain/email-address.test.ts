import fc from 'fast-check';
import { parseEmailAddress } from '../../../domain/email-address';

const read = (text: string) => parseEmailAddress(text)?.expose() ?? null;

it.each([
  ['  Ada.Example@Mail.Example.ORG ', 'ada.example@mail.example.org'],
  ['ada+calls@example.org', 'ada+calls@example.org'],
  ["o'ada@example.co.uk", "o'ada@example.co.uk"],
  ['ada@bücher.example', 'ada@xn--bcher-kva.example'],
  ['ada@XN--BCHER-KVA.example', 'ada@xn--bcher-kva.example'],
])('%j is written %s', (text, written) => {
  expect(read(text)).toBe(written);
});

it.each([
  '',
  'ada',
  'ada@',
  '@example.org',
  'ada@example',
  'ada@127.0.0.1',
  'ada@[127.0.0.1]',
  'ada@-example.org',
  'ada..b@example.org',
  '.ada@example.org',
  '"ada b"@example.org',
  'Ada <ada@example.org>',
  'ada@example.org, bob@example.org',
  'ada@example.org\r\nBcc: bob@example.org',
  'ada\0@example.org',
  'ada@exam ple.org',
  'ada@b@example.org',
  `${'a'.repeat(65)}@example.org`,
  `ada@${'a'.repeat(64)}.org`,
  `ada@${'abcdefgh.'.repeat(30)}org`,
  'ädä@example.org',
  '\u212Aarl@example.org',
])('%j is no address', (text) => {
  expect(read(text)).toBeNull();
});

it('has one spelling, whatever it is given', () => {
  fc.assert(
    fc.property(fc.emailAddress(), (given) => {
      const once = read(given);
      if (once === null) return;
      expect(read(once)).toBe(once);
      expect(read(` ${once.toUpperCase()} `)).toBe(once);
      expect(once).not.toMatch(/[\s<>",;:\\()[\]]/);
    }),
  );
});

it('shows nothing of itself', () => {
  expect(String(parseEmailAddress('ada@example.org'))).toBe('[email]');
});
