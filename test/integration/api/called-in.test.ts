import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';
import { CONSENT } from './api-under-test';
import { ALWAYS } from '../db/people';

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop(), 60_000);

test('a user who rings us while we ring them is put through, is rung no longer, and their hanging up ends the call', async () => {
  const mentor = {
    name: MARKED.mentorName,
    phoneNumber: MARKED.mentorPhone,
    languages: ['en'],
    zone: 'UTC',
    windows: ALWAYS,
  };
  await stack.api('/mentors', { json: mentor }, { role: 'admin' });
  const hangUp = { after: 'bridged', ms: 500 } as const;
  await stack.sim.script(MARKED.userPhone, { keys: [{ when: 'greeting', press: '1' }], hangUp });
  await stack.sim.script(MARKED.mentorPhone, { answerAfterMs: 200, keys: [{ when: 'whisper', press: '1' }] });

  const request = { userPhoneNumber: MARKED.userPhone, consent: CONSENT };
  const { body } = await stack.api('/connect-mentor', { json: request }, { role: 'user' });
  const call = async () => (await stack.api(`/mentor-calls/${body.callId}`, {}, { role: 'user' })).body;
  await eventually(async () => expect((await call()).status).toBe('ringing-user'));
  const calledIn = await stack.sim.call(MARKED.userPhone, '+14155550100');

  await eventually(async () => expect(await call()).toMatchObject({ status: 'completed', callSid: calledIn }));
  const legs = await stack.sim.ledger();
  const rung = legs.find((leg) => leg.direction === 'outbound-api');
  expect(rung).toMatchObject({ to: MARKED.userPhone, answeredAt: null, spoke: false });
  expect(legs.find((leg) => leg.to === MARKED.mentorPhone)?.bridgedWith).toEqual([calledIn]);
});
