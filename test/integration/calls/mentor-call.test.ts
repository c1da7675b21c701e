import { randomUUID } from 'node:crypto';
import { ORGANISATION_NUMBERS } from '../../../scripts/services';
import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';
import {
  AppUser,
  addMentor,
  consent,
  contractViolations,
  heldSlots,
  legOf,
  READY_MENTOR,
  READY_USER,
  removeMentor,
  rings,
} from './people';

const CRISIS = '988';
const { userPhone, mentorPhone, otherMentorPhone } = MARKED;
const ours: readonly string[] = ORGANISATION_NUMBERS;

let stack: TestStack;
let mentorId = '';
beforeAll(async () => {
  stack = await startStack({ env: { CALL_MENTOR_CONFIRM: '3s' } });
  await stack.sim.settings({ wordMs: 2 });
});
afterAll(async () => {
  await stack.stop();
});

beforeEach(async () => {
  await stack.sim.reset();
  await stack.sim.settings({ wordMs: 2, timeScale: 1 });
  mentorId = await addMentor(stack, mentorPhone);
});
afterEach(async () => {
  expect(await contractViolations(stack)).toEqual([]);
  await removeMentor(stack, mentorId);
  await eventually(async () => expect(await heldSlots(stack)).toBe(0));
});

const bridged = async (user: AppUser) => {
  await stack.sim.script(userPhone, READY_USER);
  await stack.sim.script(mentorPhone, READY_MENTOR);
  await user.start();
  await user.status('connected');
  return legOf(stack, userPhone, (leg) => leg.bridgedAt !== null);
};

describe('a masked mentor call', () => {
  it('connects two people who see only numbers of the organisation', async () => {
    const user = new AppUser(stack, userPhone);
    await stack.sim.script(userPhone, READY_USER);
    await stack.sim.script(mentorPhone, READY_MENTOR);
    const answer = await user.ask();
    expect(answer.body).toEqual({ success: true, callId: expect.any(String), status: 'starting', callSid: null });
    await user.status('connected');
    const userLeg = await legOf(stack, userPhone, (leg) => leg.bridgedAt !== null);
    const mentorLeg = await legOf(stack, mentorPhone, (leg) => leg.bridgedAt !== null);
    expect(ours).toContain(userLeg.from);
    expect(ours).toContain(mentorLeg.from);
    await stack.sim.hangUp(userPhone);
    const ended = await user.end();
    expect(ended).toMatchObject({ status: 'completed', endReason: 'bridge-over', callSid: userLeg.sid, mentorId });
    const { rows } = await stack.pool.query('SELECT * FROM call_logs WHERE call_id = $1', [user.callId]);
    expect(rows[0]).toMatchObject({ live: false, consent_version: consent().textVersion, country: 'US' });
    expect(rows[0].bridged_at).not.toBeNull();
  });

  it('destroys the number with the call it was given for, and keeps a saved one', async () => {
    const user = new AppUser(stack, userPhone);
    await bridged(user);
    await stack.sim.hangUp(userPhone);
    await user.end();
    const destroyed = await stack.pool.query(
      'SELECT destroyed_at, ciphertext FROM vault_records JOIN call_logs USING (record_id) WHERE call_id = $1',
      [user.callId],
    );
    expect(destroyed.rows[0]).toMatchObject({ destroyed_at: expect.any(Date), ciphertext: null });

    const saved = await stack.api('/contact-points', { json: { phoneNumber: userPhone } }, user.who);
    expect(saved.status).toBe(201);
    const json = {
      contactPointId: saved.body.contactPointId,
      consent: consent(),
    };
    const second = await stack.api('/connect-mentor', { json }, user.who);
    user.callId = second.body.callId;
    await user.status('connected');
    await stack.sim.hangUp(userPhone);
    await user.end();
    const kept = await stack.pool.query(
      'SELECT destroyed_at FROM vault_records JOIN call_logs USING (record_id) WHERE call_id = $1',
      [user.callId],
    );
    expect(kept.rows[0].destroyed_at).toBeNull();
  });

  it('says nothing but neutral words before key 1, and nothing at all to a voicemail after them', async () => {
    await stack.sim.script(userPhone, {
      outcome: 'voicemail',
      answerAfterMs: 50,
      hangUp: { after: 'words', ms: 800 },
    });
    const user = new AppUser(stack, userPhone);
    await user.start();
    expect(await user.end()).toMatchObject({ status: 'no-answer', endReason: 'user-not-reached' });
    const [leg] = await rings(stack, userPhone);
    expect(leg?.heard.join(' ')).toMatch(/this is the call you asked for/i);
    expect(leg?.heard.join(' ')).not.toMatch(/mentor|support|crisis|kindline/i);
    expect(await rings(stack, mentorPhone)).toEqual([]);
  });

  it.each(['busy', 'no-answer', 'decline', 'failed'] as const)(
    'rings no mentor when the user is %s',
    async (outcome) => {
      await stack.sim.script(userPhone, { outcome, answerAfterMs: 50 });
      await stack.sim.settings({ timeScale: 10 });
      const user = new AppUser(stack, userPhone);
      await user.start();
      const ended = await user.end();
      expect(ended).toMatchObject({ status: 'no-answer', endReason: 'user-not-reached' });
      expect(ended['helplines']).toMatchObject({ crisis: expect.anything(), emergency: expect.anything() });
      expect(await rings(stack, mentorPhone)).toEqual([]);
    },
  );

  it('leaves lines of exactly five fields, which one token joins and which name nobody', async () => {
    await stack.sim.script(userPhone, { answerAfterMs: 100, outcome: 'decline' });
    const user = new AppUser(stack, userPhone);
    await user.start();
    const lines = await eventually(() => {
      const { api = '', worker = '' } = stack.logs();
      const found = [...api.split('\n'), ...worker.split('\n')]
        .filter((line) => line.includes('"msg":"call"') && line.includes(user.callId))
        .map((line): Record<string, unknown> => JSON.parse(line));
      const seen = found.map(({ status }) => status);
      expect(seen).toEqual(expect.arrayContaining(['dispatch-accepted', 'initiated', 'ringing', 'busy']));
      expect(found.some(({ name, status }) => name === 'worker' && status !== 'dispatch-accepted')).toBe(true);
      return found;
    });
    const fields = ['call_id', 'country', 'level', 'msg', 'name', 'recipient_token', 'retry_count', 'status', 'time'];
    for (const line of lines) expect(Object.keys(line).toSorted()).toEqual(fields);
    expect(new Set(lines.map((line) => line.recipient_token)).size).toBe(1);
    const { rows } = await stack.pool.query('SELECT recipient_token FROM call_logs WHERE call_id = $1', [user.callId]);
    expect(JSON.stringify(lines)).not.toContain(rows[0].recipient_token.toString('hex'));
  });
});

describe('looking for a mentor', () => {
  it.each([
    ['busy', 'busy'],
    ['decline', 'busy'],
    ['no-answer', 'no-answer'],
    ['voicemail', 'completed'],
  ] as const)('goes on to the next one when the first is %s', async (outcome, status) => {
    // A phone that nobody picks up rings for as long as CALL_MENTOR_RING says.
    await stack.sim.settings({ timeScale: outcome === 'no-answer' ? 10 : 1 });
    const other = await addMentor(stack, otherMentorPhone);
    // Both are equal; whoever is rung first does not take it.
    await stack.sim.script(userPhone, READY_USER);
    await stack.sim.script(mentorPhone, { outcome, answerAfterMs: 50 });
    await stack.sim.script(otherMentorPhone, { outcome, answerAfterMs: 50 });
    const user = new AppUser(stack, userPhone);
    await user.start();
    const both = await eventually(async () => {
      const rung = [...(await rings(stack, mentorPhone)), ...(await rings(stack, otherMentorPhone))];
      expect(rung).toHaveLength(2);
      return rung;
    });
    expect(both.every((leg) => leg.bridgedAt === null)).toBe(true);
    const [first] = both.toSorted((a, b) => String(a.ringingAt).localeCompare(String(b.ringingAt)));
    expect(first?.status).toBe(status);
    await removeMentor(stack, other);
    await stack.sim.hangUp(userPhone).catch(() => undefined);
    await user.end();
  });

  it('takes the helpline, announced, when nobody is there, within 10 s of the key', async () => {
    await removeMentor(stack, mentorId);
    await stack.sim.script(userPhone, READY_USER);
    await stack.sim.script(CRISIS, { answerAfterMs: 50 });
    const user = new AppUser(stack, userPhone);
    await user.start();
    const helpline = await legOf(stack, CRISIS, (leg) => leg.bridgedAt !== null);
    const leg = await legOf(stack, userPhone, () => true);
    expect(Date.parse(String(helpline.bridgedAt)) - Date.parse(String(leg.answeredAt))).toBeLessThan(10_000);
    expect(leg.heard.length).toBeGreaterThan(1);
    expect(ours).toContain(helpline.from);
    await stack.sim.hangUp(CRISIS);
    expect(await user.end()).toMatchObject({ status: 'fallback-completed', endReason: 'helpline-over' });
  });

  it('does not ring a mentor who is outside their hours', async () => {
    await stack.api(
      `/mentors/${mentorId}/windows`,
      { method: 'PUT', json: { windows: [] }, headers: { 'If-Match': '*' } },
      { role: 'admin' },
    );
    await stack.sim.script(userPhone, { ...READY_USER, hangUp: { after: 'bridged', ms: 50 } });
    await stack.sim.script(CRISIS, { answerAfterMs: 50 });
    const user = new AppUser(stack, userPhone);
    await user.start();
    expect(await user.end()).toMatchObject({ status: 'fallback-completed' });
    expect(await rings(stack, mentorPhone)).toEqual([]);
  });

  it('takes the star key while a mentor rings as a wish for the helpline', async () => {
    await stack.sim.script(userPhone, READY_USER);
    await stack.sim.script(CRISIS, { answerAfterMs: 50 });
    const user = new AppUser(stack, userPhone);
    await user.start();
    await legOf(stack, mentorPhone, (leg) => leg.status === 'ringing');
    await stack.sim.press(userPhone, '*');
    await legOf(stack, CRISIS, (leg) => leg.bridgedAt !== null);
    // By the key, and not because nobody answered: the mentor's phone was still ringing.
    expect(await rings(stack, mentorPhone)).toMatchObject([{ status: 'canceled' }]);
    const heard = (await legOf(stack, userPhone, (leg) => leg.bridgedAt !== null)).heard.join(' ');
    expect(heard).toContain('We are connecting you with a helpline.');
    expect(heard).not.toContain('No mentor');
    await stack.sim.hangUp(userPhone);
    expect(await user.end()).toMatchObject({ status: 'fallback-completed' });
  });

  it('offers key 1 to be connected again when the mentor’s line ends while the user is still there', async () => {
    const user = new AppUser(stack, userPhone);
    await bridged(user);
    // Long enough to count as a conversation: shorter ones are taken up again unasked.
    await stack.sim.hangUp(mentorPhone);
    const second = await eventually(async () => {
      const legs = await rings(stack, mentorPhone);
      expect(legs.filter((leg) => leg.bridgedAt !== null)).toHaveLength(2);
      return legs;
    });
    expect(second).toHaveLength(2);
    await stack.sim.hangUp(userPhone);
    expect(await user.end()).toMatchObject({ status: 'completed' });
  });
});

describe('a request that comes again', () => {
  it('finds the same call under the same Idempotency-Key, and one phone rings once', async () => {
    await stack.sim.script(userPhone, READY_USER);
    const user = new AppUser(stack, userPhone);
    const headers = { 'Idempotency-Key': randomUUID() };
    const answers = await Promise.all([user.ask({}, headers), user.ask({}, headers), user.ask({}, headers)]);
    expect(new Set(answers.map(({ body }) => body.callId)).size).toBe(1);
    const other = await user.ask({ mayCallBack: true }, headers);
    expect(other.status).toBe(422);
    expect(other.body.code).toBe('idempotency-key-reused');
    await legOf(stack, mentorPhone, () => true);
    expect(await rings(stack, userPhone)).toHaveLength(1);
    await user.cancel();
    await user.end();
  });

  it('is merged into the live call without a key: the second tap never rings twice', async () => {
    await stack.sim.script(userPhone, READY_USER);
    const user = new AppUser(stack, userPhone);
    await user.start();
    const first = user.callId;
    await legOf(stack, mentorPhone, () => true);
    await user.start();
    expect(user.callId).not.toBe(first);
    await eventually(async () => expect((await user.look()).body).toMatchObject({ callId: first }));
    expect(await rings(stack, userPhone)).toHaveLength(1);
    await user.cancel();
    expect((await user.look(first)).body.status).toBe('cancelled');
  });
});

describe('cancelling', () => {
  it('ends a leg that rings, and says so', async () => {
    const user = new AppUser(stack, userPhone);
    await user.start();
    const ringing = await legOf(stack, userPhone, (leg) => leg.status === 'ringing');
    await user.status('ringing-user');
    expect((await user.look()).body.callSid).toBe(ringing.sid);
    const cancelled = await user.cancel();
    expect(cancelled.status).toBe(200);
    expect(cancelled.body).toMatchObject({ status: 'cancelled', endReason: 'cancelled-by-user' });
    await legOf(stack, userPhone, (leg) => leg.endedAt !== null && leg.answeredAt === null);
  });

  it('ends both legs of a bridge, and answers the same when it is asked again', async () => {
    const user = new AppUser(stack, userPhone);
    await bridged(user);
    expect((await user.cancel()).body).toMatchObject({ status: 'completed', endReason: 'ended-by-user' });
    await legOf(stack, mentorPhone, (leg) => leg.endedAt !== null);
    expect((await user.cancel()).body).toMatchObject({ status: 'completed', endReason: 'ended-by-user' });
  });

  it('is not possible for somebody else: to them there is no such call', async () => {
    const user = new AppUser(stack, userPhone);
    await user.start();
    const stranger = { role: 'user', subject: randomUUID() } as const;
    expect((await stack.api(`/mentor-calls/${user.callId}`, { method: 'DELETE' }, stranger)).status).toBe(404);
    expect((await stack.api(`/mentor-calls/${user.callId}`, {}, stranger)).status).toBe(404);
    await user.cancel();
    await user.end();
  });
});

describe('stopping a workflow by hand', () => {
  it('leaves no ringing phone and no place taken when it is cancelled', async () => {
    const user = new AppUser(stack, userPhone);
    await bridged(user);
    await stack.temporal.workflow.getHandle(`mentor-call:${user.callId}`).cancel();
    expect(await user.end()).toMatchObject({ endReason: 'stopped-by-operator' });
    await eventually(async () => expect(await stack.sim.calls()).toEqual([]));
  });

  it.each(['ringing the user', 'ringing a mentor', 'bridged', 'with the helpline'] as const)(
    'is put right by the sweep when it is terminated while %s',
    async (state) => {
      const user = new AppUser(stack, userPhone);
      if (state === 'bridged') await bridged(user);
      else if (state === 'with the helpline') {
        await removeMentor(stack, mentorId);
        await stack.sim.script(userPhone, READY_USER);
        await stack.sim.script(CRISIS, { answerAfterMs: 50 });
        await user.start();
        await legOf(stack, CRISIS, (leg) => leg.bridgedAt !== null);
      } else {
        if (state === 'ringing a mentor') await stack.sim.script(userPhone, READY_USER);
        await user.start();
        await legOf(stack, state === 'ringing the user' ? userPhone : mentorPhone, (leg) => leg.status === 'ringing');
      }
      await stack.temporal.workflow.getHandle(`mentor-call:${user.callId}`).terminate();
      await eventually(async () => expect(await stack.sim.calls()).toEqual([]));
      await eventually(async () => expect(await heldSlots(stack)).toBe(0));
      expect(await user.end()).toMatchObject({ endReason: 'stopped-by-operator' });
    },
  );
});

describe('calls to our own numbers', () => {
  const [number] = ORGANISATION_NUMBERS;

  it('tell a stranger what the number is and how to reach the helpline, and nothing else', async () => {
    const stranger = MARKED.otherUserPhone;
    const sid = await stack.sim.call(stranger, number);
    const leg = await eventually(async () => {
      const found = (await stack.sim.ledger()).find((entry) => entry.sid === sid);
      expect(found?.endedAt).toBeTruthy();
      return found;
    });
    expect(leg?.heard.join(' ')).toMatch(/9 8 8/);
    expect(leg?.heard.join(' ')).not.toMatch(/mentor|user/i);
  });

  it('put a user whose request is live into it', async () => {
    await stack.sim.script(mentorPhone, READY_MENTOR);
    const user = new AppUser(stack, userPhone);
    await user.start();
    await legOf(stack, userPhone, (leg) => leg.status === 'ringing');
    const sid = await stack.sim.call(userPhone, number);
    await eventually(async () => {
      const handset = await stack.sim.handset(userPhone);
      expect(handset.calls.find((call) => call.sid === sid)?.expectsKeys).toBe(true);
    });
    await stack.sim.press(userPhone, '1', sid);
    await user.status('connected');
    await stack.sim.hangUp(userPhone, sid);
    expect(await user.end()).toMatchObject({ status: 'completed' });
  });
});
