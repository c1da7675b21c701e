import { chaining, checkpointing } from './activity-options';

/**
 * Gives new audit entries their places in the chain, then writes a checkpoint outside the database. A store that
 * cannot be reached fails the run, so that somebody looks; what was chained stays chained.
 *
 * @returns how many entries were chained, and the place that the checkpoint vouches for (null: another worker's did)
 */
export async function auditSeal(): Promise<{ chained: number; checkpoint: number | null }> {
  const chained = await chaining.chainAuditEntries();
  return { chained, checkpoint: await checkpointing.writeCheckpoint() };
}
