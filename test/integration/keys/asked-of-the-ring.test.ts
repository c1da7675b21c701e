/** How often the key ring is asked: with KMS each time costs money, milliseconds, and a share of the account's quota. */
import { inTransaction } from '../../../db/pool';
import type { Db } from '../../../db/query';
import { createSubject } from '../../../db/subjects';
import type { Vault } from '../../../db/vault-records';
import type { KeyRing } from '../../../vault/key-ring';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { eventually, localRing, phone, vaultOver } from '../db/people';

describe('the key ring', () => {
  let database: TestDatabase;
  let ring: KeyRing;
  let counted: KeyRing;
  let vault: Vault;
  let asked: string[] = [];
  beforeAll(async () => {
    database = await createTestDatabase();
    ring = await localRing();
    counted = {
      ...ring,
      generate: (context) => ring.generate(context).finally(() => asked.push('generate')),
      unwrap: (wrapped, context) => ring.unwrap(wrapped, context).finally(() => asked.push('unwrap')),
    };
    vault = vaultOver(database.app, counted, { databaseUrl: database.appUrl });
    await eventually(() => vault.listening());
  });
  afterAll(async () => {
    await vault.close();
    await database.drop();
  });
  beforeEach(() => (asked = []));

  const person = () => createSubject(database.app, 'system');
  const seal = (subjectId: string) =>
    inTransaction(database.app, (tx) => vault.seal({ subjectId, kind: 'phone', value: phone() }, tx));
  const reveal = (recordId: string) => vault.reveal({ recordId, purpose: 'dial', actor: 'system' });

  it('is asked once for a new person, and not again for a hundred numbers sealed and read', async () => {
    const subjectId = await person();
    const first = await seal(subjectId);
    await reveal(first);
    for (let i = 0; i < 100; i += 1) expect((await reveal(await seal(subjectId))).expose()).toBe(phone().expose());
    expect(asked).toEqual(['generate']);
  });

  it('is asked once more by each other process', async () => {
    const subjectId = await person();
    const recordId = await seal(subjectId);
    const elsewhere = vaultOver(database.app, counted, { databaseUrl: database.appUrl });
    try {
      await eventually(() => elsewhere.listening());
      for (let i = 0; i < 3; i += 1) await elsewhere.reveal({ recordId, purpose: 'dial', actor: 'system' });
      expect(asked).toEqual(['generate', 'unwrap']);
    } finally {
      await elsewhere.close();
    }
  });

  it('is asked for nothing by what is refused or destroyed', async () => {
    const subjectId = await person();
    const recordId = await seal(subjectId);
    asked = [];
    await vault.destroy(recordId, 'call-over');
    await expect(reveal(recordId)).rejects.toMatchObject({ name: 'RecordDestroyed' });
    await vault.eraseSubject(subjectId, 'system');
    await expect(seal(subjectId)).rejects.toMatchObject({ name: 'SubjectErased' });
    expect(asked).toEqual([]);
  });

  it.each(['transaction', 'savepoint'])('seals with no key whose row went with its %s', async (part) => {
    const subjectId = await person();
    const sealTwice = async (tx: Db) => {
      await vault.seal({ subjectId, kind: 'phone', value: phone() }, tx);
      await vault.seal({ subjectId, kind: 'phone', value: phone() }, tx);
    };
    if (part === 'savepoint') {
      await inTransaction(database.app, async (tx) => {
        await tx.query('SAVEPOINT attempt');
        await sealTwice(tx);
        await tx.query('ROLLBACK TO SAVEPOINT attempt');
      });
    } else {
      const failing = inTransaction(database.app, async (tx) => {
        await sealTwice(tx);
        throw new Error('rolled back');
      });
      await expect(failing).rejects.toThrow('rolled back');
    }
    const records = [await seal(subjectId), await seal(subjectId)];
    // The same version number, but another key: what was sealed with the lost one would open in no other process.
    const elsewhere = vaultOver(database.app, ring);
    try {
      for (const recordId of records) {
        const value = await elsewhere.reveal({ recordId, purpose: 'dial', actor: 'system' });
        expect(value.expose()).toBe(phone().expose());
      }
    } finally {
      await elsewhere.close();
    }
  });
});
