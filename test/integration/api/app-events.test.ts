import { randomUUID } from 'node:crypto';
import { noteDelivered, noteNotDelivered } from '../../../db/app-event-delivery';
import { noteAppEvent } from '../../../db/app-events';
import { ApiUnderTest } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());

type Asker = 'admin' | 'service' | 'user';
const list = (query: string, role: Asker = 'admin') => api.ask('GET', `/app-events?${query}`, { who: { role } });
const resend = (eventId: string, role: Asker = 'admin') =>
  api.ask('POST', `/app-events/${eventId}/resend`, { who: { role } });

/** @returns the ids of the events, in order */
async function noted(objectId: string, ...states: string[]): Promise<string[]> {
  const { pool } = api.deps;
  for (const state of states) {
    await noteAppEvent(pool, { subjectId: randomUUID(), type: `mentor-call.${state}`, objectId, state });
  }
  const query = 'SELECT event_id FROM app_events WHERE object_id = $1 ORDER BY position';
  return (await pool.query(query, [objectId])).rows.map(({ event_id }) => event_id);
}
const idsOf = (body: { appEvents: { eventId: string }[] }) => body.appEvents.map(({ eventId }) => eventId);

describe('the list of what the app was told', () => {
  test('is newest first, each once over all pages, with ids and states and what became of the delivery', async () => {
    const objectId = randomUUID();
    const [one, two, three] = await noted(objectId, 'starting', 'connected', 'completed');
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await list(`objectId=${objectId}&limit=1${cursor}`);
      seen.push(...idsOf(body));
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(seen).toEqual([three, two, one]);
    const { body } = await list(`objectId=${objectId}&type=mentor-call.connected`);
    expect(body.appEvents).toEqual([
      {
        eventId: two,
        type: 'mentor-call.connected',
        subjectId: expect.any(String),
        objectId,
        state: 'connected',
        happenedAt: expect.any(String),
        delivery: 'waiting',
        attempts: 0,
        nextAttemptAt: expect.any(String),
        giveUpAt: expect.any(String),
        deliveredAt: null,
        lastError: null,
      },
    ]);
  });

  test('can be asked for what could not be told, for one person, and for a time', async () => {
    const objectId = randomUUID();
    const [one = '', two = ''] = await noted(objectId, 'starting', 'connected');
    await noteDelivered(api.deps.pool, one);
    await noteNotDelivered(api.deps.pool, two, 'http-503', 10_000);
    expect(idsOf((await list(`objectId=${objectId}&delivery=delivered`)).body)).toEqual([one]);
    const waiting = (await list(`objectId=${objectId}&delivery=waiting`)).body;
    expect(waiting.appEvents).toMatchObject([{ eventId: two, attempts: 1, lastError: 'http-503' }]);
    const [{ subjectId, happenedAt }] = waiting.appEvents;
    expect(idsOf((await list(`subjectId=${subjectId}`)).body)).toEqual([two]);
    expect(idsOf((await list(`subjectId=${subjectId}&from=${happenedAt}`)).body)).toEqual([two]);
    expect(idsOf((await list(`subjectId=${subjectId}&until=2020-01-01T00:00:00Z`)).body)).toEqual([]);
  });

  test.each(['delivery=perhaps', 'type=Everything', 'subjectId=1', 'from=yesterday', 'limit=0'])(
    'asked for with ?%s is a 400',
    async (query) => {
      expect(await list(query)).toMatchObject({ status: 400, body: { code: 'invalid-query' } });
    },
  );
});

describe('an event that is sent again', () => {
  test('waits for its next delivery whatever became of the last one, and leaves an entry', async () => {
    const [eventId = ''] = await noted(randomUUID(), 'completed');
    await noteDelivered(api.deps.pool, eventId);
    const answer = await resend(eventId);
    expect(answer).toMatchObject({
      status: 202,
      body: { eventId, delivery: 'waiting', attempts: 0, deliveredAt: null },
    });
    const { rows } = await api.database.owner.query(
      'SELECT action, purpose, outcome FROM audit_entries WHERE object_id = $1',
      [eventId],
    );
    expect(rows).toEqual([{ action: 'app-event.resent', purpose: 'mentor-call.completed', outcome: 'done' }]);
  });

  test('is found and asked for by a program of the organisation too, and by nobody else', async () => {
    const objectId = randomUUID();
    await noted(objectId, 'completed');
    const [eventId = ''] = idsOf((await list(`objectId=${objectId}`, 'service')).body);
    expect((await resend(eventId, 'service')).status).toBe(202);
    expect((await list(`objectId=${objectId}`, 'user')).status).toBe(403);
    expect((await resend(eventId, 'user')).status).toBe(403);
  });

  test('is a 404 without a trace when there is none', async () => {
    const before = await api.footprint();
    for (const id of [randomUUID(), 'nonsense']) expect((await resend(id)).status).toBe(404);
    expect(await api.footprint()).toEqual(before);
  });
});
