/**
 * Unwrapped subject keys, for a short while. Without the cache every reveal would be a call to KMS; with it, a key
 * that was destroyed could still be in memory, so keys stay five minutes and a thousand uses at most, are evicted on
 * erasure, and are overwritten with zeros whenever they leave. (Whether a subject is erased is decided by the
 * database with every reveal, not here.)
 */

export interface SubjectKeyCache {
  /**
   * Runs `use` with the subject's key, loading it when it is not here. `use` is synchronous and must not keep the
   * buffer: it is zeroed when the key leaves the cache.
   * @param wrapped the key as it is stored. It names the key, which its version does not: the row of a key may be
   * rolled back, and another key then takes its version
   * @param load gives the key itself; the cache owns the buffer it returns
   */
  withKey<T>(subjectId: string, wrapped: Buffer, load: () => Promise<Buffer>, use: (key: Buffer) => T): Promise<T>;
  /** Forgets all keys of a subject. */
  evict(subjectId: string): void;
  /** Forgets everything: at shutdown, and when the process may have missed an erasure. */
  clear(): void;
  readonly size: number;
}

export interface SubjectKeyCacheOptions {
  /** Default 5 minutes. */
  readonly maxAgeMs?: number;
  /** Default 1,000. */
  readonly maxUses?: number;
  /** Keys held at once; default 10,000, the longest unused leaves first. */
  readonly maxKeys?: number;
  /** Milliseconds; `Date.now`, which unlike the monotonic clock goes on while the machine sleeps. */
  readonly now?: () => number;
}

interface Entry {
  readonly key: Buffer;
  readonly subjectId: string;
  readonly expiresAt: number;
  readonly timer: NodeJS.Timeout;
  usesLeft: number;
}

export function createSubjectKeyCache(options: SubjectKeyCacheOptions = {}): SubjectKeyCache {
  const { maxAgeMs = 5 * 60_000, maxUses = 1_000, maxKeys = 10_000, now = Date.now } = options;
  // Insertion order is order of use: an entry that is used is put in again.
  const entries = new Map<string, Entry>();
  // Goes up with every eviction, so that a key which was being loaded meanwhile is used once and not kept.
  let evictions = 0;

  const drop = (id: string): void => {
    const entry = entries.get(id);
    if (entry === undefined) return;
    entries.delete(id);
    clearTimeout(entry.timer);
    entry.key.fill(0);
  };

  const take = (id: string): Entry | undefined => {
    const entry = entries.get(id);
    if (entry === undefined) return undefined;
    if (entry.usesLeft > 0 && now() < entry.expiresAt) {
      entries.delete(id);
      entries.set(id, entry);
      return entry;
    }
    drop(id);
    return undefined;
  };

  const keep = (id: string, subjectId: string, key: Buffer): Entry => {
    drop(id);
    // The timer zeroes a key that nobody asks for again; the clock refuses one that a late timer left behind.
    const timer = setTimeout(() => drop(id), maxAgeMs).unref();
    const entry = { key, subjectId, expiresAt: now() + maxAgeMs, timer, usesLeft: maxUses };
    entries.set(id, entry);
    const oldest = entries.size > maxKeys ? entries.keys().next().value : undefined;
    if (oldest !== undefined) drop(oldest);
    return entry;
  };

  return {
    async withKey(subjectId, wrapped, load, use) {
      const id = `${subjectId} ${wrapped.toString('base64')}`;
      let entry = take(id);
      if (entry === undefined) {
        const before = evictions;
        const key = await load();
        if (evictions !== before) {
          try {
            return use(key);
          } finally {
            key.fill(0);
          }
        }
        entry = keep(id, subjectId, key);
      }
      entry.usesLeft -= 1;
      try {
        return use(entry.key);
      } finally {
        if (entry.usesLeft === 0 && entries.get(id) === entry) drop(id);
      }
    },
    evict(subjectId) {
      evictions += 1;
      for (const [id, entry] of entries) if (entry.subjectId === subjectId) drop(id);
    },
    clear() {
      evictions += 1;
      for (const id of entries.keys()) drop(id);
    },
    get size() {
      return entries.size;
    },
  };
}
