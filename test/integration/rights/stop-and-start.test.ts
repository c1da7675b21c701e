import { randomUUID } from 'node:crypto';
import { hasRefused, noteRefusal } from '../../../db/buddy-refusals';
import { targetWaitMs } from '../../../db/buddy-targets';
import { optInBuddies, optOutBuddies } from '../../../db/buddy-opt-outs';
import { noteBlocked } from '../../../db/may-send';
import { inTransaction } from '../../../db/pool';
import { SealedValue } from '../../../domain/sealed';
import { TemporalNotInTime } from '../../../temporal/errors';
import type { ServiceKey } from '../../../vault/service-keys';
import { createTokenizer } from '../../../vault/tokens';
import { MARKED } from '../../marked-people';
import { eventually } from '../../stack';
import { ApiUnderTest, type Who } from '../api/api-under-test';
import { textIn } from '../api/inbound-text';
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
import { pressRights } from './rights-page';

const OURS = '+14155550100';
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

const text = (from: string, body: string) => textIn(api, from, body);
const press = (token: string, step: string) => pressRights(api, token, step);

describe('STOP from the phone of a buddy', () => {
  it('ends it for every user who asks at this phone, at once, and running workflows hear of it', async () => {
    const { phone } = somebodyNew();
    const [one, two, other] = [
      await nameBuddy(world, { phone }),
      await nameBuddy(world, { phone }),
      await nameBuddy(world),
    ];
    const { requestId } = await checkedIn(world, one, { isOpen: true });
    await text(phone, 'STOP');
    for (const { buddyId, subjectId } of [one, two]) {
      expect(await buddyOf(world.pool, buddyId)).toMatchObject({
        status: 'opted-out',
        canBeAsked: false,
        isActive: true,
      });
      expect(await statesTold(world.pool, buddyId)).toEqual(['opted-out']);
      expect(await eventsOf(world.pool, buddyId)).toEqual(['withdrawn']);
      expect(await audited(world.pool, 'buddy.withdrawn', buddyId)).toEqual([
        { actor: subjectId, purpose: 'text', outcome: 'done' },
      ]);
    }
    await eventually(() => expect(api.endings.told).toHaveLength(2));
    expect(api.endings.told).toContainEqual({ buddyId: one.buddyId, checkInIds: [requestId] });
    expect(await buddyOf(world.pool, other.buddyId)).toMatchObject({ status: 'verified', canBeAsked: true });
    // Said twice it is the same.
    await text(phone, 'STOP');
    expect(await eventsOf(world.pool, one.buddyId)).toEqual(['withdrawn']);
  });

  it('is in force while Temporal is away', async () => {
    const buddy = await nameBuddy(world);
    api.process.down = new TemporalNotInTime();
    await text(buddy.phone, 'STOP');
    expect(await buddyOf(world.pool, buddy.buddyId)).toMatchObject({ canBeAsked: false });
    const { rows } = await world.pool.query('SELECT is_end_untold FROM buddy_contacts WHERE buddy_id = $1', [
      buddy.buddyId,
    ]);
    expect(rows).toEqual([{ is_end_untold: true }]);
  });

  it('is a stranger’s once the buddy is erased: nobody is ended by it, and no key is made anew', async () => {
    const buddy = await nameBuddy(world);
    await press(await invited(world.pool, buddy.buddyId), 'erase');
    const events = await eventsOf(world.pool, buddy.buddyId);
    await text(buddy.phone, 'STOP');
    expect(await eventsOf(world.pool, buddy.buddyId)).toEqual(events);
    const { rows } = await world.pool.query(
      `SELECT state FROM subject_keys WHERE subject_id = $1 UNION ALL
       SELECT 'record' FROM vault_records WHERE subject_id = $1 AND destroyed_at IS NULL`,
      [buddy.subjectId],
    );
    expect(rows).toEqual([{ state: 'destroyed' }]);
  });
});

describe('naming somebody anew who has texted STOP', () => {
  const anew = (who: Who, { phone, email }: { readonly phone: string; readonly email: string }) =>
    api.ask('POST', '/api/buddy', { who, json: { name: MARKED.otherMentorName, phoneNumber: phone, email } });
  /** Named by a user, and taken off the list by the same. */
  async function stoppedAndRemoved() {
    const who: Who = { role: 'user', subject: randomUUID() };
    const somebody = somebodyNew();
    const { body } = await anew(who, somebody);
    await text(somebody.phone, 'STOP');
    expect((await api.ask('DELETE', `/api/buddy/${body.buddyId}`, { who })).status).toBe(204);
    return { who, ...somebody };
  }

  it('is refused to the same user, by the number and by the address, and to nobody else', async () => {
    const { who, phone, email } = await stoppedAndRemoved();
    const other = somebodyNew();
    for (const named of [
      { phone, email },
      { phone, email: other.email },
      { phone: other.phone, email },
    ]) {
      expect(await anew(who, named)).toMatchObject({ status: 409, body: { code: 'buddy-has-refused' } });
    }
    expect((await anew({ role: 'user', subject: randomUUID() }, { phone, email })).status).toBe(201);
  });

  it('may be done again after START from that phone, by the number and the address', async () => {
    const { who, phone, email } = await stoppedAndRemoved();
    await text(somebodyNew().phone, 'START');
    expect((await anew(who, { phone, email })).status).toBe(409);
    await text(phone, 'START');
    expect((await anew(who, { phone, email })).status).toBe(201);
  });

  it.each(['before', 'after'])(
    'stays refused after START where they withdrew on their page %s the STOP',
    async (when) => {
      const buddy = await nameBuddy(world);
      const link = await invited(world.pool, buddy.buddyId);
      if (when === 'before') await press(link, 'withdraw');
      await text(buddy.phone, 'STOP');
      if (when === 'after') await press(link, 'withdraw');
      await text(buddy.phone, 'START');
      for (const token of [
        world.tokenizer.token(SealedValue.of('phone', buddy.phone)),
        world.tokenizer.token(SealedValue.of('email', buddy.email)),
      ]) {
        expect(await hasRefused(world.pool, buddy.userId, [token])).toBe(true);
      }
    },
  );
});

describe('START', () => {
  it('lifts what a text has said, and the app is told', async () => {
    const buddy = await nameBuddy(world);
    await text(buddy.phone, 'STOP');
    await text(buddy.phone, 'START');
    expect(await buddyOf(world.pool, buddy.buddyId)).toMatchObject({ status: 'verified', canBeAsked: true });
    expect(await statesTold(world.pool, buddy.buddyId)).toEqual(['opted-out', 'opted-in']);
    expect(await audited(world.pool, 'buddy.opted-in', buddy.buddyId)).toMatchObject([{ purpose: 'text' }]);
  });

  it('does not bring back who has withdrawn on their page', async () => {
    const buddy = await nameBuddy(world);
    await press(await invited(world.pool, buddy.buddyId), 'withdraw');
    await text(buddy.phone, 'STOP');
    await text(buddy.phone, 'START');
    expect(await buddyOf(world.pool, buddy.buddyId)).toMatchObject({ status: 'opted-out', isActive: false });
  });

  it('does not bring back who has withdrawn on their page after a STOP', async () => {
    const buddy = await nameBuddy(world);
    await text(buddy.phone, 'STOP');
    await press(await invited(world.pool, buddy.buddyId), 'withdraw');
    await text(buddy.phone, 'START');
    expect(await buddyOf(world.pool, buddy.buddyId)).toMatchObject({ status: 'opted-out', canBeAsked: false });
  });
});

test('a phone that Twilio blocks for us cannot be asked, until it is unblocked', async () => {
  const buddy = await nameBuddy(world);
  const recipientToken = world.tokenizer.token(SealedValue.of('phone', buddy.phone));
  expect(await buddyOf(world.pool, buddy.buddyId)).toMatchObject({ canBeAsked: true });
  await noteBlocked(world.pool, { recipientToken, sender: OURS, code: '21610' });
  expect(await buddyOf(world.pool, buddy.buddyId)).toMatchObject({ canBeAsked: false });
  await text(buddy.phone, 'START');
  expect(await buddyOf(world.pool, buddy.buddyId)).toMatchObject({ canBeAsked: true });
});

describe('while the key of tokens is replaced', () => {
  const key = (version: number): ServiceKey => ({ version, key: Buffer.alloc(32, version) });
  const before = createTokenizer([key(1)]);
  const during = createTokenizer([key(1), key(2)]);

  it('a STOP, a START, a refusal and the limits find who is there under the older one', async () => {
    const buddy = await nameBuddy({ ...world, tokenizer: before });
    await checkedIn({ ...world, tokenizer: before }, buddy);
    const [phone, email] = [SealedValue.of('phone', buddy.phone), SealedValue.of('email', buddy.email)];
    await inTransaction(world.pool, (tx) => optOutBuddies(tx, during.candidates(phone)));
    expect(await buddyOf(world.pool, buddy.buddyId)).toMatchObject({ status: 'opted-out' });
    await inTransaction(world.pool, (tx) => optInBuddies(tx, during.candidates(phone)));
    expect(await buddyOf(world.pool, buddy.buddyId)).toMatchObject({ status: 'verified' });
    const refusal = {
      userId: buddy.userId,
      tokens: [before.token(email)],
      tokenVersion: 1,
      reason: 'declined',
    } as const;
    await inTransaction(world.pool, (tx) => noteRefusal(tx, refusal));
    expect(await hasRefused(world.pool, buddy.userId, during.candidates(email))).toBe(true);
    expect(await hasRefused(world.pool, buddy.userId, [during.token(email)])).toBe(false);
    const limits = [{ count: 1, withinMs: 86_400_000 }];
    expect(await targetWaitMs(world.pool, 'check-ins', during.candidates(phone), limits)).toBeGreaterThan(0);
    expect(await targetWaitMs(world.pool, 'check-ins', [during.token(phone)], limits)).toBe(0);
  });
});
