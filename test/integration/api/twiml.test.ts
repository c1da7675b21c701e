import { randomUUID } from 'node:crypto';
import { abandon, ensureDispatch } from '../../../db/dispatches';
import { openCall } from '../../../db/calls';
import { createMentor } from '../../../db/mentors';
import { createSubject } from '../../../db/subjects';
import { parsePhoneNumber } from '../../../domain/phone-number';
import { SealedValue } from '../../../domain/sealed';
import { MARKED } from '../../marked-people';
import { ApiUnderTest, callInput, newCallSid } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());
beforeEach(() => {
  api.process.down = null;
  api.process.plan = { do: 'hang-up' };
});

const HANG_UP = '<?xml version="1.0" encoding="UTF-8"?><Response><Hangup/></Response>';
const fromUs = { From: '+14155550100', To: MARKED.userPhone, Direction: 'outbound-api', CallStatus: 'in-progress' };

async function dispatched(): Promise<{
  callId: string;
  dispatchId: string;
  path: (step: string, more?: string) => string;
}> {
  const [callId, dispatchId] = [randomUUID(), randomUUID()];
  await ensureDispatch(api.deps.pool, {
    dispatchId,
    businessKey: `mentor-call:${callId}:user:1`,
    callId,
    workflowId: `mentor-call:${callId}`,
    recipientToken: 'ab'.repeat(32),
    channel: 'voice',
    sender: '+14155550100',
    country: 'US',
  });
  const path = (step: string, more = '&try=1') =>
    `/twiml/connect-mentor?call=${callId}&dispatch=${dispatchId}&step=${step}${more}&lang=en`;
  return { callId, dispatchId, path };
}

describe('the greeting', () => {
  test('is neutral, asks for key 1, and makes the first leg the dispatch’s own', async () => {
    const { dispatchId, path } = await dispatched();
    const CallSid = newCallSid();
    const answer = await api.twilio(path('greeting'), { ...fromUs, CallSid });
    expect(answer.headers.get('content-type')).toMatch(/^text\/xml/);
    expect(answer.text).toContain('To go on, press 1');
    expect(answer.text.replace(/action="[^"]*"/, '')).not.toMatch(/mentor/i);
    const { rows } = await api.database.owner.query('SELECT sid, state FROM dispatches WHERE dispatch_id = $1', [
      dispatchId,
    ]);
    expect(rows).toEqual([{ sid: CallSid, state: 'accepted' }]);
  });

  test.each([
    ['no SID', { CallSid: '' }],
    ['a SID that is none', { CallSid: `${newCallSid()}CallStatusin-progress` }],
    ['no state', { CallSid: newCallSid(), CallStatus: '' }],
    ['a state that is none', { CallSid: newCallSid(), CallStatus: 'complete' }],
  ])('is not for a request with %s: it becomes nobody’s leg and asks nothing', async (_what, odd) => {
    const { path } = await dispatched();
    const sids = async () => (await api.database.owner.query('SELECT sid FROM dispatches ORDER BY 1')).rows;
    const before = [await api.footprint(), await sids(), api.endedByRest.length];
    const ask = async (url: string) => (await api.twilio(url, { ...fromUs, ...odd, Digits: '1' })).text;
    for (const step of ['greeting', 'confirmed', 'dial-over']) expect(await ask(path(step))).toContain('>988</Number>');
    expect(await ask(`/twiml/mentor-confirm?call=${randomUUID()}&n=2&lang=en`)).toBe(HANG_UP);
    expect([await api.footprint(), await sids(), api.endedByRest.length]).toEqual(before);
  });

  test('is the same again for the same leg', async () => {
    const { path } = await dispatched();
    const CallSid = newCallSid();
    const first = await api.twilio(path('greeting'), { ...fromUs, CallSid });
    expect((await api.twilio(path('greeting'), { ...fromUs, CallSid })).text).toBe(first.text);
  });

  test('is not spoken to a second leg of the dispatch: it is hung up and ended by REST', async () => {
    const { path } = await dispatched();
    await api.twilio(path('greeting'), { ...fromUs, CallSid: newCallSid() });
    const second = newCallSid();
    expect((await api.twilio(path('greeting'), { ...fromUs, CallSid: second })).text).toBe(HANG_UP);
    expect(api.endedByRest).toContain(second);
  });

  test('is not spoken for a dispatch that was abandoned', async () => {
    const { dispatchId, path } = await dispatched();
    await abandon(api.deps.pool, dispatchId);
    const CallSid = newCallSid();
    expect((await api.twilio(path('greeting'), { ...fromUs, CallSid })).text).toBe(HANG_UP);
    expect(api.endedByRest).toContain(CallSid);
  });

  test('is not spoken for a dispatch we do not know', async () => {
    const path = `/twiml/connect-mentor?call=${randomUUID()}&dispatch=${randomUUID()}&step=greeting&try=1&lang=en`;
    expect((await api.twilio(path, { ...fromUs, CallSid: newCallSid() })).text).toBe(HANG_UP);
  });
});

describe('who answered', () => {
  const answered = async (userConfirm: string, AnsweredBy: string) => {
    const other = await ApiUnderTest.start({ USER_CONFIRM: userConfirm });
    const [callId, dispatchId] = [randomUUID(), randomUUID()];
    await ensureDispatch(other.deps.pool, {
      dispatchId,
      businessKey: `mentor-call:${callId}:user:1`,
      callId,
      workflowId: `mentor-call:${callId}`,
      recipientToken: 'ab'.repeat(32),
      channel: 'voice',
      sender: '+14155550100',
      country: 'US',
    });
    const path = `/twiml/connect-mentor?call=${callId}&dispatch=${dispatchId}&step=greeting&try=1&lang=en`;
    const { text } = await other.twilio(path, { ...fromUs, CallSid: newCallSid(), AnsweredBy });
    const asked = other.process.asked.length;
    await other.stop();
    return { asked, isGreeted: text.includes('press 1') };
  };

  test.each([
    ['amd', 'machine_start', { asked: 0, isGreeted: false }],
    ['amd', 'fax', { asked: 0, isGreeted: false }],
    ['amd', 'human', { asked: 1, isGreeted: false }],
    ['amd', 'unknown', { asked: 0, isGreeted: true }],
    ['off', 'unknown', { asked: 1, isGreeted: false }],
    ['key', 'machine_start', { asked: 0, isGreeted: true }],
  ])('with USER_CONFIRM=%s and %s on the line', async (userConfirm, answeredBy, expected) => {
    expect(await answered(userConfirm, answeredBy)).toEqual(expected);
  });
});

describe('without key 1', () => {
  test('the greeting is repeated once, then nothing more is said and nobody is asked', async () => {
    const { path } = await dispatched();
    const before = api.process.asked.length;
    const again = await api.twilio(path('confirmed', '&try=1'), { ...fromUs, CallSid: newCallSid() });
    expect(again.text).toContain('try=2');
    const last = await api.twilio(path('confirmed', '&try=2'), { ...fromUs, CallSid: newCallSid(), Digits: '5' });
    expect(last.text).toContain('<Hangup/>');
    expect(last.text).not.toContain('<Gather');
    expect(api.process.asked).toHaveLength(before);
  });
});

describe('a question to the workflow', () => {
  test('carries the leg and a time after which it is refused, and one id however often Twilio repeats it', async () => {
    const { callId, path } = await dispatched();
    const CallSid = newCallSid();
    const headers = { 'I-Twilio-Idempotency-Token': randomUUID() };
    await api.twilio(path('confirmed'), { ...fromUs, CallSid, Digits: '1' }, { headers });
    await api.twilio(path('confirmed'), { ...fromUs, CallSid, Digits: '1' }, { headers });
    const [first, second] = api.process.asked.slice(-2);
    expect(first).toMatchObject({ callId, question: { kind: 'user-confirmed', callSid: CallSid } });
    const left = (first?.question.validUntil ?? 0) - Date.now();
    expect(left).toBeLessThanOrEqual(4_000);
    expect(second?.updateId).toBe(first?.updateId);
  });

  test('has another id when another question is asked under the same token', async () => {
    const { path } = await dispatched();
    const headers = { 'I-Twilio-Idempotency-Token': randomUUID() };
    const CallSid = newCallSid();
    await api.twilio(path('confirmed'), { ...fromUs, CallSid, Digits: '1' }, { headers });
    await api.twilio(path('dial-over', '&n=1'), { ...fromUs, CallSid, DialCallStatus: 'busy' }, { headers });
    const [first, second] = api.process.asked.slice(-2);
    expect(second?.updateId).not.toBe(first?.updateId);
  });

  test.each([
    [
      'dial-over',
      '&n=2',
      { DialCallStatus: 'no-answer', DialCallDuration: '7' },
      { kind: 'dial-over', step: 2, dialStatus: 'no-answer', dialSeconds: 7 },
    ],
    [
      'offer',
      '&n=1&offer=reconnect',
      { Digits: '0' },
      { kind: 'offer-answered', offer: 'reconnect', step: 1, digits: '0' },
    ],
    ['offer', '&n=2&offer=wait', { Digits: '2' }, { kind: 'offer-answered', offer: 'wait', step: 2, digits: '2' }],
    ['offer', '&n=1&offer=helpline', {}, { kind: 'offer-answered', offer: 'helpline', step: 1, digits: '' }],
    [
      'helpline-over',
      '',
      { DialCallStatus: 'completed' },
      { kind: 'helpline-over', dialStatus: 'completed', dialSeconds: 0 },
    ],
    ['dial-over', '&n=2&loop=1&ds=busy&dd=3', {}, { kind: 'dial-over', step: 2, dialStatus: 'busy', dialSeconds: 3 }],
    ['confirmed', '&try=1&loop=2&digits=1', {}, { kind: 'user-confirmed' }],
  ])('is read from the step %s%s', async (step, more, said, expected) => {
    const { path } = await dispatched();
    await api.twilio(path(step, more), { ...fromUs, CallSid: newCallSid(), ...said });
    expect(api.process.asked.at(-1)?.question).toMatchObject(expected);
  });

  test('is not asked for a caller who has hung up', async () => {
    const { path } = await dispatched();
    const before = api.process.asked.length;
    const gone = { ...fromUs, CallSid: newCallSid(), CallStatus: 'completed', DialCallStatus: 'completed' };
    expect((await api.twilio(path('dial-over', '&n=1'), gone)).text).toBe(HANG_UP);
    expect(api.process.asked).toHaveLength(before);
  });

  test('about a call that is over is answered by hanging up', async () => {
    const { callId, path } = await dispatched();
    api.process.over.add(callId);
    expect((await api.twilio(path('confirmed'), { ...fromUs, CallSid: newCallSid(), Digits: '1' })).text).toBe(HANG_UP);
  });
});

describe('while the workflow cannot be asked', () => {
  const loops = [0, 1, 2, 3].map((loop) => [loop]);
  test.each(loops)('the user hears "one moment" and the same question is asked again (loop %i)', async (loop) => {
    const { path } = await dispatched();
    api.process.down = new Error('Temporal is down');
    const asked = path('dial-over', `&n=3&loop=${loop}&ds=busy&dd=0`);
    const { text } = await api.twilio(asked, { ...fromUs, CallSid: newCallSid() });
    expect(text).toMatch(/One moment.*<Pause length="5"\/><Redirect/);
    expect(text).toContain(`loop=${loop + 1}`);
    expect(text).toContain('ds=busy');
  });

  test('and the loops are used up, the helpline of their country is dialled from memory, without an action', async () => {
    const { path } = await dispatched();
    api.process.down = new Error('Temporal is down');
    const { text } = await api.twilio(path('confirmed', '&try=1&loop=4&digits=1'), {
      ...fromUs,
      CallSid: newCallSid(),
    });
    expect(text).toMatch(/<Dial callerId="\+14155550100"[^>]*><Number>988<\/Number><\/Dial>/);
    expect(text).not.toContain('action=');
    const british = { ...fromUs, To: MARKED.britishPhone, CallSid: newCallSid() };
    const there = await api.twilio(path('confirmed', '&try=1&loop=4&digits=1'), british);
    expect(there.text).toContain('callerId="+447700900100"');
  });

  test('a workflow that never answers costs the caller no more than 4 s', async () => {
    const { path } = await dispatched();
    let given = Number.POSITIVE_INFINITY;
    const ask = jest
      .spyOn(api.deps.process, 'ask')
      .mockImplementation((_callId, { validUntil }, _updateId, withinMs) => {
        given = Math.max(validUntil - Date.now(), withinMs);
        return new Promise(() => undefined);
      });
    const began = performance.now();
    const { text } = await api.twilio(path('confirmed'), { ...fromUs, CallSid: newCallSid(), Digits: '1' });
    expect(text).toContain('loop=1');
    // What it is given and waited for; whatever else passes is the machine's.
    expect(given).toBeLessThanOrEqual(4_000);
    expect(performance.now() - began).toBeLessThan(10_000);
    ask.mockRestore();
  });

  test('Postgres being away takes nothing from the caller: the greeting is spoken, questions are answered', async () => {
    const alone = await ApiUnderTest.start({}, { postgres: false });
    const { path } = await dispatched();
    const greeting = await alone.twilio(path('greeting'), { ...fromUs, CallSid: newCallSid() });
    expect(greeting.text).toContain('press 1');
    const whisper = await alone.twilio(`/twiml/mentor-whisper?call=${randomUUID()}&n=1&lang=en`, fromUs);
    expect(whisper.text).toContain('press 1');
    const stranger = await alone.twilio('/twiml/inbound', { ...fromUs, From: MARKED.userPhone, Direction: 'inbound' });
    expect(stranger.text).toContain('<Hangup/>');
    alone.process.down = new Error('Temporal is down');
    const last = await alone.twilio(path('confirmed', '&try=1&loop=4&digits=1'), { ...fromUs, CallSid: newCallSid() });
    expect(last.text).toContain('988');
    await alone.stop();
  });
});

describe('a mentor', () => {
  const mentor = async () => {
    const number = parsePhoneNumber(MARKED.mentorPhone);
    const subjectId = await createSubject(api.deps.pool, 'system');
    const name = SealedValue.of('name', MARKED.mentorName);
    return createMentor(
      api.deps.pool,
      {
        subjectId,
        nameRecordId: await api.deps.vault.seal({ subjectId, kind: 'name', value: name }),
        phoneRecordId: await api.deps.vault.seal({ subjectId, kind: 'phone', value: number.e164 }),
        phoneToken: api.deps.tokenizer.token(number.e164),
        country: 'US',
        specialties: [],
        languages: ['en'],
        zone: 'America/New_York',
        available: true,
        maxConcurrentCalls: 1,
        windows: [],
      },
      'system',
    );
  };

  test('is named to Twilio by a number that was revealed for dialling, with an audit entry', async () => {
    const { mentorId, phoneRecordId } = await mentor();
    const { path } = await dispatched();
    api.process.plan = {
      do: 'dial-mentor',
      step: 1,
      mentorId,
      mentorRecordId: phoneRecordId,
      callerId: '+14155550100',
      ringSeconds: 20,
      confirmSeconds: 15,
      timeLimitSeconds: 3_600,
      words: 'first',
    };
    const { text } = await api.twilio(path('confirmed'), { ...fromUs, CallSid: newCallSid(), Digits: '1' });
    expect(text).toMatch(new RegExp(`<Number[^>]*>\\${MARKED.mentorPhone}</Number>`));
    const { rows } = await api.database.owner.query(
      `SELECT purpose, outcome FROM audit_entries WHERE object_id = $1 AND action = 'record.revealed'`,
      [phoneRecordId],
    );
    expect(rows).toEqual([{ purpose: 'dial', outcome: 'done' }]);
    expect(api.logLines.join('')).not.toContain('5550176');
  });

  test('hears a whisper that ends with a hang-up, so that a voicemail is never bridged', async () => {
    const { text } = await api.twilio(`/twiml/mentor-whisper?call=${randomUUID()}&n=1&lang=en`, fromUs);
    expect(text).toMatch(/<\/Gather><Hangup\/><\/Response>$/);
  });

  test.each([
    ['key 1 is asked of the workflow', { Digits: '1' }, 1],
    ['no key hangs up without a question', {}, 0],
  ])('%s', async (_what, said, questions) => {
    const before = api.process.asked.length;
    api.process.plan = { do: 'bridge' };
    await api.twilio(`/twiml/mentor-confirm?call=${randomUUID()}&n=2&lang=en`, {
      ...fromUs,
      CallSid: newCallSid(),
      ...said,
    });
    const asked = api.process.asked.slice(before).map(({ question }) => question);
    expect(asked).toMatchObject(questions === 0 ? [] : [{ kind: 'mentor-answered', step: 2, digits: '1' }]);
    expect(asked).toHaveLength(questions);
  });

  test('who rings our number back is thanked, and told nothing', async () => {
    await mentor();
    const from = { From: MARKED.mentorPhone, To: '+14155550100', Direction: 'inbound', CallSid: newCallSid() };
    const { text } = await api.twilio('/twiml/inbound', from);
    expect(text).toContain('Somebody asked for a call');
    expect(text).not.toContain('<Gather');
  });
});

describe('a call to our own number', () => {
  const inbound = (From: string, more = {}) =>
    api.twilio('/twiml/inbound', {
      From,
      To: '+14155550100',
      Direction: 'inbound',
      CallSid: newCallSid(),
      CallStatus: 'ringing',
      ...more,
    });

  test.each([
    ['a stranger', MARKED.otherUserPhone],
    ['a withheld number', 'anonymous'],
    ['nobody at all', ''],
  ])('by %s hears what the number is and how to reach a helpline', async (_who, from) => {
    const { text } = await inbound(from);
    expect(text).toMatch(/9 8 8.*<Hangup\/>/);
    expect(text).not.toContain('<Gather');
  });

  test('by a user with a live request is put into it, behind neutral words and key 1', async () => {
    const number = parsePhoneNumber(MARKED.userPhone);
    const userId = await createSubject(api.deps.pool, 'system');
    const recordId = await api.deps.vault.seal({ subjectId: userId, kind: 'phone', value: number.e164 });
    const recipientToken = api.deps.tokenizer.token(number.e164).toString('hex');
    const input = callInput(userId, recordId, { recipientToken });
    await openCall(api.deps.pool, input, { perUser: 10, perTarget: 10 });

    const { text } = await inbound(MARKED.userPhone);
    expect(text).toContain('To go on, press 1');
    const action = /action="https:\/\/calls\.example\.org([^"#]*)/.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    expect(action).toContain(`call=${input.callId}`);
    const CallSid = newCallSid();
    await api.twilio(action, {
      From: MARKED.userPhone,
      To: '+14155550100',
      Direction: 'inbound',
      CallSid,
      CallStatus: 'in-progress',
      Digits: '1',
    });
    expect(api.process.asked.at(-1)).toMatchObject({
      callId: input.callId,
      question: { kind: 'user-called-in', callSid: CallSid },
    });
  });
});
