import { ApiUnderTest } from '../api/api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());
beforeEach(async () => {
  api.process.down = null;
  api.twilioState = 'up';
  api.kmsState = 'up';
  api.isDraining = false;
  // An answer is good for a second: the test before may have left another one.
  jest.useFakeTimers({ doNotFake: ['setTimeout', 'setImmediate', 'nextTick', 'queueMicrotask'], now: nextMinute() });
});
afterEach(() => {
  jest.useRealTimers();
});

let minutes = 0;
const nextMinute = () => Date.now() + (minutes += 1) * 60_000;
const well = { state: 'up', checkedAt: expect.stringMatching(/^\d{4}-.*Z$/), ageSeconds: expect.any(Number) };

test('health says how each part is, and since when that is known', async () => {
  const answer = await api.fetch('/health', {});
  expect(answer.status).toBe(200);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.body).toEqual({
    status: 'ok',
    parts: { postgres: well, temporal: well, kms: well, twilio: well },
    stoppedLines: [],
    voiceEnabled: true,
    smsEnabled: true,
    emailEnabled: false,
    standIns: false,
    sweeps: { retention: { lastSuccessAt: null, staleSince: null } },
  });
  for (const part of Object.values<{ ageSeconds: number }>(answer.body.parts)) expect(part.ageSeconds).toBeLessThan(5);
});

const DOWN: readonly [string, () => void, string[]][] = [
  ['temporal', () => (api.process.down = new Error('Temporal is down')), ['temporal']],
  ['kms', () => (api.kmsState = 'down'), []],
  ['twilio', () => (api.twilioState = 'down'), []],
];

test.each(DOWN)(
  'with %s down, health names it and stays 200: TwiML can be answered',
  async (part, takeDown, because) => {
    takeDown();
    const answer = await api.fetch('/health', {});
    expect(answer).toMatchObject({ status: 200, body: { status: 'degraded', parts: { [part]: { state: 'down' } } } });
    const others = Object.entries<{ state: string }>(answer.body.parts).filter(([name]) => name !== part);
    expect(others.map(([, { state }]) => state)).toEqual(['up', 'up', 'up']);
    // A call can be promised or refused with helplines without KMS and Twilio; another process would not have them either.
    const ready = await api.fetch('/health/ready', {});
    expect(ready.status).toBe(because.length === 0 ? 200 : 503);
    expect(ready.body.because).toEqual(because);
  },
);

test('with Postgres down, health names it and stays 200, and a balancer is told to look elsewhere', async () => {
  const alone = await ApiUnderTest.start({}, { postgres: false });
  expect(await alone.fetch('/health', {})).toMatchObject({
    status: 200,
    body: { status: 'degraded', parts: { postgres: { state: 'down' }, temporal: { state: 'up' } } },
  });
  expect(await alone.fetch('/health/ready', {})).toMatchObject({
    status: 503,
    body: { status: 'not-ready', because: ['postgres'] },
  });
  await alone.stop();
});

test('a process that was told to end is not ready, and healthy all the same', async () => {
  expect(await api.fetch('/health/ready', {})).toMatchObject({ status: 200, body: { status: 'ready', because: [] } });
  api.isDraining = true;
  expect(await api.fetch('/health/ready', {})).toMatchObject({ status: 503, body: { because: ['draining'] } });
  expect(await api.fetch('/health', {})).toMatchObject({ status: 200, body: { status: 'ok' } });
});

test('a part that was not asked yet is unknown, which is no failure', async () => {
  api.kmsState = 'unknown';
  expect((await api.fetch('/health', {})).body).toMatchObject({ status: 'ok', parts: { kms: { state: 'unknown' } } });
});

test('a crowd at health asks Postgres once', async () => {
  const query = jest.spyOn(api.deps.pool, 'query');
  try {
    await Promise.all(Array.from({ length: 50 }, () => api.fetch('/health', {})));
    await api.fetch('/health/ready', {});
    expect(query.mock.calls.length).toBeLessThanOrEqual(1);
  } finally {
    query.mockRestore();
  }
});
