import { isIPv6 } from 'node:net';
import type { Request, Response } from 'express';
import type { Pool } from 'pg';
import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import type { Config } from '../config/config';
import type { Tokenizer } from '../vault/tokens';
import type { Caller } from './authentication';
import { RATES_WITHIN, RATES_REST } from './limits';
import { Problem } from './problems';

/** How often somebody may ask, counted in Postgres so that it holds over all processes of the API. */
export interface RequestLimits {
  /** Counts a request of this address, before anybody knows who asks. @throws {Problem} `too-many-requests` */
  ofAddress(req: Request, res: Response): Promise<void>;
  /** Counts a request of a caller, in all and at this route. @throws {Problem} `too-many-requests` */
  ofCaller(caller: Caller, route: string, res: Response): Promise<void>;
}

export type RequestRates = Config['limits']['requests'];

/**
 * The limiters of one API process. A key is a token: the table holds neither an address nor who asked. While Postgres is
 * away each process counts for itself, and what it knows to be over is refused without asking again.
 */
export function createRequestLimits(pool: Pool, tokenizer: Tokenizer, rates: RequestRates): RequestLimits {
  const store = patientStore(pool);
  const limiter = (name: keyof RequestRates, doesSweep: boolean): Limiter => {
    const { count: points, withinMs } = rates[name];
    const duration = Math.max(1, Math.round(withinMs / 1_000));
    const counts = new RateLimiterPostgres({
      storeClient: store,
      storeType: 'pool',
      tableName: 'request_rates',
      tableCreated: true,
      clearExpiredByTimeout: doesSweep,
      keyPrefix: name,
      points,
      duration,
      inMemoryBlockOnConsumed: points,
      insuranceLimiter: new RateLimiterMemory({ keyPrefix: name, points, duration }),
    });
    return { name, points, duration, counts };
  };
  // One of them sweeps the table for all.
  const address = limiter('address', true);
  const user = limiter('user', false);
  const endpoint = limiter('endpoint', false);
  const token = (name: string, ...of: readonly string[]): string =>
    tokenizer.keyedHash(`rate/${name}`, ...of).toString('base64url');

  return {
    async ofAddress(req, res) {
      await counted(res, [[address, token('address', networkOf(req.ip ?? ''))]]);
    },
    async ofCaller({ subjectId }, route, res) {
      await counted(res, [
        [user, token('user', subjectId)],
        [endpoint, token('endpoint', subjectId, route)],
      ]);
    },
  };
}

interface Limiter {
  readonly name: string;
  readonly points: number;
  readonly duration: number;
  readonly counts: RateLimiterPostgres;
}

async function counted(res: Response, asked: readonly (readonly [Limiter, string])[]): Promise<void> {
  const standings = await Promise.all(
    asked.map(async ([limiter, key]) => ({ limiter, ...(await standing(limiter, key)) })),
  );
  for (const { limiter, left, resetSeconds } of standings) {
    // As the IETF's draft "RateLimit header fields for HTTP" writes them: a list of named policies.
    res.append('RateLimit-Policy', `"${limiter.name}";q=${limiter.points};w=${limiter.duration}`);
    res.append('RateLimit', `"${limiter.name}";r=${left};t=${resetSeconds}`);
  }
  const over = standings.filter(({ isOver }) => isOver).map(({ resetSeconds }) => resetSeconds);
  if (over.length > 0) throw new Problem('too-many-requests', { retryAfterSeconds: Math.max(...over) });
}

async function standing(limiter: Limiter, key: string) {
  try {
    return told(await limiter.counts.consume(key), false);
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused;
    return told(refused, true);
  }
}

/** The library counts milliseconds, and would send parts of seconds; Retry-After and `t` take whole ones. */
function told({ remainingPoints, msBeforeNext }: RateLimiterRes, isOver: boolean) {
  return { left: isOver ? 0 : remainingPoints, resetSeconds: Math.max(1, Math.ceil(msBeforeNext / 1_000)), isOver };
}

/** Whoever has one IPv6 address has 2⁶⁴ of them: the network is what asks. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail = ''] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
}

/**
 * Postgres for the limiters, without patience: counting is never worth a wait of seconds. After a failure the next one
 * is tried a moment later; until then the limiters count by themselves.
 */
function patientStore(pool: Pool) {
  let restUntil = 0;
  return {
    async query(asked: { text: string; values?: unknown[]; name?: string }) {
      if (Date.now() < restUntil) throw new Error('Postgres was away a moment ago');
      let timer: NodeJS.Timeout | undefined;
      const tooLate = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('Postgres takes too long')), RATES_WITHIN);
      });
      try {
        return await Promise.race([pool.query(asked), tooLate]);
      } catch (error) {
        restUntil = Date.now() + RATES_REST;
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
