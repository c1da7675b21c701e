import { randomUUID } from 'node:crypto';
import { closeCall, openCall } from '../../../db/calls';
import { MARKED } from '../../marked-people';
import { ApiUnderTest, CONSENT, type Who } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());

const person = (): Who => ({ role: 'user', subject: randomUUID() });

/** A call of this person that is over. */
async function call(who: Who, outcome: 'completed' | 'failed' | 'no-answer' = 'completed'): Promise<string> {
  await api.ask('POST', '/connect-mentor', { who, json: { userPhoneNumber: MARKED.userPhone, consent: CONSENT } });
  const input = api.process.started.at(-1);
  if (input === undefined) throw new Error('nothing was started');
  await openCall(api.deps.pool, input, { perUser: 1_000, perTarget: 1_000 });
  const endReason = outcome === 'completed' ? 'bridge-over' : 'provider-unavailable';
  const end = { callId: input.callId, outcome, endReason, endedAt: new Date(), durationSeconds: 0 } as const;
  await closeCall(api.deps.pool, end);
  return input.callId;
}

const list = (who: Who, query: string, path = '/mentor-calls') => api.ask('GET', `${path}?${query}`, { who });

test('a page holds no more than it was asked for, and the last one has no next', async () => {
  const who = person();
  const ids = [await call(who), await call(who), await call(who)].toReversed();
  const whole = await list(who, 'limit=3');
  expect(whole.body.mentorCalls.map(({ callId }: { callId: string }) => callId)).toEqual(ids);
  expect(whole.body.nextCursor).toBeNull();
  const first = await list(who, 'limit=2');
  expect(first.body.mentorCalls).toHaveLength(2);
  const last = await list(who, `limit=2&cursor=${first.body.nextCursor}`);
  expect(last.body).toMatchObject({ mentorCalls: [{ callId: ids[2] }], nextCursor: null });
});

test('limits from 1 to 100 are allowed, and nothing else', async () => {
  const who = person();
  for (const limit of ['1', '100']) expect((await list(who, `limit=${limit}`)).status).toBe(200);
  for (const limit of ['0', '101', '-1', '1.5', '1e9', 'many', '']) {
    const answer = await list(who, `limit=${limit}`);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-query', errors: [{ pointer: '#/limit' }] } });
  }
});

describe('a cursor', () => {
  const cursorOf = async (who: Who): Promise<string> => {
    await call(who);
    await call(who);
    return (await list(who, 'limit=1')).body.nextCursor;
  };
  const expectRefused = async (who: Who, cursor: string, path?: string) =>
    expect(await list(who, `limit=1&cursor=${encodeURIComponent(cursor)}`, path)).toMatchObject({
      status: 400,
      body: { code: 'invalid-query', errors: [{ pointer: '#/cursor' }] },
    });

  test('that was changed in any place is refused', async () => {
    const who = person();
    const cursor = await cursorOf(who);
    for (let at = 0; at < cursor.length; at += 1) {
      const other = cursor[at] === 'A' ? 'B' : 'A';
      await expectRefused(who, cursor.slice(0, at) + other + cursor.slice(at + 1));
    }
  });

  test('that was made up, cut or lengthened is refused', async () => {
    const who = person();
    const cursor = await cursorOf(who);
    const place = JSON.stringify(['2026-11-21T00:00:00.000000Z', randomUUID()]);
    const madeUp = Buffer.from(place).toString('base64url');
    for (const wrong of [madeUp, `${madeUp}.`, '.', cursor.slice(0, -1), `${cursor}A`, `${cursor}=`, `${cursor} `]) {
      await expectRefused(who, wrong);
    }
  });

  test('of somebody else, or of another list, is refused', async () => {
    const cursor = await cursorOf(person());
    await expectRefused(person(), cursor);
    const admin: Who = { role: 'admin', subject: randomUUID() };
    const mine = await cursorOf({ role: 'staff', subject: admin.subject ?? '' });
    await expectRefused(admin, mine, '/mentors');
  });
});

test('calls in a list carry helplines exactly where the single view does', async () => {
  const who = person();
  const [completed, failed, unanswered] = [await call(who), await call(who, 'failed'), await call(who, 'no-answer')];
  const { body } = await list(who, 'limit=10');
  for (const shown of body.mentorCalls) {
    const single = await api.ask('GET', `/mentor-calls/${shown.callId}`, { who });
    expect(shown).toEqual(single.body);
  }
  const withHelplines = body.mentorCalls.filter((one: object) => 'helplines' in one);
  expect(withHelplines.map(({ callId }: { callId: string }) => callId)).toEqual([unanswered, failed]);
  expect(withHelplines[0].helplines).toMatchObject({ country: 'US', crisis: { number: '988' } });
  expect(body.mentorCalls.map(({ callId }: { callId: string }) => callId)).toContain(completed);
});
