/** A buddy who is not to be asked any more, by this user or by anybody: at once and for good. */
import { randomUUID } from 'node:crypto';
import { hasRefused } from '../../../db/buddy-refusals';
import { lockBuddy } from '../../../db/buddies';
import { endBuddy } from '../../../db/buddy-endings';
import { inTransaction } from '../../../db/pool';
import { TemporalNotInTime } from '../../../temporal/errors';
import { relayEndings } from '../../../workers/relay';
import type { KindlineClient } from '../../../temporal/connection';
import { eventually } from '../../stack';
import { ApiUnderTest } from '../api/api-under-test';
import { recordsOf } from '../db/sweeps';
import {
  audited,
  buddyOf,
  type BuddyWorld,
  checkedIn,
  eventsOf,
  invited,
  nameBuddy,
  somebodyNew,
  statesTold,
} from './people';
import { pressRights, tokensOf } from './rights-page';

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

const press = (token: string, step: string) => pressRights(api, token, step);

describe('withdrawing', () => {
  it('ends it at once, for good, and tells running workflows and the app', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId, { daysAgo: 30 });
    const { requestId } = await checkedIn(world, buddy, { isOpen: true });
    const { status, text } = await press(link, 'withdraw');
    expect([status, text]).toEqual([200, expect.stringContaining('Done. You are not asked any more.')]);
    expect(await buddyOf(world.pool, buddy.buddyId)).toMatchObject({
      isActive: false,
      status: 'opted-out',
      canBeAsked: false,
    });
    await eventually(() => expect(api.endings.told).toEqual([{ buddyId: buddy.buddyId, checkInIds: [requestId] }]));
    const { email, phone } = tokensOf(api.deps.tokenizer, buddy);
    for (const token of [email, phone]) expect(await hasRefused(world.pool, buddy.userId, [token])).toBe(true);
    expect(await hasRefused(world.pool, randomUUID(), [email, phone])).toBe(false);
    expect(await statesTold(world.pool, buddy.buddyId)).toEqual(['opted-out']);
    expect(await audited(world.pool, 'buddy.withdrawn', buddy.buddyId)).toEqual([
      { actor: buddy.subjectId, purpose: 'link', outcome: 'done' },
    ]);
  });

  it('pressed again, or many times at once, says the same and leaves nothing more behind', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId);
    const before = await recordsOf(world.pool, buddy.subjectId);
    const answers = await Promise.all(Array.from({ length: 5 }, () => press(link, 'withdraw')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(new Set(answers.map(({ text }) => /role="status">[^<]*/.exec(text)?.[0])).size).toBe(1);
    expect(await eventsOf(world.pool, buddy.buddyId)).toEqual(['withdrawn']);
    // Where it was pressed from the first time: an address and a browser.
    expect(await recordsOf(world.pool, buddy.subjectId)).toBe(before + 2);
    const { rows } = await world.pool.query(
      'SELECT ip_record_id, user_agent_record_id FROM buddy_verification_audit WHERE buddy_id = $1',
      [buddy.buddyId],
    );
    expect(rows).toEqual([{ ip_record_id: expect.any(String), user_agent_record_id: expect.any(String) }]);
  });

  it('stands, whether an answer comes before, after or at the same moment', async () => {
    for (let round = 0; round < 10; round += 1) {
      const buddy = await nameBuddy(world, { isVerified: false });
      const link = await invited(world.pool, buddy.buddyId);
      // As a workflow writes down that somebody has agreed: behind the lock, and only while they may.
      const accept = inTransaction(world.pool, async (tx) => {
        const locked = await lockBuddy(tx, buddy.buddyId);
        if (locked?.isActive !== true) return;
        await tx.query('UPDATE buddy_contacts SET verified = true, verified_at = now() WHERE buddy_id = $1', [
          buddy.buddyId,
        ]);
      });
      const [{ status }] = await Promise.all([press(link, 'withdraw'), accept]);
      expect(status).toBe(200);
      expect(await buddyOf(world.pool, buddy.buddyId)).toMatchObject({ isActive: false, canBeAsked: false });
    }
  });

  it('holds while Temporal is away, and the relay tells the workflows later', async () => {
    const buddy = await nameBuddy(world);
    const { requestId } = await checkedIn(world, buddy, { isOpen: true });
    const link = await invited(world.pool, buddy.buddyId);
    api.process.down = new TemporalNotInTime();
    expect((await press(link, 'withdraw')).status).toBe(200);
    const told: string[] = [];
    const client = {
      withDeadline: <T>(_deadline: number, run: () => Promise<T>) => run(),
      workflow: { getHandle: (id: string) => ({ signal: async (name: string) => void told.push(`${id} ${name}`) }) },
    } as unknown as KindlineClient;
    const relay = { pool: world.pool, client, logger: api.deps.logger };
    expect(await relayEndings(relay)).toBe(1);
    expect(told.toSorted()).toEqual([`buddy-verification:${buddy.buddyId} ended`, `check-in:${requestId} ended`]);
    expect(await relayEndings(relay)).toBe(0);
  });

  it('is told again where the buddy has changed while the workflows were told', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId);
    api.process.down = new TemporalNotInTime();
    await press(link, 'withdraw');
    let times = 0;
    const client = {
      withDeadline: <T>(_deadline: number, run: () => Promise<T>) => run(),
      workflow: {
        getHandle: () => ({
          signal: async () => {
            times += 1;
            if (times > 1) return;
            await world.pool.query('UPDATE buddy_contacts SET is_end_untold = true WHERE buddy_id = $1', [
              buddy.buddyId,
            ]);
          },
        }),
      },
    } as unknown as KindlineClient;
    const relay = { pool: world.pool, client, logger: api.deps.logger };
    await relayEndings(relay);
    expect(times).toBe(1);
    await relayEndings(relay);
    expect(times).toBe(2);
    expect(await relayEndings(relay)).toBe(0);
  });
});

describe('blocking', () => {
  it('of this person outlives everything, and is told apart from a withdrawal before it', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId);
    await press(link, 'withdraw');
    for (let time = 0; time < 2; time += 1) {
      expect((await press(link, 'block')).text).toContain('This person cannot ask you any more');
    }
    expect(await eventsOf(world.pool, buddy.buddyId)).toEqual(['withdrawn', 'blocked']);
    expect(await audited(world.pool, 'buddy.blocked', buddy.buddyId)).toHaveLength(1);
    const { rows } = await world.pool.query('SELECT DISTINCT reason FROM buddy_refusals WHERE user_id = $1', [
      buddy.userId,
    ]);
    expect(rows).toEqual([{ reason: 'blocked' }]);
  });

  it('works after the user took them off the list', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId);
    await inTransaction(world.pool, async (tx) => {
      const locked = await lockBuddy(tx, buddy.buddyId);
      if (locked === null) throw new Error('not there');
      await endBuddy(tx, { buddy: locked, how: 'removed', actor: buddy.userId, version: null });
    });
    expect((await press(link, 'block')).status).toBe(200);
    expect(await hasRefused(world.pool, buddy.userId, [tokensOf(api.deps.tokenizer, buddy).email])).toBe(true);
    expect(await statesTold(world.pool, buddy.buddyId)).toEqual(['removed']);
  });

  it('of everybody is of the address that the link was sent to, and not of a number beside it', async () => {
    const shared = somebodyNew();
    const [mine, other] = [await nameBuddy(world, shared), await nameBuddy(world, shared)];
    const link = await invited(world.pool, mine.buddyId);
    for (let time = 0; time < 2; time += 1) {
      expect((await press(link, 'block-everybody')).text).toContain('Nobody can ask you any more');
    }
    const anybody = randomUUID();
    const { email, phone } = tokensOf(api.deps.tokenizer, shared);
    expect(await hasRefused(world.pool, anybody, [email])).toBe(true);
    expect(await hasRefused(world.pool, anybody, [phone])).toBe(false);
    for (const { buddyId } of [mine, other]) {
      expect(await buddyOf(world.pool, buddyId)).toMatchObject({ isActive: false, status: 'opted-out' });
      expect(await eventsOf(world.pool, buddyId)).toEqual(['blocked']);
    }
    await eventually(() =>
      expect(api.endings.told.map(({ buddyId }) => buddyId).toSorted()).toEqual(
        [mine.buddyId, other.buddyId].toSorted(),
      ),
    );
  });

  it('of everybody, by the link of a text, is of the phone', async () => {
    const buddy = await nameBuddy(world);
    const { token } = await checkedIn(world, buddy);
    await press(token, 'block-everybody');
    const { email, phone } = tokensOf(api.deps.tokenizer, buddy);
    expect(await hasRefused(world.pool, randomUUID(), [phone])).toBe(true);
    expect(await hasRefused(world.pool, randomUUID(), [email])).toBe(false);
  });

  it('says so where nothing is left to be known by', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId);
    const { emailRecordId } = await buddyOf(world.pool, buddy.buddyId);
    await api.deps.vault.destroy(emailRecordId, 'replaced');
    await world.pool.query(
      `WITH b AS (UPDATE buddy_contacts SET email_token = NULL, phone_token = NULL, removed_at = now() WHERE buddy_id = $1)
       UPDATE buddy_invitations SET email_token = NULL WHERE buddy_id = $1`,
      [buddy.buddyId],
    );
    for (const step of ['block', 'block-everybody']) {
      expect((await press(link, step)).text).toContain('we could not recognise it');
    }
  });
});
