/**
 * What ten thousand people cost who were asked to be a buddy and have not answered yet. Their rows and workflows are made
 * as the service makes them, but for the e-mails: ten thousand of those would take an hour, and are over when they wait.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import { loadConfig } from '../../config/config';
import { appendAudit } from '../../db/audit';
import { insertBuddy } from '../../db/buddies';
import { claimInvitation, noteInvitationSent } from '../../db/buddy-verification';
import { createPool, inTransaction } from '../../db/pool';
import { ensureServiceKeys } from '../../db/service-keys';
import { createSubject } from '../../db/subjects';
import { createVault, type Vault } from '../../db/vault-records';
import { BUDDY_VERIFICATION } from '../../domain/buddies';
import { SealedValue } from '../../domain/sealed';
import { openKeyRing } from '../../providers/open-key-ring';
import { verificationOptions } from '../../temporal/buddy-verification';
import { connectTemporal, type KindlineClient } from '../../temporal/connection';
import { createSubjectKeyCache } from '../../vault/subject-key-cache';
import { progress } from '../project';
import { temporalDatabase } from '../temporal-server';
import type { BenchGround } from './ground';
import type { BenchGroup, Effort } from './group';
import { type BenchRow, rowOf } from './rows';

const BUDDIES = 10_000;
const AT_ONCE = 16;
const DAY_MS = 86_400_000;
/** For all of them to wait. */
const PATIENCE_MS = 20 * 60_000;

export const buddiesWaitingGroup: BenchGroup = { name: 'buddies-waiting', run: { needs: 'ground', measure } };

async function measure({ isQuick }: Effort, ground: BenchGround): Promise<BenchRow[]> {
  const count = isQuick ? 20 : BUDDIES;
  const config = loadConfig(ground.env);
  const pool = createPool({ ...config.database, poolSize: AT_ONCE }, { warn: () => undefined });
  const keyRing = await openKeyRing(config.keys, config);
  const keys = await ensureServiceKeys(pool, keyRing);
  const vault = createVault({ pool, keyRing, cache: createSubjectKeyCache(), logger: { warn: () => undefined } });
  const temporal = await connectTemporal(config.temporal, keys);
  try {
    const before = { ...ground.memory(), ...(await sizes(ground)) };
    await overLines(count, async (n) => {
      const begun = await askedBuddy(pool, vault);
      await beginWaiting(temporal.client, begun);
      if (n % 1_000 === 999) progress(`${n + 1} of ${count} buddies were asked.`);
    });
    await untilAllWait(ground, temporal.client, count);
    const after = { ...ground.memory(), ...(await sizes(ground)) };
    const each = (what: 'postgres' | 'temporal') => (after[what] - before[what]) / count;
    return [
      rowOf({
        name: `memory of the worker, ${count} waiting buddies against none`,
        unit: 'MB',
        ours: after.worker,
        baseline: before.worker,
      }),
      rowOf({
        name: `memory of the API, ${count} waiting buddies against none`,
        unit: 'MB',
        ours: after.api,
        baseline: before.api,
      }),
      // Only so many workflows stay in memory: with more who wait it is less for each.
      rowOf({
        name: `memory of the worker, a waiting buddy of ${count}`,
        unit: 'KB',
        ours: ((after.worker - before.worker) * 1_024) / count,
      }),
      rowOf({ name: `Postgres, a waiting buddy of ${count}`, unit: 'bytes', ours: each('postgres') }),
      rowOf({ name: `Temporal's database, a waiting buddy of ${count}`, unit: 'bytes', ours: each('temporal') }),
    ];
  } finally {
    await temporal.close();
    await vault.close();
    await pool.end();
  }
}

interface Begun {
  readonly buddyId: string;
  readonly userId: string;
  readonly country: string;
}

/** A user with one buddy, whose e-mail has gone out. */
async function askedBuddy(pool: Pool, vault: Vault): Promise<Begun> {
  const userId = await createSubject(pool, 'system');
  const [buddyId, messageId, emailToken, phoneToken] = [randomUUID(), randomUUID(), randomBytes(32), randomBytes(32)];
  await inTransaction(pool, async (tx) => {
    const subjectId = await createSubject(tx, userId);
    const seal = (kind: 'name' | 'email' | 'phone' | 'text', text: string) =>
      vault.seal({ subjectId, kind, value: SealedValue.of(kind, text) }, tx);
    await insertBuddy(tx, {
      buddyId,
      userId,
      subjectId,
      rank: 1,
      nameRecordId: await seal('name', 'Thessaly Brookwater'),
      emailRecordId: await seal('email', `${buddyId}@example.org`),
      phoneRecordId: await seal('phone', '+14155550142'),
      relationshipRecordId: await seal('text', 'a friend of many years'),
      emailToken,
      phoneToken,
      tokenVersion: 1,
      country: 'US',
      language: 'en',
    });
    await appendAudit(tx, { actor: userId, action: 'buddy.created', objectId: buddyId, outcome: 'done' });
  });
  await claimInvitation(pool, {
    buddyId,
    userId,
    invitationId: randomUUID(),
    messageId,
    token: emailToken,
    candidates: [emailToken],
    phoneCandidates: [phoneToken],
    hashOf: () => randomBytes(32),
    lifetimeMs: 7 * DAY_MS,
    spacingMs: DAY_MS / 24,
    targetLimits: [],
    inviterLimits: [],
  });
  await noteInvitationSent(pool, messageId, new Date().toISOString());
  return { buddyId, userId, country: 'US' };
}

/** The signal has it look at its row, where it finds the link whose time it waits for. */
async function beginWaiting(client: KindlineClient, begun: Begun): Promise<void> {
  await client.workflow.signalWithStart(BUDDY_VERIFICATION.workflow, {
    ...verificationOptions(client, begun),
    signal: BUDDY_VERIFICATION.ended,
    signalArgs: [],
  });
}

/** Nothing is left to do for any of them before the link runs out: no task waits, and each has set its timer. */
async function untilAllWait(ground: BenchGround, client: KindlineClient, count: number): Promise<void> {
  const query = `WorkflowType = '${BUDDY_VERIFICATION.workflow}' AND ExecutionStatus = 'Running'`;
  for (const deadline = Date.now() + PATIENCE_MS; ; await delay(1_000)) {
    const { count: running } = await client.workflow.count(query);
    const waiting = running >= count ? await lastWaits(client, query) : false;
    if (waiting) return;
    if (Date.now() > deadline) throw new Error(`${running} of ${count} verifications wait; ${ground.apiUrl}`);
  }
}

/** Tasks are taken up in their order, by and large: of the newest ones, all have a timer. */
async function lastWaits(client: KindlineClient, query: string): Promise<boolean> {
  let looked = 0;
  for await (const { workflowId } of client.workflow.list({ query })) {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    if (!(events ?? []).some(({ timerStartedEventAttributes: timer }) => timer != null)) return false;
    looked += 1;
    if (looked >= 50) break;
  }
  return true;
}

/** Bytes; of Temporal's database with what has not been moved into it yet. */
async function sizes({ owner, stateDirectory }: BenchGround): Promise<{ postgres: number; temporal: number }> {
  const { rows } = await owner.query<{ size: string }>('SELECT pg_database_size(current_database()) AS size');
  const file = temporalDatabase(stateDirectory);
  const temporal = [file, `${file}-wal`].reduce(
    (sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
  return { postgres: Number(rows[0]?.size), temporal };
}

async function overLines(count: number, act: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const line = async (): Promise<void> => {
    while (next < count) {
      const n = next;
      next += 1;
      await act(n);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, line));
}
