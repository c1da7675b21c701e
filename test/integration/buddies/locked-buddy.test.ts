/** What a transaction reads of a buddy that another one holds: how it is once the lock is had. */
import { randomBytes } from 'node:crypto';
import { type Buddy, lockBuddy } from '../../../db/buddies';
import { recordOptOut } from '../../../db/opt-outs';
import { inTransaction } from '../../../db/pool';
import type { Db } from '../../../db/query';
import { createSubject } from '../../../db/subjects';
import type { Vault } from '../../../db/vault-records';
import { createTokenizer } from '../../../vault/tokens';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { eventually, isSomebodyBlocked, localRing, vaultOver } from '../db/people';
import { newPhone } from './check-in-world';
import { addBuddy } from './people';

const tokenizer = createTokenizer([{ version: 1, key: randomBytes(32) }]);
let database: TestDatabase;
let vault: Vault;
beforeAll(async () => {
  database = await createTestDatabase();
  vault = vaultOver(database.app, await localRing());
});
afterAll(async () => {
  await vault.close();
  await database.drop();
});

const CHANGES: readonly (readonly [string, (tx: Db, buddy: Buddy) => Promise<unknown>])[] = [
  [
    'has withdrawn',
    (tx, { buddyId }) => tx.query('UPDATE buddy_contacts SET is_active = false WHERE buddy_id = $1', [buddyId]),
  ],
  [
    'has said STOP to us, which is no word of the entry',
    (tx, { phoneToken, subjectId }) => {
      const token = phoneToken ?? Buffer.alloc(32);
      const recipient = { token, tokenVersion: 1, candidates: [token] };
      return recordOptOut(tx, { recipient, scope: 'organisation', senders: [], actor: subjectId });
    },
  ],
];

test.each(CHANGES)('who %s while another waited for the lock cannot be asked', async (_what, change) => {
  const parts = { pool: database.app, vault, tokenizer };
  const userId = await createSubject(database.app, 'system');
  const buddy = await addBuddy(parts, { userId, phone: newPhone() });
  const second: Promise<Buddy | null>[] = [];
  await inTransaction(database.app, async (tx) => {
    expect(await lockBuddy(tx, buddy.buddyId)).toMatchObject({ canBeAsked: true });
    second.push(inTransaction(database.app, (other) => lockBuddy(other, buddy.buddyId)));
    await eventually(() => isSomebodyBlocked(database.owner));
    await change(tx, buddy);
  });
  expect(await Promise.all(second)).toMatchObject([{ buddyId: buddy.buddyId, canBeAsked: false }]);
});
