/** What is left of a buddy who has had everything erased, or whose user has. */
import { randomBytes } from 'node:crypto';
import { hasRefused } from '../../../db/buddy-refusals';
import { placeHold } from '../../../db/legal-holds';
import { inTransaction } from '../../../db/pool';
import { createSubject } from '../../../db/subjects';
import { SealedValue } from '../../../domain/sealed';
import { MARKED } from '../../marked-people';
import { eventually } from '../../stack';
import { ApiUnderTest } from '../api/api-under-test';
import { recordsOf } from '../db/sweeps';
import { audited, buddyOf, type BuddyWorld, checkedIn, invited, nameBuddy } from './people';
import { openRights, pressRights, tokensOf } from './rights-page';

let api: ApiUnderTest;
let world: BuddyWorld;
beforeAll(async () => {
  api = await ApiUnderTest.start();
  world = { pool: api.deps.pool, vault: api.deps.vault, tokenizer: api.deps.tokenizer };
});
afterAll(() => api.stop());
beforeEach(() => {
  api.process.down = null;
  api.endings.told.length = 0;
});

const page = (token: string) => openRights(api, token);
const press = (token: string, step: string) => pressRights(api, token, step);

describe('erasing', () => {
  it('withdraws first, then destroys key, records and tokens; the link opens nothing any more', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId);
    const { requestId } = await checkedIn(world, buddy, { isOpen: true });
    expect((await press(link, 'erase')).text).toContain('Your data is deleted');
    expect(await recordsOf(world.pool, buddy.subjectId)).toBe(0);
    expect(await buddyOf(world.pool, buddy.buddyId)).toMatchObject({
      emailToken: null,
      phoneToken: null,
      isActive: false,
      removedAt: expect.any(Date),
    });
    const { rows } = await world.pool.query(
      `SELECT i.email_token, r.phone_token FROM buddy_invitations i JOIN buddy_check_in_requests r USING (buddy_id)
        WHERE i.buddy_id = $1`,
      [buddy.buddyId],
    );
    expect(rows).toEqual([{ email_token: null, phone_token: null }]);
    expect(await hasRefused(world.pool, buddy.userId, [tokensOf(api.deps.tokenizer, buddy).phone])).toBe(true);
    await eventually(() => expect(api.endings.told).toEqual([{ buddyId: buddy.buddyId, checkInIds: [requestId] }]));
    expect((await page(link)).status).toBe(404);
    for (const step of ['see', 'export', 'withdraw', 'block', 'block-everybody']) {
      const { status, text } = await press(link, step);
      expect([status, text]).toEqual([404, expect.stringContaining('There is nothing here')]);
    }
    // A second press says the same again.
    expect(await press(link, 'erase')).toMatchObject({ status: 200, text: expect.stringContaining('is deleted') });
  });

  it('by somebody whom the user took off the list forgets how often they were asked, and refuses that user for it', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId);
    await checkedIn(world, buddy);
    await api.deps.vault.eraseSubject(buddy.subjectId, buddy.userId, 'limits');
    const counted = async () => {
      const { rows } = await world.pool.query(
        `SELECT num_nonnulls(i.email_token, i.phone_token, r.phone_token) AS tokens
           FROM buddy_invitations i JOIN buddy_check_in_requests r USING (buddy_id) WHERE i.buddy_id = $1`,
        [buddy.buddyId],
      );
      return rows;
    };
    expect(await counted()).toEqual([{ tokens: 3 }]);
    expect(await press(link, 'erase')).toMatchObject({ status: 200, text: expect.stringContaining('is deleted') });
    expect(await counted()).toEqual([{ tokens: 0 }]);
    const { email, phone } = tokensOf(api.deps.tokenizer, buddy);
    for (const token of [email, phone]) expect(await hasRefused(world.pool, buddy.userId, [token])).toBe(true);
    // By this user only.
    const { userId } = await nameBuddy(world);
    expect(await hasRefused(world.pool, userId, [email, phone])).toBe(false);
    expect(await press(link, 'erase')).toMatchObject({ status: 200 });
    expect(await audited(world.pool, 'buddy.withdrawn', buddy.buddyId)).toHaveLength(1);
  });

  it('waits for a legal hold, which the page says in plain words; the buddy is not asked meanwhile', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId);
    const who = { role: 'admin' } as const;
    const json = { subjectId: buddy.subjectId, reason: 'investigation' };
    const placed = await api.ask('POST', '/legal-holds', { who, json });
    expect(placed.status).toBe(201);
    for (let time = 0; time < 2; time += 1) {
      const { status, text } = await press(link, 'erase');
      expect(status).toBe(409);
      expect(text).toContain('the law obliges us to keep it for now');
      expect(text).not.toContain('investigation');
    }
    expect(await buddyOf(world.pool, buddy.buddyId)).toMatchObject({ isActive: false });
    expect(await recordsOf(world.pool, buddy.subjectId)).toBeGreaterThan(0);
    expect(await audited(world.pool, 'subject.erased', buddy.subjectId)).toMatchObject([
      { outcome: 'refused' },
      { outcome: 'refused' },
    ]);
    await api.ask('DELETE', `/legal-holds/${placed.body.holdId}`, { who });
    expect((await press(link, 'erase')).status).toBe(200);
    expect(await recordsOf(world.pool, buddy.subjectId)).toBe(0);
  });

  it('at the same moment as a withdrawal comes to the same end', async () => {
    for (let round = 0; round < 5; round += 1) {
      const buddy = await nameBuddy(world);
      const link = await invited(world.pool, buddy.buddyId);
      const both = await Promise.all([press(link, 'erase'), press(link, 'withdraw'), press(link, 'see')]);
      expect(both[0].status).toBe(200);
      for (const { status } of both) expect([200, 404]).toContain(status);
      expect(await recordsOf(world.pool, buddy.subjectId)).toBe(0);
    }
  });
});

describe('erasing the user', () => {
  it('erases whom they have named, their profile and their refusals; who is held is kept, asked no more, and audited', async () => {
    const userId = await createSubject(world.pool, 'system');
    const gone = await nameBuddy(world, { userId });
    const kept = await nameBuddy(world, { userId, rank: 2 });
    const elsewhere = await nameBuddy(world);
    await invited(world.pool, gone.buddyId);
    await checkedIn(world, kept, { isOpen: true });
    const nameRecordId = await world.vault.seal({
      subjectId: userId,
      kind: 'name',
      value: SealedValue.of('name', MARKED.mentorName),
    });
    await world.pool.query('INSERT INTO user_profiles (user_id, name_record_id) VALUES ($1, $2)', [
      userId,
      nameRecordId,
    ]);
    await world.pool.query(
      `INSERT INTO buddy_refusals (user_id, token, token_version, reason) VALUES ($1, $2, 1, 'declined')`,
      [userId, randomBytes(32)],
    );
    const hold = { subjectId: kept.subjectId, reason: 'dispute', actor: userId } as const;
    await inTransaction(world.pool, (tx) => placeHold(tx, hold));
    expect(await api.deps.vault.eraseSubject(userId, 'system')).toBe(true);
    expect([await recordsOf(world.pool, gone.subjectId), await recordsOf(world.pool, elsewhere.subjectId)]).toEqual([
      0, 3,
    ]);
    expect(await recordsOf(world.pool, kept.subjectId)).toBe(3);
    expect(await audited(world.pool, 'subject.erased', kept.subjectId)).toMatchObject([{ outcome: 'refused' }]);
    for (const { buddyId } of [gone, kept]) {
      expect(await buddyOf(world.pool, buddyId)).toMatchObject({ isActive: false, removedAt: expect.any(Date) });
    }
    expect(await buddyOf(world.pool, elsewhere.buddyId)).toMatchObject({ isActive: true, removedAt: null });
    const left = `SELECT (SELECT count(*)::int FROM user_profiles WHERE user_id = $1) AS profiles,
                         (SELECT count(*)::int FROM buddy_refusals WHERE user_id = $1) AS refusals`;
    expect((await world.pool.query(left, [userId])).rows).toEqual([{ profiles: 0, refusals: 0 }]);
    const { rows } = await world.pool.query(
      'SELECT buddy_id FROM buddy_contacts WHERE user_id = $1 AND is_end_untold ORDER BY rank',
      [userId],
    );
    expect(rows.map(({ buddy_id: id }) => id)).toEqual([gone.buddyId, kept.buddyId]);
  });
});
