import { randomBytes, randomUUID } from 'node:crypto';
import {
  abandon,
  adoptCallSid,
  claim,
  type ClaimedDispatch,
  closeAbandoned,
  type Dispatch,
  type DispatchState,
  ensureDispatch,
  findDispatch,
  giveBack,
  latestEventFor,
  markLost,
  type NewDispatch,
  noteDoubled,
  overdueDispatches,
  settleAccepted,
  settleRefused,
  settleUnknown,
  sidsOwnedByOthers,
} from '../../../db/dispatches';
import { storeEvent } from '../../../db/webhook-events';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { eventually, tokenHex } from './people';

const LEASE = 60_000;
const SHORT_LEASE = 60;
const newSid = () => `CA${randomBytes(16).toString('hex')}`;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

function make(more: Partial<NewDispatch> = {}): Promise<Dispatch> {
  const dispatchId = randomUUID();
  return ensureDispatch(database.app, {
    dispatchId,
    businessKey: `test:${dispatchId}`,
    callId: null,
    workflowId: 'test',
    recipientToken: tokenHex(),
    channel: 'voice',
    sender: '+14155550100',
    country: 'US',
    ...more,
  });
}

async function claimed(id: string, leaseMs = LEASE): Promise<number> {
  const result = await claim(database.app, id, leaseMs);
  if (!('claimed' in result)) throw new Error(`not claimed: ${JSON.stringify(result)}`);
  return result.claimed.attempt;
}

/** Claims as soon as the lease of another is over. */
async function claimedWhenFree(id: string): Promise<ClaimedDispatch> {
  let won: ClaimedDispatch | null = null;
  await eventually(async () => {
    const result = await claim(database.app, id, LEASE);
    if ('claimed' in result) won = result.claimed;
    return won !== null;
  });
  return won!;
}

const stateOf = async (id: string) => (await findDispatch(database.app, id))?.state;

/** A dispatch in each state, reached as the service reaches it. `attempt` is the last one. */
async function inState(state: DispatchState): Promise<{ id: string; attempt: number }> {
  const { dispatchId: id } = await make();
  if (state === 'ready') return { id, attempt: 0 };
  const attempt = await claimed(id);
  if (state === 'unknown') await settleUnknown(database.app, id, attempt);
  if (state === 'accepted') await settleAccepted(database.app, id, newSid());
  if (state === 'refused') await settleRefused(database.app, id, attempt, { code: '21211', class: 'permanent' });
  if (state === 'lost') await markLost(database.app, id, attempt);
  if (state === 'abandoned') await abandon(database.app, id);
  expect(await stateOf(id)).toBe(state);
  return { id, attempt };
}

describe('a dispatch', () => {
  test('is made once per business key; a repeat gets the first id', async () => {
    const first = await make({ businessKey: 'key' });
    const all = await Promise.all(Array.from({ length: 8 }, () => make({ businessKey: 'key' })));
    expect(new Set(all.map(({ dispatchId }) => dispatchId))).toEqual(new Set([first.dispatchId]));
    expect(first).toMatchObject({ state: 'ready', attempt: 0, sid: null, leaseRemainingMs: 0 });
  });
});

describe('the table of transitions', () => {
  type Act = (id: string, attempt: number) => Promise<unknown>;
  const acts: Record<string, Act> = {
    claim: (id) => claim(database.app, id, LEASE),
    accept: (id) => settleAccepted(database.app, id, newSid()),
    refuse: (id, attempt) => settleRefused(database.app, id, attempt, { code: '21211', class: 'permanent' }),
    'not know': (id, attempt) => settleUnknown(database.app, id, attempt),
    'give back': (id, attempt) => giveBack(database.app, id, attempt),
    lose: (id, attempt) => markLost(database.app, id, attempt),
    abandon: (id) => abandon(database.app, id),
  };
  const same = (state: DispatchState, ...names: string[]) => names.map((act) => [state, act, state] as const);
  const table: (readonly [DispatchState, string, DispatchState])[] = [
    ['ready', 'claim', 'attempting'],
    ['ready', 'accept', 'accepted'],
    ['ready', 'abandon', 'abandoned'],
    ...same('ready', 'refuse', 'not know', 'give back', 'lose'),
    ['attempting', 'accept', 'accepted'],
    ['attempting', 'refuse', 'refused'],
    ['attempting', 'not know', 'unknown'],
    ['attempting', 'give back', 'ready'],
    ['attempting', 'lose', 'lost'],
    ['attempting', 'abandon', 'abandoned'],
    ...same('attempting', 'claim'),
    ['unknown', 'accept', 'accepted'],
    ['unknown', 'refuse', 'refused'],
    ['unknown', 'lose', 'lost'],
    ['unknown', 'abandon', 'abandoned'],
    ...same('unknown', 'claim', 'not know', 'give back'),
    ...same('accepted', ...Object.keys(acts)),
    ...same('refused', ...Object.keys(acts)),
    ['lost', 'accept', 'accepted'],
    ...same('lost', 'claim', 'refuse', 'not know', 'give back', 'lose', 'abandon'),
    ...same('abandoned', ...Object.keys(acts)),
  ];

  test.each(table)('%s, %s: %s', async (from, act, to) => {
    const { id, attempt } = await inState(from);
    await acts[act]?.(id, attempt);
    expect(await stateOf(id)).toBe(to);
  });

  test('names every act in every state', () => {
    expect(new Set(table.map(([from, act]) => `${from} ${act}`)).size).toBe(7 * Object.keys(acts).length);
  });

  test.each(['refuse', 'not know', 'give back', 'lose'])(
    'an attempt whose lease went to another cannot %s any more',
    async (act) => {
      const { dispatchId: id } = await make();
      const stale = await claimed(id, 1);
      await claimedWhenFree(id);
      await expect(acts[act]?.(id, stale)).resolves.toBe(false);
      expect(await findDispatch(database.app, id)).toMatchObject({ state: 'attempting', attempt: stale + 1 });
    },
  );

  test('an attempt whose lease went to another still delivers its SID', async () => {
    const { dispatchId: id } = await make();
    await claimed(id, 1);
    await claimedWhenFree(id);
    await expect(settleAccepted(database.app, id, newSid())).resolves.toBe('accepted');
  });
});

describe('claiming', () => {
  test('of many processes at once one wins, the others learn how long the lease lasts', async () => {
    const { dispatchId: id } = await make();
    const pools = Array.from({ length: 4 }, () => database.anotherPool(5));
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, i) => claim(pools[i % 4] ?? database.app, id, LEASE)),
    );
    const winners = results.filter((result) => 'claimed' in result);
    expect(winners).toHaveLength(1);
    expect(winners[0]).toMatchObject({
      claimed: { attempt: 1, previousAttemptBeganAt: null, previousAttemptAgeMs: null },
    });
    const waits = results.flatMap((result) => ('busy' in result ? [result] : []));
    expect(waits).toHaveLength(39);
    expect(waits.every(({ busy, because }) => because === 'leased' && busy > LEASE / 2)).toBe(true);
  });

  test('when a lease is over one process gets the next attempt and when the last one began', async () => {
    const { dispatchId: id } = await make();
    await claimed(id, SHORT_LEASE);
    let wins: ClaimedDispatch[] = [];
    await eventually(async () => {
      const results = await Promise.all(Array.from({ length: 10 }, () => claim(database.app, id, LEASE)));
      wins = results.flatMap((result) => ('claimed' in result ? [result.claimed] : []));
      return wins.length > 0;
    });
    expect(wins).toEqual([expect.objectContaining({ attempt: 2, previousAttemptBeganAt: expect.any(Date) })]);
    expect(wins[0]?.previousAttemptAgeMs).toBeGreaterThanOrEqual(SHORT_LEASE);
    expect(wins[0]?.leaseMs).toBeGreaterThan(LEASE - 5_000);
  });

  test('an accepted dispatch answers with its SID, a final one with its state', async () => {
    const { dispatchId: id } = await make();
    await claimed(id);
    const sid = newSid();
    await settleAccepted(database.app, id, sid);
    await expect(claim(database.app, id, LEASE)).resolves.toEqual({ accepted: sid });
    const refused = await inState('refused');
    await expect(claim(database.app, refused.id, LEASE)).resolves.toMatchObject({
      final: 'refused',
      dispatch: { errorCode: '21211', errorClass: 'permanent' },
    });
    await expect(claim(database.app, randomUUID(), LEASE)).rejects.toThrow('no such dispatch');
  });

  test.each(['attempting', 'unknown'] as const)(
    'waits while another dispatch to the same recipient is %s, and not for another channel',
    async (state) => {
      const recipientToken = tokenHex();
      const [first, second] = [await make({ recipientToken }), await make({ recipientToken })];
      const text = await make({ recipientToken, channel: 'sms' });
      const attempt = await claimed(first.dispatchId);
      if (state === 'unknown') await settleUnknown(database.app, first.dispatchId, attempt);
      const result = await claim(database.app, second.dispatchId, LEASE);
      expect(result).toMatchObject({ because: 'other-dispatch', busy: expect.any(Number) });
      expect('busy' in result && result.busy).toBeGreaterThan(LEASE / 2);
      await claimed(text.dispatchId);
      await settleAccepted(database.app, first.dispatchId, newSid());
      await expect(claimed(second.dispatchId)).resolves.toBe(1);
    },
  );

  test('of many dispatches to one recipient at once one is under way', async () => {
    const recipientToken = tokenHex();
    const all = await Promise.all(Array.from({ length: 20 }, () => make({ recipientToken })));
    const results = await Promise.all(all.map(({ dispatchId }) => claim(database.app, dispatchId, LEASE)));
    expect(results.filter((result) => 'claimed' in result)).toHaveLength(1);
    expect(results.filter((result) => 'busy' in result && result.because === 'other-dispatch')).toHaveLength(19);
  });

  test('after a 429 nobody claims before Retry-After is over, and nothing counts as sent', async () => {
    const { dispatchId: id } = await make();
    const attempt = await claimed(id);
    await expect(giveBack(database.app, id, attempt, 60_000)).resolves.toBe(true);
    await expect(claim(database.app, id, LEASE)).resolves.toMatchObject({ because: 'retry-after' });
    await database.owner.query('UPDATE dispatches SET not_before = now() WHERE dispatch_id = $1', [id]);
    expect(await claimedWhenFree(id)).toMatchObject({ attempt: 2, previousAttemptBeganAt: null });
  });

  test('an attempt given back after one in doubt leaves the dispatch in doubt, with the time of the first', async () => {
    const { dispatchId: id } = await make();
    await claimed(id, SHORT_LEASE);
    const second = await claimedWhenFree(id);
    expect(second.previousAttemptBeganAt).toBeInstanceOf(Date);
    await giveBack(database.app, id, second.attempt);
    expect(await stateOf(id)).toBe('unknown');
    const third = await claimedWhenFree(id);
    expect(third.previousAttemptBeganAt).toEqual(second.previousAttemptBeganAt);
  });

  test('a dispatch abandoned in its attempt blocks the recipient until it is settled, also when its lease is over', async () => {
    const recipientToken = tokenHex();
    const [first, second] = [await make({ recipientToken }), await make({ recipientToken })];
    await claimed(first.dispatchId, 1);
    await eventually(async () => (await findDispatch(database.app, first.dispatchId))?.leaseRemainingMs === 0);
    await abandon(database.app, first.dispatchId);
    await expect(claim(database.app, second.dispatchId, LEASE)).resolves.toMatchObject({ because: 'other-dispatch' });
    await closeAbandoned(database.app, first.dispatchId);
    await expect(claimed(second.dispatchId)).resolves.toBe(1);
  });

  test('a dispatch whose lease is long over is shown to the sweep', async () => {
    const { dispatchId: id } = await make();
    await claimed(id, 1);
    await eventually(async () =>
      (await overdueDispatches(database.app, 50, 1_000)).some(({ dispatchId }) => dispatchId === id),
    );
    expect(await overdueDispatches(database.app, 3_600_000, 1_000)).toEqual([]);
  });
});

describe('whose call it is', () => {
  test.each(['ready', 'attempting', 'unknown', 'lost'] as const)(
    'from %s the first TwiML request makes its call the own one',
    async (state) => {
      const { id } = await inState(state);
      const sid = newSid();
      await expect(adoptCallSid(database.app, id, sid)).resolves.toBe('own');
      await expect(adoptCallSid(database.app, id, sid)).resolves.toBe('own');
      expect(await findDispatch(database.app, id)).toMatchObject({ state: 'accepted', sid, doubledCount: 0 });
      await expect(settleAccepted(database.app, id, sid)).resolves.toBe('accepted');
    },
  );

  test('any other call is a double, counted once however often it asks, and the answer of its create is the second', async () => {
    const { id } = await inState('attempting');
    const [own, double] = [newSid(), newSid()];
    await adoptCallSid(database.app, id, own);
    await expect(adoptCallSid(database.app, id, double)).resolves.toBe('other');
    await expect(adoptCallSid(database.app, id, double)).resolves.toBe('other');
    await expect(settleAccepted(database.app, id, double)).resolves.toBe('second');
    await expect(noteDoubled(database.app, id, double)).resolves.toBe(1);
    await expect(noteDoubled(database.app, id, own)).resolves.toBe(1);
    await expect(noteDoubled(database.app, id, newSid())).resolves.toBe(2);
    expect(await findDispatch(database.app, id)).toMatchObject({ sid: own, state: 'accepted', doubledCount: 2 });
  });

  test('of many calls that ask at the same moment exactly one is the first', async () => {
    const { id } = await inState('unknown');
    const answers = await Promise.all(Array.from({ length: 20 }, () => adoptCallSid(database.app, id, newSid())));
    expect(answers.filter((answer) => answer === 'own')).toHaveLength(1);
    expect(await findDispatch(database.app, id)).toMatchObject({ doubledCount: 19 });
  });

  test('a refused dispatch takes no call any more', async () => {
    const { id } = await inState('refused');
    await expect(adoptCallSid(database.app, id, newSid())).resolves.toBe('other');
    await expect(settleAccepted(database.app, id, newSid())).resolves.toBe('second');
  });

  test('an unknown dispatch is answered as such', async () => {
    await expect(adoptCallSid(database.app, randomUUID(), newSid())).resolves.toBe('unknown-dispatch');
  });

  test('the call of another dispatch is never adopted, not even one that was a double there', async () => {
    const [mine, theirs] = [await inState('attempting'), await inState('attempting')];
    const [sid, double] = [newSid(), newSid()];
    await settleAccepted(database.app, theirs.id, sid);
    await noteDoubled(database.app, theirs.id, double);
    await expect(settleAccepted(database.app, mine.id, sid)).resolves.toBe('taken');
    await expect(adoptCallSid(database.app, mine.id, sid)).resolves.toBe('other');
    const free = newSid();
    await expect(sidsOwnedByOthers(database.app, mine.id, [sid, double, free])).resolves.toEqual(
      new Set([sid, double]),
    );
    await expect(sidsOwnedByOthers(database.app, theirs.id, [sid, double, free])).resolves.toEqual(new Set());
    expect(await stateOf(mine.id)).toBe('attempting');
  });

  test('callbacks name the call for reconciling, doubles left out', async () => {
    const { id } = await inState('unknown');
    await expect(latestEventFor(database.app, id)).resolves.toBeNull();
    const [sid, double] = [newSid(), newSid()];
    const event = { type: 'call-status', callId: null, leg: 'user', step: null, sequence: 0, errorCode: null };
    await storeEvent(database.app, { ...event, seenKey: sid, sid, dispatchId: id, status: 'ringing' });
    await storeEvent(database.app, { ...event, seenKey: double, sid: double, dispatchId: id, status: 'ringing' });
    await noteDoubled(database.app, id, double);
    await expect(latestEventFor(database.app, id)).resolves.toEqual({ sid, status: 'ringing' });
  });
});

describe('abandoning', () => {
  test('before any attempt it is over at once', async () => {
    const { dispatchId: id } = await make();
    await expect(abandon(database.app, id)).resolves.toMatchObject({ state: 'abandoned', settledAt: expect.any(Date) });
    await expect(abandon(database.app, randomUUID())).resolves.toBeNull();
  });

  test('during an attempt the outcome stays open, and the SID that comes out is remembered so that it can be ended', async () => {
    const { id } = await inState('attempting');
    await expect(abandon(database.app, id)).resolves.toMatchObject({ settledAt: null, sid: null });
    const sid = newSid();
    await expect(settleAccepted(database.app, id, sid)).resolves.toBe('abandoned');
    expect(await findDispatch(database.app, id)).toMatchObject({
      state: 'abandoned',
      sid,
      settledAt: expect.any(Date),
    });
  });

  test('a TwiML request of an abandoned dispatch is told so, and its call is remembered', async () => {
    const { id } = await inState('abandoned');
    const sid = newSid();
    await expect(adoptCallSid(database.app, id, sid)).resolves.toBe('abandoned');
    await expect(claim(database.app, id, LEASE)).resolves.toMatchObject({ final: 'abandoned', dispatch: { sid } });
  });

  test.each([
    ['refused', (id: string) => settleRefused(database.app, id, 1, { code: '21211', class: 'permanent' })],
    ['given back', (id: string) => giveBack(database.app, id, 1)],
    ['found to have made nothing', (id: string) => closeAbandoned(database.app, id)],
  ])('an abandoned attempt that is %s is settled', async (_how, settle) => {
    const { id } = await inState('abandoned');
    await expect(settle(id)).resolves.toBe(true);
    expect(await findDispatch(database.app, id)).toMatchObject({ state: 'abandoned', settledAt: expect.any(Date) });
    await expect(settle(id)).resolves.toBe(false);
  });

  test('an abandoned attempt of unknown outcome stays open', async () => {
    const { id, attempt } = await inState('abandoned');
    await settleUnknown(database.app, id, attempt);
    expect(await findDispatch(database.app, id)).toMatchObject({ state: 'abandoned', settledAt: null });
  });

  test('an accepted dispatch is not abandoned: its SID says what to end', async () => {
    const { id } = await inState('accepted');
    await expect(abandon(database.app, id)).resolves.toMatchObject({ state: 'accepted', sid: expect.any(String) });
  });
});
