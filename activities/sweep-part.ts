import type { Logger } from '../vault/logger';
import { withHeartbeat } from './heartbeat';

/** Rows of one run of one part; what is left is taken up by the next. */
export const SWEEP_BATCH = 200;

/** One part of a sweep: beats while it walks its batch, and says what it has mended. */
export function sweepPart(logger: Logger, sweep: string, mend: () => Promise<number>): () => Promise<number> {
  return () =>
    withHeartbeat(async () => {
      const count = await mend();
      if (count > 0) logger.info({ sweep, count }, 'rows mended by the sweep');
      return count;
    });
}

/** One row that cannot be mended now does not keep the others from it; the first failure is thrown at the end. */
export async function countWhere<T>(rows: readonly T[], mend: (row: T) => Promise<boolean>): Promise<number> {
  const failures: unknown[] = [];
  let count = 0;
  for (const row of rows) {
    try {
      if (await mend(row)) count += 1;
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return count;
}
