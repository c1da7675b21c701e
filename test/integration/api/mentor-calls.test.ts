import { randomUUID } from 'node:crypto';
import { openCall, closeCall } from '../../../db/calls';
import { joinQueue, leaveQueue } from '../../../db/mentor-queue';
import { QuestionRefused, TemporalNotInTime, TemporalNotPrepared } from '../../../temporal/errors';
import { adoptCallSid, ensureDispatch } from '../../../db/dispatches';
import { MARKED } from '../../marked-people';
import { ApiUnderTest, CONSENT, newCallSid } from './api-under-test';

let api: ApiUnderTest;
const user = { role: 'user' } as const;
const body = { userPhoneNumber: MARKED.userPhone, consent: CONSENT };

beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());
afterEach(() => {
  api.process.down = null;
  api.twilioState = 'up';
});

const request = (
  json: unknown = body,
  headers: Record<string, string> = {},
  who: Parameters<ApiUnderTest['token']>[0] = user,
) => api.ask('POST', '/connect-mentor', { who, json, raw: { headers } });

test('a request is accepted with an id, and starts one workflow that knows no number', async () => {
  const answer = await request();
  expect(answer.status).toBe(202);
  expect(answer.body).toEqual({ success: true, callId: expect.any(String), status: 'starting', callSid: null });
  const input = api.process.started.at(-1);
  expect(input).toMatchObject({ callId: answer.body.callId, country: 'US', organisationNumber: '+14155550100' });
  expect(JSON.stringify(input)).not.toContain('5550142');
});

test('the number of a request is sealed with an end of 24 hours', async () => {
  await request();
  const recordId = api.process.started.at(-1)?.recordId;
  const { rows } = await api.database.owner.query(
    `SELECT expires_at - created_at BETWEEN interval '23 hours 59 minutes' AND interval '24 hours 1 minute' AS in_time
       FROM vault_records WHERE record_id = $1`,
    [recordId],
  );
  expect(rows).toEqual([{ in_time: true }]);
});

test('the same key and body give the same call, and nothing is started twice', async () => {
  const headers = { 'Idempotency-Key': randomUUID() };
  const first = await request(body, headers);
  const before = await api.footprint();
  const second = await request({ consent: CONSENT, userPhoneNumber: MARKED.userPhone }, headers);
  expect(second.body).toEqual(first.body);
  expect(await api.footprint()).toEqual(before);
});

test('another body under the same key is refused', async () => {
  const headers = { 'Idempotency-Key': randomUUID() };
  await request(body, headers);
  const answer = await request({ ...body, mayCallBack: true }, headers);
  expect(answer).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
});

test('of two bodies under one key at the same instant, one is refused and one workflow started', async () => {
  const headers = { 'Idempotency-Key': randomUUID() };
  const before = api.process.started.length;
  const answers = await Promise.all([request(body, headers), request({ ...body, mayCallBack: true }, headers)]);
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 422]);
  expect(api.process.started).toHaveLength(before + 1);
});

test('two users may use the same key for calls of their own', async () => {
  const headers = { 'Idempotency-Key': randomUUID() };
  const mine = await request(body, headers);
  const theirs = await request(body, headers, { role: 'user', subject: 'somebody-else' });
  expect(theirs.status).toBe(202);
  expect(theirs.body.callId).not.toBe(mine.body.callId);
});

test('before the first row is written, GET answers "starting" to the owner and 404 to anybody else', async () => {
  const { body: call } = await request();
  const path = `/mentor-calls/${call.callId}`;
  expect(await api.ask('GET', path, { who: user })).toMatchObject({
    status: 200,
    body: { status: 'starting', callSid: null },
  });
  expect((await api.ask('GET', path, { who: { role: 'user', subject: 'a-stranger' } })).status).toBe(404);
  expect((await api.ask('GET', path, { who: { role: 'staff' } })).status).toBe(200);
});

test('a call that was stopped before its row was written has failed, and says who else can help', async () => {
  const { body: call } = await request();
  const requestHash = 'ab'.repeat(32);
  const owner = api.process.started.at(-1)?.userId ?? '';
  const stopped = jest.spyOn(api.process, 'describe').mockResolvedValue({ owner, requestHash, running: false });
  const answer = await api.ask('GET', `/mentor-calls/${call.callId}`, { who: user });
  stopped.mockRestore();
  expect(answer).toMatchObject({ status: 200, body: { status: 'failed', helplines: { crisis: { number: '988' } } } });
});

test('a call that is cancelled before its row was written names the helplines too', async () => {
  const { body: call } = await request();
  const answer = await api.ask('DELETE', `/mentor-calls/${call.callId}`, { who: user });
  expect(answer).toMatchObject({
    status: 200,
    body: { callId: call.callId, status: 'cancelled', endedAt: null, helplines: expect.anything() },
  });
});

test('waiting is offered to whoever said so in the request, with what is configured, and to nobody else', async () => {
  await request();
  expect(api.process.started.at(-1)).not.toHaveProperty('waiting');
  await request({ ...body, mayWait: false });
  expect(api.process.started.at(-1)).not.toHaveProperty('waiting');
  await request({ ...body, mayWait: true });
  expect(api.process.started.at(-1)).toMatchObject({ waiting: { limit: 20, longestWait: 1_200_000 } });
});

describe('with a row', () => {
  const opened = async (who: Parameters<ApiUnderTest['token']>[0]) => {
    await request(body, {}, who);
    const input = api.process.started.at(-1);
    if (input === undefined) throw new Error('nothing was started');
    await openCall(api.deps.pool, input, { perUser: 1000, perTarget: 1000 });
    return { callId: input.callId, input };
  };

  test('a call that waits says at which position, since when and until when; one that does not, nothing', async () => {
    const [first, second] = [await opened({ role: 'user', subject: randomUUID() }), await opened(user)];
    for (const { callId } of [first, second]) {
      await joinQueue(api.deps.pool, { callId, limit: 9, longestWaitMs: 60_000 });
    }
    const look = async () => (await api.ask('GET', `/mentor-calls/${second.callId}`, { who: user })).body;
    const place = (await look()).waiting;
    expect(place).toEqual({ position: 2, since: expect.any(String), until: expect.any(String) });
    expect(Date.parse(place.until) - Date.parse(place.since)).toBe(60_000);
    await leaveQueue(api.deps.pool, first.callId);
    expect(await look()).toMatchObject({ status: 'waiting', waiting: { position: 1 } });
    const end = { callId: second.callId, outcome: 'no-answer', endReason: 'waited-in-vain' } as const;
    await closeCall(api.deps.pool, { ...end, endedAt: new Date(), durationSeconds: 0 });
    const over = await look();
    expect(over).toMatchObject({ status: 'no-answer', endReason: 'waited-in-vain', helplines: expect.anything() });
    expect(over).not.toHaveProperty('waiting');
  });

  test('a merged request answers with the id and state of the call that won', async () => {
    const who = { role: 'user', subject: randomUUID() } as const;
    const first = await opened(who);
    const second = await opened(who);
    const answer = await api.ask('GET', `/mentor-calls/${second.callId}`, { who });
    expect(answer.body).toMatchObject({ callId: first.callId, status: 'starting', mergedFrom: second.callId });
  });

  test('once Twilio has accepted the call, its SID is told and the phone is said to ring', async () => {
    const who = { role: 'user', subject: randomUUID() } as const;
    const { callId, input } = await opened(who);
    const dispatchId = randomUUID();
    await ensureDispatch(api.deps.pool, {
      dispatchId,
      businessKey: `mentor-call:${callId}:user:1`,
      callId,
      workflowId: `mentor-call:${callId}`,
      recipientToken: input.recipientToken ?? '',
      channel: 'voice',
      sender: '+14155550100',
      country: 'US',
    });
    const look = async () => (await api.ask('GET', `/mentor-calls/${callId}`, { who })).body;
    expect(await look()).toMatchObject({ status: 'starting', callSid: null });
    const callSid = newCallSid();
    await adoptCallSid(api.deps.pool, dispatchId, callSid);
    expect(await look()).toMatchObject({ status: 'ringing-user', callSid });
  });

  test('a failed call names the helplines of its country', async () => {
    const who = { role: 'user', subject: randomUUID() } as const;
    const { callId } = await opened(who);
    await closeCall(api.deps.pool, {
      callId,
      outcome: 'failed',
      endReason: 'provider-unavailable',
      endedAt: new Date(),
      durationSeconds: 0,
    });
    const answer = await api.ask('GET', `/mentor-calls/${callId}`, { who });
    expect(answer.body).toMatchObject({ status: 'failed', helplines: { country: 'US', crisis: { number: '988' } } });
  });

  test('a call that is over is told from its row when it is cancelled, also with Temporal down', async () => {
    const who = { role: 'user', subject: randomUUID() } as const;
    const { callId } = await opened(who);
    const end = { outcome: 'completed', endReason: 'bridge-over', endedAt: new Date(), durationSeconds: 60 } as const;
    await closeCall(api.deps.pool, { callId, ...end });
    api.process.down = new TemporalNotInTime();
    const answer = await api.ask('DELETE', `/mentor-calls/${callId}`, { who });
    expect(answer).toMatchObject({ status: 200, body: { callId, status: 'completed' } });
  });

  test('a call that ends while it is cancelled is told as it ended', async () => {
    const who = { role: 'user', subject: randomUUID() } as const;
    const { callId } = await opened(who);
    const refusing = jest.spyOn(api.process, 'cancel').mockRejectedValueOnce(new QuestionRefused());
    const answer = await api.ask('DELETE', `/mentor-calls/${callId}`, { who });
    refusing.mockRestore();
    expect(answer).toMatchObject({ status: 200, body: { callId } });
  });

  test("staff may read anybody's call, and that they did is kept", async () => {
    const { callId } = await opened({ role: 'user', subject: randomUUID() });
    expect((await api.ask('GET', `/mentor-calls/${callId}`, { who: { role: 'staff' } })).status).toBe(200);
    const { rows } = await api.database.owner.query(
      `SELECT count(*)::int AS n FROM audit_entries WHERE action = 'mentor-call.read' AND object_id = $1`,
      [callId],
    );
    expect(rows).toEqual([{ n: 1 }]);
  });

  test('a list holds the calls of the user alone, a page at a time', async () => {
    const who = { role: 'user', subject: randomUUID() } as const;
    const ids = [await opened(who), await opened(who), await opened(who)].map(({ callId }) => callId);
    const first = await api.ask('GET', '/mentor-calls?limit=2', { who });
    const rest = await api.ask('GET', `/mentor-calls?limit=2&cursor=${first.body.nextCursor}`, { who });
    const seen = [...first.body.mentorCalls, ...rest.body.mentorCalls].map((call: { callId: string }) => call.callId);
    expect(seen).toEqual(ids.toReversed());
    expect(rest.body.nextCursor).toBeNull();
  });

  test("staff see everybody's calls in the list", async () => {
    const { callId } = await opened({ role: 'user', subject: randomUUID() });
    const answer = await api.ask('GET', '/mentor-calls?limit=1', { who: { role: 'staff' } });
    expect(answer.body.mentorCalls).toMatchObject([{ callId }]);
  });

  test('cancelling ends the call that rings, also when a merged one is named', async () => {
    const who = { role: 'user', subject: randomUUID() } as const;
    const first = await opened(who);
    const second = await opened(who);
    const answer = await api.ask('DELETE', `/mentor-calls/${second.callId}`, { who });
    expect(answer.status).toBe(200);
    expect(api.process.cancelled.at(-1)).toBe(first.callId);
  });

  test("cancelling somebody else's call is a 404 and cancels nothing", async () => {
    const { callId } = await opened({ role: 'user', subject: randomUUID() });
    const before = api.process.cancelled.length;
    for (const who of [user, { role: 'staff' }] as const) {
      expect((await api.ask('DELETE', `/mentor-calls/${callId}`, { who })).status).toBe(404);
    }
    expect(api.process.cancelled).toHaveLength(before);
  });

  test('a mentor may be asked for only by a user who has talked to them', async () => {
    const answer = await request({ ...body, preferences: { mentorId: randomUUID() } });
    expect(answer).toMatchObject({ status: 403, body: { code: 'mentor-not-allowed' } });
    const staff = await request({ ...body, preferences: { mentorId: randomUUID() } }, {}, { role: 'staff' });
    expect(staff.status).toBe(202);
  });
});

test('a saved contact point can be rung instead of a number', async () => {
  const saved = await api.ask('POST', '/contact-points', { who: user, json: { phoneNumber: MARKED.otherUserPhone } });
  expect(saved.status).toBe(201);
  expect(saved.text).not.toContain('5550143');
  const answer = await request({ contactPointId: saved.body.contactPointId, consent: CONSENT });
  expect(answer.status).toBe(202);
  expect(api.process.started.at(-1)).toMatchObject({ numberIsForThisCallOnly: false, country: 'US' });
});

test('a request that is repeated after its contact point was deleted gets the first answer again', async () => {
  const saved = await api.ask('POST', '/contact-points', { who: user, json: { phoneNumber: MARKED.otherUserPhone } });
  const json = { contactPointId: saved.body.contactPointId, consent: CONSENT };
  const headers = { 'Idempotency-Key': randomUUID() };
  const first = await request(json, headers);
  await api.ask('DELETE', `/contact-points/${json.contactPointId}`, { who: user });
  const before = await api.footprint();
  expect(await request(json, headers)).toMatchObject({ status: 202, body: first.body });
  expect(await api.footprint()).toEqual(before);
  expect((await request(json)).status).toBe(404);
});

test('with Twilio down the answer is 503 with helplines, at once and without a trace', async () => {
  api.twilioState = 'down';
  const before = await api.footprint();
  const answer = await request();
  expect(answer).toMatchObject({ status: 503, body: { code: 'calls-unavailable', helplines: { country: 'US' } } });
  expect(await api.footprint()).toEqual(before);
});

test.each([
  ['with Temporal down', new TemporalNotInTime()],
  ['before the first start of a worker', new TemporalNotPrepared()],
])('%s the answer is 503 with helplines', async (_when, error) => {
  api.process.down = error;
  const answer = await request();
  expect(answer).toMatchObject({
    status: 503,
    body: { code: 'temporarily-unavailable', helplines: expect.anything() },
  });
  expect(answer.headers.get('retry-after')).toBe('5');
});

test.each([
  ['no consent', { userPhoneNumber: MARKED.userPhone }, 'consent-required'],
  ['a number that is none', { ...body, userPhoneNumber: 'my phone' }, 'phone-number-invalid'],
  [
    'a number of a country that is not served',
    { ...body, userPhoneNumber: '+33 1 99 00 12 34' },
    'country-not-allowed',
  ],
])('with Temporal down a request with a key and %s is told what is wrong with it', async (_what, json, code) => {
  api.process.down = new TemporalNotInTime();
  const headers = { 'Idempotency-Key': randomUUID() };
  expect(await request(json, headers)).toMatchObject({ status: 422, body: { code } });
  // Rightly asked, it has to wait until somebody knows whether it was asked before.
  expect(await request(body, headers)).toMatchObject({ status: 503, body: { code: 'temporarily-unavailable' } });
});
