/** What can go wrong with the lines of a call, row by row of the scenarios that the simulator plays. */
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

const CRISIS = '988';
const SECOND = '+18338526262';
const { userPhone, otherUserPhone, mentorPhone, otherMentorPhone } = MARKED;
/** Says yes to everything: the call, and being connected again. */
const EAGER_USER = {
  ...READY_USER,
  keys: [...(READY_USER.keys ?? []), { when: 'connected again', press: '1', afterMs: 20 }],
};
/** How much faster than real phones these are; rings and keys that nobody presses take long enough. */
const TIME_SCALE = 4;
/** Longer than `CALL_SHORT_BRIDGE` and `CALL_FEEDBACK_AFTER` below, in the time of the phones. */
const A_CONVERSATION = 2_300 * TIME_SCALE;
const TALKATIVE_MENTOR = { ...READY_MENTOR, hangUp: { after: 'bridged', ms: A_CONVERSATION } };

let stack: TestStack;
let mentorId = '';
beforeAll(async () => {
  stack = await startStack({
    env: {
      CALL_MENTOR_CONFIRM: '3s',
      CALL_SHORT_BRIDGE: '2s',
      CALL_CUT_SHORT: '4s',
      CALL_MAX_RECONNECTIONS: '2',
      CALL_FEEDBACK_AFTER: '2s',
      RECIPIENT_LIMITS: '20/1m',
    },
  });
});
afterAll(async () => {
  await stack.stop();
});
beforeEach(async () => {
  await stack.sim.reset();
  await stack.sim.settings({ wordMs: 2, timeScale: TIME_SCALE });
  mentorId = await addMentor(stack, mentorPhone);
});
afterEach(async () => {
  expect(await contractViolations(stack)).toEqual([]);
  await removeMentor(stack, mentorId);
  await eventually(async () => expect(await heldSlots(stack)).toBe(0));
});

const bridges = async (phone: string, n: number) =>
  eventually(async () => {
    const legs = (await rings(stack, phone)).filter((leg) => leg.bridgedAt !== null);
    expect(legs).toHaveLength(n);
    return legs;
  });

/** A user who has said yes is with the mentor. */
async function talking(
  more: object = {},
  script: object = READY_USER,
  mentor: object = READY_MENTOR,
): Promise<AppUser> {
  const user = new AppUser(stack, userPhone);
  await stack.sim.script(userPhone, script);
  await stack.sim.script(mentorPhone, mentor);
  await user.start(more);
  await legOf(stack, mentorPhone, (leg) => leg.bridgedAt !== null);
  return user;
}

const textsTo = async (phone: string) =>
  (await stack.sim.texts(phone)).filter(({ direction }) => direction === 'incoming').map(({ body }) => body);

async function numberIsGone({ callId }: AppUser): Promise<boolean> {
  const { rows } = await stack.pool.query(
    `SELECT r.destroyed_at IS NOT NULL AS is_gone FROM call_logs c JOIN vault_records r USING (record_id)
      WHERE c.call_id = $1`,
    [callId],
  );
  return rows[0]?.is_gone === true;
}

describe('row 4, the user’s leg', () => {
  it('hangs up while a mentor’s phone rings: that phone is quiet at once, and no other rings', async () => {
    await stack.sim.settings({ timeScale: 1 });
    const other = await addMentor(stack, otherMentorPhone);
    await stack.sim.script(userPhone, READY_USER);
    const user = new AppUser(stack, userPhone);
    await user.start();
    await eventually(async () => {
      const rung = [...(await rings(stack, mentorPhone)), ...(await rings(stack, otherMentorPhone))];
      expect(rung).toHaveLength(1);
    });
    await stack.sim.hangUp(userPhone);
    expect(await user.end()).toMatchObject({ status: 'cancelled', endReason: 'user-hung-up' });
    await eventually(async () => expect(await stack.sim.calls()).toEqual([]));
    expect([...(await rings(stack, mentorPhone)), ...(await rings(stack, otherMentorPhone))]).toHaveLength(1);
    await removeMentor(stack, other);
  });

  it('hangs up before Twilio fetches what to say: nothing is said, and no mentor rings', async () => {
    await stack.sim.script(userPhone, { answerAfterMs: 50, hangUp: { after: 'answered', ms: 0 } });
    const user = new AppUser(stack, userPhone);
    await user.start();
    expect(await user.end()).toMatchObject({ status: 'no-answer', endReason: 'user-not-reached' });
    expect((await rings(stack, userPhone)).flatMap(({ heard }) => heard)).toEqual([]);
    expect(await rings(stack, mentorPhone)).toEqual([]);
    expect(await numberIsGone(user)).toBe(true);
  });
});

describe('row 5, the mentor’s leg', () => {
  it('is picked up and nobody presses 1: no bridge, and the user goes on to the helpline', async () => {
    await stack.sim.script(userPhone, READY_USER);
    await stack.sim.script(mentorPhone, { answerAfterMs: 50 });
    await stack.sim.script(CRISIS, { answerAfterMs: 50, hangUp: { after: 'bridged', ms: 200 } });
    const user = new AppUser(stack, userPhone);
    await user.start();
    expect(await user.end()).toMatchObject({ status: 'fallback-completed', endReason: 'helpline-over' });
    expect((await rings(stack, mentorPhone)).map(({ bridgedAt }) => bridgedAt)).toEqual([null]);
  });

  it('is busy with another call of ours: it does not ring for a second one', async () => {
    const first = await talking();
    await stack.sim.script(otherUserPhone, { ...READY_USER, hangUp: { after: 'bridged', ms: 50 } });
    await stack.sim.script(CRISIS, { answerAfterMs: 50 });
    const second = new AppUser(stack, otherUserPhone);
    await second.start();
    expect(await second.end()).toMatchObject({ status: 'fallback-completed' });
    expect(await rings(stack, mentorPhone)).toHaveLength(1);
    await stack.sim.hangUp(userPhone);
    expect(await first.end()).toMatchObject({ status: 'completed' });
  });

  it('rings while the shift ends: who was rung in time may take the call, and is not rung again', async () => {
    await stack.sim.settings({ timeScale: 1 });
    await stack.sim.script(userPhone, READY_USER);
    const user = new AppUser(stack, userPhone);
    await user.start();
    const leg = await legOf(stack, mentorPhone, (found) => found.status === 'ringing');
    await stack.api(
      `/mentors/${mentorId}/windows`,
      { method: 'PUT', json: { windows: [] }, headers: { 'If-Match': '*' } },
      { role: 'admin' },
    );
    await stack.sim.script(mentorPhone, READY_MENTOR);
    await stack.sim.answer(mentorPhone, leg.sid).catch(() => undefined);
    await user.status('connected');
    await stack.sim.script(CRISIS, { answerAfterMs: 50, hangUp: { after: 'bridged', ms: 200 } });
    await stack.sim.lose(mentorPhone);
    // Their line breaks, and their shift is over: the next one is the helpline.
    expect(await user.end()).toMatchObject({ status: 'fallback-completed' });
    expect(await rings(stack, mentorPhone)).toHaveLength(1);
  });
});

describe('row 6, the helpline', () => {
  const alone = async (crisis: object, second: object) => {
    await removeMentor(stack, mentorId);
    await stack.sim.script(userPhone, READY_USER);
    await stack.sim.script(CRISIS, crisis);
    await stack.sim.script(SECOND, second);
    const user = new AppUser(stack, userPhone);
    await user.start();
    return user;
  };

  it('is busy: the second one is announced and dialled, and both numbers are texted', async () => {
    const user = await alone({ outcome: 'busy' }, { answerAfterMs: 50, hangUp: { after: 'bridged', ms: 200 } });
    expect(await user.end()).toMatchObject({ status: 'fallback-completed', endReason: 'helpline-over' });
    const [leg] = await rings(stack, userPhone);
    expect(leg?.heard.join(' ')).toMatch(/that helpline did not answer.*another one/i);
    expect(await bridges(SECOND, 1)).toHaveLength(1);
    await eventually(async () => expect(await textsTo(userPhone)).toHaveLength(1));
  });

  it('and the second one are busy: the numbers are said, texted in neutral words, and the number then goes', async () => {
    const user = await alone({ outcome: 'busy' }, { outcome: 'busy' });
    const ended = await user.end();
    expect(ended).toMatchObject({ status: 'failed', endReason: 'helpline-not-reached' });
    expect(ended['helplines']).toMatchObject({ crisis: { number: '988' }, second: { number: SECOND } });
    const [leg] = await rings(stack, userPhone);
    expect(leg?.heard.join(' ')).toMatch(/9 8 8, 1 8 3 3.*9 1 1/);
    const [text] = await eventually(async () => {
      const got = await textsTo(userPhone);
      expect(got).toHaveLength(1);
      return got;
    });
    expect(text).toContain(`988 or ${SECOND}`);
    expect(text).not.toMatch(/mentor|crisis|helpline|kindline|support/i);
    await eventually(async () => expect(await numberIsGone(user)).toBe(true));
    const { rows } = await stack.pool.query(
      `SELECT step, status FROM webhook_events WHERE call_id = $1 AND leg = 'helpline' AND status = 'busy'
        ORDER BY step`,
      [user.callId],
    );
    expect(rows).toEqual([
      { step: 1, status: 'busy' },
      { step: 2, status: 'busy' },
    ]);
  });
});

describe('row 7, a line that is lost', () => {
  it('of the user: they are rung back once, and talk on with the same mentor', async () => {
    const user = await talking({ mayCallBack: true });
    await stack.sim.lose(userPhone);
    await bridges(mentorPhone, 2);
    const [first, back] = await rings(stack, userPhone);
    expect(Date.parse(String(back?.ringingAt)) - Date.parse(String(first?.endedAt))).toBeLessThan(5_000);
    expect(back?.heard[0]).toMatch(/this is the call you asked for/i);
    await stack.sim.lose(userPhone);
    expect(await user.end()).toMatchObject({ status: 'completed', endReason: 'bridge-over' });
    expect(await rings(stack, userPhone)).toHaveLength(2);
  });

  it('of the user, who did not say that we may call back: their phone stays quiet', async () => {
    const user = await talking();
    await stack.sim.lose(userPhone);
    expect(await user.end()).toMatchObject({ status: 'completed' });
    expect(await rings(stack, userPhone)).toHaveLength(1);
  });

  it('of the mentor: the same mentor is rung again unasked, within 5 s', async () => {
    const user = await talking();
    await stack.sim.lose(mentorPhone);
    const [first, again] = await bridges(mentorPhone, 2);
    expect(Date.parse(String(again?.ringingAt)) - Date.parse(String(first?.endedAt))).toBeLessThan(5_000);
    await stack.sim.hangUp(userPhone);
    expect(await user.end()).toMatchObject({ status: 'completed' });
  });

  it('of both: the user is rung first, and only then the mentor', async () => {
    const user = await talking({ mayCallBack: true });
    // The second time the mentor's phone rings for as long as it takes to lose the user, too.
    await stack.sim.settings({ timeScale: 1 });
    await stack.sim.script(mentorPhone, {});
    await stack.sim.lose(mentorPhone);
    await eventually(async () => expect(await rings(stack, mentorPhone)).toHaveLength(2));
    await stack.sim.script(mentorPhone, READY_MENTOR);
    await stack.sim.lose(userPhone);
    await bridges(mentorPhone, 2);
    const [, back] = await rings(stack, userPhone);
    const last = (await rings(stack, mentorPhone)).at(-1);
    expect(Date.parse(String(last?.ringingAt))).toBeGreaterThan(Date.parse(String(back?.answeredAt)));
    await stack.sim.hangUp(userPhone);
    expect(await user.end()).toMatchObject({ status: 'completed' });
    // No text of this call comes to the same phone in the next test.
    await eventually(async () => expect(await numberIsGone(user)).toBe(true));
  });

  it('and the user declines to be connected again: they are asked how it was, and nobody rings', async () => {
    const keys = [...(READY_USER.keys ?? []), { when: 'how was it', press: '4', afterMs: 20 }];
    const user = await talking({}, { ...READY_USER, keys }, TALKATIVE_MENTOR);
    expect(await user.end()).toMatchObject({ status: 'completed', endReason: 'bridge-over' });
    const [leg] = await rings(stack, userPhone);
    expect(leg?.heard.join(' ')).toMatch(/to be connected again, press 1.*how was it.*thank you/i);
    const feedback = await stack.api(`/mentor-calls/${user.callId}/feedback`, {}, user.who);
    expect(feedback.body).toMatchObject({ rating: 4, via: 'key' });
    expect(await textsTo(userPhone)).toEqual([]);
  });

  it('and found again by key as often as is allowed: then no mentor is promised, and the loop ends', async () => {
    const user = await talking({}, EAGER_USER, TALKATIVE_MENTOR);
    expect(await user.end()).toMatchObject({ status: 'completed', endReason: 'bridge-over' });
    const [leg] = await rings(stack, userPhone);
    expect(leg?.heard.filter((words) => /to be connected again/i.test(words))).toHaveLength(2);
    expect(await rings(stack, mentorPhone)).toHaveLength(3);
  });
});

describe('how it was, by text', () => {
  it('is asked of who hangs up, answered by a number and words, and the number is gone', async () => {
    const user = new AppUser(stack, otherUserPhone);
    await stack.sim.script(otherUserPhone, { ...READY_USER, hangUp: { after: 'bridged', ms: A_CONVERSATION } });
    await stack.sim.script(mentorPhone, READY_MENTOR);
    await user.start();
    const ended = await user.end();
    expect(ended).toMatchObject({ status: 'completed', endReason: 'bridge-over' });
    const [text] = await eventually(async () => {
      const got = await textsTo(otherUserPhone);
      expect(got).toHaveLength(1);
      return got;
    });
    expect(text).toMatch(/how was it.*1.*5.*reply stop/is);
    expect(text).not.toMatch(/mentor|call|support|survey|kindline/i);
    await eventually(async () => expect(await numberIsGone(user)).toBe(true));
    const from = String(ended['organisationNumber']);
    await stack.sim.sendText({ from: otherUserPhone, to: from, body: `5 ${MARKED.replyWords}` });
    await eventually(async () => {
      const { body } = await stack.api(`/mentor-calls/${user.callId}/feedback`, {}, user.who);
      expect(body).toMatchObject({ rating: 5, via: 'sms', words: MARKED.replyWords });
    });
    const { body } = await stack.api('/satisfaction', {}, { role: 'staff' });
    expect(body.months.length).toBeGreaterThan(0);
    expect(JSON.stringify(body)).not.toContain(user.callId);
  });
});
