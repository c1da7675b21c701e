/** What several suites of the database need: people, a vault, calls. Numbers are from the range for fiction. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { openCall } from '../../../db/calls';
import { reserveBest } from '../../../db/mentor-match';
import { createMentor, type Mentor, type NewMentor } from '../../../db/mentors';
import { createSubject } from '../../../db/subjects';
import { createVault, type Vault, type VaultParts } from '../../../db/vault-records';
import { defaultScorer } from '../../../domain/match-scorers';
import { mentorCallInput, type RingingInput } from '../../mentor-call-input';
import { PATIENCE_MS } from '../../patience';
import { SealedValue } from '../../../domain/sealed';
import type { KeyRing } from '../../../vault/key-ring';
import { openLocalKeyRing } from '../../../vault/local-key-ring';
import { createSubjectKeyCache } from '../../../vault/subject-key-cache';

export const quiet = { warn: () => undefined };

/** Reads its file once, as it opens: nothing of it is left behind. */
export async function localRing(): Promise<KeyRing> {
  const folder = mkdtempSync(join(tmpdir(), 'kindline-ring-'));
  try {
    return await openLocalKeyRing(join(folder, 'root-key.json'), { nodeEnv: 'test' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function vaultOver(pool: Pool, keyRing: KeyRing, more: Partial<VaultParts> = {}): Vault {
  return createVault({ pool, keyRing, cache: createSubjectKeyCache(), logger: quiet, ...more });
}

/** Waits until it is so; polls, because notifications and leases come when they come. */
export async function eventually(isSo: () => boolean | Promise<boolean>, withinMs = PATIENCE_MS): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('It did not come to be in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A person with one sealed number, without the work of a vault: the bytes open for nobody. */
export async function personWithNumber(pool: Pool): Promise<{ userId: string; recordId: string }> {
  const userId = await createSubject(pool, 'system');
  const recordId = randomUUID();
  await pool.query(
    `INSERT INTO vault_records (record_id, subject_id, kind, format, key_version, wrapped_data_key, ciphertext, commitment)
     VALUES ($1, $2, 'phone', 1, 1, '\\x00', '\\x00', '\\x00')`,
    [recordId, userId],
  );
  return { userId, recordId };
}

export function tokenHex(): string {
  return randomBytes(32).toString('hex');
}

export function callInput(
  person: { userId: string; recordId: string },
  more: Partial<RingingInput> = {},
): RingingInput {
  return mentorCallInput({ ...person, ...more });
}

export const LIMITS = { perUser: 3, perTarget: 3 };

/** A live call of somebody new. */
export async function liveCall(pool: Pool): Promise<RingingInput> {
  const input = callInput(await personWithNumber(pool));
  await openCall(pool, input, LIMITS);
  return input;
}

/** Hours of somebody who is on shift all the time. */
export const ALWAYS = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, starts: '00:00', ends: '00:00' }));

/** Reserves a place of this very mentor. */
export async function reserveSlot(
  pool: Pool,
  { mentorId, callId, step, leaseMs }: { mentorId: string; callId: string; step: number; leaseMs: number },
): Promise<{ mentorId: string; again: boolean } | null> {
  const match = { callId, step, leaseMs, preferences: {}, country: 'US', exclude: [], only: mentorId };
  const { mentorId: reserved, again } = await reserveBest(pool, match, defaultScorer());
  return reserved === null ? null : { mentorId: reserved, again };
}

/** A mentor who is on shift all the time. */
export async function mentorWith(pool: Pool, more: Partial<NewMentor> = {}): Promise<Mentor> {
  const { userId, recordId } = await personWithNumber(pool);
  const name = await personWithNumber(pool);
  return await createMentor(
    pool,
    {
      subjectId: userId,
      nameRecordId: name.recordId,
      phoneRecordId: recordId,
      phoneToken: randomBytes(32),
      country: 'US',
      specialties: [],
      languages: ['en'],
      zone: 'America/New_York',
      available: true,
      maxConcurrentCalls: 1,
      windows: ALWAYS,
      ...more,
    },
    'system',
  );
}

export function phone(value = '+14155550123'): SealedValue {
  return SealedValue.of('phone', value);
}

/** Whether anybody in this database waits for a lock that somebody else holds. */
export async function isSomebodyBlocked(pool: Pool): Promise<boolean> {
  const text = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`;
  return (await pool.query(text)).rowCount !== 0;
}
