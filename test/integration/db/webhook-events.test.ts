import { randomUUID } from 'node:crypto';
import {
  lastStatus,
  legSeen,
  markHandled,
  noteFailedHandling,
  storeEvent,
  unhandledEvents,
  type WebhookEvent,
} from '../../../db/webhook-events';
import { createTestDatabase, type TestDatabase } from '../../postgres';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

function event(more: Partial<WebhookEvent> = {}): WebhookEvent {
  return {
    seenKey: randomUUID(),
    type: 'call-status',
    sid: 'CA1',
    dispatchId: null,
    callId: null,
    leg: 'user',
    step: null,
    status: 'ringing',
    sequence: 0,
    errorCode: null,
    ...more,
  };
}

describe('an event', () => {
  test('that arrives many times at once is new once', async () => {
    const one = event();
    const results = await Promise.all(Array.from({ length: 20 }, () => storeEvent(database.app, one)));
    expect(results.filter(({ isNew }) => isNew)).toHaveLength(1);
    const { rows } = await database.app.query('SELECT copies FROM webhook_events WHERE seen_key = $1', [one.seenKey]);
    expect(rows).toEqual([{ copies: 20 }]);
  });

  test('that was handled says so to its repeat, and keeps the first time', async () => {
    const one = event();
    await expect(storeEvent(database.app, one)).resolves.toEqual({ isNew: true, handledAt: null });
    await expect(storeEvent(database.app, one)).resolves.toEqual({ isNew: false, handledAt: null });
    await markHandled(database.app, one.seenKey);
    const { handledAt } = await storeEvent(database.app, one);
    expect(handledAt).toBeInstanceOf(Date);
    await markHandled(database.app, one.seenKey);
    await expect(storeEvent(database.app, one)).resolves.toEqual({ isNew: false, handledAt });
  });

  test('that changes nothing is handled from the first, and waits for nobody', async () => {
    await database.app.query('UPDATE webhook_events SET handled_at = now() WHERE handled_at IS NULL');
    const one = event();
    const { isNew, handledAt } = await storeEvent(database.app, one, true);
    expect({ isNew, handledAt }).toEqual({ isNew: true, handledAt: expect.any(Date) });
    await expect(storeEvent(database.app, one, true)).resolves.toEqual({ isNew: false, handledAt });
    await expect(unhandledEvents(database.app, 10, 0)).resolves.toEqual([]);
  });

  test('that nobody handled is given to the relay, oldest first, but not while the API may be at it', async () => {
    await database.app.query('UPDATE webhook_events SET handled_at = now()');
    const [first, second] = [event({ callId: randomUUID(), step: 2, errorCode: '11200' }), event()];
    await storeEvent(database.app, first);
    await storeEvent(database.app, second);
    await expect(unhandledEvents(database.app, 10, 60_000)).resolves.toEqual([]);
    const waiting = await unhandledEvents(database.app, 10, 0);
    expect(waiting).toMatchObject([first, second].map((each) => ({ ...each, receivedAt: expect.any(Date) })));
    await markHandled(database.app, first.seenKey);
    expect((await unhandledEvents(database.app, 10, 0)).map(({ seenKey }) => seenKey)).toEqual([second.seenKey]);
  });
});

test('events that were handed over in vain again and again keep no page from the others', async () => {
  await database.app.query('UPDATE webhook_events SET handled_at = now()');
  const [first, second, third] = [event(), event(), event()];
  for (const one of [first, second, third]) await storeEvent(database.app, one);
  const given = async (limit: number) => (await unhandledEvents(database.app, limit, 0)).map(({ seenKey }) => seenKey);
  for (let nth = 1; nth <= 5; nth += 1) await noteFailedHandling(database.app, first.seenKey, 'Error');
  expect(await given(2)).toEqual([first.seenKey, second.seenKey]);
  await noteFailedHandling(database.app, first.seenKey, 'Error');
  expect(await given(2)).toEqual([second.seenKey, third.seenKey]);
  // They are tried all the same, after the others.
  expect(await given(3)).toEqual([second.seenKey, third.seenKey, first.seenKey]);
});

describe('what is known of a leg', () => {
  test('is seen as soon as one callback of that step has arrived', async () => {
    const callId = randomUUID();
    await storeEvent(database.app, event({ callId, leg: 'mentor', step: 2 }));
    await expect(legSeen(database.app, callId, 'mentor', 2)).resolves.toBe(true);
    await expect(legSeen(database.app, callId, 'mentor', 1)).resolves.toBe(false);
    await expect(legSeen(database.app, callId, 'user', 2)).resolves.toBe(false);
  });

  test.each([
    [['ringing:1', 'in-progress:2'], 'in-progress'],
    [['in-progress:2', 'ringing:1'], 'in-progress'],
    [['completed:3', 'in-progress:4'], 'completed'],
    [['no-answer:2', 'ringing:1', 'initiated:0'], 'no-answer'],
  ])('after %j the state is %s', async (heard, state) => {
    const callSid = `CA${randomUUID()}`;
    for (const each of heard) {
      const [status, sequence] = each.split(':');
      await storeEvent(database.app, event({ sid: callSid, status: status ?? null, sequence: Number(sequence) }));
    }
    await expect(lastStatus(database.app, callSid)).resolves.toMatchObject({ status: state });
  });

  test('is nothing before the first callback', async () => {
    await expect(lastStatus(database.app, 'CAnone')).resolves.toBeNull();
  });
});
