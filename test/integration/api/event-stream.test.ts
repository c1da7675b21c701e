import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { createApi } from '../../../api/app';
import { listen, portOf } from '../../../api/serving';
import { eventsAfter, placeOfNow } from '../../../db/app-event-lists';
import { noteAppEvent } from '../../../db/app-events';
import { closeCall, openCall, updateCall } from '../../../db/calls';
import { SealedValue } from '../../../domain/sealed';
import { MARKED } from '../../marked-people';
import { eventually } from '../../stack';
import { ApiUnderTest, callInput } from './api-under-test';

let api: ApiUnderTest;
/** Another process of the API over the same database. */
let another: Server;
beforeAll(async () => {
  api = await ApiUnderTest.start();
  another = await listen(createApi(api.deps), { port: 0, host: '127.0.0.1' });
});
afterAll(async () => {
  another.closeAllConnections();
  another.close();
  await api.stop();
});
const opened: Stream[] = [];
afterEach(() => {
  for (const stream of opened.splice(0)) stream.close();
  api.isDraining = false;
});

interface Seen {
  readonly id: string;
  readonly type: string;
  readonly data: { readonly objectId: string; readonly state: string };
}

/** A client that reads as a browser's EventSource does. */
class Stream {
  readonly seen: Seen[] = [];
  text = '';
  isOver = false;
  private constructor(
    readonly status: number,
    readonly headers: Headers,
    private readonly abort: AbortController,
  ) {}

  static async open(subject: string, more: { last?: string; port?: number; claims?: object } = {}): Promise<Stream> {
    const abort = new AbortController();
    const token = await api.token({ role: 'user', subject }, { ...more.claims });
    const answer = await fetch(`http://127.0.0.1:${more.port ?? api.port}/events`, {
      signal: abort.signal,
      headers: {
        Authorization: `Bearer ${token}`,
        Accept: 'text/event-stream',
        ...(more.last === undefined ? {} : { 'Last-Event-ID': more.last }),
      },
    });
    const stream = new Stream(answer.status, answer.headers, abort);
    opened.push(stream);
    void stream.read(answer);
    return stream;
  }

  close(): void {
    this.abort.abort();
  }

  states(count: number): Promise<string[]> {
    return eventually(() => {
      if (this.seen.length < count) throw new Error(`only ${this.seen.length} events yet`);
      return this.seen.map(({ data }) => data.state);
    });
  }

  private async read(answer: Response): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of answer.body ?? []) {
        this.text += decoder.decode(chunk, { stream: true });
        this.seen.splice(0, this.seen.length, ...parsed(this.text));
      }
    } catch {
      // Cut off, by the test or by the service.
    }
    this.isOver = true;
  }
}

function parsed(text: string): Seen[] {
  return text
    .slice(0, text.lastIndexOf('\n\n') + 2)
    .split('\n\n')
    .flatMap((block) => {
      const [, id = '', data = ''] = /^id: (\S+)\ndata: (.*)$/.exec(block) ?? [];
      return data === '' ? [] : [{ id, ...JSON.parse(data) }];
    });
}

/** The subject of an account, as signing in makes it. */
async function subjectOf(account: string): Promise<string> {
  await api.ask('GET', '/events', { who: { role: 'user', subject: account } });
  const { body } = await api.ask('GET', '/events', { who: { role: 'user', subject: account } });
  expect(body).toEqual({ events: [], lastEventId: null });
  const { rows } = await api.database.owner.query(`SELECT subject_id FROM subjects ORDER BY created_at DESC LIMIT 1`);
  return rows[0].subject_id;
}

const note = (subjectId: string, state: string, objectId: string = randomUUID()) =>
  noteAppEvent(api.deps.pool, { subjectId, type: `message.${state}`, objectId, state });

test('a stream tells of what happens to the call of the one who is signed in, each state once, in order', async () => {
  const account = randomUUID();
  const userId = await subjectOf(account);
  const stream = await Stream.open(account);
  expect(stream.status).toBe(200);
  expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/);
  expect(stream.headers.get('cache-control')).toBe('no-store');
  const { pool, vault } = api.deps;
  const value = SealedValue.of('phone', MARKED.userPhone);
  const input = callInput(userId, await vault.seal({ subjectId: userId, kind: 'phone', value }));
  const limits = { perUser: 9, perTarget: 9 };
  const { callId } = input;
  await openCall(pool, input, limits);
  await openCall(pool, input, limits);
  await updateCall(pool, callId, { status: 'finding-mentor', answeredAt: new Date() });
  await updateCall(pool, callId, { status: 'connected', bridgedAt: new Date() });
  await updateCall(pool, callId, { status: 'connected' });
  const end = {
    callId,
    outcome: 'completed',
    endReason: 'bridge-over',
    endedAt: new Date(),
    durationSeconds: 3,
  } as const;
  await closeCall(pool, end);
  await closeCall(pool, end);
  expect(await stream.states(4)).toEqual(['starting', 'finding-mentor', 'connected', 'completed']);
  expect(stream.seen[2]).toEqual({
    id: expect.any(String),
    type: 'mentor-call.connected',
    timestamp: expect.any(String),
    data: { subjectId: userId, objectId: callId, state: 'connected' },
  });
  expect(stream.text).not.toContain(MARKED.userPhone);
});

test('nobody hears of another person’s objects', async () => {
  const [mine, theirs] = [randomUUID(), randomUUID()];
  const [me, them] = [await subjectOf(mine), await subjectOf(theirs)];
  const [own, other] = [await Stream.open(mine), await Stream.open(theirs)];
  await note(them, 'sent');
  await note(me, 'delivered');
  expect(await own.states(1)).toEqual(['delivered']);
  expect(await other.states(1)).toEqual(['sent']);
});

test('a connection that broke goes on after the last event it saw, at any process of the API', async () => {
  const account = randomUUID();
  const me = await subjectOf(account);
  const first = await Stream.open(account);
  await note(me, 'accepted');
  await first.states(1);
  first.close();
  for (const state of ['sending', 'sent', 'delivered']) await note(me, state);
  const second = await Stream.open(account, { last: first.seen[0]?.id ?? '', port: portOf(another) });
  expect(await second.states(3)).toEqual(['sending', 'sent', 'delivered']);
  await note(me, 'failed');
  expect(await second.states(4)).toContain('failed');
});

test('an event id of somebody else’s is no place in one’s own stream', async () => {
  const [mine, theirs] = [randomUUID(), randomUUID()];
  const [me, them] = [await subjectOf(mine), await subjectOf(theirs)];
  await note(me, 'accepted');
  await note(them, 'sent');
  const { rows } = await api.database.owner.query('SELECT event_id FROM app_events WHERE subject_id = $1', [them]);
  const stream = await Stream.open(mine, { last: rows[0].event_id });
  expect(await stream.states(1)).toEqual(['accepted']);
});

test('an event that is committed after a later one is not passed over', async () => {
  const account = randomUUID();
  const me = await subjectOf(account);
  const stream = await Stream.open(account);
  const from = await placeOfNow(api.deps.pool);
  const slow = await api.deps.pool.connect();
  try {
    await slow.query('BEGIN');
    await noteAppEvent(slow, { subjectId: me, type: 'message.first', objectId: randomUUID(), state: 'first' });
    await note(me, 'second');
    // Whoever read on now would never see the first one.
    expect(await eventsAfter(api.deps.pool, me, from, 10)).toEqual([]);
    await slow.query('COMMIT');
  } finally {
    slow.release();
  }
  expect(await stream.states(2)).toEqual(['first', 'second']);
});

test('a stream ends with the access token that opened it', async () => {
  const now = Math.floor(Date.now() / 1_000);
  const stream = await Stream.open(randomUUID(), { claims: { exp: now + 1 } });
  await eventually(() => expect(stream.isOver).toBe(true));
});

test('all streams end when the process is told to, so that it need not wait for them', async () => {
  const streams = [await Stream.open(randomUUID()), await Stream.open(randomUUID())];
  api.isDraining = true;
  await eventually(() => expect(streams.map(({ isOver }) => isOver)).toEqual([true, true]));
});

test('one person has five streams at once, and a place is free again as soon as one is closed', async () => {
  const account = randomUUID();
  const streams = [];
  for (let n = 0; n < 5; n += 1) streams.push(await Stream.open(account));
  const sixth = await Stream.open(account);
  expect(sixth.status).toBe(429);
  expect(sixth.headers.get('retry-after')).not.toBeNull();
  streams[0]?.close();
  await eventually(async () => expect((await Stream.open(account)).status).toBe(200));
});

test('who goes while their place is being looked up leaves no stream behind', async () => {
  const account = randomUUID();
  await subjectOf(account);
  const { pool } = api.deps;
  const query = pool.query.bind(pool) as (...asked: unknown[]) => Promise<unknown>;
  let [waiting, open] = [0, () => undefined as void];
  const gate = new Promise<void>((resolve) => (open = resolve));
  const slow = jest.spyOn(pool, 'query') as unknown as jest.SpyInstance<Promise<unknown>, unknown[]>;
  slow.mockImplementation(async (...asked) => {
    if (JSON.stringify(asked[0]).includes("AS txid, '0' AS position") && waiting < 5) {
      waiting += 1;
      await gate;
    }
    return query(...asked);
  });
  const abort = new AbortController();
  const headers = {
    Authorization: `Bearer ${await api.token({ role: 'user', subject: account })}`,
    Accept: 'text/event-stream',
  };
  const asked = Array.from({ length: 5 }, () =>
    fetch(`http://127.0.0.1:${api.port}/events`, { signal: abort.signal, headers }).catch(() => null),
  );
  await eventually(() => expect(waiting).toBe(5));
  abort.abort();
  await Promise.all(asked);
  await api.ask('GET', '/health', {});
  open();
  slow.mockRestore();
  await eventually(async () => expect((await Stream.open(account)).status).toBe(200));
});

test('whoever cannot stream polls the same events', async () => {
  const account = randomUUID();
  const who = { role: 'user', subject: account } as const;
  const me = await subjectOf(account);
  for (const state of ['accepted', 'sent', 'delivered']) await note(me, state);
  // The list passes nothing over, and so waits for whatever else is being written in this Postgres.
  const polled = (path: string, after: Record<string, string>, types: readonly string[]) =>
    eventually(async () => {
      const { body } = await api.ask('GET', path, { who, raw: { headers: after } });
      expect(body.events.map(({ type }: Seen) => type)).toEqual(types);
      return body;
    });
  const first = await polled('/events?limit=2', {}, ['message.accepted', 'message.sent']);
  const second = await polled('/events', { 'Last-Event-ID': first.lastEventId }, ['message.delivered']);
  expect(second.events).toMatchObject([{ data: { subjectId: me, state: 'delivered' } }]);
  const nothing = (await api.ask('GET', '/events', { who, raw: { headers: { 'Last-Event-ID': second.lastEventId } } }))
    .body;
  expect(nothing).toEqual({ events: [], lastEventId: second.lastEventId });
});
