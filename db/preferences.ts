/** What people want to get by which channel, and the policies of the organisation that may go past it. */
import type { Pool } from 'pg';
import { z } from 'zod';
import { MESSAGE_KINDS, type MessageKind } from '../domain/message';
import { appendAudit } from './audit';
import type { ExpectedVersion } from './mentors';
import { inTransaction } from './pool';
import { type Db, execute, many, maybeOne, one } from './query';

export const PREFERENCE_CHANNELS = ['sms', 'email', 'voice'] as const;
export type PreferenceChannel = (typeof PREFERENCE_CHANNELS)[number];
/** Everything but the answer to what somebody has just written to us. */
export const REFUSABLE_KINDS = MESSAGE_KINDS.filter((kind) => kind !== 'automatic');

export interface Preference {
  readonly channel: PreferenceChannel;
  readonly kind: MessageKind;
  readonly allowed: boolean;
}

export interface Preferences {
  /** Every channel with every kind; what nobody has chosen is allowed. */
  readonly preferences: readonly Preference[];
  /** 0 until the person chooses for the first time. */
  readonly version: number;
}

const refusedRow = z.object({ channel: z.enum(PREFERENCE_CHANNELS), kind: z.enum(MESSAGE_KINDS) });

export async function readPreferences(db: Db, subjectId: string): Promise<Preferences> {
  const refused = await many(
    db,
    refusedRow,
    'SELECT channel, kind FROM preferences WHERE subject_id = $1 AND NOT allowed',
    [subjectId],
  );
  const row = await maybeOne(
    db,
    z.object({ version: z.int() }),
    'SELECT version FROM preference_versions WHERE subject_id = $1',
    [subjectId],
  );
  const preferences = PREFERENCE_CHANNELS.flatMap((channel) =>
    REFUSABLE_KINDS.map((kind) => ({
      channel,
      kind,
      allowed: !refused.some((no) => no.channel === channel && no.kind === kind),
    })),
  );
  return { preferences, version: row?.version ?? 0 };
}

/**
 * Replaces what a person wants; what is left out is allowed. Holds for everything that is claimed from now on.
 * @returns `stale` when it has been changed since: then nothing changes
 */
export async function replacePreferences(
  pool: Pool,
  subjectId: string,
  wanted: readonly Preference[],
  expected: ExpectedVersion,
): Promise<Preferences | 'stale'> {
  return await inTransaction(pool, async (tx) => {
    await tx.query('SELECT 1 FROM subjects WHERE subject_id = $1 FOR NO KEY UPDATE', [subjectId]);
    const before = await readPreferences(tx, subjectId);
    if (expected !== 'any' && !expected.includes(before.version)) return 'stale';
    const { version } = await one(
      tx,
      z.object({ version: z.int() }),
      `INSERT INTO preference_versions (subject_id, version) VALUES ($1, 1)
       ON CONFLICT (subject_id) DO UPDATE SET version = preference_versions.version + 1 RETURNING version`,
      [subjectId],
    );
    await execute(
      tx,
      'UPDATE preferences SET allowed = true, changed_at = clock_timestamp() WHERE subject_id = $1 AND NOT allowed',
      [subjectId],
    );
    for (const { channel, kind, allowed } of wanted) {
      await execute(
        tx,
        `INSERT INTO preferences (subject_id, channel, kind, allowed) VALUES ($1, $2, $3, $4)
         ON CONFLICT (subject_id, channel, kind)
         DO UPDATE SET allowed = EXCLUDED.allowed, changed_at = clock_timestamp()`,
        [subjectId, channel, kind, allowed],
      );
    }
    await appendAudit(tx, { actor: subjectId, action: 'preferences.changed', objectId: subjectId, outcome: 'done' });
    return { preferences: (await readPreferences(tx, subjectId)).preferences, version };
  });
}

export const POLICIES = ['emergency-ignores-opt-out'] as const;
export type PolicyName = (typeof POLICIES)[number];

export interface Policy {
  readonly name: PolicyName;
  readonly isOn: boolean;
  readonly changedAt: Date;
}

const policyRow = z
  .object({ name: z.enum(POLICIES), is_on: z.boolean(), changed_at: z.date() })
  .transform((row): Policy => ({ name: row.name, isOn: row.is_on, changedAt: row.changed_at }));

export function listPolicies(db: Db): Promise<Policy[]> {
  return many(db, policyRow, 'SELECT name, is_on, changed_at FROM policies ORDER BY name');
}

export async function isPolicyOn(db: Db, name: PolicyName): Promise<boolean> {
  const row = await maybeOne(db, z.object({ is_on: z.boolean() }), 'SELECT is_on FROM policies WHERE name = $1', [
    name,
  ]);
  return row?.is_on ?? false;
}

/** Sets a policy, with an audit entry when that changed it. Give it a transaction. @returns the policy now */
export async function setPolicy(tx: Db, name: PolicyName, isOn: boolean, actor: string): Promise<Policy> {
  const changed = await execute(
    tx,
    'UPDATE policies SET is_on = $2, changed_at = clock_timestamp() WHERE name = $1 AND is_on <> $2',
    [name, isOn],
  );
  if (changed === 1) {
    const purpose = isOn ? 'on' : 'off';
    await appendAudit(tx, { actor, action: 'policy.changed', objectId: name, purpose, outcome: 'done' });
  }
  return await one(tx, policyRow, 'SELECT name, is_on, changed_at FROM policies WHERE name = $1', [name]);
}
