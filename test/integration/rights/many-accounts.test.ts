import { randomBytes, randomUUID } from 'node:crypto';
import { loadConfig } from '../../../config/config';
import { lockTarget, type TargetKind, targetWaitMs } from '../../../db/buddy-targets';
import { inTransaction } from '../../../db/pool';
import type { Vault } from '../../../db/vault-records';
import { watchdogFacts } from '../../../db/watchdog-facts';
import { judge } from '../../../domain/watchdog-rules';
import { SealedValue } from '../../../domain/sealed';
import { createTokenizer } from '../../../vault/tokens';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { localRing, vaultOver } from '../db/people';
import { type BuddyWorld, checkedIn, invited, type NamedBuddy, nameBuddy, somebodyNew } from './people';

const CONFIG = loadConfig({
  DATABASE_URL: 'postgres://127.0.0.1/x',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'x',
  TWILIO_PHONE_NUMBER: '+14155550100',
  OIDC_ISSUER: 'http://127.0.0.1:1',
});
const LIMITS = { invitations: CONFIG.buddies.targetLimits, 'check-ins': CONFIG.buddies.checkIn.targetLimits };

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

const tokenOf = (kind: 'email' | 'phone', value: string) => world.tokenizer.token(SealedValue.of(kind, value));

/** Asks as whoever asks for a message does: behind the lock, and only when it is this person's turn. */
async function ask(kind: Exclude<TargetKind, 'contacts'>, buddy: NamedBuddy): Promise<'asked' | 'refused'> {
  const isMail = kind === 'invitations';
  const token = isMail ? tokenOf('email', buddy.email) : tokenOf('phone', buddy.phone);
  return await inTransaction(database.app, async (tx) => {
    await lockTarget(tx, token);
    if ((await targetWaitMs(tx, kind, [token], LIMITS[kind])) > 0) return 'refused';
    await tx.query(
      isMail
        ? `INSERT INTO buddy_invitations (invitation_id, buddy_id, version, link_hash, email_token, asked_by, expires_at, cooldown, message_id)
           VALUES (gen_random_uuid(), $1, 1, $2, $3, 'user', now(), tstzrange(now(), now() + interval '1 hour'), gen_random_uuid())`
        : `INSERT INTO buddy_check_in_requests (request_id, buddy_id, user_id, kind, state, link_hash, phone_token, message_id, closes_at, cooldown)
           SELECT gen_random_uuid(), $1, user_id, 'user', 'pending', $2, $3, gen_random_uuid(), now(), tstzrange(now(), now() + interval '24 hours')
             FROM buddy_contacts WHERE buddy_id = $1`,
      [buddy.buddyId, randomBytes(32), token],
    );
    return 'asked';
  });
}

describe('one person, named by many users', () => {
  test.each([
    ['invitations', 3],
    ['check-ins', 4],
  ] as const)('gets of %s no more than %i, however many ask at once', async (kind, most) => {
    const person = somebodyNew();
    const buddies = await Promise.all(Array.from({ length: 20 }, () => nameBuddy(world, person)));
    const answers = await Promise.all(buddies.map((buddy) => ask(kind, buddy)));
    expect(answers.filter((answer) => answer === 'asked')).toHaveLength(most);
    // Another person is asked all the same.
    expect(await ask(kind, await nameBuddy(world))).toBe('asked');
  });

  test('is asked again when what they were asked is long ago', async () => {
    const person = somebodyNew();
    for (let user = 0; user < 3; user += 1) await invited(database.app, (await nameBuddy(world, person)).buddyId);
    const next = await nameBuddy(world, person);
    expect(await ask('invitations', next)).toBe('refused');
    await database.app.query(`UPDATE buddy_invitations SET asked_at = asked_at - interval '8 days'`);
    expect(await ask('invitations', next)).toBe('asked');
  });

  test('is texted four times in a day and ten times in a week', async () => {
    const person = somebodyNew();
    const asked: number[] = [];
    for (let day = 0; day < 7; day += 1) {
      const buddies = await Promise.all(Array.from({ length: 5 }, () => nameBuddy(world, person)));
      const answers = await Promise.all(buddies.map((buddy) => ask('check-ins', buddy)));
      asked.push(answers.filter((answer) => answer === 'asked').length);
      await database.app.query(`UPDATE buddy_check_in_requests SET requested_at = requested_at - interval '1 day'`);
    }
    expect(asked).toEqual([4, 4, 2, 0, 0, 0, 0]);
    expect(await ask('check-ins', await nameBuddy(world, person))).toBe('asked');
  });

  test('is not counted for a text of which nothing was sent', async () => {
    const texted = somebodyNew();
    for (let user = 0; user < 6; user += 1) {
      await checkedIn(world, await nameBuddy(world, texted), { counts: false });
    }
    expect(await ask('check-ins', await nameBuddy(world, texted))).toBe('asked');
  });
});

describe('the watchdog', () => {
  const { limits } = CONFIG.watchdog;
  const found = async () =>
    judge(await watchdogFacts(database.app, 3_600_000, limits), limits).filter(
      ({ kind }) => kind === 'accounts-to-one-buddy',
    );

  test.each(['email', 'phone'] as const)(
    'finds one %s that more than four accounts have named, and says neither',
    async (what) => {
      const shared = { [what]: somebodyNew()[what] };
      const named: NamedBuddy[] = [];
      for (let user = 0; user < 4; user += 1) named.push(await nameBuddy(world, shared));
      // Twice by one user is one account.
      await database.app.query('UPDATE buddy_contacts SET removed_at = now() WHERE buddy_id = $1', [named[0]?.buddyId]);
      await nameBuddy(world, { ...shared, userId: named[0]?.userId ?? '' });
      expect(await found()).toEqual([]);
      await nameBuddy(world, shared);
      const [first] = (
        await database.app.query('SELECT buddy_id FROM buddy_contacts ORDER BY created_at, buddy_id LIMIT 1')
      ).rows;
      expect(await found()).toEqual([
        { kind: 'accounts-to-one-buddy', key: first.buddy_id, holdMs: 0, counts: { accounts: 5 } },
      ]);
      await database.app.query(`UPDATE buddy_contacts SET created_at = created_at - interval '8 days'`);
      expect(await found()).toEqual([]);
    },
  );

  test('is not deceived by taking the person off each list again', async () => {
    const person = somebodyNew();
    for (let user = 0; user < 5; user += 1) {
      const { buddyId } = await nameBuddy(world, person);
      await invited(database.app, buddyId);
      await database.app.query(
        'UPDATE buddy_contacts SET removed_at = now(), email_token = NULL, phone_token = NULL WHERE buddy_id = $1',
        [buddyId],
      );
    }
    expect(await found()).toMatchObject([{ counts: { accounts: 5 } }]);
  });

  test('goes on naming the person by the buddy it was first found by, and tells of address and number once', async () => {
    const person = somebodyNew();
    const named: NamedBuddy[] = [];
    for (let user = 0; user < 6; user += 1) named.push(await nameBuddy(world, person));
    await database.app.query('UPDATE buddy_contacts SET created_at = now() WHERE buddy_id = $1', [named[2]?.buddyId]);
    await database.app.query(
      `INSERT INTO incidents (incident_id, kind, key, counts, raised_at) VALUES ($1, 'accounts-to-one-buddy', $2, '{}', now())`,
      [randomUUID(), named[2]?.buddyId],
    );
    expect(await found()).toMatchObject([{ key: named[2]?.buddyId, counts: { accounts: 6 } }]);
  });
});
