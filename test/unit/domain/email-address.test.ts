import { parseEmailAddress } from '../../../domain/email-address';

test.each([
  ['Somebody@Example.org', 'somebody@example.org'],
  ['  first.last+tag@mail.example.co.uk ', 'first.last+tag@mail.example.co.uk'],
])('%s has one spelling', (given, expected) => {
  const address = parseEmailAddress(given);
  expect(address?.expose()).toBe(expected);
  expect(String(address)).toBe('[email]');
});

test.each([
  'nobody',
  '@example.org',
  'a@b',
  'a b@example.org',
  '.a@example.org',
  'a..b@example.org',
  'a@-example.org',
  'a@example.org\r\nBcc: b@example.org',
  '"a b"@example.org',
  'a@[192.0.2.1]',
  `${'a'.repeat(65)}@example.org`,
  `a@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.${'e'.repeat(60)}.${'f'.repeat(30)}.org`,
])('%j is none', (given) => {
  expect(parseEmailAddress(given)).toBeNull();
});
