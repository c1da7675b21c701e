import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';
import { AppUser, addMentor, heldSlots, legOf, READY_MENTOR, READY_USER, rings } from './people';

const CRISIS = '988';
const { userPhone, mentorPhone } = MARKED;

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({ env: { CALL_PROVIDER_PATIENCE: '8s', CALL_USER_RING: '10s' } });
  await addMentor(stack, mentorPhone);
});
afterAll(async () => {
  await stack.stop();
});

beforeEach(async () => {
  await stack.sim.reset();
  await stack.sim.settings({ wordMs: 2, webhookRetryMs: [200, 400, 800] });
});

it('a provider that cannot place calls ends as failed, with helplines, and no phone rings later', async () => {
  await stack.sim.faults([{ on: 'create', kind: 'error-500-before', times: 1_000 }]);
  const user = new AppUser(stack, userPhone);
  await user.start();
  const ended = await user.end();
  expect(ended).toMatchObject({ status: 'failed', endReason: 'provider-unavailable' });
  expect(ended['helplines']).toMatchObject({ crisis: expect.anything() });
  // The app is told at once. An attempt that is under way has its outcome awaited; only then does the number go.
  await eventually(async () => {
    const { rows } = await stack.pool.query(
      `SELECT d.state, r.destroyed_at IS NOT NULL AS is_gone
         FROM dispatches d JOIN call_logs c USING (call_id) JOIN vault_records r ON r.record_id = c.record_id
        WHERE d.call_id = $1`,
      [user.callId],
    );
    expect(rows[0]).toEqual({ state: 'abandoned', is_gone: true });
  });
  await stack.sim.faults([]);
  expect(await rings(stack, userPhone)).toEqual([]);
});

it('an answer that is lost on the way rings the phone once', async () => {
  await stack.sim.faults([{ on: 'create', kind: 'drop-response', times: 1 }]);
  await stack.sim.script(userPhone, READY_USER);
  await stack.sim.script(mentorPhone, READY_MENTOR);
  const user = new AppUser(stack, userPhone);
  await user.start();
  await user.status('connected');
  expect(await rings(stack, userPhone)).toHaveLength(1);
  await stack.sim.hangUp(userPhone);
  await user.end();
});

it('a burst of 429, then a 500 behind which the call was taken, ring the phone once', async () => {
  await stack.sim.faults([
    { on: 'create', kind: 'rate-limit', times: 2, delayMs: 100 },
    { on: 'create', kind: 'error-500-after', nth: 3 },
  ]);
  await stack.sim.script(userPhone, { ...READY_USER, hangUp: { after: 'bridged', ms: 50 } });
  await stack.sim.script(mentorPhone, READY_MENTOR);
  const user = new AppUser(stack, userPhone);
  await user.start();
  expect(await user.end()).toMatchObject({ status: 'completed' });
  expect(await rings(stack, userPhone)).toHaveLength(1);
});

it('callbacks that come twice, late, in the wrong order, signed without the port, or not at all tell the same story', async () => {
  await stack.sim.settings({ signedPort: 'without' });
  await stack.sim.faults([
    { on: 'callback', kind: 'reorder', event: 'ringing', to: userPhone },
    { on: 'callback', kind: 'late', event: 'in-progress', delayMs: 1_000, to: userPhone },
    { on: 'callback', kind: 'duplicate', event: 'completed', to: userPhone },
    { on: 'callback', kind: 'duplicate-new-token', event: 'ringing', to: mentorPhone },
    { on: 'callback', kind: 'lost', event: 'in-progress', to: mentorPhone },
  ]);
  await stack.sim.script(userPhone, { ...READY_USER, hangUp: { after: 'bridged', ms: 50 } });
  await stack.sim.script(mentorPhone, READY_MENTOR);
  const user = new AppUser(stack, userPhone);
  await user.start();
  expect(await user.end()).toMatchObject({ status: 'completed' });
  await stack.sim.settings({ signedPort: 'as-given' });
  const told = 'SELECT state FROM app_events WHERE object_id = $1 ORDER BY txid, position';
  const { rows } = await stack.pool.query(told, [user.callId]);
  const states = rows.map(({ state }) => state as string);
  expect(states.at(-1)).toBe('completed');
  expect(new Set(states).size).toBe(states.length);
});

it('a user who picks up while the API is down is served by the static document, and the call says so', async () => {
  await stack.sim.script(CRISIS, { answerAfterMs: 50, hangUp: { after: 'bridged', ms: 300 } });
  const user = new AppUser(stack, userPhone);
  await user.start();
  await legOf(stack, userPhone, (leg) => leg.status === 'ringing');
  stack.kill('api', 'SIGKILL');
  await stack.sim.answer(userPhone);
  const leg = await legOf(stack, userPhone, (found) => found.endedAt !== null);
  expect(leg.wentToFallback).toBe(true);
  expect(await rings(stack, CRISIS)).toHaveLength(1);
  await stack.restart('api');
  expect(await user.end()).toMatchObject({ status: 'fallback-completed', endReason: 'fallback-static' });
});

it('a user who presses 1 while no worker runs is asked for a moment, then gets their mentor', async () => {
  await stack.sim.script(mentorPhone, READY_MENTOR);
  const user = new AppUser(stack, userPhone);
  await user.start();
  await legOf(stack, userPhone, (leg) => leg.status === 'ringing');
  stack.kill('worker', 'SIGKILL');
  await stack.sim.script(userPhone, READY_USER);
  await stack.sim.answer(userPhone).catch(() => undefined);
  await legOf(stack, userPhone, (leg) => /moment/i.test(leg.heard.join(' ')));
  await stack.restart('worker');
  await user.status('connected');
  expect(await rings(stack, mentorPhone)).toHaveLength(1);
  await stack.sim.hangUp(userPhone);
  expect(await user.end()).toMatchObject({ status: 'completed' });
  await eventually(async () => expect(await heldSlots(stack)).toBe(0));
});
