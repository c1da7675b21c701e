import { randomBytes, randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { closeCall } from '../../../db/calls';
import { ensureDispatch, settleAccepted } from '../../../db/dispatches';
import { inTransaction } from '../../../db/pool';
import { ensureServiceKeys, openServiceKeys } from '../../../db/service-keys';
import { createSubject, subjectForAccount } from '../../../db/subjects';
import type { Vault } from '../../../db/vault-records';
import { RecordDestroyed, SubjectErased } from '../../../domain/errors';
import type { KeyRing } from '../../../vault/key-ring';
import { createSubjectKeyCache } from '../../../vault/subject-key-cache';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { eventually, liveCall, localRing, mentorWith, phone, vaultOver } from './people';

describe('the vault', () => {
  let database: TestDatabase;
  let ring: KeyRing;
  let vault: Vault;
  const cache = createSubjectKeyCache();
  beforeAll(async () => {
    database = await createTestDatabase();
    ring = await localRing();
    vault = vaultOver(database.app, ring, { cache, databaseUrl: database.appUrl });
    await eventually(() => vault.listening());
  });
  afterAll(async () => {
    await vault.close();
    await database.drop();
  });

  const person = () => createSubject(database.app, 'system');
  const sealed = async () => {
    const subjectId = await person();
    return { subjectId, recordId: await vault.seal({ subjectId, kind: 'phone', value: phone() }) };
  };
  const reveal = (recordId: string) => vault.reveal({ recordId, purpose: 'dial', actor: 'system' });
  const entriesOf = async (objectId: string) =>
    (await database.app.query('SELECT action, purpose, outcome FROM audit_entries WHERE object_id = $1', [objectId]))
      .rows;

  test('gives back what was sealed, and an entry says so', async () => {
    const { recordId } = await sealed();
    expect((await reveal(recordId)).expose()).toBe('+14155550123');
    expect(await entriesOf(recordId)).toEqual([{ action: 'record.revealed', purpose: 'dial', outcome: 'done' }]);
  });

  test('reveals nothing when the entry cannot be written', async () => {
    const { recordId } = await sealed();
    await database.owner.query(
      `ALTER TABLE audit_entries ADD CONSTRAINT broken CHECK (action <> 'record.revealed') NOT VALID`,
    );
    try {
      await expect(reveal(recordId)).rejects.toMatchObject({ code: '23514' });
      expect(await entriesOf(recordId)).toEqual([]);
    } finally {
      await database.owner.query('ALTER TABLE audit_entries DROP CONSTRAINT broken');
    }
  });

  test('a record that was destroyed or never was is refused, and the attempt has an entry', async () => {
    const { recordId } = await sealed();
    await expect(vault.destroy(recordId, 'call-over')).resolves.toBe(true);
    await expect(vault.destroy(recordId, 'call-over')).resolves.toBe(false);
    await expect(reveal(recordId)).rejects.toBeInstanceOf(RecordDestroyed);
    expect((await entriesOf(recordId)).at(-1)).toMatchObject({ action: 'record.revealed', outcome: 'refused' });
    await expect(reveal('00000000-0000-4000-8000-000000000000')).rejects.toBeInstanceOf(RecordDestroyed);
    const { rows } = await database.app.query(
      'SELECT ciphertext, wrapped_data_key FROM vault_records WHERE record_id = $1',
      [recordId],
    );
    expect(rows).toEqual([{ ciphertext: null, wrapped_data_key: null }]);
  });

  test('a record whose time is over is refused before any sweep, and the sweep destroys it', async () => {
    const subjectId = await person();
    const expiresAt = new Date(Date.now() - 1_000);
    const recordId = await vault.seal({ subjectId, kind: 'phone', value: phone(), expiresAt });
    const lasting = await vault.seal({
      subjectId,
      kind: 'phone',
      value: phone(),
      expiresAt: new Date(Date.now() + 60_000),
    });
    await expect(reveal(recordId)).rejects.toBeInstanceOf(RecordDestroyed);
    await expect(vault.destroyExpired(10)).resolves.toBe(1);
    await expect(vault.destroyExpired(10)).resolves.toBe(0);
    expect((await reveal(lasting)).expose()).toBe('+14155550123');
  });

  test('seals within a transaction of somebody who is made in it, and leaves nothing when it is rolled back', async () => {
    const made = { subjectId: '', recordId: '' };
    const attempt = (fails: boolean) =>
      inTransaction(database.app, async (tx) => {
        made.subjectId = await createSubject(tx, 'system');
        made.recordId = await vault.seal({ subjectId: made.subjectId, kind: 'phone', value: phone() }, tx);
        await vault.seal({ subjectId: made.subjectId, kind: 'phone', value: phone() }, tx);
        if (fails) throw new Error('rolled back');
      });
    await expect(attempt(true)).rejects.toThrow('rolled back');
    await expect(reveal(made.recordId)).rejects.toBeInstanceOf(RecordDestroyed);
    await attempt(false);
    expect((await reveal(made.recordId)).expose()).toBe('+14155550123');
  });

  test('many who seal first for one person at once use one key', async () => {
    const subjectId = await person();
    const ids = await Promise.all(
      Array.from({ length: 12 }, () => vault.seal({ subjectId, kind: 'phone', value: phone() })),
    );
    for (const recordId of ids) expect((await reveal(recordId)).expose()).toBe('+14155550123');
    const { rows } = await database.app.query('SELECT version FROM subject_keys WHERE subject_id = $1', [subjectId]);
    expect(rows).toHaveLength(1);
  });

  test('a row that was moved to another person does not open', async () => {
    const [mine, theirs] = [await sealed(), await sealed()];
    await database.owner.query('UPDATE vault_records SET subject_id = $2 WHERE record_id = $1', [
      mine.recordId,
      theirs.subjectId,
    ]);
    await expect(reveal(mine.recordId)).rejects.toMatchObject({ name: 'VaultOpenError' });
  });

  test('an erased person is refused although the key is cached, and gets no new one', async () => {
    const { subjectId, recordId } = await sealed();
    await reveal(recordId);
    // Erased behind the back of this process: no notification, so the key is still in its cache.
    await database.owner.query(
      `UPDATE subject_keys SET state = 'destroyed', wrapped = NULL, destroyed_at = now() WHERE subject_id = $1`,
      [subjectId],
    );
    await expect(reveal(recordId)).rejects.toBeInstanceOf(SubjectErased);
    await expect(vault.seal({ subjectId, kind: 'phone', value: phone() })).rejects.toBeInstanceOf(SubjectErased);
  });

  test('erasing destroys key, records and tokens at once, tells other processes, and may be repeated', async () => {
    const subjectId = await subjectForAccount(database.app, randomBytes(32));
    const elsewhere = createSubjectKeyCache();
    const other = vaultOver(database.anotherPool(), ring, { cache: elsewhere, databaseUrl: database.appUrl });
    await eventually(() => other.listening());
    const recordId = await vault.seal({ subjectId, kind: 'phone', value: phone() });
    await other.reveal({ recordId, purpose: 'dial', actor: 'system' });
    expect(elsewhere.size).toBe(1);

    await expect(vault.eraseSubject(subjectId, subjectId)).resolves.toBe(true);
    await eventually(() => elsewhere.size === 0);
    await expect(other.reveal({ recordId, purpose: 'dial', actor: 'system' })).rejects.toBeInstanceOf(SubjectErased);
    await expect(vault.eraseSubject(subjectId, subjectId)).resolves.toBe(false);
    await other.close();

    const { rows } = await database.app.query(
      `SELECT s.account_token, k.wrapped, v.ciphertext, (SELECT count(*)::int FROM erasures e WHERE e.subject_id = $1) AS logged
         FROM subjects s JOIN subject_keys k USING (subject_id) JOIN vault_records v USING (subject_id) WHERE subject_id = $1`,
      [subjectId],
    );
    expect(rows).toEqual([{ account_token: null, wrapped: null, ciphertext: null, logged: 1 }]);
  });

  test.each(['after the call', 'during the call'])(
    'erasing %s takes every token, also of calls and dispatches',
    async (when) => {
      const { userId, callId, recipientToken } = await liveCall(database.app);
      const businessKey = `erased:${callId}`;
      const { dispatchId } = await ensureDispatch(database.app, {
        dispatchId: randomUUID(),
        businessKey,
        callId,
        workflowId: 'test',
        recipientToken,
        channel: 'voice',
        sender: '+14155550100',
        country: 'US',
      });
      await settleAccepted(database.app, dispatchId, `CA${randomBytes(16).toString('hex')}`);
      const end = { outcome: 'completed', endReason: 'bridge-over', endedAt: new Date(), durationSeconds: 1 } as const;
      const mentor = await mentorWith(database.app);
      if (when === 'after the call') await closeCall(database.app, { callId, ...end });
      await vault.eraseSubject(userId, 'system');
      if (when === 'during the call') await closeCall(database.app, { callId, ...end });
      await vault.eraseSubject(mentor.subjectId, 'system');
      const { rows } = await database.app.query(
        `SELECT (SELECT recipient_token FROM call_logs WHERE call_id = $1) AS call,
              (SELECT recipient_token FROM dispatches WHERE dispatch_id = $2) AS dispatch,
              (SELECT phone_token FROM mentors WHERE mentor_id = $3) AS mentor`,
        [callId, dispatchId, mentor.mentorId],
      );
      expect(rows).toEqual([{ call: null, dispatch: null, mentor: null }]);
    },
  );

  test('somebody who is erased before anything was sealed gets no key afterwards', async () => {
    const subjectId = await person();
    await vault.eraseSubject(subjectId, 'system');
    await expect(vault.seal({ subjectId, kind: 'phone', value: phone() })).rejects.toBeInstanceOf(SubjectErased);
  });

  test('somebody who is erased while their first key is being written keeps none', async () => {
    const subjectId = await person();
    let erasing: Promise<boolean> = Promise.resolve(false);
    await inTransaction(database.app, async (tx) => {
      await vault.seal({ subjectId, kind: 'phone', value: phone() }, tx);
      erasing = vault.eraseSubject(subjectId, 'system');
      await eventually(() => somebodyWaitsForALock(database));
    });
    await expect(erasing).resolves.toBe(true);
    const { rows } = await database.app.query(
      `SELECT k.state, v.ciphertext FROM subject_keys k JOIN vault_records v USING (subject_id) WHERE subject_id = $1`,
      [subjectId],
    );
    expect(rows).toEqual([{ state: 'destroyed', ciphertext: null }]);
    await expect(vault.seal({ subjectId, kind: 'phone', value: phone() })).rejects.toBeInstanceOf(SubjectErased);
  });

  test('a process that loses the connection it listens on drops its keys and listens again', async () => {
    const { recordId } = await sealed();
    await reveal(recordId);
    expect(cache.size).toBeGreaterThan(0);
    const superuser = new Client({ connectionString: database.adminUrl });
    await superuser.connect();
    await superuser.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND query LIKE 'LISTEN %'`,
    );
    await superuser.end();
    await eventually(() => cache.size === 0);
    await eventually(() => vault.listening());
    expect((await reveal(recordId)).expose()).toBe('+14155550123');
  });

  test('erasing and revealing at the same time ends without a deadlock, and after the erasure nothing opens', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { subjectId, recordId } = await sealed();
      const reveals = Array.from({ length: 6 }, () => reveal(recordId).catch((error: unknown) => error));
      await vault.eraseSubject(subjectId, 'system');
      const failures = (await Promise.all(reveals)).filter((outcome) => outcome instanceof Error);
      expect(failures.every((failure) => failure instanceof SubjectErased)).toBe(true);
      await expect(reveal(recordId)).rejects.toBeInstanceOf(SubjectErased);
    }
  });
});

async function somebodyWaitsForALock({ adminUrl }: TestDatabase): Promise<boolean> {
  const superuser = new Client({ connectionString: adminUrl });
  await superuser.connect();
  try {
    const { rows } = await superuser.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return rows.length > 0;
  } finally {
    await superuser.end();
  }
}

describe('accounts', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  test('the first tokens of one account, all at once, make one person', async () => {
    const token = randomBytes(32);
    const ids = await Promise.all(Array.from({ length: 20 }, () => subjectForAccount(database.app, token)));
    expect(new Set(ids).size).toBe(1);
  });
});

describe('service keys', () => {
  let database: TestDatabase;
  let ring: KeyRing;
  beforeAll(async () => {
    database = await createTestDatabase();
    ring = await localRing();
  });
  afterAll(() => database.drop());

  test('processes that start at once for the first time end with the same keys', async () => {
    const pools = Array.from({ length: 4 }, () => database.anotherPool(2));
    const all = await Promise.all(pools.map((pool) => ensureServiceKeys(pool, ring)));
    const keys = all.map((each) => each.current('token').key.toString('hex'));
    expect(new Set(keys).size).toBe(1);
    expect(all[0]?.current('token').version).toBe(1);
    const { rows } = await database.app.query('SELECT count(*)::int AS keys FROM service_keys');
    expect(rows).toEqual([{ keys: 3 }]);
  });

  test('a previous version stays usable, a retired one does not', async () => {
    const { plaintext, wrapped } = await ring.generate({ subject: 'token:2', purpose: 'service-key' });
    await inTransaction(database.app, async (tx) => {
      await tx.query(`UPDATE service_keys SET state = 'previous' WHERE purpose = 'token'`);
      await tx.query(
        `INSERT INTO service_keys (purpose, version, ring, root_key_id, wrapped, state)
                      VALUES ('token', 2, $1, $2, $3, 'current')`,
        [wrapped.ring, wrapped.rootKeyId, wrapped.bytes],
      );
    });
    const rotated = await ensureServiceKeys(database.app, ring);
    expect(rotated.current('token').key.equals(plaintext)).toBe(true);
    expect(rotated.all('token').map(({ version }) => version)).toEqual([2, 1]);
    await database.app.query(`UPDATE service_keys SET state = 'retired' WHERE purpose = 'token' AND version = 1`);
    expect((await ensureServiceKeys(database.app, ring)).all('token')).toHaveLength(1);
  });

  test('whoever only looks makes no key', async () => {
    const empty = await createTestDatabase();
    const keys = await openServiceKeys(empty.worker, ring, ['audit-chain', 'token']);
    expect([keys.all('audit-chain'), keys.all('token')]).toEqual([[], []]);
    const { rows } = await empty.owner.query('SELECT 1 FROM service_keys');
    expect(rows).toEqual([]);
    await empty.drop();
  });

  test('keys wrapped under another root key do not open', async () => {
    await expect(ensureServiceKeys(database.app, await localRing())).rejects.toMatchObject({ name: 'KeyRingError' });
  });
});
