/** What health says of a real process, whose parts really go away. */
import { eventually, startStack, type TestStack } from '../../stack';

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({ env: { DRAIN_NOTICE: '4s' } });
}, 120_000);
afterAll(() => stack.stop(), 60_000);

test('with Twilio gone, health says so within seconds, is 200, and says so again when it is back', async () => {
  stack.kill('simulator', 'SIGKILL');
  await stack.restart('api');
  await eventually(async () => {
    const { status, body } = await stack.api('/health');
    expect([status, body.status, body.parts.twilio.state]).toEqual([200, 'degraded', 'down']);
  });
  expect((await stack.api('/health/ready')).status).toBe(200);
  await stack.restart('simulator');
  await eventually(async () => {
    const { body } = await stack.api('/health');
    expect([body.status, body.parts.twilio.state, body.parts.kms.state]).toEqual(['ok', 'up', 'up']);
  }, 20_000);
}, 90_000);

test('a process that is told to end still answers, and tells balancers to look elsewhere first', async () => {
  expect((await stack.api('/health/ready')).body).toEqual({ status: 'ready', because: [] });
  stack.kill('api', 'SIGTERM');
  await eventually(async () => {
    expect(await stack.api('/health/ready')).toMatchObject({ status: 503, body: { because: ['draining'] } });
  }, 3_000);
  expect((await stack.api('/health')).status).toBe(200);
  await eventually(() => expect(stack.pid('api')).toBeNull(), 30_000);
}, 60_000);
