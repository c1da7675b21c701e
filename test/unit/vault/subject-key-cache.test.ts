import { createSubjectKeyCache } from '../../../vault/subject-key-cache';

const MINUTE = 60_000;
const isZero = (key: Buffer): boolean => key.every((byte) => byte === 0);

/** A cache, a clock that is set by hand, and every key that was ever loaded. */
function setUp(options: Parameters<typeof createSubjectKeyCache>[0] = {}) {
  const clock = { ms: 0 };
  const loaded: Buffer[] = [];
  const cache = createSubjectKeyCache({ now: () => clock.ms, ...options });
  const load = async (): Promise<Buffer> => {
    const key = Buffer.alloc(32, loaded.length + 1);
    loaded.push(key);
    return key;
  };
  const firstByte = (subject: string, wrapped = 1): Promise<number | undefined> =>
    cache.withKey(subject, Buffer.of(wrapped), load, (key) => key[0]);
  return { cache, clock, loaded, load, firstByte };
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

describe('the cache of subject keys', () => {
  it('loads a key once and uses it again', async () => {
    const { firstByte, loaded } = setUp();
    expect(await firstByte('a')).toBe(1);
    expect(await firstByte('a')).toBe(1);
    expect(loaded).toHaveLength(1);
  });

  it('keeps people and their keys apart', async () => {
    const { firstByte } = setUp();
    expect([await firstByte('a', 1), await firstByte('a', 2), await firstByte('b', 1)]).toEqual([1, 2, 3]);
  });

  it('zeroes a key after five minutes even if nobody asks for it again', async () => {
    const { cache, firstByte, loaded } = setUp();
    await firstByte('a');
    jest.advanceTimersByTime(5 * MINUTE - 1);
    expect(cache.size).toBe(1);
    jest.advanceTimersByTime(1);
    expect(cache.size).toBe(0);
    expect(loaded.every(isZero)).toBe(true);
  });

  it('refuses a key that is too old by the clock when its timer is late, as after a suspend', async () => {
    const { clock, firstByte, loaded } = setUp();
    await firstByte('a');
    clock.ms = 5 * MINUTE;
    expect(await firstByte('a')).toBe(2);
    expect(loaded[0]?.every((byte) => byte === 0)).toBe(true);
  });

  it('uses a key a thousand times at most', async () => {
    const { firstByte, loaded } = setUp();
    for (let i = 0; i < 1000; i++) await firstByte('a');
    expect(loaded).toHaveLength(1);
    expect(loaded.every(isZero)).toBe(true);
    await firstByte('a');
    expect(loaded).toHaveLength(2);
  });

  it('counts a use that failed', async () => {
    const { cache, load, loaded } = setUp({ maxUses: 1 });
    const fail = (): never => {
      throw new Error('no');
    };
    await expect(cache.withKey('a', Buffer.of(1), load, fail)).rejects.toThrow('no');
    expect(loaded.every(isZero)).toBe(true);
    expect(cache.size).toBe(0);
  });

  it('zeroes all keys of an erased person, and nobody else', async () => {
    const { cache, firstByte, loaded } = setUp();
    await firstByte('a', 1);
    await firstByte('a', 2);
    await firstByte('b', 1);
    cache.evict('a');
    expect(loaded.map(isZero)).toEqual([true, true, false]);
    expect(cache.size).toBe(1);
  });

  it('does not keep a key whose owner was erased while it was being loaded', async () => {
    const { cache, loaded } = setUp();
    let finish: (key: Buffer) => void = () => undefined;
    const slow = cache.withKey(
      'a',
      Buffer.of(1),
      () => new Promise<Buffer>((resolve) => (finish = resolve)),
      (key) => key[0],
    );
    await Promise.resolve();
    cache.evict('a');
    const key = Buffer.alloc(32, 9);
    finish(key);
    expect(await slow).toBe(9);
    expect(isZero(key)).toBe(true);
    expect(cache.size).toBe(0);
    expect(loaded).toEqual([]);
  });

  it('zeroes everything when it is cleared, and the longest unused when it is full', async () => {
    const { cache, firstByte, loaded } = setUp({ maxKeys: 2 });
    await firstByte('a');
    await firstByte('b');
    await firstByte('a');
    await firstByte('c');
    expect(loaded.map(isZero)).toEqual([false, true, false]);
    cache.clear();
    expect(loaded.every(isZero)).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('two loads at once leave one key and zero the other', async () => {
    const { cache, firstByte, loaded } = setUp();
    await Promise.all([firstByte('a'), firstByte('a')]);
    expect(cache.size).toBe(1);
    expect(loaded.filter(isZero)).toHaveLength(loaded.length - 1);
  });

  it('keeps nothing when the key cannot be loaded', async () => {
    const { cache } = setUp();
    await expect(
      cache.withKey(
        'a',
        Buffer.of(1),
        () => Promise.reject(new Error('kms')),
        () => 1,
      ),
    ).rejects.toThrow('kms');
    expect(cache.size).toBe(0);
  });
});
