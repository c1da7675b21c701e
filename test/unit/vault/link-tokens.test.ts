import { createHash } from 'node:crypto';
import { addressesOf, LINK_USES, type MessageLink } from '../../../domain/message-links';
import { linkHash, linkToken, messageLinkHash, messageLinkToken } from '../../../vault/link-tokens';

const KEY = { version: 1, key: Buffer.alloc(32, 7) };
const LINK: MessageLink = { use: 'buddy-invitation', id: '8c1f4f0e-3b6a-4d7e-9a55-7f2e1c0b9d33', version: 1 };

test('the same link has the same token, 64 characters that no URL escapes', () => {
  const token = messageLinkToken(KEY, LINK);
  expect(messageLinkToken(KEY, { ...LINK })).toBe(token);
  expect(token).toMatch(/^[\w-]{64}$/);
  expect(encodeURIComponent(token)).toBe(token);
});

test('a token ends in a letter or a digit, for phones take no hyphen for the end of an address', () => {
  for (let version = 1; version <= 300; version += 1) {
    expect(messageLinkToken(KEY, { ...LINK, version })).toMatch(/^[\w-]{63}[A-Za-z0-9]$/);
  }
});

test('another version, use, id or key has another token', () => {
  const others = [
    messageLinkToken(KEY, { ...LINK, version: 2 }),
    messageLinkToken(KEY, { ...LINK, use: 'buddy-check-in' }),
    messageLinkToken(KEY, { ...LINK, id: LINK.id.replace('8', '9') }),
    messageLinkToken({ version: 2, key: Buffer.alloc(32, 8) }, LINK),
    linkToken(KEY, 'unsubscribe', LINK.id),
  ];
  expect(new Set([messageLinkToken(KEY, LINK), ...others]).size).toBe(others.length + 1);
});

test('what is stored is the SHA-256 that a token from outside comes to', () => {
  const token = messageLinkToken(KEY, LINK);
  expect(messageLinkHash(KEY, LINK)).toEqual(createHash('sha256').update(token).digest());
  expect(linkHash(token)).toEqual(messageLinkHash(KEY, LINK));
});

test.each(['', 'a'.repeat(63), 'a'.repeat(65), `${'a'.repeat(63)}/`, `${'a'.repeat(63)}\n`])(
  '%j cannot be a token',
  (text) => {
    expect(linkHash(text)).toBeNull();
  },
);

test.each(LINK_USES)('the addresses of %s lie below the base and carry the token', (use) => {
  for (const address of Object.values(addressesOf(use, 'https://api.example.org', 'T'.repeat(64)))) {
    expect(address).toMatch(/^https:\/\/api\.example\.org\/[a-z/?=]+T{64}(?:&action=(?:accept|decline))?$/);
  }
});
