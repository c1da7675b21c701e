/** What the vault relies on, promised by every key ring alike: the suite below runs for each of them. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeyContext, KeyRing, WrappedKey } from '../../../vault/key-ring';
import { openLocalKeyRing } from '../../../vault/local-key-ring';
import { localRing } from '../db/people';
import { describeWithMoto, type Moto } from '../../moto';
import { kmsRing, makeRootKey, startKms } from './kms';

interface Rings {
  readonly ring: KeyRing;
  /** Under another root key, knowing nothing of the first. */
  readonly other: KeyRing;
  /** Under the other root key, while the first one is being replaced. */
  readonly rotating: KeyRing;
}

const ALWAYS_REFUSED = /^(key-not-authentic|not-our-key|key-ring-refused)$/;

function everyKeyRing(open: () => Promise<Rings>, close: () => Promise<void>): void {
  let rings: Rings;
  let ring: KeyRing;
  beforeAll(async () => {
    rings = await open();
    ring = rings.ring;
  });
  afterAll(close);

  const context = (): KeyContext => ({ subject: randomUUID(), purpose: 'subject-key' });
  const expectRefusal = (unwrapping: Promise<Buffer>, code: RegExp | string = ALWAYS_REFUSED) =>
    expect(unwrapping).rejects.toMatchObject({
      name: 'KeyRingError',
      code: typeof code === 'string' ? code : expect.stringMatching(code),
    });

  it('gives a key back that it has made', async () => {
    const who = context();
    const { plaintext, wrapped } = await ring.generate(who);
    expect(plaintext).toHaveLength(32);
    expect(wrapped.bytes.includes(plaintext)).toBe(false);
    expect(wrapped.ring).toBe(ring.name);
    expect((await ring.unwrap(wrapped, who)).equals(plaintext)).toBe(true);
  });

  it('makes a new key each time, and what the caller zeroes is nobody else’s', async () => {
    const who = context();
    const [one, two] = [await ring.generate(who), await ring.generate(who)];
    const before = Buffer.from(two.plaintext);
    expect(one.plaintext.equals(two.plaintext)).toBe(false);
    one.plaintext.fill(0);
    (await ring.unwrap(one.wrapped, who)).fill(0);
    expect(two.plaintext.equals(before)).toBe(true);
    expect((await ring.unwrap(one.wrapped, who)).equals(Buffer.alloc(32))).toBe(false);
  });

  it('opens nothing for another subject or another purpose', async () => {
    const who = context();
    const { wrapped } = await ring.generate(who);
    await expectRefusal(ring.unwrap(wrapped, context()), 'key-not-authentic');
    await expectRefusal(ring.unwrap(wrapped, { ...who, subject: who.subject.toUpperCase() }), 'key-not-authentic');
    await expectRefusal(ring.unwrap(wrapped, { ...who, purpose: 'service-key' }), 'key-not-authentic');
  });

  it('opens nothing of another root key or another kind of ring, whatever the row says', async () => {
    const who = context();
    const { wrapped } = await ring.generate(who);
    const { rootKeyId } = await rings.other.describe();
    await expectRefusal(rings.other.unwrap(wrapped, who), 'not-our-key');
    await expectRefusal(rings.other.unwrap({ ...wrapped, rootKeyId }, who));
    await expectRefusal(ring.unwrap({ ...wrapped, rootKeyId }, who), 'not-our-key');
    await expectRefusal(ring.unwrap({ ...wrapped, ring: ring.name === 'kms' ? 'local' : 'kms' }, who), 'not-our-key');
  });

  it('opens nothing after a bit of any byte was flipped', async () => {
    const who = context();
    const { wrapped } = await ring.generate(who);
    for (let place = 0; place < wrapped.bytes.length; place += 1) {
      const bytes = Buffer.from(wrapped.bytes);
      bytes.writeUInt8(bytes.readUInt8(place) ^ (1 << (place % 8)), place);
      await expectRefusal(ring.unwrap({ ...wrapped, bytes }, who));
    }
  });

  it('opens nothing that was cut short or made longer', async () => {
    const who = context();
    const { wrapped } = await ring.generate(who);
    const { bytes } = wrapped;
    for (let length = 0; length < bytes.length; length += 3) {
      await expectRefusal(ring.unwrap({ ...wrapped, bytes: bytes.subarray(0, length) }, who));
    }
    await expectRefusal(ring.unwrap({ ...wrapped, bytes: Buffer.concat([bytes, Buffer.alloc(1)]) }, who));
    await expectRefusal(ring.unwrap({ ...wrapped, bytes: randomBytes(8_192) }, who), 'key-not-authentic');
  });

  it('wraps the same key again under a new root key, and the old bytes open until the old one is forgotten', async () => {
    const who = context();
    const { plaintext, wrapped } = await ring.generate(who);
    const { rootKeyId } = await rings.rotating.describe();
    const again: WrappedKey = await rings.rotating.rewrap(wrapped, who);
    expect(again).toMatchObject({ ring: ring.name, rootKeyId });
    expect(again.bytes.equals(wrapped.bytes)).toBe(false);
    for (const [opener, bytes] of [
      [rings.rotating, again],
      [rings.rotating, wrapped],
      [rings.other, again],
    ] as const) {
      expect((await opener.unwrap(bytes, who)).equals(plaintext)).toBe(true);
    }
    await expectRefusal(rings.other.unwrap(wrapped, who), 'not-our-key');
    await expectRefusal(ring.unwrap(again, who), 'not-our-key');
  });

  it('wraps nothing again that it could not open', async () => {
    const who = context();
    const { wrapped } = await ring.generate(who);
    const code = expect.stringMatching(ALWAYS_REFUSED);
    await expect(rings.rotating.rewrap(wrapped, context())).rejects.toMatchObject({ code });
    await expect(rings.other.rewrap(wrapped, who)).rejects.toMatchObject({ code: 'not-our-key' });
    const bytes = Buffer.from(wrapped.bytes);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    await expect(rings.rotating.rewrap({ ...wrapped, bytes }, who)).rejects.toMatchObject({ code });
  });

  it('serves many at once and confuses nobody', async () => {
    const people = Array.from({ length: 60 }, context);
    const made = await Promise.all(people.map((who) => ring.generate(who)));
    const opened = await Promise.all(made.map(({ wrapped }, i) => ring.unwrap(wrapped, people[i] ?? context())));
    opened.forEach((key, i) => expect(key.equals(made[i]?.plaintext ?? Buffer.alloc(0))).toBe(true));
    expect(new Set(opened.map((key) => key.toString('hex'))).size).toBe(people.length);
  });

  it('names the root key under which it wraps', async () => {
    const { wrapped } = await ring.generate(context());
    expect(await ring.describe()).toEqual({ rootKeyId: wrapped.rootKeyId });
    expect((await rings.other.describe()).rootKeyId).not.toBe(wrapped.rootKeyId);
  });
}

describe('the local key ring', () => {
  const dir = mkdtempSync(join(tmpdir(), 'kindline-rings-'));
  const at = (name: string) => openLocalKeyRing(join(dir, name), { nodeEnv: 'test' });
  everyKeyRing(
    async () => {
      const [ring, other] = [await at('first'), await at('second')];
      const lines = ['second', 'first'].map((name) => readFileSync(join(dir, name), 'utf8'));
      writeFileSync(join(dir, 'both'), lines.join(''), { mode: 0o600 });
      return { ring, other, rotating: await at('both') };
    },
    () => Promise.resolve(rmSync(dir, { recursive: true })),
  );
});

test('the ring that a test is given leaves no folder behind', async () => {
  const within = mkdtempSync(join(tmpdir(), 'kindline-rings-'));
  const places = jest.spyOn(os, 'tmpdir').mockReturnValue(within);
  try {
    await localRing();
    expect(places).toHaveBeenCalled();
    expect(readdirSync(within)).toEqual([]);
  } finally {
    places.mockRestore();
    rmSync(within, { recursive: true });
  }
});

describeWithMoto('the key ring over KMS', () => {
  let moto: Moto;
  everyKeyRing(
    async () => {
      moto = await startKms();
      const [first, second] = [await makeRootKey(moto.url), await makeRootKey(moto.url)];
      const rotating = kmsRing(moto.url, second, { previousKeyId: first });
      return { ring: kmsRing(moto.url, first), other: kmsRing(moto.url, second), rotating };
    },
    () => moto.stop(),
  );
});
