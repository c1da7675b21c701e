import { randomUUID } from 'node:crypto';
import { ProcessIsOver, TemporalNotInTime } from '../../../temporal/errors';
import { ApiUnderTest, newCallSid } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());
beforeEach(() => {
  api.process.down = null;
  api.process.plan = { do: 'hang-up' };
});

const REJECT = '<?xml version="1.0" encoding="UTF-8"?><Response><Reject/></Response>';
const HANG_UP = '<?xml version="1.0" encoding="UTF-8"?><Response><Hangup/></Response>';
const APP = '/twiml/voice-app';
const agreed = { textVersion: 'app-2026-11', language: 'en' };

/** Somebody with a token; `query` is what it was asked with. */
async function client(query = '') {
  const who = { role: 'user', subject: randomUUID() } as const;
  const { body } = await api.ask('GET', `/voice-token?format=json${query}`, { who });
  return { who, identity: body.identity as string, from: `client:${body.identity}` };
}

/** What Twilio asks when an app calls. */
const fields = (from: string, more: Record<string, string> = {}) => ({
  CallSid: newCallSid(),
  CallStatus: 'ringing',
  Direction: 'inbound',
  From: from,
  To: 'mentor-queue',
  ...more,
});
/** The URL a document sends Twilio to next. */
const next = (text: string, verb: 'action' | 'Redirect') => {
  const found = verb === 'action' ? /action="([^"]*)"/.exec(text) : /<Redirect[^>]*>([^<]*)</.exec(text);
  const url = new URL((found?.[1] ?? '').replaceAll('&amp;', '&'));
  return `${url.pathname}${url.search}`;
};
const last = <T>(list: readonly T[]): T | undefined => list.at(-1);

describe('a call from the app', () => {
  test('begins a mentor call whose workflow knows no number, and no vault record is made', async () => {
    const { from } = await client('&country=CA&language=es&textVersion=app-2026-11');
    api.process.plan = { do: 'offer', offer: 'helpline', step: 1 };
    const before = await api.footprint();
    const asked = fields(from);
    const answer = await api.twilio(APP, asked);
    expect(answer.headers.get('content-type')).toMatch(/^text\/xml/);
    expect(last(api.process.started)).toMatchObject({
      recordId: null,
      recipientToken: null,
      numberIsForThisCallOnly: false,
      mayCallBack: false,
      country: 'CA',
      language: 'es',
      preferences: { languages: ['es'] },
      consent: { textVersion: 'app-2026-11', language: 'es' },
      fromApp: { callSid: asked.CallSid },
    });
    expect(last(api.process.asked)?.question).toMatchObject({ kind: 'app-called', callSid: asked.CallSid });
    expect(await api.footprint()).toMatchObject({
      vault_records: before['vault_records'],
      contact_points: before['contact_points'],
      dispatches: before['dispatches'],
    });
    expect(JSON.stringify(last(api.process.started))).not.toContain('client:');
  });

  test('goes on in the language and with the helpline of who called', async () => {
    const { from } = await client('&country=CA&language=es&textVersion=app-2026-11');
    api.process.plan = { do: 'offer', offer: 'helpline', step: 1 };
    const asked = fields(from);
    const { text } = await api.twilio(APP, asked);
    expect(text).toContain('oprima 0');
    const action = next(text, 'action');
    expect(action).toMatch(/lang=es&app=CA$/);
    // The helpline did not answer: whose emergency number is said is known from the URL, for there is no phone number.
    api.process.plan = { do: 'goodbye', words: 'helpline-not-reached' };
    const over = await api.twilio(action, { ...asked, CallStatus: 'in-progress', To: '', Digits: '0' });
    expect(over.text).toContain('9 1 1');
  });

  test('of one CallSid is one call, however often Twilio asks, and of another CallSid another', async () => {
    const { from } = await client('&language=en&textVersion=app-2026-11');
    const asked = fields(from);
    const begun = () => api.process.started.length;
    const before = begun();
    await api.twilio(APP, asked);
    await api.twilio(APP, asked);
    expect(begun()).toBe(before + 1);
    await api.twilio(APP, fields(from));
    expect(begun()).toBe(before + 2);
    const ids = api.process.started.slice(-2).map(({ callId }) => callId);
    expect(new Set(ids).size).toBe(2);
  });

  test('is told to a user who has another call, or has called too often, in words', async () => {
    const { from } = await client('&language=en&textVersion=app-2026-11');
    api.process.plan = { do: 'goodbye', words: 'already-in-call' };
    expect((await api.twilio(APP, fields(from))).text).toContain('already have a call');
    api.process.plan = { do: 'goodbye', words: 'no-mentor-now' };
    const { text } = await api.twilio(APP, fields(from));
    expect(text).toContain('9 8 8');
    expect(text).toContain('9 1 1');
  });

  test('is not begun while calls are switched off, and the caller hears whom to call', async () => {
    const { from } = await client('&language=en&textVersion=app-2026-11');
    await api.ask('PUT', '/switches/voice', { who: { role: 'admin' }, json: { isOn: false } });
    const before = api.process.started.length;
    expect((await api.twilio(APP, fields(from))).text).toContain('9 8 8');
    expect(api.process.started.length).toBe(before);
    await api.ask('PUT', '/switches/voice', { who: { role: 'admin' }, json: { isOn: true } });
  });

  test('whose workflow is over is hung up', async () => {
    const { from } = await client('&language=en&textVersion=app-2026-11');
    api.process.down = new ProcessIsOver();
    expect((await api.twilio(APP, fields(from))).text).toBe(HANG_UP);
  });
});

describe('consent', () => {
  test('may come with the call, and then counts before that of the token', async () => {
    const { from } = await client('&language=en&textVersion=app-2026-11');
    await api.twilio(APP, fields(from, { textVersion: '2026-11', language: 'es' }));
    expect(last(api.process.started)?.consent).toEqual({ textVersion: '2026-11', language: 'es' });
  });

  test('that names no text of ours is none, and that of the token counts', async () => {
    const { from } = await client('&language=en&textVersion=app-2026-11');
    await api.twilio(APP, fields(from, { textVersion: 'whatever', language: 'en' }));
    expect(last(api.process.started)?.consent).toEqual(agreed);
  });

  test('is asked for on the phone when there is none: text, then key 1', async () => {
    const { from } = await client('&country=MX');
    const before = api.process.started.length;
    const asked = fields(from);
    const { text } = await api.twilio(APP, asked);
    expect(text).toContain('Los mentores no son un servicio de emergencia');
    expect(text).toContain('oprima 1');
    expect(api.process.started.length).toBe(before);
    const again = { ...asked, CallStatus: 'in-progress', To: '', Digits: '1' };
    await api.twilio(next(text, 'action'), again);
    expect(last(api.process.started)).toMatchObject({
      consent: { textVersion: 'app-2026-11', language: 'es' },
      country: 'MX',
      fromApp: { callSid: asked.CallSid },
    });
  });

  test.each([['2'], ['']])('is not given by the key %p: nothing is begun, and the call ends', async (Digits) => {
    const { from } = await client();
    const asked = fields(from);
    const { text } = await api.twilio(APP, asked);
    const before = api.process.started.length;
    const over = await api.twilio(next(text, 'action'), { ...asked, CallStatus: 'in-progress', Digits });
    expect(over.text).toContain('<Hangup/>');
    expect(api.process.started.length).toBe(before);
  });
});

describe('a call that is not believed', () => {
  const begun = () => api.process.started.length + api.process.asked.length;
  const expectRefused = async (from: string, more: Record<string, string> = {}) => {
    const before = [begun(), await api.footprint()];
    expect((await api.twilio(APP, fields(from, more))).text).toBe(REJECT);
    expect([begun(), await api.footprint()]).toEqual(before);
  };

  test.each([
    ['an unknown identity', `client:${'0'.repeat(64)}`],
    ['an identity that is none of ours', 'client:alice'],
    ['a phone', '+14155550177'],
    ['nobody', ''],
    ['somebody on SIP', `sip:${'0'.repeat(64)}@example.org`],
  ])('of %s is rejected', (_whose, from) => expectRefused(from));

  test.each(['', '+14155550177', 'client:alice', 'mentor-queue-2', 'MENTOR-QUEUE'])(
    'to %p is rejected, whoever it is',
    async (To) => {
      await expectRefused((await client(`&language=en&textVersion=app-2026-11`)).from, { To });
    },
  );

  test.each([{ CallSid: '' }, { CallSid: 'CA12' }, { CallStatus: '' }, { CallStatus: 'ring' }])(
    'that is not whole is rejected: %p',
    async (odd) => expectRefused((await client(`&language=en&textVersion=app-2026-11`)).from, odd),
  );

  test('of a token that was used after its user signed out is rejected', async () => {
    const { from, who } = await client('&language=en&textVersion=app-2026-11');
    await api.ask('DELETE', '/voice-token', { who });
    await expectRefused(from);
  });

  test('of a token that expired over a minute ago is rejected; in the minute in which Twilio may still ask, taken', async () => {
    const { from, identity } = await client('&language=en&textVersion=app-2026-11');
    const expired = (ago: string) =>
      api.database.owner.query('UPDATE voice_identities SET expires_at = now() - $2::interval WHERE identity = $1', [
        identity,
        ago,
      ]);
    await expired('30 seconds');
    expect((await api.twilio(APP, fields(from))).text).not.toBe(REJECT);
    await expired('61 seconds');
    await expectRefused(from);
  });

  test('that somebody else signed is refused before it is looked at', async () => {
    const { from } = await client('&language=en&textVersion=app-2026-11');
    const answer = await api.twilio(APP, fields(from), { token: 'not-the-auth-token' });
    expect(answer).toMatchObject({ status: 403, text: '' });
  });
});

describe('while Temporal is down', () => {
  test('one moment is said four times, then the helpline of the caller’s country answers from memory', async () => {
    const { from } = await client('&country=GB&language=en&textVersion=app-2026-11');
    api.process.down = new TemporalNotInTime();
    const asked = fields(from);
    let { text } = await api.twilio(APP, asked);
    for (let loop = 1; loop <= 4; loop += 1) {
      expect(text).toContain('One moment, please.');
      const again = next(text, 'Redirect');
      expect(again).toContain(`loop=${loop}`);
      // Twilio does not send what the app sent along once more.
      ({ text } = await api.twilio(again, { ...asked, To: '', CallStatus: 'in-progress' }));
    }
    expect(text).toContain('+447700900100');
    expect(text).toContain('<Number>');
    expect(text).not.toContain('action=');
  });

  test('what was agreed to is carried along, so that the call begins once it is back', async () => {
    const { from } = await client();
    const asked = fields(from);
    api.process.down = new TemporalNotInTime();
    const { text } = await api.twilio(APP, { ...asked, textVersion: 'app-2026-11', language: 'es' });
    api.process.down = null;
    await api.twilio(next(text, 'Redirect'), { ...asked, To: '', CallStatus: 'in-progress' });
    expect(last(api.process.started)).toMatchObject({
      consent: { textVersion: 'app-2026-11', language: 'es' },
      fromApp: { callSid: asked.CallSid },
    });
  });
});

test('while Postgres is down too, whoever Twilio has let in gets the helpline all the same', async () => {
  const other = await ApiUnderTest.start({ ALLOWED_COUNTRIES: 'GB' }, { postgres: false });
  const asked = fields(`client:${'ab'.repeat(32)}`);
  let { text } = await other.twilio(APP, asked);
  for (let loop = 1; loop <= 4; loop += 1) {
    expect(text).toContain('One moment, please.');
    ({ text } = await other.twilio(next(text, 'Redirect'), { ...asked, To: '', CallStatus: 'in-progress' }));
  }
  expect(text).toContain('<Number>');
  expect(other.process.started).toEqual([]);
  await other.stop();
});

describe('the end of a call from the app', () => {
  test('is told to its workflow before a row says whose call it is', async () => {
    const { from } = await client('&language=en&textVersion=app-2026-11');
    const asked = fields(from);
    await api.twilio(APP, asked);
    const before = api.process.ended.length;
    const status = { ...asked, To: '', CallStatus: 'completed' };
    expect((await api.twilio('/call-status', status)).status).toBe(204);
    expect(api.process.ended.slice(before)).toMatchObject([{ callSid: asked.CallSid, status: 'completed' }]);
    const { rows } = await api.database.owner.query('SELECT call_id, leg FROM webhook_events WHERE sid = $1', [
      asked.CallSid,
    ]);
    expect(rows).toEqual([{ call_id: last(api.process.started)?.callId, leg: 'user' }]);
  });
});

test('neither who calls nor the token is in the log', () => {
  const log = api.logLines.join('');
  expect(log).not.toMatch(/client:/);
  expect(log).not.toMatch(/eyJ/);
});
