import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { KeyContext, WrappedKey } from '../../../vault/key-ring';
import { openLocalKeyRing } from '../../../vault/local-key-ring';

const context: KeyContext = { subject: 'subject-1', purpose: 'subject-key' };
let directory = '';
let file = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-ring-'));
  file = join(directory, 'keys', 'root.key');
});
afterEach(() => rm(directory, { recursive: true }));

const open = (nodeEnv = 'test') => openLocalKeyRing(file, { nodeEnv });

describe('the local key ring', () => {
  it('is refused in production, and makes no file', async () => {
    await expect(open('production')).rejects.toMatchObject({ code: 'local-key-ring-in-production' });
    expect(await readdir(directory)).toEqual([]);
  });

  it('makes its file on the first start, readable by its owner only', async () => {
    await open();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(directory, 'keys'))).toEqual(['root.key']);
  });

  it('unwraps after a restart what it wrapped before', async () => {
    const { plaintext, wrapped } = await (await open()).generate(context);
    const again = await open();
    expect((await again.unwrap(wrapped, context)).equals(plaintext)).toBe(true);
    expect(wrapped.rootKeyId).toBe((await again.describe()).rootKeyId);
    expect(plaintext).toHaveLength(32);
  });

  it('gives one root key to all processes that start at once', async () => {
    const rings = await Promise.all(Array.from({ length: 8 }, () => open()));
    const ids = await Promise.all(rings.map(async (ring) => (await ring.describe()).rootKeyId));
    expect(new Set(ids).size).toBe(1);
  });

  it('does not unwrap for another subject or purpose', async () => {
    const ring = await open();
    const { wrapped } = await ring.generate(context);
    await expect(ring.unwrap(wrapped, { ...context, subject: 'subject-2' })).rejects.toMatchObject({
      code: 'key-not-authentic',
    });
    await expect(ring.unwrap(wrapped, { ...context, purpose: 'service-key' })).rejects.toMatchObject({
      code: 'key-not-authentic',
    });
  });

  it('does not unwrap bytes with any bit flipped or cut off', async () => {
    const ring = await open();
    const { wrapped } = await ring.generate(context);
    for (let at = 0; at < wrapped.bytes.length; at++) {
      const bytes = Buffer.from(wrapped.bytes);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      await expect(ring.unwrap({ ...wrapped, bytes }, context)).rejects.toMatchObject({ name: 'KeyRingError' });
      const short = wrapped.bytes.subarray(0, at);
      await expect(ring.unwrap({ ...wrapped, bytes: short }, context)).rejects.toMatchObject({ name: 'KeyRingError' });
    }
  });

  it('does not unwrap what another ring has wrapped', async () => {
    const ring = await open();
    const { wrapped } = await ring.generate(context);
    await expect(ring.unwrap({ ...wrapped, ring: 'kms' }, context)).rejects.toMatchObject({ code: 'not-our-key' });
    await expect(ring.unwrap({ ...wrapped, rootKeyId: 'local:other' }, context)).rejects.toMatchObject({
      code: 'not-our-key',
    });
  });

  it('puts a new root key in front of the old one: what either has wrapped still opens', async () => {
    const before = await open();
    const old = await before.generate(context);
    const line = `local:new ${Buffer.alloc(32, 7).toString('base64')}\n`;
    await writeFile(file, line + (await readFile(file, 'utf8')));
    const ring = await open();
    expect(await ring.describe()).toEqual({ rootKeyId: 'local:new' });
    expect((await ring.generate(context)).wrapped.rootKeyId).toBe('local:new');
    expect((await ring.unwrap(old.wrapped, context)).equals(old.plaintext)).toBe(true);
  });

  it('refuses a file that others may read, and one that is damaged', async () => {
    await open();
    await chmod(file, 0o644);
    await expect(open()).rejects.toMatchObject({ code: 'key-file-open-to-others' });
    await chmod(file, 0o600);
    await writeFile(file, 'local:1 short');
    await expect(open()).rejects.toMatchObject({ code: 'key-file-damaged' });
    expect(await readFile(file, 'utf8')).toBe('local:1 short');
  });
});

describe('keys that were wrapped with format 1', () => {
  type Bytes = { readonly bytes: string };
  type Frozen = { context: KeyContext; key: string; wrapped: Omit<WrappedKey, 'bytes'> & Bytes };
  const frozen: { keyFile: string; keys: Frozen[] } = JSON.parse(
    readFileSync(join(__dirname, 'fixtures/local-ring-1.json'), 'utf8'),
  );

  it.each(frozen.keys.map((each) => [each.context.subject, each] as const))('still open: %s', async (_name, each) => {
    await mkdir(dirname(file));
    await writeFile(file, frozen.keyFile, { mode: 0o600 });
    const wrapped = { ...each.wrapped, bytes: Buffer.from(each.wrapped.bytes, 'base64') };
    expect((await (await open()).unwrap(wrapped, each.context)).toString('hex')).toBe(each.key);
  });
});
