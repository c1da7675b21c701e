import { mentorCallWorkflowId } from '../../../domain/mentor-call';
import type { HandsetScript } from '../../../simulator/client';
import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';
import {
  AppUser,
  addMentor,
  contractViolations,
  heldSlots,
  legOf,
  READY_MENTOR,
  READY_USER,
  removeMentor,
  rings,
} from './people';

const { userPhone, otherUserPhone, mentorPhone, otherMentorPhone } = MARKED;
const THIRD_USER = '+14155550147';
const ADMIN = { role: 'admin', subject: 'an-admin' } as const;
/** Presses 1 at our first words, and 2 when everybody is talking. */
const PATIENT_USER: HandsetScript = {
  answerAfterMs: 50,
  keys: [
    { when: 'greeting', press: '1', afterMs: 20 },
    { when: 'All mentors are talking', press: '2', afterMs: 20 },
  ],
};

let stack: TestStack;
let mentorId = '';
beforeAll(async () => {
  stack = await startStack({ env: { CALL_MENTOR_CONFIRM: '3s', QUEUE_LIMIT: '2', QUEUE_LONGEST_WAIT: '5m' } });
});
afterAll(async () => {
  await stack.stop();
});

beforeEach(async () => {
  await stack.sim.reset();
  await stack.sim.settings({ wordMs: 2 });
  mentorId = await addMentor(stack, mentorPhone);
  await stack.sim.script(mentorPhone, READY_MENTOR);
});
afterEach(async () => {
  expect(await contractViolations(stack)).toEqual([]);
  await removeMentor(stack, mentorId);
  await eventually(async () => expect(await heldSlots(stack)).toBe(0));
  expect(await inQueue()).toEqual([]);
});

async function inQueue(): Promise<string[]> {
  const { rows } = await stack.pool.query<{ call_id: string }>(
    'SELECT call_id FROM mentor_queue ORDER BY waiting_since',
  );
  return rows.map((row) => row.call_id);
}

/** Has the one mentor there is on the line. */
async function talking(): Promise<AppUser> {
  const user = new AppUser(stack, userPhone);
  await stack.sim.script(userPhone, READY_USER);
  await user.start();
  await user.status('connected');
  return user;
}

/** Has pressed 2, and their phone has been hung up. */
async function waiting(phone: string, more: object = { mayWait: true }): Promise<AppUser> {
  const user = new AppUser(stack, phone);
  await stack.sim.script(phone, PATIENT_USER);
  await user.start(more);
  await user.status('waiting');
  await legOf(stack, phone, (leg) => leg.status === 'completed');
  return user;
}

const numberOf = async ({ callId }: AppUser) => {
  const { rows } = await stack.pool.query<{ gone: boolean }>(
    'SELECT destroyed_at IS NOT NULL AS gone FROM vault_records JOIN call_logs USING (record_id) WHERE call_id = $1',
    [callId],
  );
  return rows[0]?.gone === true ? 'destroyed' : 'kept';
};

it('rings whoever wanted to wait when the mentor has hung up, in the order in which they came, and only them', async () => {
  const first = await talking();
  const second = await waiting(otherUserPhone);
  const third = await waiting(THIRD_USER);
  const place = (await second.look()).body;
  expect(place.waiting).toMatchObject({ position: 1, since: expect.any(String), until: expect.any(String) });
  expect((await third.look()).body.waiting.position).toBe(2);
  expect(await numberOf(second)).toBe('kept');
  // The list holds back what is newer than a change that is not yet written.
  await eventually(async () => {
    const { body } = await stack.api('/events', {}, second.who);
    expect(body.events.map(({ type }: { type: string }) => type)).toContain('mentor-call.waiting');
  });

  // Who does not want to wait, and for whom there is no place, is with the helpline at once.
  const impatient = new AppUser(stack, '+14155550148');
  await stack.sim.script('+14155550148', PATIENT_USER);
  await impatient.start();
  await impatient.status('helpline');
  const late = new AppUser(stack, '+14155550149');
  await stack.sim.script('+14155550149', PATIENT_USER);
  await late.start({ mayWait: true });
  await late.status('helpline');
  await Promise.all([stack.sim.hangUp('+14155550148'), stack.sim.hangUp('+14155550149')]);

  await stack.sim.hangUp(userPhone);
  await second.status('connected');
  expect((await first.end()).status).toBe('completed');
  expect((await third.look()).body).toMatchObject({ status: 'waiting', waiting: { position: 1 } });
  const legs = await rings(stack, otherUserPhone);
  expect(legs).toHaveLength(2);
  // Neutral again, whoever picks up; what it is about comes after the key.
  expect(legs[1]?.heard[0]).toMatch(/this is the call you asked for/i);
  expect(legs[0]?.heard.join(' ')).toMatch(/We will ring you as soon as somebody is free/);
  expect(await rings(stack, mentorPhone)).toHaveLength(2);

  await stack.sim.hangUp(otherUserPhone);
  expect((await second.end()).status).toBe('completed');
  expect(await numberOf(second)).toBe('destroyed');
  await third.status('connected');
  await stack.sim.hangUp(THIRD_USER);
  expect((await third.end()).status).toBe('completed');
});

it('gives the mentor back when the one who waited does not answer, and rings no mentor for nobody', async () => {
  const first = await talking();
  const second = await waiting(otherUserPhone);
  await stack.sim.script(otherUserPhone, { outcome: 'decline', answerAfterMs: 50 });
  await stack.sim.hangUp(userPhone);
  const ended = await second.end();
  expect(ended).toMatchObject({ status: 'no-answer', endReason: 'user-not-reached' });
  expect(ended['helplines']).toMatchObject({ crisis: expect.anything() });
  expect(await rings(stack, mentorPhone)).toHaveLength(1);
  await first.end();
});

it('lets them leave at any time, and offers what becomes free to the next when a workflow was terminated by hand', async () => {
  const first = await talking();
  const second = await waiting(otherUserPhone);
  const third = await waiting(THIRD_USER);
  const stranger = await stack.api(`/mentor-calls/${second.callId}`, { method: 'DELETE' }, { role: 'user' });
  expect(stranger.status).toBe(404);
  expect((await second.cancel()).body).toMatchObject({ status: 'cancelled', endReason: 'cancelled-by-user' });
  expect(await inQueue()).toEqual([third.callId]);
  expect(await numberOf(second)).toBe('destroyed');

  const fourth = await waiting(otherUserPhone);
  await stack.temporal.workflow.getHandle(mentorCallWorkflowId(third.callId)).terminate('by hand');
  await stack.sim.hangUp(userPhone);
  // The head of the queue is nobody any more: the place goes to the next at once, not after the sweep.
  await fourth.status('connected');
  expect((await third.end()).status).toBe('cancelled');
  expect(await numberOf(third)).toBe('destroyed');
  await stack.sim.hangUp(otherUserPhone);
  await fourth.end();
  await first.end();
});

it('hangs up whoever is asked for a key when the workflow was terminated by hand, and keeps nothing of them', async () => {
  const first = await talking();
  const second = new AppUser(stack, otherUserPhone);
  // Presses 1 at our first words, and nothing when asked whether they want to wait.
  await stack.sim.script(otherUserPhone, READY_USER);
  await second.start({ mayWait: true });
  await legOf(stack, otherUserPhone, (leg) => leg.heard.join(' ').includes('All mentors are talking'));
  await stack.temporal.workflow.getHandle(mentorCallWorkflowId(second.callId)).terminate('by hand');
  await legOf(stack, otherUserPhone, (leg) => leg.endedAt !== null);
  expect((await second.end()).endReason).toBe('stopped-by-operator');
  expect(await rings(stack, otherUserPhone)).toHaveLength(1);
  expect(await numberOf(second)).toBe('destroyed');
  // Whoever talks is not disturbed.
  expect((await first.look()).body.status).toBe('connected');
  await stack.sim.hangUp(userPhone);
  await first.end();
});

it('keeps who waits through the death of the worker, and rings them when it is back', async () => {
  const first = await talking();
  const second = await waiting(otherUserPhone);
  stack.kill('worker', 'SIGKILL');
  // Nobody is there to hear that the mentor is free.
  await stack.sim.hangUp(userPhone);
  expect((await second.look()).body).toMatchObject({ status: 'waiting', waiting: { position: 1 } });
  await stack.restart('worker');
  await second.status('connected');
  expect(await rings(stack, otherUserPhone)).toHaveLength(2);
  expect(await rings(stack, mentorPhone)).toHaveLength(2);
  await stack.sim.hangUp(otherUserPhone);
  await second.end();
  await first.end();
});

it('removes who was terminated by hand although nothing becomes free, and rings when a mentor switches on', async () => {
  const first = await talking();
  const second = await waiting(otherUserPhone);
  await stack.temporal.workflow.getHandle(mentorCallWorkflowId(second.callId)).terminate('by hand');
  await eventually(async () => expect(await inQueue()).toEqual([]));
  expect((await second.end()).endReason).toBe('stopped-by-operator');

  const third = await waiting(THIRD_USER);
  const other = await addMentor(stack, otherMentorPhone, { available: false });
  await stack.sim.script(otherMentorPhone, READY_MENTOR);
  const headers = { 'If-Match': '*' };
  await stack.api(`/mentors/${other}`, { method: 'PATCH', json: { available: true }, headers }, ADMIN);
  await third.status('connected');
  expect((await third.look()).body.mentorId).toBe(other);
  await stack.sim.hangUp(THIRD_USER);
  await third.end();
  await stack.sim.hangUp(userPhone);
  await first.end();
  await removeMentor(stack, other);
});
