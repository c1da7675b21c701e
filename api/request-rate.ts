import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Problem } from './problems';

/** Counts one request of somebody. @throws {Problem} `too-many-requests` */
export type RequestRate = (who: string) => Promise<void>;

/**
 * So many requests a minute for each. Counted in memory, because the codec server is one process; who asks (a subject, or
 * an address) is forgotten with the minute.
 */
export function requestRate(perMinute: number): RequestRate {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: 60 });
  return async (who) => {
    try {
      await limiter.consume(who);
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      // The library counts milliseconds; Retry-After takes whole seconds.
      throw new Problem('too-many-requests', { retryAfterSeconds: Math.ceil(refused.msBeforeNext / 1_000) });
    }
  };
}
