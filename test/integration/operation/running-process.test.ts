/** What health says of a real process, whose parts really go away. */
import { eventually, startStack, type TestStack } from '../../stack';

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({ env: { DRAIN_NOTICE: '10s' } });
});
afterAll(() => stack.stop(), 60_000);

test('with Twilio gone, health says so within seconds, is 200, and says so again when it is back', async () => {
  stack.kill('simulator', 'SIGKILL');
  await stack.restart('api');
  await eventually(async () => {
    const { status, body } = await stack.api('/health');
    expect([status, body.status, body.parts.twilio.state]).toEqual([200, 'degraded', 'down']);
  });
  await eventually(async () => expect((await stack.api('/health/ready')).status).toBe(200));
  await stack.restart('simulator');
  await eventually(async () => {
    const { body } = await stack.api('/health');
    expect([body.status, body.parts.twilio.state, body.parts.kms.state]).toEqual(['ok', 'up', 'up']);
  });
});

test('signs people in to its pages at the issuer beside it', async () => {
  const open = (url: string, init: RequestInit = {}) => fetch(url, { redirect: 'manual', ...init });
  const begun = await open(`${stack.apiUrl}/sign-in?to=/staff`);
  const asked = new URL(begun.headers.get('location') ?? '');
  const form = new URLSearchParams(asked.search);
  form.set('role', 'staff');
  const chosen = await open(`${asked.origin}${asked.pathname}`, { method: 'POST', body: form });
  const cookieOf = (answer: Response, name: string) =>
    answer.headers
      .getSetCookie()
      .find((line) => line.startsWith(`${name}=`))
      ?.split(';')[0] ?? '';
  const back = await open(chosen.headers.get('location') ?? '', {
    headers: { cookie: cookieOf(begun, 'kindline-sign-in') },
  });
  expect(back.headers.get('location')).toBe('/staff');
  const page = await open(`${stack.apiUrl}/staff`, { headers: { cookie: cookieOf(back, 'kindline-session') } });
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('mentors on shift');
});

test('a process that is told to end still answers, and tells balancers to look elsewhere first', async () => {
  await eventually(async () => {
    expect((await stack.api('/health/ready')).body).toEqual({ status: 'ready', because: [] });
  });
  stack.kill('api', 'SIGTERM');
  await eventually(async () => {
    expect(await stack.api('/health/ready')).toMatchObject({ status: 503, body: { because: ['draining'] } });
  });
  expect((await stack.api('/health')).status).toBe(200);
  await eventually(() => expect(stack.pid('api')).toBeNull());
});
