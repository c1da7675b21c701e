import { randomUUID } from 'node:crypto';
import { LIVE_STATUSES, OUTCOMES } from '../../../domain/mentor-call';
import { MARKED } from '../../marked-people';
import { startStack, type TestStack } from '../../stack';
import { addMentor, legOf, READY_MENTOR, READY_USER, rings } from '../calls/people';
import { codeOf, compile, published } from './published-client';

const PAGE = 'clients/react-native.md';
const { userPhone, mentorPhone } = MARKED;

it('the code of the page compiles under the strictest settings', () => {
  expect(() => compile(PAGE)).not.toThrow();
});

it('knows every state that a call can be in, and which are over', () => {
  const code = codeOf(PAGE);
  const [, states = ''] = /status:\n((?: +\|.*\n)+|.*?;)/.exec(code) ?? [];
  const named = [...states.matchAll(/'([a-z-]+)'/g)].map(([, state]) => state);
  expect(named.toSorted()).toEqual([...LIVE_STATUSES, ...OUTCOMES].toSorted());
  const { isOver } = published(PAGE, fetch) as { isOver: (call: { status: string }) => boolean };
  expect(named.filter((status) => !isOver({ status: String(status) }))).toEqual([...LIVE_STATUSES]);
});

describe('an app made of the code of the page', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack();
    await addMentor(stack, mentorPhone);
  });
  afterAll(() => stack.stop(), 60_000);
  beforeEach(async () => {
    await stack.sim.reset();
    await stack.sim.settings({ wordMs: 2 });
  });

  type Fetch = typeof fetch;

  /** An app of one user, whose network can be made worse. */
  function app(network: (real: Fetch) => Fetch = (real) => real, firstToken?: string) {
    const subject = randomUUID();
    const asked: { method: string; path: string; key: string | null }[] = [];
    const watched: Fetch = async (url, init) => {
      const { pathname: path } = new URL(url instanceof Request ? url.url : url);
      asked.push({ method: init?.method ?? 'GET', path, key: new Headers(init?.headers).get('Idempotency-Key') });
      return fetch(url, init);
    };
    // oxlint-disable-next-line typescript/no-explicit-any -- the page's code is typed by the page
    const client = published(PAGE, network(watched)) as any;
    const session = {
      accessToken: async (isRefused: boolean) =>
        firstToken !== undefined && !isRefused ? firstToken : stack.token('user', subject),
    };
    const api = new client.Kindline({ baseUrl: stack.apiUrl, session, firstPauseMs: 10 });
    const kept: { key: string | null } = { key: null };
    const keys = {
      load: async () => kept.key,
      save: async (key: string) => void (kept.key = key),
      clear: async () => void (kept.key = null),
    };
    const connect = async (more: object = {}): Promise<string> => {
      const [text] = await client.consentTexts(api);
      const consent = { textVersion: text.textVersion, language: text.language };
      return client.connectMentor(api, keys, randomUUID, { userPhoneNumber: userPhone, consent, ...more });
    };
    const follow = async (callId: string, options: object = {}) => {
      const seen: string[] = [];
      const onChange = (call: { status: string }) => void seen.push(call.status);
      const call = await client.followCall(api, callId, { onChange, shortestMs: 50, longestMs: 200, ...options });
      return { call, seen };
    };
    return { client, api, kept, asked, connect, follow };
  }

  it('asks for a call, follows it to its end and lets the key go', async () => {
    await stack.sim.script(userPhone, { ...READY_USER, hangUp: { after: 'bridged', ms: 3_000 } });
    await stack.sim.script(mentorPhone, READY_MENTOR);
    const { connect, follow, kept, client } = app();
    const callId = await connect();
    expect(kept.key).toBeNull();
    const { call, seen } = await follow(callId);
    expect(call).toMatchObject({ callId, status: 'completed' });
    expect(seen).toContain('connected');
    expect(client.wordsFor(call)).toEqual({ text: 'The call is over.', helplines: null });
  });

  it('keeps its key over lost answers, so that the phone rings once', async () => {
    let lost = 2;
    const { connect, follow, asked } = app((real) => async (url, init) => {
      const answer = await real(url, init);
      if (init?.method === 'POST' && lost-- > 0) throw new TypeError('Network request failed');
      return answer;
    });
    await stack.sim.script(userPhone, { ...READY_USER, hangUp: { after: 'bridged', ms: 50 } });
    await stack.sim.script(mentorPhone, READY_MENTOR);
    const { call } = await follow(await connect());
    expect(call.status).toBe('completed');
    const posts = asked.filter(({ method }) => method === 'POST');
    expect(posts).toHaveLength(3);
    expect(new Set(posts.map(({ key }) => key)).size).toBe(1);
    expect(await rings(stack, userPhone)).toHaveLength(1);
  });

  it('goes on with the same key when the user taps again after nothing was answered at all', async () => {
    const state = { isAway: true };
    const { connect, follow, kept, client, api } = app((real) => async (url, init) => {
      const answer = await real(url, init);
      if (state.isAway && init?.method === 'POST') throw new TypeError('Network request failed');
      return answer;
    });
    const failed = await connect().catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(client.KindlineUnreachable);
    expect(client.wordsFor(failed).text).toContain('network');
    expect(kept.key).not.toBeNull();
    state.isAway = false;
    const callId = await connect();
    expect(kept.key).toBeNull();
    await legOf(stack, userPhone, () => true);
    await client.cancelCall(api, callId);
    await follow(callId);
    expect(await rings(stack, userPhone)).toHaveLength(1);
  });

  it('shows the hint and the helplines of a refusal, and begins anew with another key', async () => {
    const { connect, client, kept } = app();
    const refusal = await connect({ userPhoneNumber: 'my phone' }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ status: 422, code: 'phone-number-invalid' });
    const { text, helplines } = client.wordsFor(refusal);
    expect(text).toContain('country code');
    expect(helplines.crisis.number).toBe('988');
    expect(kept.key).toBeNull();
  });

  it('gets a new token when the old one is refused, and asks again once', async () => {
    const { connect, api, client, asked } = app((real) => real, 'an.expired.token');
    const callId = await connect();
    const posts = asked.filter(({ method }) => method === 'POST');
    expect(posts).toHaveLength(2);
    expect(await client.cancelCall(api, callId)).toMatchObject({ callId });
  });

  it('cancels a call that rings, twice without harm, and then shows who else can help', async () => {
    const { connect, follow, client, api } = app();
    const callId = await connect();
    const following = follow(callId);
    const cancelled = await client.cancelCall(api, callId);
    expect(client.isOver(cancelled)).toBe(true);
    expect(await client.cancelCall(api, callId)).toMatchObject({ status: cancelled.status });
    const { call } = await following;
    expect(call.status).toBe('cancelled');
    expect(client.wordsFor(call).helplines).toMatchObject({ country: 'US' });
  });

  it('stops asking when the app goes into the background, and the call goes on', async () => {
    const { connect, follow, client, api, asked } = app();
    const callId = await connect();
    const away = new AbortController();
    const onChange = () => away.abort();
    expect((await follow(callId, { onChange, signal: away.signal })).call).toBeNull();
    expect(asked.filter(({ path }) => path === `/mentor-calls/${callId}`)).toHaveLength(1);
    expect((await api.send('GET', `/mentor-calls/${callId}`)).status).toMatch(/starting|ringing-user/);
    await client.cancelCall(api, callId);
  });
});
