import { randomBytes } from 'node:crypto';
import { hasRefused } from '../../../db/buddy-refusals';
import { findBuddy } from '../../../db/buddies';
import { optInBuddies, optOutBuddies } from '../../../db/buddy-opt-outs';
import { endByLink, findBuddyByLink } from '../../../db/buddy-rights';
import { placeHold } from '../../../db/legal-holds';
import { inTransaction } from '../../../db/pool';
import type { Vault } from '../../../db/vault-records';
import type { SweptKind } from '../../../domain/retention';
import { SealedValue } from '../../../domain/sealed';
import { createTokenizer } from '../../../vault/tokens';
import { MARKED } from '../../marked-people';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { localRing, vaultOver } from '../db/people';
import { recordsOf, sweepBoth } from '../db/sweeps';
import { type BuddyWorld, checkedIn, hashOf, invited, nameBuddy, statesTold } from './people';

let database: TestDatabase;
let vault: Vault;
let world: BuddyWorld;
beforeEach(async () => {
  database = await createTestDatabase();
  vault = vaultOver(database.app, await localRing(), { databaseUrl: database.appUrl });
  world = { pool: database.app, vault, tokenizer: createTokenizer([{ version: 1, key: randomBytes(32) }]) };
});
afterEach(async () => {
  await vault.close();
  await database.drop();
});

const sweep = (kind: SweptKind) => sweepBoth(database.app, kind);
const aged = (buddyId: string, column: string, days: number) =>
  database.owner.query(`UPDATE buddy_contacts SET ${column} = now() - $2 * interval '1 day' WHERE buddy_id = $1`, [
    buddyId,
    days,
  ]);
const isThere = async (buddyId: string) => (await findBuddy(database.app, buddyId)) !== null;

test('a check-in goes ninety days after its end, and what was sealed with it in the same run', async () => {
  const buddy = await nameBuddy(world);
  const old = await checkedIn(world, buddy, { daysAgo: 91, note: MARKED.replyWords, ip: '203.0.113.9' });
  const young = await checkedIn(world, buddy, { daysAgo: 89 });
  // Its workflow was terminated: it never closed.
  const lost = await checkedIn(world, buddy, { daysAgo: 93, isOpen: true });
  await database.owner.query(`UPDATE vault_records SET created_at = created_at - interval '91 days'`);
  expect(await recordsOf(database.app, buddy.subjectId)).toBe(5);
  expect(await sweep('check-ins')).toEqual({ taken: 2, held: 0 });
  expect(await sweep('vault-records')).toEqual({ taken: 2, held: 0 });
  expect(await recordsOf(database.app, buddy.subjectId)).toBe(3);
  const { rows } = await database.app.query('SELECT request_id FROM buddy_check_in_requests');
  expect(rows).toEqual([{ request_id: young.requestId }]);
  expect(old.requestId).not.toBe(lost.requestId);
});

test('a buddy who has never answered goes thirty days after the last link ran out, as a person', async () => {
  const unasked = async (days: number) => {
    const { buddyId } = await nameBuddy(world, { isVerified: false });
    await aged(buddyId, 'created_at', days);
    return buddyId;
  };
  const [neverAsked, namedLately] = [await unasked(31), await unasked(29)];
  const silent = await nameBuddy(world, { isVerified: false });
  await invited(database.app, silent.buddyId, { daysAgo: 38 });
  const askedAgain = await nameBuddy(world, { isVerified: false });
  await invited(database.app, askedAgain.buddyId, { daysAgo: 38 });
  await invited(database.app, askedAgain.buddyId, { version: 2, daysAgo: 36 });
  const verified = await nameBuddy(world);
  await invited(database.app, verified.buddyId, { daysAgo: 300 });
  expect(await sweep('unverified-buddies')).toEqual({ taken: 2, held: 0 });
  for (const buddyId of [neverAsked, silent.buddyId]) expect(await isThere(buddyId)).toBe(false);
  for (const buddyId of [namedLately, askedAgain.buddyId, verified.buddyId]) expect(await isThere(buddyId)).toBe(true);
  expect(await recordsOf(database.app, silent.subjectId)).toBe(0);
  expect(await statesTold(database.app, silent.buddyId)).toEqual(['removed']);
  const { rows } = await database.app.query(
    `SELECT (SELECT state FROM subject_keys WHERE subject_id = $1) AS key,
            (SELECT count(*)::int FROM buddy_invitations WHERE buddy_id = $2) AS invitations`,
    [silent.subjectId, silent.buddyId],
  );
  expect(rows).toEqual([{ key: 'destroyed', invitations: 0 }]);
});

test('who has declined, withdrawn or was removed goes ninety days after; that they do not want to be asked stays', async () => {
  const columns = ['declined_at', 'removed_at'] as const;
  const ended = async (days: number) => {
    const ids: string[] = [];
    for (const column of columns) {
      const { buddyId } = await nameBuddy(world, { isVerified: false });
      await aged(buddyId, column, days);
      ids.push(buddyId);
    }
    return ids;
  };
  const [gone, left] = [await ended(91), await ended(89)];
  const withdrawn = await nameBuddy(world);
  const link = await invited(database.app, withdrawn.buddyId, { daysAgo: 200 });
  const linked = await findBuddyByLink(database.app, hashOf(link));
  if (linked === null) throw new Error('the link opens nothing');
  await inTransaction(database.app, (tx) => endByLink(tx, linked, 'withdrawn'));
  expect(await sweep('ended-buddies')).toEqual({ taken: 2, held: 0 });
  await aged(withdrawn.buddyId, 'opted_out_at', 91);
  expect(await sweep('ended-buddies')).toEqual({ taken: 1, held: 0 });
  for (const buddyId of [...gone, withdrawn.buddyId]) expect(await isThere(buddyId)).toBe(false);
  for (const buddyId of left) expect(await isThere(buddyId)).toBe(true);
  const token = world.tokenizer.token(SealedValue.of('phone', withdrawn.phone));
  expect(await hasRefused(database.app, withdrawn.userId, [token])).toBe(true);
  expect(await findBuddyByLink(database.app, hashOf(link))).toBeNull();
});

test('who has texted STOP goes ninety days after; that this user is not to ask them stays', async () => {
  const buddy = await nameBuddy(world);
  const phone = SealedValue.of('phone', buddy.phone);
  const tokens = [world.tokenizer.token(phone), world.tokenizer.token(SealedValue.of('email', buddy.email))];
  await inTransaction(database.app, (tx) => optOutBuddies(tx, world.tokenizer.candidates(phone)));
  await aged(buddy.buddyId, 'opted_out_at', 91);
  expect(await sweep('ended-buddies')).toEqual({ taken: 1, held: 0 });
  expect(await isThere(buddy.buddyId)).toBe(false);
  for (const token of tokens) expect(await hasRefused(database.app, buddy.userId, [token])).toBe(true);
  await inTransaction(database.app, (tx) => optInBuddies(tx, world.tokenizer.candidates(phone)));
  for (const token of tokens) expect(await hasRefused(database.app, buddy.userId, [token])).toBe(false);
});

test('who has texted STOP and then START is a buddy like before, for good', async () => {
  const buddy = await nameBuddy(world);
  const tokens = world.tokenizer.candidates(SealedValue.of('phone', buddy.phone));
  await inTransaction(database.app, (tx) => optOutBuddies(tx, tokens));
  await inTransaction(database.app, (tx) => optInBuddies(tx, tokens));
  await aged(buddy.buddyId, 'created_at', 400);
  for (const kind of ['unverified-buddies', 'ended-buddies'] as const) {
    expect(await sweep(kind)).toEqual({ taken: 0, held: 0 });
  }
});

test.each(['userId', 'subjectId'] as const)(
  'a legal hold on the %s keeps buddies and check-ins, and says how many',
  async (whose) => {
    const buddy = await nameBuddy(world);
    await checkedIn(world, buddy, { daysAgo: 100 });
    await aged(buddy.buddyId, 'removed_at', 100);
    const silent = await nameBuddy(world, { isVerified: false, userId: buddy.userId, rank: 2 });
    await aged(silent.buddyId, 'created_at', 100);
    const hold = { subjectId: buddy[whose], reason: 'dispute', actor: buddy.userId } as const;
    await inTransaction(database.app, (tx) => placeHold(tx, hold));
    expect(await sweep('check-ins')).toEqual({ taken: 0, held: 1 });
    expect(await sweep('ended-buddies')).toEqual({ taken: 0, held: 1 });
    expect(await sweep('unverified-buddies')).toEqual(
      whose === 'userId' ? { taken: 0, held: 1 } : { taken: 1, held: 0 },
    );
    await database.app.query('UPDATE legal_holds SET lifted_at = now(), lifted_by = placed_by');
    expect(await sweep('check-ins')).toEqual({ taken: 1, held: 0 });
    expect(await sweep('ended-buddies')).toEqual({ taken: 1, held: 0 });
  },
);
