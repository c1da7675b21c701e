import type { Pool } from 'pg';
import { inTransaction } from '../db/pool';
import { type ProviderLine, PROVIDER_LINES, resumeLine, takeProbe } from '../db/provider-lines';
import type { Logger } from '../vault/logger';
import { startPasses } from './passes';

export interface LineWatchParts {
  readonly pool: Pool;
  readonly logger: Logger;
  /** How often a stopped line is asked for, by all workers together. */
  readonly intervalMs: number;
  /** Whether the provider takes us again; may throw. A line without one is opened to whoever tries next. */
  readonly probes: Readonly<Partial<Record<ProviderLine, () => Promise<boolean>>>>;
}

/**
 * Opens stopped lines again by itself: what waits for one goes out without anybody doing anything. One read of the
 * account in an interval, made by one worker of all, and none while the line is open.
 */
export function startLineWatch(parts: LineWatchParts): { stop(): Promise<void> } {
  const { pool, logger, intervalMs, probes } = parts;
  const look = async (line: ProviderLine): Promise<void> => {
    if (!(await takeProbe(pool, line, intervalMs))) return;
    // That it does not answer, or refuses us still, was told when the line was stopped.
    const isWell = await (probes[line]?.() ?? Promise.resolve(true)).catch(() => false);
    if (!isWell) return;
    if (await inTransaction(pool, (tx) => resumeLine(tx, line))) logger.info({ line }, 'line-resumed');
  };
  const lookAtAll = async (): Promise<void> => {
    for (const line of PROVIDER_LINES) {
      await look(line).catch((error: unknown) => logger.warn({ line, error }, 'a stopped line cannot be looked at'));
    }
  };
  // Looked at a few times in each interval: the turn is taken in the database, and a worker that started late must
  // not make it twice as long.
  return startPasses(lookAtAll, Math.max(50, intervalMs / 4));
}
