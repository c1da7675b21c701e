import type { MentorCallInput, OfferKind } from '../../domain/mentor-call';
import { MentorCallRig, type TestCall } from './world';

let rig: MentorCallRig;
beforeAll(async () => {
  rig = await MentorCallRig.start();
});
afterAll(async () => {
  const notDeterministic = await rig.replayAll();
  await rig.stop();
  expect(notDeterministic).toEqual([]);
});

const MINUTE = 60_000;
/** As the API starts calls today. */
const TODAY = {
  drops: { shortBridge: 20_000, cutShort: MINUTE, mostReconnections: 3, longest: 180 * MINUTE },
  helplinesToDial: 2,
  feedback: { byKey: true, bySms: true, afterSeconds: 60 },
} as const;
const SPOKEN = { first: 0, again: 0, last: 0, 'still-looking': 0, turn: 0 };
const QUIET = { byKey: false, bySms: false, afterSeconds: 60 } as const;

const today = (input: Partial<MentorCallInput> = {}, prepare?: Parameters<MentorCallRig['call']>[1]) =>
  rig.call({ ...TODAY, feedback: QUIET, ...input }, prepare);

/** The user has a conversation with the first mentor, for so long by now. */
async function talking(ms: number, input: Partial<MentorCallInput> = {}): Promise<TestCall> {
  const call = await today(input);
  await call.confirm();
  await call.ask({ kind: 'mentor-answered', step: 1, digits: '1' });
  await call.pass(ms);
  return call;
}

/** The mentor of a step answers and talks for so long; then their line ends. */
async function talkAndLose(call: TestCall, step: number, ms: number) {
  await call.ask({ kind: 'mentor-answered', step, digits: '1' });
  await call.pass(ms);
  return call.ask({ kind: 'dial-over', step, dialStatus: 'completed', dialSeconds: Math.round(ms / 1_000) });
}

const mentorLost = (call: TestCall, dialStatus = 'completed', step = 1) =>
  call.ask({ kind: 'dial-over', step, dialStatus, dialSeconds: 1 });
const keyed = (call: TestCall, step: number, digits: string, offer: OfferKind = 'reconnect') =>
  call.ask({ kind: 'offer-answered', offer, step, digits });

describe('the mentor’s line is lost', () => {
  it.each([
    ['a conversation under 20 s', 5_000, 'completed'],
    ['a line that failed, however long it lasted', 5 * MINUTE, 'failed'],
  ] as const)('unasked the same mentor is rung after %s', async (_what, ms, dialStatus) => {
    const call = await talking(ms);
    expect(await mentorLost(call, dialStatus)).toMatchObject({
      do: 'dial-mentor',
      mentorId: 'mentor-1',
      words: 'again',
    });
    await call.userLegEnds();
    expect((await call.result()).status).toBe('completed');
    // Whoever rang at the end has talked to nobody.
    expect(call.world.closed[0]?.connectedStep).toBeUndefined();
  });

  it('then one other mentor, then the helpline', async () => {
    const call = await talking(5_000);
    expect(await mentorLost(call)).toMatchObject({ step: 2, mentorId: 'mentor-1' });
    expect(await mentorLost(call, 'no-answer', 2)).toMatchObject({ step: 3, mentorId: 'mentor-2' });
    expect(await mentorLost(call, 'busy', 3)).toMatchObject({ do: 'dial-helpline', because: 'waited', nth: 1 });
    expect(call.world.slots.size).toBe(0);
    await call.ask({ kind: 'helpline-over', step: 1, dialStatus: 'completed', dialSeconds: 60 });
    await call.userLegEnds();
    expect(await call.result()).toEqual({ status: 'fallback-completed', endReason: 'helpline-over' });
    await call.recordAs('lost-then-helpline');
  });

  it('a line that breaks a second time brings another mentor, not the same one for a third time', async () => {
    const call = await talking(5_000);
    await mentorLost(call);
    expect(await talkAndLose(call, 2, 5_000)).toMatchObject({ step: 3, mentorId: 'mentor-2', words: 'still-looking' });
    await call.userLegEnds();
    await call.result();
  });

  it('rings the next one within the same answer, so within 5 s of the short end and of the key', async () => {
    const call = await talking(30_000);
    await mentorLost(call);
    const before = await rig.env.currentTimeMs();
    expect(await keyed(call, 1, '1')).toMatchObject({ do: 'dial-mentor', mentorId: 'mentor-1' });
    expect((await rig.env.currentTimeMs()) - before).toBeLessThan(5_000);
    await call.userLegEnds();
    await call.result();
  });
});

describe('the user asks to be connected again', () => {
  it('rings the mentor they were talking with, after every conversation, and as often as is allowed', async () => {
    const call = await talking(2 * MINUTE);
    for (const [nth, step] of [1, 2, 3].entries()) {
      const offer = nth === 0 ? await mentorLost(call) : await talkAndLose(call, step, 2 * MINUTE);
      expect(offer).toMatchObject({ do: 'offer', offer: 'reconnect' });
      expect(await keyed(call, nth + 1, '1')).toMatchObject({ step: step + 1, mentorId: 'mentor-1', words: 'again' });
    }
    // The fourth time nobody is rung, and nothing is promised.
    expect(await talkAndLose(call, 4, 2 * MINUTE)).toMatchObject({ do: 'offer', offer: 'over' });
    expect(await keyed(call, 4, '1', 'over')).toEqual({ do: 'goodbye', words: 'call-over' });
    await call.userLegEnds();
    expect(await call.result()).toEqual({ status: 'completed', endReason: 'bridge-over' });
    expect(call.world.closed[0]?.durationSeconds).toBeGreaterThanOrEqual(4 * 119);
    await call.recordAs('reconnected-three-times');
  });

  it('a user who declines is told goodbye, and nobody is rung', async () => {
    const call = await talking(2 * MINUTE);
    await mentorLost(call);
    expect(await keyed(call, 1, '')).toEqual({ do: 'goodbye', words: 'call-over' });
    await call.userLegEnds();
    await call.result();
    expect(call.world.done.filter((d) => d.startsWith('reserve'))).toHaveLength(1);
  });

  it('key 0 leads to the helpline, also when no mentor is rung any more', async () => {
    const call = await talking(2 * MINUTE, { drops: { ...TODAY.drops, mostReconnections: 0 } });
    expect(await mentorLost(call)).toMatchObject({ offer: 'over' });
    expect(await keyed(call, 1, '0', 'over')).toMatchObject({ do: 'dial-helpline', because: 'asked' });
    // The mentor is free for others, however long they talk with the helpline.
    expect(call.world.slots.size).toBe(0);
    await call.userLegEnds();
    await call.result();
    await call.recordAs('talked-then-helpline');
  });

  it('the last conversation is cut to what is left of the longest call, and then none is begun', async () => {
    const drops = { ...TODAY.drops, longest: 70 * MINUTE };
    const call = await talking(50 * MINUTE, { drops, spokenMs: SPOKEN });
    await mentorLost(call);
    const again = await keyed(call, 1, '1');
    // They are told that it is shorter than the first one.
    expect(again).toMatchObject({ do: 'dial-mentor', words: 'last' });
    const limit = again.do === 'dial-mentor' ? again.timeLimitSeconds : 0;
    expect(limit).toBeGreaterThan(19 * 60);
    expect(limit).toBeLessThanOrEqual(20 * 60);
    expect(await talkAndLose(call, 2, 20 * MINUTE)).toMatchObject({ offer: 'time-over' });
    await call.userLegEnds();
    await call.result();
  });

  it('a line that is cut off again and again ends with the helpline', async () => {
    const call = await talking(5_000, { drops: { ...TODAY.drops, mostReconnections: 2 } });
    await mentorLost(call);
    await talkAndLose(call, 2, 5_000);
    expect(await talkAndLose(call, 3, 5_000)).toMatchObject({ do: 'dial-helpline', because: 'waited' });
    await call.userLegEnds();
    await call.result();
  });
});

describe('the user’s line is lost', () => {
  it('at 30 s: they are rung back once, then that mentor, then one other, then the helpline', async () => {
    const call = await talking(30_000, { mayCallBack: true });
    await call.userLegEnds();
    await call.ringing(2);
    expect(await call.ask({ kind: 'user-confirmed' })).toMatchObject({ step: 2, mentorId: 'mentor-1', words: 'again' });
    expect(await mentorLost(call, 'no-answer', 2)).toMatchObject({ step: 3, mentorId: 'mentor-2' });
    expect(await mentorLost(call, 'no-answer', 3)).toMatchObject({ do: 'dial-helpline' });
    await call.userLegEnds();
    await call.result();
    expect(call.world.placed).toBe(2);
    await call.recordAs('rung-back-then-helpline');
  });

  it('and nobody is free after they were rung back: who asks to wait is rung when it is their turn', async () => {
    const call = await talking(30_000, { mayCallBack: true, waiting: { limit: 5, longestWait: 20 * MINUTE } });
    await call.userLegEnds();
    await call.ringing(2);
    call.world.mentors = [];
    call.world.why = 'all-busy';
    expect(await call.ask({ kind: 'user-confirmed' })).toEqual({ do: 'offer', offer: 'wait', step: 1 });
    expect(await keyed(call, 1, '2', 'wait')).toMatchObject({ do: 'will-ring' });
    await call.userLegEnds();
    await call.until(() => call.world.looks > 0);
    await call.offer('mentor-7');
    await call.ringing(3);
    expect(await call.ask({ kind: 'user-confirmed' })).toMatchObject({ mentorId: 'mentor-7', words: 'turn' });
    await call.userLegEnds();
    expect(await call.result()).toEqual({ status: 'completed', endReason: 'bridge-over' });
    expect(call.world.slots.size).toBe(0);
    await call.recordAs('rung-back-then-waited');
  });

  it('in the same second as the mentor’s: late news of the dead leg does not end the ring-back', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const call = await talking(30_000, { mayCallBack: true });
    const { placeCall } = call.world.activities;
    call.world.override.placeCall = async (asked) => {
      call.world.done.push('being placed');
      await gate;
      return placeCall(asked);
    };
    await call.userLegEnds('failed');
    await call.until(() => call.world.done.includes('being placed'));
    const dead = call.world.sid(1);
    const late = { kind: 'dial-over', step: 1, dialStatus: 'completed', dialSeconds: 30 } as const;
    expect(await call.ask(late, dead)).toEqual({ do: 'hang-up' });
    release();
    await call.ringing(2);
    expect(await call.ask({ kind: 'user-confirmed' })).toMatchObject({ step: 2, mentorId: 'mentor-1', words: 'again' });
    await call.userLegEnds();
    expect((await call.result()).status).toBe('completed');
    await call.recordAs('late-news-of-a-dead-leg');
  });

  it('is said to the app as it is: their phone rings again, and then a mentor is looked for', async () => {
    const call = await talking(30_000, { mayCallBack: true });
    await call.userLegEnds();
    await call.ringing(2);
    await call.ask({ kind: 'user-confirmed' });
    await call.userLegEnds();
    await call.result();
    const notes = call.world.done.filter((line) => line.startsWith('note '));
    expect(notes).toEqual([
      'note finding-mentor',
      'note connected',
      'note ringing-user',
      'note finding-mentor',
      'note finding-mentor',
    ]);
  });

  it('and an operator stops the call while they are rung back: that is how it ended', async () => {
    const call = await talking(30_000, { mayCallBack: true });
    await call.userLegEnds();
    await call.ringing(2);
    await call.handle.cancel();
    await expect(call.result()).rejects.toThrow();
    expect(call.world.closed.at(-1)).toMatchObject({ outcome: 'cancelled', endReason: 'stopped-by-operator' });
  });

  it('and they call our number while we ring them back: that call is theirs, with the same mentor', async () => {
    const call = await talking(30_000, { mayCallBack: true });
    await call.userLegEnds();
    await call.ringing(2);
    const plan = await call.ask({ kind: 'user-called-in' }, 'CA-inbound');
    expect(plan).toMatchObject({ do: 'dial-mentor', mentorId: 'mentor-1', words: 'again' });
    await call.until(() => call.world.done.includes('end 2'));
    await call.userLegEnds('completed', 'CA-inbound');
    expect((await call.result()).status).toBe('completed');
  });

  it('and a Dial that never came to be after it counts as not taken: the next one is rung, not the same again', async () => {
    const call = await talking(30_000, { mayCallBack: true });
    await call.userLegEnds();
    await call.ringing(2);
    call.world.silentSteps.add(2);
    await call.ask({ kind: 'user-confirmed' });
    await call.pass(30_000);
    await call.until(() => call.world.done.includes('release 2 silent'));
    expect(await call.ask({ kind: 'user-confirmed' })).toMatchObject({ step: 3, mentorId: 'mentor-2' });
    await call.userLegEnds();
    await call.result();
  });

  it('a second time they are not rung again', async () => {
    const call = await talking(30_000, { mayCallBack: true });
    await call.userLegEnds();
    await call.ringing(2);
    await call.ask({ kind: 'user-confirmed' });
    await call.ask({ kind: 'mentor-answered', step: 2, digits: '1' });
    await call.userLegEnds('failed');
    expect(await call.result()).toEqual({ status: 'completed', endReason: 'bridge-over' });
    expect(call.world.placed).toBe(2);
  });

  it.each([
    ['without their word', 30_000, 'completed', false],
    ['after a long conversation that ended as one does', 2 * MINUTE, 'completed', true],
  ] as const)('nobody is rung back %s', async (_when, ms, status, mayCallBack) => {
    const call = await talking(ms, { mayCallBack });
    await call.userLegEnds(status);
    await call.result();
    expect(call.world.placed).toBe(1);
  });

  it('after a long conversation, too, when their line failed', async () => {
    const call = await talking(10 * MINUTE, { mayCallBack: true });
    await call.userLegEnds('failed');
    await call.ringing(2);
    await call.userLegEnds('no-answer');
    expect(await call.result()).toEqual({ status: 'completed', endReason: 'bridge-over' });
  });
});

describe('both lines are lost', () => {
  it('the user is rung first, and then the mentor they were talking with', async () => {
    const call = await talking(10_000, { mayCallBack: true });
    expect(await mentorLost(call)).toMatchObject({ step: 2, mentorId: 'mentor-1' });
    await call.userLegEnds();
    await call.ringing(2);
    expect(await call.ask({ kind: 'user-confirmed' })).toMatchObject({ step: 3, mentorId: 'mentor-1', words: 'again' });
    expect([...call.world.slots]).toEqual([[3, 'mentor-1']]);
    await call.userLegEnds();
    await call.result();
    await call.recordAs('both-lost');
  });

  it('a user who hung up later, or was told that they may, has left and is not rung', async () => {
    const later = await talking(10_000, { mayCallBack: true });
    await mentorLost(later);
    await later.pass(8_000);
    await later.userLegEnds();
    await later.result();
    const told = await talking(40_000, { mayCallBack: true });
    await mentorLost(told);
    await told.userLegEnds();
    await told.result();
    expect([later.world.placed, told.world.placed]).toEqual([1, 1]);
  });

  it('a user whose line failed while they were asked for a key is rung back', async () => {
    const call = await talking(40_000, { mayCallBack: true });
    await mentorLost(call);
    await call.userLegEnds('failed');
    await call.ringing(2);
    await call.userLegEnds('busy');
    expect((await call.result()).status).toBe('completed');
  });
});

describe('a helpline that is not reached', () => {
  const alone = (input: Partial<MentorCallInput> = {}) =>
    today(input, (world) => {
      world.mentors = [];
    });

  it.each(['busy', 'no-answer', 'failed'])(
    'the second one is dialled, announced, when the first is %s',
    async (status) => {
      const call = await alone();
      expect(await call.confirm()).toMatchObject({ do: 'dial-helpline', because: 'nobody', nth: 1 });
      const second = await call.ask({ kind: 'helpline-over', step: 1, dialStatus: status, dialSeconds: 0 });
      expect(second).toMatchObject({ do: 'dial-helpline', because: 'first-not-reached', nth: 2 });
      await call.ask({ kind: 'helpline-over', step: 2, dialStatus: 'completed', dialSeconds: 90 });
      await call.userLegEnds();
      expect(await call.result()).toEqual({ status: 'fallback-completed', endReason: 'helpline-over' });
      // The next time they need not ask us.
      expect(call.world.done).toContain('text helplines');
      if (status === 'busy') await call.recordAs('second-helpline');
    },
  );

  it('both busy: the numbers are said and texted, and the number lives as long as that text', async () => {
    const call = await alone();
    await call.confirm();
    await call.ask({ kind: 'helpline-over', step: 1, dialStatus: 'busy', dialSeconds: 0 });
    expect(await call.ask({ kind: 'helpline-over', step: 2, dialStatus: 'busy', dialSeconds: 0 })).toEqual({
      do: 'goodbye',
      words: 'helpline-not-reached',
    });
    await call.userLegEnds();
    expect(await call.result()).toEqual({ status: 'failed', endReason: 'helpline-not-reached' });
    expect(call.world.closed[0]).toMatchObject({ keepNumber: true });
    expect(call.world.done.slice(-2)).toEqual(['close failed helpline-not-reached', 'text helplines']);
    await call.recordAs('both-helplines-busy');
  });

  it('destroys the number when no text can be begun', async () => {
    const call = await alone();
    call.world.override.textAfterCall = () => Promise.reject(new Error('temporal is away'));
    await call.confirm();
    await call.ask({ kind: 'helpline-over', step: 1, dialStatus: 'busy', dialSeconds: 0 });
    await call.ask({ kind: 'helpline-over', step: 2, dialStatus: 'busy', dialSeconds: 0 });
    await call.userLegEnds();
    expect((await call.result()).endReason).toBe('helpline-not-reached');
    expect(call.world.numberDestroyed).toBe(true);
  });

  it('where no helpline can be dialled from our number, the numbers are said and texted', async () => {
    const call = await alone({ helplinesToDial: 0 });
    expect(await call.confirm()).toEqual({ do: 'goodbye', words: 'no-helpline-from-here' });
    await call.userLegEnds();
    expect(await call.result()).toEqual({ status: 'failed', endReason: 'helpline-not-reached' });
    expect(call.world.done).toContain('text helplines');
  });

  it('a user who hangs up while it rings has left: nothing more is dialled or sent', async () => {
    const call = await alone();
    await call.confirm();
    await call.userLegEnds();
    await call.ask({ kind: 'helpline-over', step: 1, dialStatus: 'canceled', dialSeconds: 0 });
    expect(await call.result()).toEqual({ status: 'cancelled', endReason: 'user-hung-up' });
    expect(call.world.done.some((d) => d.startsWith('text'))).toBe(false);
  });
});

describe('how it was', () => {
  const asked = (ms: number, input: Partial<MentorCallInput> = {}) =>
    talking(ms, { feedback: TODAY.feedback, ...input });

  it('is asked by key of who stays on the line, after the offer to be connected again', async () => {
    const call = await asked(2 * MINUTE);
    await mentorLost(call);
    expect(await keyed(call, 1, '')).toEqual({ do: 'offer', offer: 'feedback', step: 2 });
    expect(await keyed(call, 2, '4', 'feedback')).toEqual({ do: 'goodbye', words: 'rated' });
    await call.userLegEnds();
    await call.result();
    expect(call.world.done).toContain('rated 4');
    expect(call.world.done).not.toContain('text how-was-it');
    expect(call.world.closed[0]?.keepNumber).toBeUndefined();
    await call.recordAs('rated-by-key');
  });

  it.each(['', '9', '0'])('is not asked again by text when the key was %p', async (digits) => {
    const call = await asked(2 * MINUTE);
    await mentorLost(call);
    await keyed(call, 1, '');
    expect(await keyed(call, 2, digits, 'feedback')).toEqual({ do: 'goodbye', words: 'call-over' });
    await call.userLegEnds();
    await call.result();
    expect(call.world.done.some((d) => /^(rated|text)/.test(d))).toBe(false);
  });

  it('is asked by text of who hangs up, within the budget of a happy call', async () => {
    const call = await asked(2 * MINUTE);
    await call.userLegEnds();
    expect(await call.result()).toEqual({ status: 'completed', endReason: 'bridge-over' });
    expect(call.world.done.slice(-2)).toEqual(['close completed bridge-over', 'text how-was-it']);
    expect(call.world.closed[0]).toMatchObject({ keepNumber: true });
    const { events } = await call.handle.fetchHistory();
    expect(events?.length).toBeLessThanOrEqual(60);
    await call.recordAs('asked-by-text');
  });

  it('is not asked by a call of who refuses such calls, but by text', async () => {
    const call = await today({ feedback: TODAY.feedback }, (world) => {
      world.override.openCall = async () => ({ state: 'opened', refusesSurveyCalls: true });
    });
    await call.confirm();
    expect(await talkAndLose(call, 1, 2 * MINUTE)).toMatchObject({ offer: 'reconnect' });
    expect(await keyed(call, 1, '')).toEqual({ do: 'goodbye', words: 'call-over' });
    await call.userLegEnds();
    await call.result();
    expect(call.world.done).toContain('text how-was-it');
  });

  it.each([
    ['after a short conversation', 30_000, {}],
    ['where it is switched off', 2 * MINUTE, { feedback: QUIET }],
  ] as const)('is not asked %s', async (_when, ms, input) => {
    const call = await asked(ms, input);
    await call.userLegEnds();
    await call.result();
    expect(call.world.done.some((d) => d.startsWith('text'))).toBe(false);
    expect(call.world.numberDestroyed).toBe(true);
  });

  it('is not asked of somebody who went on to the helpline', async () => {
    const call = await asked(2 * MINUTE);
    await mentorLost(call);
    await keyed(call, 1, '0');
    await call.ask({ kind: 'helpline-over', step: 1, dialStatus: 'completed', dialSeconds: 30 });
    await call.userLegEnds();
    await call.result();
    expect(call.world.done.some((d) => d.startsWith('text'))).toBe(false);
  });
});
