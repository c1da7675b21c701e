import { setTimeout as sleep } from 'node:timers/promises';
import { choiceWhenNobodyKnows } from '../../../activities/dispatch-choice';
import type { ActivityDependencies } from '../../../activities/dependencies';
import type { SendText } from '../../../activities/send-text';
import { findDispatch } from '../../../db/dispatches';
import { noteBlocked } from '../../../db/may-send';
import type { FaultKind } from '../../../simulator/types';
import { dead, DispatchWorld, OUR_NUMBERS, poolWith, SERVICE, until } from './dispatch-world';

/** The rows of the table in docs/dispatch.md that are of texts: nothing can end one that was sent twice. */
describe('when a process dies or an answer is lost while a text is sent', () => {
  let world: DispatchWorld;
  beforeAll(async () => {
    world = await DispatchWorld.open();
  });
  afterAll(() => world.end());
  afterEach(async () => {
    world.hears.callbacks = true;
    await world.sim.faults([]);
    await world.sim.settings({ listLagMs: 0, sentAfterMs: 50, deliveredAfterMs: 250 });
  });

  /** Shorter than of calls: there are many. */
  const times = { leaseMs: 2_000, settleMs: 500, httpTimeoutMs: 400, sendMarginMs: 450 };
  const quickly = { dispatch: times };
  const shown = async (number: string, asked: SendText) => {
    const { state, sid, doubledCount } = await world.row(asked.dispatchId);
    return { sent: (await world.texts(number)).map((text) => text.sid), state, sid, doubledCount };
  };
  const once = (sid: string) => ({ sent: [sid], state: 'accepted', sid, doubledCount: 0 });
  const failing = (to: string, kind: FaultKind) => world.sim.faults([{ on: 'create-message', kind, to }]);

  it('a text whose answer was lost is adopted when a receipt names it', async () => {
    const { number, asked } = await world.somebodyToText('Your ride is here.');
    await failing(number, 'drop-response');
    const noList = world.messagingWith({ listMessagesTo: () => Promise.resolve([]) });
    const { sid } = await world.text(asked, { dispatch: { ...times, settleMs: 15_000 }, ...noList });
    expect(await shown(number, asked)).toEqual(once(sid));
  });

  it('a text whose answer was lost is adopted when only the list names it, with or without a sender', async () => {
    world.hears.callbacks = false;
    // Neither is sent before it is looked for: the service has not chosen a number, and no date of sending is there.
    await world.sim.settings({ sentAfterMs: 30_000 });
    const ofNumber = await world.somebodyToText('Your ride is here.');
    const ofService = await world.somebodyToText('Your ride is here.');
    await world.sim.faults(
      [ofNumber, ofService].map(({ number }) => ({ on: 'create-message', kind: 'drop-response', to: number })),
    );
    const sids = await Promise.all([
      world.text(ofNumber.asked, quickly),
      world.text(ofService.asked, { ...quickly, messagingServiceSid: SERVICE }),
    ]);
    expect(await shown(ofNumber.number, ofNumber.asked)).toEqual(once(sids[0].sid));
    expect(await shown(ofService.number, ofService.asked)).toEqual(once(sids[1].sid));
    const listed = await world.deps.messaging.listMessagesTo(ofService.number);
    expect(listed).toMatchObject([{ from: null, messagingServiceSid: SERVICE }]);
  });

  it('twenty of twenty texts are recorded and sent once when the process dies between accept and record', async () => {
    world.hears.callbacks = false;
    const people = await Promise.all(
      Array.from({ length: 20 }, (_, nth) => world.somebodyToText(`Your ride number ${nth} is here.`)),
    );
    const dying = world.messagingWith({
      createMessage: (message) => world.deps.messaging.createMessage(message).then(dead),
    });
    // A lease that is long enough for twenty at once on a slow machine.
    const slowly = { dispatch: { ...times, leaseMs: 3_000, sendMarginMs: 900 } };
    for (const { asked } of people) world.text(asked, { ...slowly, ...dying }).catch(() => 0);
    await until('Twilio has all of them', async () => {
      const to = new Set((await world.sim.messages()).map((text) => text.to));
      return people.every(({ number }) => to.has(number));
    });
    const sids = await Promise.all(people.map(({ asked }) => world.text(asked, quickly)));
    for (const [nth, { number, asked }] of people.entries()) {
      expect(await shown(number, asked)).toEqual(once(sids[nth]!.sid));
    }
  });

  it('a text whose SID could not be stored is adopted by the heartbeat', async () => {
    world.hears.callbacks = false;
    const { number, asked } = await world.somebodyToText('Your ride is here.');
    const connect = () => Promise.reject(new Error('connection refused'));
    const first = world.attemptText(asked, { ...quickly, pool: poolWith(world.deps.pool, { connect }) });
    await expect(first.done).rejects.toThrow('connection refused');
    const noList = world.messagingWith({ listMessagesTo: () => Promise.reject(new Error('nobody asks the list')) });
    const { sid } = await world.text(asked, { ...quickly, ...noList }, first.told.last);
    expect(await shown(number, asked)).toEqual(once(sid));
  });

  it('a text that was accepted behind a 500 is adopted', async () => {
    const { number, asked } = await world.somebodyToText('Your ride is here.');
    await failing(number, 'error-500-after');
    const { sid } = await world.text(asked, quickly);
    expect(await shown(number, asked)).toEqual(once(sid));
  });

  it('an ordinary text of unknown outcome is lost and never sent again, and another one to them is not taken for it', async () => {
    const { number, asked } = await world.somebodyToText('Your ride is here.');
    const { messaging } = world.deps;
    // Somebody else's, by the same account: same number, same sender, other words, no dispatch of ours.
    const other = {
      to: number,
      sender: OUR_NUMBERS[0],
      body: 'Your code is 1234.',
      statusCallback: 'http://127.0.0.1:9',
    };
    const { sid } = await messaging.createMessage(other);
    await failing(number, 'error-500-before');
    const final = { type: 'DispatchLost', nonRetryable: true };
    await expect(world.text(asked, quickly)).rejects.toMatchObject(final);
    expect(await shown(number, asked)).toEqual({ sent: [sid], state: 'lost', sid: null, doubledCount: 0 });
    await sleep(times.leaseMs);
    await expect(world.text(asked, quickly)).rejects.toMatchObject(final);
    expect(await world.texts(number)).toHaveLength(1);
    const { rows } = await world.db.owner.query('SELECT action FROM audit_entries WHERE object_id = $1', [
      asked.dispatchId,
    ]);
    expect(rows).toEqual([{ action: 'dispatch.lost' }]);
    expect(choiceWhenNobodyKnows('sms', 'ordinary')).toBe('lost');
  });

  it('a text of class safety of unknown outcome is sent again', async () => {
    const { number, asked } = await world.somebodyToText('Please call us.', { messageClass: 'safety' });
    await failing(number, 'error-500-before');
    const { sid } = await world.text(asked, quickly);
    expect(await shown(number, asked)).toEqual(once(sid));
    expect((await world.row(asked.dispatchId)).attempt).toBe(2);
  });

  it('a text of class safety is not sent again to somebody who has been blocked meanwhile, nor past a closed line', async () => {
    const blocked = await world.somebodyToText('Please call us.', { messageClass: 'safety' });
    const closed = await world.somebodyToText('Please call us.', { messageClass: 'safety' });
    await world.sim.faults(
      [blocked, closed].map(({ number }) => ({ on: 'create-message', kind: 'error-500-before', to: number })),
    );
    const change: Partial<ActivityDependencies> = { dispatch: { ...times, leaseMs: 5_000 }, whenSwitchedOff: 'end' };
    const first = [blocked, closed].map(({ asked }) => world.attemptText(asked, change).done.catch(() => null));
    const state = async ({ asked }: { asked: SendText }) => (await findDispatch(world.db.app, asked.dispatchId))?.state;
    const isInDoubt = async () => (await state(blocked)) === 'unknown' && (await state(closed)) === 'unknown';
    await until('both are in doubt', isInDoubt);
    const { recipientToken } = blocked.asked;
    await noteBlocked(world.db.app, { recipientToken, sender: OUR_NUMBERS[0], code: '21610' });
    await world.db.owner.query(`INSERT INTO switches (name, is_on) VALUES ('sms', false)`);
    await Promise.all(first);
    const suppressed = { type: 'DispatchSuppressed', details: [{ reason: 'blocked' }] };
    await expect(world.text(blocked.asked, change)).rejects.toMatchObject(suppressed);
    expect(await world.row(closed.asked.dispatchId)).toMatchObject({ state: 'abandoned', sid: null });
    expect([...(await world.texts(blocked.number)), ...(await world.texts(closed.number))]).toEqual([]);
    await world.db.owner.query('DELETE FROM switches');
  });

  it('with a list that lags longer than we wait and late receipts, the double is counted and stays sent', async () => {
    const { number, asked } = await world.somebodyToText('Please call us.', { messageClass: 'safety' });
    await world.sim.settings({ listLagMs: 60_000, sentAfterMs: 8_000 });
    await failing(number, 'drop-response');
    world.hears.callbacks = false;
    const { sid } = await world.text(asked, quickly);
    world.hears.callbacks = true;
    const [first, second] = (await world.texts(number)).map((text) => text.sid);
    expect(second).toBe(sid);
    // The receipts of both come now: after the repetition.
    await until('the late receipt of the first', async () => (await world.row(asked.dispatchId)).doubledCount === 1);
    expect(await shown(number, asked)).toEqual({ sent: [first, sid], state: 'accepted', sid, doubledCount: 1 });
    expect((await world.texts(number)).map(({ status }) => status)).not.toContain('canceled');
  });

  it('a text that was withdrawn while it was sent says which one had left', async () => {
    const { number, asked } = await world.somebodyToText('Your ride is here.');
    const withdrawn = world.messagingWith({
      createMessage: async (message) => {
        await world.db.owner.query(`UPDATE dispatches SET state = 'abandoned' WHERE dispatch_id = $1`, [
          asked.dispatchId,
        ]);
        return world.deps.messaging.createMessage(message);
      },
    });
    const sending = world.text(asked, { ...quickly, ...withdrawn });
    await expect(sending).rejects.toMatchObject({ type: 'DispatchAbandoned', details: [{ sid: expect.any(String) }] });
    expect(await world.texts(number)).toMatchObject([{ sid: (await world.row(asked.dispatchId)).sid }]);
  });
});
