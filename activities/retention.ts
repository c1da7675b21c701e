import { deleteOldAlerts } from '../db/alerts';
import { forgetOldRecipients } from '../db/dispatches';
import { deleteOldEvents } from '../db/app-event-delivery';
import { deleteOldCodes } from '../db/contact-point-codes';
import { deleteOldTexts } from '../db/inbound-texts';
import { deleteLiftedOptOuts } from '../db/opt-outs';
import { deleteOldBatches } from '../db/message-batches';
import { deleteOldLinks } from '../db/mail-links';
import { deleteOldMessages } from '../db/messages';
import { destroyUnreferencedRecords, type LeftOver } from '../db/unreferenced-records';
import { deleteOldWebhookEvents } from '../db/webhook-events';
import { RETENTION } from '../domain/retention';
import type { ActivityDependencies } from './dependencies';
import { withHeartbeat } from './heartbeat';

const BATCH = 200;
/** Rows that name no record go faster. */
const OLD_ROWS = 5_000;
/** Each may have ten thousand rows; the rest is for the next run. */
const BATCHES_AT_ONCE = 10;
/** What is left after so many batches is taken up by the next run. */
const MOST_BATCHES = 50;

/** What a retention sweep is asked: `isDryRun` counts what would be destroyed, and changes nothing. */
export interface RetentionRun {
  readonly isDryRun: boolean;
}

/** The parts of the retention sweep. Each may be repeated and run beside itself. */
export function createRetentionActivities({ pool, logger }: ActivityDependencies) {
  const deleted = (
    sweep: string,
    { isDryRun }: RetentionRun,
    deleteRows: (rows: { limit: number; isDryRun: boolean }) => Promise<number>,
  ): Promise<LeftOver> =>
    withHeartbeat(async () => {
      let found = 0;
      for (let batch = 0; batch < MOST_BATCHES; batch += 1) {
        const done = await deleteRows({ limit: OLD_ROWS, isDryRun });
        found += done;
        if (isDryRun || done < OLD_ROWS) break;
      }
      const destroyed = isDryRun ? 0 : found;
      if (destroyed > 0) logger.info({ sweep, count: destroyed }, 'rows mended by the sweep');
      return { found, destroyed };
    });

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
    deleteOldAppEvents: (run: RetentionRun): Promise<LeftOver> =>
      deleted('app-events', run, (rows) => deleteOldEvents(pool, { ...rows, olderThanMs: RETENTION.appEvent })),

    /**
     * Rows of messages that have been over for `RETENTION.messageLog`, their words gone by then or soon after; the links of
     * their e-mails; codes that were sent; and batches of messages, whose counts would be wrong without them.
     */
    async deleteOldMessages(run: RetentionRun): Promise<LeftOver> {
      const olderThanMs = RETENTION.messageLog;
      const messages = await deleted('messages', run, async (rows) => {
        const some = await deleteOldMessages(pool, { ...rows, olderThanMs });
        // What was asked by a link stays as a block of the address.
        const links = await deleteOldLinks(pool, { ...rows, olderThanMs });
        return some + links + (await deleteOldCodes(pool, { ...rows, olderThanMs: RETENTION.contactPointCode }));
      });
      const batches = await deleted('message-batches', run, ({ isDryRun }) =>
        deleteOldBatches(pool, { isDryRun, limit: BATCHES_AT_ONCE, olderThanMs: RETENTION.messageBatch }),
      );
      return { found: messages.found + batches.found, destroyed: messages.destroyed + batches.destroyed };
    },

    /** Whom acts of long ago were for: what led an erasure to them, their message or call, is gone by then. */
    forgetOldRecipients: (run: RetentionRun): Promise<LeftOver> =>
      deleted('recipients-of-dispatches', run, (rows) =>
        forgetOldRecipients(pool, { ...rows, olderThanMs: RETENTION.recipientOfDispatch }),
      ),

    /** What Twilio told us. */
    deleteOldWebhookEvents: (run: RetentionRun): Promise<LeftOver> =>
      deleted('webhook-events', run, (rows) =>
        deleteOldWebhookEvents(pool, { ...rows, olderThanMs: RETENTION.webhookEvent }),
      ),

    /** Voice alerts that have been over for `RETENTION.alert`, with their calls. */
    deleteOldAlerts: (run: RetentionRun): Promise<LeftOver> =>
      deleted('voice-alerts', run, (rows) => deleteOldAlerts(pool, { ...rows, olderThanMs: RETENTION.alert })),

    /** Texts to our numbers, what was asked by text, and opt-outs that were taken back. */
    deleteOldTexts: (run: RetentionRun): Promise<LeftOver> =>
      deleted('inbound-texts', run, async (rows) => {
        const texts = await deleteOldTexts(pool, { ...rows, olderThanMs: RETENTION.inboundText });
        return texts + (await deleteLiftedOptOuts(pool, { ...rows, olderThanMs: RETENTION.liftedOptOut }));
      }),
  };
}
