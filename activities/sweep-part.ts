import type { Place, Placed } from '../db/cursor';
import type { Logger } from '../vault/logger';
import { withHeartbeat } from './heartbeat';

/** Rows that are read at once. */
export const SWEEP_BATCH = 200;

/** One part of a sweep: beats while it walks its rows, and says what it has mended. */
export function sweepPart(logger: Logger, sweep: string, mend: () => Promise<number>): () => Promise<number> {
  return () =>
    withHeartbeat(async () => {
      const count = await mend();
      if (count > 0) logger.info({ sweep, count }, 'rows mended by the sweep');
      return count;
    });
}

/** How long one walk begins with further rows (ms): a part has 40 s, and up to three walks. */
const WALKS_FOR = 10_000;
/** So many failures are not the rows': Temporal or Twilio is away. */
const MOST_FAILURES = SWEEP_BATCH;

/** A page of rows behind a place, or the first one. */
type PageAfter<T> = (limit: number, after: Place | null) => Promise<readonly Placed<T>[]>;
/** Walks the rows of a part. @returns how many were mended; the first failure is thrown at the end */
type Walk<T> = (mend: (row: T) => Promise<boolean>) => Promise<number>;

/**
 * Goes through all rows of a part, page after page. One that cannot be mended now does not keep the others from it, nor
 * do thousands: where a run has no more time the next run of this process goes on, and after the last row it begins anew.
 * @param now monotonic milliseconds
 */
export function createWalk<T>(pageAfter: PageAfter<T>, now = () => performance.now()): Walk<T> {
  let left: Place | null = null;
  return async (mend) => {
    const until = now() + WALKS_FOR;
    const failures: unknown[] = [];
    let count = 0;
    for (let after = left, isLast = false; !isLast; ) {
      const page = await pageAfter(SWEEP_BATCH, after);
      isLast = page.length < SWEEP_BATCH;
      for (const row of page) {
        // Before it is tried: a row that takes all the time there is must not be the first one again.
        after = left = row.place;
        try {
          if (await mend(row)) count += 1;
        } catch (error) {
          failures.push(error);
        }
        if (now() >= until || failures.length >= MOST_FAILURES) return result(count, failures);
      }
    }
    left = null;
    return result(count, failures);
  };
}

/** Walks of one part: one that fails does not keep the next from its rows either. */
export function inTurn(...walks: readonly (() => Promise<number>)[]): Promise<number> {
  return sumOf(walks, (walk) => walk());
}

/** As {@link createWalk}, for rows that step back by being taken. */
export function countWhere<T>(rows: readonly T[], mend: (row: T) => Promise<boolean>): Promise<number> {
  return sumOf(rows, async (row) => ((await mend(row)) ? 1 : 0));
}

async function sumOf<T>(all: readonly T[], mendedOf: (one: T) => Promise<number>): Promise<number> {
  const failures: unknown[] = [];
  let count = 0;
  for (const one of all) {
    try {
      count += await mendedOf(one);
    } catch (error) {
      failures.push(error);
    }
  }
  return result(count, failures);
}

function result(count: number, failures: readonly unknown[]): number {
  if (failures.length > 0) throw failures[0];
  return count;
}
