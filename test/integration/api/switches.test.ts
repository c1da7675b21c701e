import { stopLine, resumeLine } from '../../../db/provider-lines';
import { MARKED } from '../../marked-people';
import { ApiUnderTest, CONSENT } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());
afterEach(() => api.database.owner.query('DELETE FROM switches'));

const admin = { role: 'admin' } as const;
const turn = (name: string, isOn: unknown) => api.ask('PUT', `/switches/${name}`, { who: admin, json: { isOn } });
const askForCall = () =>
  api.ask('POST', '/connect-mentor', {
    who: { role: 'user' },
    json: { userPhoneNumber: MARKED.userPhone, consent: CONSENT },
  });

test('all are on until somebody turns one, and each turn is audited once', async () => {
  const before = await api.ask('GET', '/switches', { who: admin });
  expect(before.body.switches).toEqual([
    { name: 'voice', isOn: true, isConfigured: true, changedAt: null },
    { name: 'sms', isOn: true, isConfigured: true, changedAt: null },
    // No carrier of mail is configured in these tests.
    { name: 'email', isOn: false, isConfigured: false, changedAt: null },
  ]);
  const off = await turn('sms', false);
  expect(off).toMatchObject({ status: 200, body: { name: 'sms', isOn: false, isConfigured: true } });
  // A repeat changes nothing, not even the time.
  expect((await turn('sms', false)).body).toEqual(off.body);
  expect((await turn('sms', true)).body).toMatchObject({ isOn: true });
  const { rows } = await api.database.owner.query(
    `SELECT object_id, purpose FROM audit_entries WHERE action = 'switch.changed' ORDER BY at`,
  );
  expect(rows).toEqual([
    { object_id: 'sms', purpose: 'off' },
    { object_id: 'sms', purpose: 'on' },
  ]);
});

test('what is off refuses new requests at once, with helplines, and takes them again when it is on', async () => {
  await turn('voice', false);
  expect(await askForCall()).toMatchObject({
    status: 503,
    body: { code: 'voice-disabled', helplines: { crisis: expect.anything() } },
  });
  expect(api.process.started).toEqual([]);
  await turn('sms', false);
  await turn('voice', true);
  expect((await askForCall()).status).toBe(202);
});

test('what is off by configuration stays off, and says so', async () => {
  const without = await ApiUnderTest.start({ SMS_ENABLED: 'false' });
  const answer = await without.ask('PUT', '/switches/sms', { who: admin, json: { isOn: true } });
  expect(answer.body).toMatchObject({ isOn: false, isConfigured: false });
  expect((await without.fetch('/health', {})).body).toMatchObject({ smsEnabled: false, voiceEnabled: true });
  await without.stop();
});

test.each([
  ['a switch that does not exist', 'fax', false, 404, 'not-found'],
  ['a body that says neither on nor off', 'sms', 'off', 400, 'invalid-body'],
])('%s is refused', async (_what, name, isOn, status, code) => {
  expect(await turn(name, isOn)).toMatchObject({ status, body: { code } });
});

test('health tells what is switched off, and which line was stopped since when and why', async () => {
  jest.useFakeTimers({ doNotFake: ['setTimeout', 'setImmediate', 'nextTick', 'queueMicrotask'] });
  try {
    // An answer of health is good for a second.
    const asked = async () => {
      jest.setSystemTime(Date.now() + 60_000);
      return (await api.fetch('/health', {})).body;
    };
    expect(await asked()).toMatchObject({ status: 'ok', stoppedLines: [], smsEnabled: true });
    await turn('sms', false);
    expect(await stopLine(api.deps.pool, 'twilio', '30002')).toBe(true);
    expect(await stopLine(api.deps.pool, 'twilio', '20003')).toBe(false);
    expect(await asked()).toMatchObject({
      status: 'degraded',
      stoppedLines: [{ line: 'twilio', code: '30002', since: expect.stringMatching(/Z$/) }],
      smsEnabled: false,
      voiceEnabled: true,
    });
    // A call cannot wait for it, and says so at once.
    expect(await askForCall()).toMatchObject({ status: 503, body: { code: 'calls-unavailable' } });
    expect(await resumeLine(api.deps.pool, 'twilio')).toBe(true);
    expect(await resumeLine(api.deps.pool, 'twilio')).toBe(false);
    expect(await asked()).toMatchObject({ status: 'ok', stoppedLines: [] });
  } finally {
    jest.useRealTimers();
  }
});
