import { deleteOldEvents } from '../db/app-event-delivery';
import { destroyUnreferencedRecords, type LeftOver } from '../db/unreferenced-records';
import { RETENTION } from '../domain/retention';
import type { ActivityDependencies } from './dependencies';
import { withHeartbeat } from './heartbeat';

const BATCH = 200;
/** Rows that name no record go faster. */
const OLD_EVENTS = 5_000;
/** What is left after so many batches is taken up by the next run. */
const MOST_BATCHES = 50;

/** What a retention sweep is asked: `isDryRun` counts what would be destroyed, and changes nothing. */
export interface RetentionRun {
  readonly isDryRun: boolean;
}

/** The parts of the retention sweep. Each may be repeated and run beside itself. */
export function createRetentionActivities({ pool, logger }: ActivityDependencies) {
  return {
    /** Sealed records older than `RETENTION.unreferencedRecord` that no row names. */
    destroyUnreferencedRecords: ({ isDryRun }: RetentionRun): Promise<LeftOver> =>
      withHeartbeat(async () => {
        let [found, destroyed] = [0, 0];
        for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
          const olderThanMs = RETENTION.unreferencedRecord;
          const done = await destroyUnreferencedRecords(pool, { olderThanMs, limit: BATCH, isDryRun });
          found += done.found;
          destroyed += done.destroyed;
          // A dry run would find the same ones again.
          if (isDryRun || done.found < BATCH) break;
        }
        if (destroyed > 0) logger.info({ sweep: 'unreferenced-records', count: destroyed }, 'rows mended by the sweep');
        return { found, destroyed };
      }),

    /** Events of the app older than `RETENTION.appEvent`. */
    deleteOldAppEvents: ({ isDryRun }: RetentionRun): Promise<LeftOver> =>
      withHeartbeat(async () => {
        let found = 0;
        for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
          const olderThanMs = RETENTION.appEvent;
          const done = await deleteOldEvents(pool, { olderThanMs, limit: OLD_EVENTS, isDryRun });
          found += done;
          if (isDryRun || done < OLD_EVENTS) break;
        }
        const destroyed = isDryRun ? 0 : found;
        if (destroyed > 0) logger.info({ sweep: 'app-events', count: destroyed }, 'rows mended by the sweep');
        return { found, destroyed };
      }),
  };
}
