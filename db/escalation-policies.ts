/** Whom the organisation wants to be asked, in versions: each stays, for alerts that began with it. */
import { z } from 'zod';
import { escalationDocument } from '../domain/escalation-document';
import { BUILT_IN_POLICY, type EscalationPolicy } from '../domain/escalation-policy';
import { appendAudit } from './audit';
import type { ExpectedVersion } from './mentors';
import { type Db, execute, maybeOne } from './query';

export interface VersionedPolicy {
  /** 0: the built-in one. */
  readonly version: number;
  readonly policy: EscalationPolicy;
  readonly setAt: Date | null;
}

const policyRow = z.object({ version: z.int(), document: escalationDocument, set_at: z.date() });

/** @param version null: the policy of now */
export async function readPolicy(db: Db, version: number | null = null): Promise<VersionedPolicy> {
  const row = await maybeOne(
    db,
    policyRow,
    `SELECT version, document, set_at FROM escalation_policies
      WHERE $1::int IS NULL OR version = $1 ORDER BY version DESC LIMIT 1`,
    [version],
  );
  if (row === null) return { version: 0, policy: BUILT_IN_POLICY, setAt: null };
  return { version: row.version, policy: row.document, setAt: row.set_at };
}

/** Adds a version, which is the policy from then on. Give it a transaction. @returns null when somebody was faster */
export async function setPolicy(
  tx: Db,
  policy: EscalationPolicy,
  expected: ExpectedVersion,
  actor: string,
): Promise<VersionedPolicy | null> {
  await execute(tx, `SELECT pg_advisory_xact_lock(hashtextextended('escalation-policy', 0))`);
  const { version } = await readPolicy(tx);
  if (expected !== 'any' && !expected.includes(version)) return null;
  await execute(tx, 'INSERT INTO escalation_policies (version, document, set_by) VALUES ($1, $2, $3)', [
    version + 1,
    policy,
    actor,
  ]);
  await appendAudit(tx, { actor, action: 'escalation-policy.changed', objectId: String(version + 1), outcome: 'done' });
  return await readPolicy(tx, version + 1);
}
