/** Sweeps of retention over a database of a test, and what they leave. */
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Pool } from 'pg';
import { createRetentionActivities, type SweptPart } from '../../../activities/retention';
import { RETENTION, type SweptKind } from '../../../domain/retention';
import type { Logger } from '../../../vault/logger';

/** Twilio has no recording of anybody. */
export const NOWHERE = {
  recordings: async () => ({ kind: 'recordings', found: 0, taken: 0, held: 0, isOver: true }) as const,
};

function run(pool: Pool, kind: SweptKind, isDryRun: boolean): Promise<SweptPart> {
  const logger = { info: () => undefined } as unknown as Logger;
  const deps = { pool, logger, retention: RETENTION, monotonicMs: () => performance.now() };
  const workflowExecution = { workflowId: 'retention-sweep', runId: randomUUID() };
  const { sweepOld } = createRetentionActivities(deps, NOWHERE);
  return new MockActivityEnvironment({ workflowExecution }).run<
    [{ kind: SweptKind; isDryRun: boolean }],
    SweptPart,
    typeof sweepOld
  >(sweepOld, { kind, isDryRun });
}

/** Counts first, and then does it: what a dry run says is what goes, and until then nothing has gone. */
export async function sweepBoth(pool: Pool, kind: SweptKind): Promise<Pick<SweptPart, 'taken' | 'held'>> {
  const would = await run(pool, kind, true);
  const did = await run(pool, kind, false);
  expect(did).toEqual(would);
  return { taken: did.taken, held: did.held };
}

/** How many records of somebody can still be revealed. */
export async function recordsOf(pool: Pool, subjectId: string): Promise<number> {
  const text = 'SELECT count(*)::int AS n FROM vault_records WHERE subject_id = $1 AND destroyed_at IS NULL';
  return (await pool.query(text, [subjectId])).rows[0].n;
}
