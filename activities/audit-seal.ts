import { chainBatch, lateEntries } from '../db/audit-chain';
import { writeNextCheckpoint } from '../db/audit-checkpoints';
import type { ActivityDependencies } from './dependencies';
import { withHeartbeat } from './heartbeat';

/** One run chains no longer than this (ms); the next takes up what is left. */
const LONGEST_RUN = 30_000;

/** The two halves of sealing the audit trail. They fail apart: without its store the chain still goes on. */
export function createAuditSealActivities({ pool, auditKeys, checkpoints, logger }: ActivityDependencies) {
  return {
    /** Chains what is ready, batch by batch. @returns how many entries got their place */
    chainAuditEntries(): Promise<number> {
      return withHeartbeat(async () => {
        const until = Date.now() + LONGEST_RUN;
        let count = 0;
        for (let chained = 1; chained > 0 && Date.now() < until; ) {
          chained = await chainBatch(pool, auditKeys.current('audit-chain'));
          count += chained;
        }
        const late = await lateEntries(pool);
        if (late > 0) logger.warn({ count: late }, 'audit entries wait for their place: a transaction is left open');
        return count;
      });
    },

    /** @returns the place up to which the new checkpoint vouches; null when another worker wrote it just now */
    async writeCheckpoint(): Promise<number | null> {
      try {
        return (await writeNextCheckpoint(pool, checkpoints, auditKeys))?.position ?? null;
      } catch (error) {
        logger.error({ error }, 'no audit checkpoint could be written');
        throw error;
      }
    },
  };
}
