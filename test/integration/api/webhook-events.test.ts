import { randomUUID } from 'node:crypto';
import { markHandled, storeEvent, type WebhookEvent } from '../../../db/webhook-events';
import { TemporalNotInTime } from '../../../temporal/errors';
import { ApiUnderTest, newCallSid } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());
afterEach(() => {
  api.process.down = null;
});

const admin = { role: 'admin' } as const;

async function stored(more: Partial<WebhookEvent> = {}): Promise<{ eventId: string; event: WebhookEvent }> {
  const callSid = newCallSid();
  const event: WebhookEvent = {
    seenKey: `call-status:${callSid}:completed:3`,
    type: 'call-status',
    sid: callSid,
    dispatchId: null,
    callId: randomUUID(),
    leg: 'user',
    step: null,
    status: 'completed',
    sequence: 3,
    errorCode: null,
    ...more,
  };
  await storeEvent(api.deps.pool, event);
  const { rows } = await api.database.owner.query('SELECT event_id FROM webhook_events WHERE seen_key = $1', [
    event.seenKey,
  ]);
  return { eventId: rows[0].event_id, event };
}

const list = (query: string) => api.ask('GET', `/webhook-events?${query}`, { who: admin });
const replay = (eventId: string, role: 'admin' | 'service' = 'admin') =>
  api.ask('POST', `/webhook-events/${eventId}/replay`, { who: { role } });
const entriesOf = async (eventId: string) =>
  (
    await api.database.owner.query(
      `SELECT action, purpose, outcome FROM audit_entries WHERE object_id = $1 ORDER BY at, outcome`,
      [eventId],
    )
  ).rows;

describe('the list of events', () => {
  test('has what nobody has handled first, then the newest, each once over all pages', async () => {
    const callId = randomUUID();
    const all = [
      await stored({ callId }),
      await stored({ callId }),
      await stored({ callId }),
      await stored({ callId }),
    ];
    const [one, two, three, four] = all.map(({ eventId }) => eventId);
    await markHandled(api.deps.pool, all[1]?.event.seenKey ?? '');
    await markHandled(api.deps.pool, all[3]?.event.seenKey ?? '');
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await list(`callId=${callId}&limit=1${cursor}`);
      seen.push(...body.webhookEvents.map(({ eventId }: { eventId: string }) => eventId));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(seen).toEqual([three, one, four, two]);
  });

  test('can be asked for what was, and what was not, handled', async () => {
    const callId = randomUUID();
    const [done, open] = [await stored({ callId }), await stored({ callId })];
    await markHandled(api.deps.pool, done.event.seenKey);
    expect((await list(`callId=${callId}&handled=true`)).body.webhookEvents).toMatchObject([{ eventId: done.eventId }]);
    expect((await list(`callId=${callId}&handled=false`)).body.webhookEvents).toMatchObject([
      { eventId: open.eventId, handledAt: null },
    ]);
  });

  test('holds ids, states and codes and nothing else', async () => {
    const { event, eventId } = await stored({ errorCode: '11200' });
    const { body } = await list(`callId=${event.callId}`);
    const { seenKey: _not, ...shown } = event;
    const times = { receivedAt: expect.any(String), handledAt: null };
    const unsaid = { messageId: null, alertId: null, payload: {}, attempts: 0, lastError: null };
    expect(body.webhookEvents).toEqual([{ ...shown, ...unsaid, ...times, eventId, copies: 1 }]);
  });

  test('can be asked for one kind, one message, one alert, one SID, and a time', async () => {
    const [messageId, alertId] = [randomUUID(), randomUUID()];
    const sid = `SM${'7'.repeat(32)}`;
    const [ofMessage, ofAlert] = [
      await stored({ type: 'message-status', messageId, sid }),
      await stored({ type: 'call-status', alertId }),
    ];
    const found = async (query: string) =>
      (await list(query)).body.webhookEvents.map(({ eventId }: { eventId: string }) => eventId);
    for (const query of [`messageId=${messageId}`, `sid=${sid}`, `type=message-status&sid=${sid}`]) {
      expect([query, await found(query)]).toEqual([query, [ofMessage.eventId]]);
    }
    expect(await found(`alertId=${alertId}`)).toEqual([ofAlert.eventId]);
    expect(await found(`alertId=${alertId}&type=message-status`)).toEqual([]);
    expect(await found(`alertId=${alertId}&from=2020-01-01T00:00:00Z`)).toEqual([ofAlert.eventId]);
    expect(await found(`alertId=${alertId}&until=2020-01-01T00:00:00Z`)).toEqual([]);
  });

  test('takes no cursor of another filter', async () => {
    const callId = randomUUID();
    for (const _ of [1, 2]) await stored({ callId });
    const { nextCursor } = (await list(`callId=${callId}&limit=1`)).body;
    expect((await list(`callId=${callId}&limit=1&cursor=${nextCursor}`)).status).toBe(200);
    expect((await list(`limit=1&cursor=${nextCursor}`)).status).toBe(400);
  });

  test.each(['handled=perhaps', 'callId=1', 'limit=0', 'kind=call-status', 'type=X', 'sid=%2B1415', 'from=today'])(
    'asked for with ?%s is a 400',
    async (query) => {
      expect(await list(query)).toMatchObject({ status: 400, body: { code: 'invalid-query' } });
    },
  );
});

describe('an event that is handed over again', () => {
  test('reaches its workflow although it was handled before, and leaves an entry', async () => {
    const { event, eventId } = await stored();
    await markHandled(api.deps.pool, event.seenKey);
    const before = api.process.ended.length;
    expect(await replay(eventId)).toMatchObject({ status: 200, body: { eventId, result: 'signalled' } });
    const { seenKey, sid: callSid, status, dispatchId, errorCode } = event;
    expect(api.process.ended.slice(before)).toEqual([{ seenKey, callSid, status, dispatchId, errorCode }]);
    const entry = { action: 'webhook-event.replayed', purpose: 'call-status', outcome: 'done' };
    expect(await entriesOf(eventId)).toEqual([entry]);
  });

  test('counts as handled then, also by another program of the organisation', async () => {
    const { eventId, event } = await stored();
    expect((await replay(eventId, 'service')).status).toBe(200);
    expect((await list(`callId=${event.callId}&handled=true`)).body.webhookEvents).toHaveLength(1);
  });

  test('says when its call is over, and when there is nothing to tell', async () => {
    const over = await stored();
    api.process.over.add(over.event.callId ?? '');
    expect((await replay(over.eventId)).body.result).toBe('closed');
    const { eventId } = await stored({ status: 'ringing' });
    expect((await replay(eventId)).body.result).toBe('nothing-to-tell');
  });

  test('with Temporal down is a 503, stays unhandled, and both the try and its failure are kept', async () => {
    const { eventId, event } = await stored();
    api.process.down = new TemporalNotInTime();
    expect(await replay(eventId)).toMatchObject({ status: 503, body: { code: 'temporarily-unavailable' } });
    expect((await list(`callId=${event.callId}&handled=false`)).body.webhookEvents).toHaveLength(1);
    expect((await entriesOf(eventId)).map(({ outcome }) => outcome)).toEqual(['done', 'failed']);
  });

  test('is a 404 when there is none, and a 422 without a trace when nobody could take it', async () => {
    for (const id of [randomUUID(), 'nonsense', '1']) expect((await replay(id)).status).toBe(404);
    for (const event of [await stored({ type: 'of-another-time' }), await stored({ callId: null })]) {
      expect(await replay(event.eventId)).toMatchObject({ status: 422, body: { code: 'event-not-replayable' } });
      expect(await entriesOf(event.eventId)).toEqual([]);
    }
  });
});
