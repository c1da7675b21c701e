import { ApplicationFailure } from '@temporalio/common';
import { KINDLINE_SINCE, KINDLINE_STATE } from '../../temporal/search-attributes';
import { mentorCallInput } from '../mentor-call-input';
import { MentorCallRig } from './world';

let rig: MentorCallRig;
beforeAll(async () => {
  rig = await MentorCallRig.start();
});
afterAll(async () => {
  const notDeterministic = await rig.replayAll();
  await rig.stop();
  expect(notDeterministic).toEqual([]);
  // Each history is replayed, one after the other.
});

describe('a mentor call that goes well', () => {
  it('rings the user, then a mentor, bridges on the mentor’s key 1, and is completed', async () => {
    const call = await rig.call();
    const plan = await call.confirm();
    expect(plan).toMatchObject({ do: 'dial-mentor', step: 1, mentorRecordId: 'record-of-mentor-1', words: 'first' });
    expect(await call.ask({ kind: 'mentor-answered', step: 1, digits: '1' })).toEqual({ do: 'bridge' });
    await call.pass(120_000);
    await call.userLegEnds();
    expect(await call.result()).toEqual({ status: 'completed', endReason: 'bridge-over' });
    expect(call.world.slots.size).toBe(0);
    expect(call.world.closed).toHaveLength(1);
    expect(call.world.closed[0]?.durationSeconds).toBeGreaterThanOrEqual(119);
    expect(call.world.closed[0]?.connectedStep).toBe(1);
    expect(call.world.numberDestroyed).toBe(true);
    await call.recordAs('bridged-and-completed');
  });

  it('takes at most 60 history events and 3 timers', async () => {
    const call = await rig.call();
    await call.confirm();
    await call.ask({ kind: 'mentor-answered', step: 1, digits: '1' });
    await call.userLegEnds();
    await call.result();
    const { events } = await call.handle.fetchHistory();
    expect(events?.length).toBeLessThanOrEqual(60);
    expect(events?.filter((e) => e.timerStartedEventAttributes)).toHaveLength(3);
  });

  it('says in one upsert that it has ended, and since when', async () => {
    const call = await rig.call();
    await call.confirm();
    await call.userLegEnds();
    await call.result();
    const { typedSearchAttributes: attributes, closeTime } = await call.handle.describe();
    expect(attributes.get(KINDLINE_STATE)).toBe('ended');
    const since = attributes.get(KINDLINE_SINCE)?.getTime() ?? 0;
    expect(Math.abs((closeTime?.getTime() ?? 0) - since)).toBeLessThan(60_000);
    const { events } = await call.handle.fetchHistory();
    expect(events?.filter((e) => e.upsertWorkflowSearchAttributesEventAttributes)).toHaveLength(1);
  });

  it('gives the same plan to the same question, and reserves one mentor for it', async () => {
    const call = await rig.call();
    const first = await call.confirm();
    const again = await Promise.all([call.ask({ kind: 'user-confirmed' }), call.ask({ kind: 'user-confirmed' })]);
    expect(again).toEqual([first, first]);
    expect(call.world.done.filter((d) => d.startsWith('reserve'))).toHaveLength(1);
    await call.userLegEnds();
    await call.result();
  });
});

describe('when the user is not reached', () => {
  it.each(['busy', 'no-answer', 'failed', 'canceled'])(
    'ends as no-answer when the leg ends %s, and rings no mentor',
    async (status) => {
      const call = await rig.call();
      await call.ringing();
      await call.userLegEnds(status);
      expect(await call.result()).toEqual({ status: 'no-answer', endReason: 'user-not-reached' });
      expect(call.world.done.some((d) => d.startsWith('reserve'))).toBe(false);
    },
  );

  it('ends as no-answer when a voicemail took the call: completed, but never a key 1', async () => {
    const call = await rig.call();
    await call.ringing();
    await call.userLegEnds('completed');
    expect(await call.result()).toEqual({ status: 'no-answer', endReason: 'user-not-reached' });
    await call.recordAs('voicemail');
  });

  it('ends as fallback-static when Twilio says that the leg was served by the static document', async () => {
    const call = await rig.call({}, (world) => {
      world.fallback = true;
    });
    await call.ringing();
    await call.userLegEnds('completed');
    expect(await call.result()).toEqual({ status: 'fallback-completed', endReason: 'fallback-static' });
  });

  it('ends as fallback-static also when the callback of the leg’s end was lost', async () => {
    const call = await rig.call({}, (world) => {
      world.fallback = true;
      world.legStatus = 'completed';
    });
    expect(await call.result()).toEqual({ status: 'fallback-completed', endReason: 'fallback-static' });
  });

  it('looks at the call before its net ends anything, and ends a leg that still rings', async () => {
    const call = await rig.call({}, (world) => {
      world.legStatus = 'ringing';
    });
    expect(await call.result()).toEqual({ status: 'no-answer', endReason: 'user-not-reached' });
    expect(call.world.done).toContain('end 1');
    await call.recordAs('ring-net');
  });

  it('leaves an answered call alone while its greeting may still be going on', async () => {
    const call = await rig.call();
    await call.ringing();
    await call.pass(70_000);
    expect(call.world.done).not.toContain('end 1');
    expect(await call.ask({ kind: 'user-confirmed' })).toMatchObject({ do: 'dial-mentor' });
    await call.userLegEnds();
    await call.result();
  });

  it('does not end a leg that Twilio has given to the static fallback: somebody may be talking with the helpline', async () => {
    const call = await rig.call({}, (world) => {
      world.fallback = true;
    });
    await call.ringing();
    await call.pass(10 * 60_000);
    expect(call.world.done).not.toContain('end 1');
    await call.userLegEnds();
    expect(await call.result()).toEqual({ status: 'fallback-completed', endReason: 'fallback-static' });
    await call.recordAs('fallback-static');
  });

  it('goes on with a user who presses 1 while it looks', async () => {
    const call = await rig.call();
    await call.ringing();
    let plan: unknown;
    let reads = 0;
    call.world.override.readCall = async () => {
      reads += 1;
      if (reads === 2) plan = await call.ask({ kind: 'user-confirmed' });
      return { status: 'in-progress' };
    };
    await call.pass(110_000);
    await call.until(() => plan !== undefined);
    expect(plan).toMatchObject({ do: 'dial-mentor' });
    expect(call.world.done).not.toContain('end 1');
    await call.userLegEnds();
    expect((await call.result()).endReason).toBe('user-hung-up');
  });

  it('closes the call, and frees its places, although Twilio does not say who served it', async () => {
    const call = await rig.call({}, (world) => {
      world.override.wentToFallback = () => Promise.reject(new Error('provider down'));
    });
    await call.confirm();
    await call.userLegEnds();
    expect(await call.result()).toEqual({ status: 'cancelled', endReason: 'user-hung-up' });
    expect(call.world.slots.size).toBe(0);
  });

  it('counts a leg that Twilio never got out of its queue as failed', async () => {
    const call = await rig.call({}, (world) => {
      world.legStatus = 'queued';
    });
    expect(await call.result()).toEqual({ status: 'failed', endReason: 'provider-unavailable' });
    expect(call.world.done).toContain('end 1');
  });
});

describe('when no call can be placed', () => {
  it('ends as failed when Twilio refuses the call for good', async () => {
    const call = await rig.call({}, (world) => {
      world.override.placeCall = () => Promise.reject(ApplicationFailure.nonRetryable('refused', 'DispatchRefused'));
    });
    expect(await call.result()).toEqual({ status: 'failed', endReason: 'provider-refused' });
  });

  it('tells the app after the provider’s patience, keeps the number until the attempt is settled, then destroys it', async () => {
    let down = true;
    const call = await rig.call({}, (world) => {
      world.override.placeCall = () => {
        if (down) return Promise.reject(new Error('provider down'));
        return Promise.reject(ApplicationFailure.nonRetryable('abandoned', 'DispatchAbandoned'));
      };
    });
    await call.pass(61_000);
    await call.until(() => call.world.done.includes('close failed provider-unavailable'));
    expect(call.world.numberDestroyed).toBe(false);
    down = false;
    expect(await call.result()).toEqual({ status: 'failed', endReason: 'provider-unavailable' });
    expect(call.world.numberDestroyed).toBe(true);
    await call.recordAs('provider-down');
  });

  it('stays with a phone that rings although the worker that placed the call died before it could say so', async () => {
    const call = await rig.call({}, (world) => {
      world.placed = 1;
      world.override.placeCall = () => Promise.reject(new Error('its worker is dead'));
      world.override.placedCall = async () => ({ sid: world.sid(), waitsForLine: false });
    });
    await call.pass(61_000);
    expect(await call.confirm()).toMatchObject({ do: 'dial-mentor' });
    delete call.world.override.placeCall;
    await call.userLegEnds();
    expect(await call.result()).toEqual({ status: 'cancelled', endReason: 'user-hung-up' });
    await call.recordAs('placed-untold');
  });

  it('says so when the number was erased before it could be dialled', async () => {
    const call = await rig.call({}, (world) => {
      world.override.placeCall = () => Promise.reject(ApplicationFailure.nonRetryable('gone', 'RecordDestroyed'));
    });
    expect(await call.result()).toEqual({ status: 'failed', endReason: 'record-destroyed' });
  });

  it('ends as merged, ringing nobody, when the user already has a live call', async () => {
    const call = await rig.call({}, (world) => {
      world.override.openCall = () => Promise.resolve({ state: 'merged', mergedInto: 'the-other-call' });
    });
    expect(await call.result()).toEqual({ status: 'merged', endReason: 'merged', mergedInto: 'the-other-call' });
    expect(call.world.placed).toBe(0);
    await call.recordAs('merged');
  });

  it('ends as failed, ringing nobody, when a limit is reached', async () => {
    const call = await rig.call({}, (world) => {
      world.override.openCall = () => Promise.resolve({ state: 'limited', which: 'target' });
    });
    expect(await call.result()).toEqual({ status: 'failed', endReason: 'too-many-requests' });
    expect(call.world.placed).toBe(0);
  });
});

describe('looking for a mentor', () => {
  it.each(['no-answer', 'busy', 'failed', 'completed'])(
    'goes on to the next mentor after %s, and gives the slot back',
    async (dialStatus) => {
      const call = await rig.call();
      await call.confirm();
      const next = await call.ask({ kind: 'dial-over', step: 1, dialStatus, dialSeconds: 0 });
      expect(next).toMatchObject({ do: 'dial-mentor', step: 2, words: 'still-looking' });
      expect([...call.world.slots]).toEqual([[2, 'mentor-2']]);
      await call.userLegEnds();
      expect(await call.result()).toEqual({ status: 'cancelled', endReason: 'user-hung-up' });
      expect(call.world.slots.size).toBe(0);
    },
  );

  it('never bridges without key 1, whatever DialCallStatus says', async () => {
    const call = await rig.call();
    await call.confirm();
    expect(await call.ask({ kind: 'mentor-answered', step: 1, digits: '' })).toEqual({ do: 'hang-up' });
    expect(await call.ask({ kind: 'dial-over', step: 1, dialStatus: 'completed', dialSeconds: 9 })).toMatchObject({
      step: 2,
    });
    await call.userLegEnds();
    expect((await call.result()).status).toBe('cancelled');
  });

  it('takes the helpline at once when nobody is free', async () => {
    const call = await rig.call({}, (world) => {
      world.mentors = [];
    });
    expect(await call.confirm()).toEqual({
      do: 'dial-helpline',
      country: 'US',
      callerId: '+14155550100',
      because: 'nobody',
    });
    expect(await call.ask({ kind: 'helpline-over', dialStatus: 'completed', dialSeconds: 60 })).toEqual({
      do: 'goodbye',
      words: 'call-over',
    });
    await call.userLegEnds();
    expect(await call.result()).toEqual({ status: 'fallback-completed', endReason: 'helpline-over' });
  });

  it('says so when the helpline was not reached', async () => {
    const call = await rig.call({}, (world) => {
      world.mentors = [];
    });
    await call.confirm();
    expect(await call.ask({ kind: 'helpline-over', dialStatus: 'busy', dialSeconds: 0 })).toEqual({
      do: 'goodbye',
      words: 'helpline-not-reached',
    });
    await call.userLegEnds();
    expect(await call.result()).toEqual({ status: 'failed', endReason: 'helpline-not-reached' });
    await call.recordAs('helpline-not-reached');
  });

  it('offers the helpline after four mentors, and takes it on key 0', async () => {
    const call = await rig.call();
    await call.confirm();
    for (const step of [1, 2, 3]) await call.ask({ kind: 'dial-over', step, dialStatus: 'busy', dialSeconds: 0 });
    const offer = await call.ask({ kind: 'dial-over', step: 4, dialStatus: 'busy', dialSeconds: 0 });
    expect(offer).toEqual({ do: 'offer', offer: 'helpline', step: 1 });
    expect(call.world.done.filter((d) => d.startsWith('reserve'))).toHaveLength(4);
    const again = await call.ask({ kind: 'offer-answered', offer: 'helpline', step: 1, digits: '' });
    expect(again).toEqual({ do: 'offer', offer: 'helpline', step: 2 });
    expect(await call.ask({ kind: 'offer-answered', offer: 'helpline', step: 2, digits: '0' })).toMatchObject({
      do: 'dial-helpline',
      because: 'asked',
    });
    await call.userLegEnds();
    await call.result();
    await call.recordAs('four-mentors-then-helpline');
  });

  it('offers the helpline after 90 s, and takes it by itself after 3 min', async () => {
    const call = await rig.call();
    await call.confirm();
    await call.pass(91_000);
    expect(await call.ask({ kind: 'dial-over', step: 1, dialStatus: 'no-answer', dialSeconds: 0 })).toMatchObject({
      do: 'offer',
      offer: 'helpline',
    });
    // Who presses nothing is not left waiting for the offer alone: the next mentor is rung meanwhile.
    expect(await call.ask({ kind: 'offer-answered', offer: 'helpline', step: 1, digits: '' })).toMatchObject({
      do: 'dial-mentor',
      step: 2,
    });
    await call.pass(90_000);
    expect(await call.ask({ kind: 'dial-over', step: 2, dialStatus: 'no-answer', dialSeconds: 0 })).toMatchObject({
      do: 'offer',
    });
    expect(await call.ask({ kind: 'offer-answered', offer: 'helpline', step: 2, digits: '' })).toMatchObject({
      do: 'dial-helpline',
      because: 'waited',
    });
    await call.userLegEnds();
    await call.result();
    await call.recordAs('helpline-after-three-minutes');
  });

  it('takes the star key while a mentor rings as a wish for the helpline', async () => {
    const call = await rig.call();
    await call.confirm();
    expect(await call.ask({ kind: 'dial-over', step: 1, dialStatus: 'canceled', dialSeconds: 0 })).toMatchObject({
      do: 'dial-helpline',
      because: 'asked',
    });
    expect(call.world.slots.size).toBe(0);
    await call.userLegEnds();
    await call.result();
  });

  it('passes over a mentor who was deleted after the match, although the request allows one only', async () => {
    const call = await rig.call({ maxMentors: 1 }, (world) => {
      const { reserveMentor } = world.activities;
      world.override.reserveMentor = async (asked) =>
        asked.step === 1 ? { mentor: null, why: 'gone' } : reserveMentor(asked);
    });
    expect(await call.confirm()).toMatchObject({ do: 'dial-mentor', step: 2, mentorId: 'mentor-1' });
    await call.userLegEnds();
    await call.result();
    await call.recordAs('mentor-deleted-after-the-match');
  });

  it('gives a mentor’s place back when the Dial shows no leg 8 s after its words, and tells a late mentor that the caller has gone', async () => {
    const call = await rig.call({}, (world) => {
      world.silentSteps.add(1);
    });
    await call.confirm();
    // Twilio says what stands before the Dial, and dials then.
    const spokenMs = mentorCallInput().spokenMs?.first ?? 0;
    expect(spokenMs).toBeGreaterThan(5_000);
    await call.pass(spokenMs);
    expect(call.world.slots.size).toBe(1);
    await call.pass(13_000);
    await call.until(() => call.world.done.includes('release 1 silent'));
    expect(await call.firedTimers()).toEqual([spokenMs + 8_000]);
    expect(await call.ask({ kind: 'mentor-answered', step: 1, digits: '1' })).toEqual({
      do: 'goodbye',
      words: 'caller-gone',
    });
    expect(await call.ask({ kind: 'user-confirmed' })).toMatchObject({ do: 'dial-mentor', step: 2 });
    await call.userLegEnds();
    await call.result();
    await call.recordAs('silent-dial');
  });

  it('waits for all that is said first before it looks for a sign of the leg', async () => {
    const spokenMs = { first: 40_000, again: 0, last: 0, 'still-looking': 0, turn: 0 };
    const call = await rig.call({ spokenMs }, (world) => world.silentSteps.add(1));
    await call.confirm();
    await call.pass(40_000);
    expect(call.world.done.filter((line) => line.startsWith('release'))).toEqual([]);
    await call.pass(10_000);
    await call.until(() => call.world.done.includes('release 1 silent'));
    await call.userLegEnds();
    await call.result();
  });

  it('keeps a mentor’s place while their phone shows signs of life', async () => {
    const call = await rig.call();
    await call.confirm();
    await call.pass(30_000);
    expect(call.world.slots.size).toBe(1);
    expect(await call.ask({ kind: 'mentor-answered', step: 1, digits: '1' })).toEqual({ do: 'bridge' });
    await call.userLegEnds();
    expect((await call.result()).status).toBe('completed');
  });

  it('gives a mentor’s place back when Twilio never tells how the Dial ended', async () => {
    const call = await rig.call();
    await call.confirm();
    await call.pass(80_000);
    await call.until(() => call.world.done.includes('release 1 no-answer'));
    expect(call.world.done).not.toContain('end 1');
    expect(await call.ask({ kind: 'dial-over', step: 1, dialStatus: 'no-answer', dialSeconds: 0 })).toMatchObject({
      mentorId: 'mentor-2',
    });
    await call.userLegEnds();
    await call.result();
  });

  it('does not take an old answer of Twilio’s for the end of the call', async () => {
    const call = await rig.call();
    await call.confirm();
    call.world.legStatus = 'ringing';
    await call.pass(5 * 60_000);
    expect(call.world.closed).toEqual([]);
    await call.userLegEnds();
    await call.result();
  });

  it('ends when Twilio says that the user’s leg is over and its callback never came', async () => {
    const call = await rig.call();
    await call.confirm();
    call.world.legStatus = 'completed';
    expect(await call.result()).toEqual({ status: 'cancelled', endReason: 'user-hung-up' });
    expect(call.world.slots.size).toBe(0);
  });

  it('refuses a question that is asked too late, and rings nobody for it', async () => {
    const call = await rig.call();
    await call.ringing();
    const late = call.handle.executeUpdate('answerTwiml', {
      args: [{ kind: 'user-confirmed', callSid: call.world.sid(), validUntil: 1 }],
    });
    await expect(late).rejects.toThrow();
    expect(call.world.done.some((d) => d.startsWith('reserve'))).toBe(false);
    await call.userLegEnds();
    await call.result();
  });

  it('lets only one leg of a doubled dispatch speak', async () => {
    const call = await rig.call();
    await call.confirm();
    expect(await call.ask({ kind: 'user-confirmed' }, 'CA-the-second-leg')).toEqual({ do: 'hang-up' });
    await call.userLegEnds('completed', 'CA-the-second-leg');
    expect(await call.ask({ kind: 'mentor-answered', step: 1, digits: '1' })).toEqual({ do: 'bridge' });
    await call.userLegEnds();
    expect((await call.result()).status).toBe('completed');
  });
});

describe('after the bridge', () => {
  const bridged = async (input = {}) => {
    const call = await rig.call(input);
    await call.confirm();
    await call.ask({ kind: 'mentor-answered', step: 1, digits: '1' });
    return call;
  };

  it('offers key 1 to be connected again, rings the same mentor once, then another', async () => {
    const call = await bridged();
    await call.pass(60_000);
    expect(await call.ask({ kind: 'dial-over', step: 1, dialStatus: 'completed', dialSeconds: 60 })).toEqual({
      do: 'offer',
      offer: 'reconnect',
      step: 1,
    });
    expect(await call.ask({ kind: 'offer-answered', offer: 'reconnect', step: 1, digits: '1' })).toMatchObject({
      do: 'dial-mentor',
      step: 2,
      mentorId: 'mentor-1',
      words: 'again',
    });
    expect(await call.ask({ kind: 'dial-over', step: 2, dialStatus: 'no-answer', dialSeconds: 0 })).toMatchObject({
      do: 'dial-mentor',
      step: 3,
      mentorId: 'mentor-2',
    });
    await call.userLegEnds();
    expect(await call.result()).toEqual({ status: 'completed', endReason: 'bridge-over' });
    await call.recordAs('reconnected-by-key');
  });

  it('says that the longest conversation is over, and goes on with the same mentor as often as key 1 is pressed', async () => {
    const call = await bridged();
    for (const step of [1, 2]) {
      if (step > 1) await call.ask({ kind: 'mentor-answered', step, digits: '1' });
      await call.pass(3_600_000 - 12_000);
      // As Twilio counts: a timeLimit may begin with the mentor's answer, before their key.
      expect(await call.ask({ kind: 'dial-over', step, dialStatus: 'completed', dialSeconds: 3_600 })).toEqual({
        do: 'offer',
        offer: 'more-time',
        step,
      });
      expect(await call.ask({ kind: 'offer-answered', offer: 'more-time', step, digits: '1' })).toMatchObject({
        do: 'dial-mentor',
        step: step + 1,
        mentorId: 'mentor-1',
        words: 'again',
      });
    }
    await call.userLegEnds();
    expect(await call.result()).toEqual({ status: 'completed', endReason: 'bridge-over' });
    await call.recordAs('went-on-after-its-time');
  });

  it.each([
    ['0', { do: 'dial-helpline', because: 'asked' }],
    ['', { do: 'goodbye', words: 'call-over' }],
  ])('after the longest conversation key "%s" leads where it does after any other', async (digits, plan) => {
    const call = await bridged();
    await call.pass(3_600_000);
    await call.ask({ kind: 'dial-over', step: 1, dialStatus: 'completed', dialSeconds: 3_600 });
    expect(await call.ask({ kind: 'offer-answered', offer: 'more-time', step: 1, digits })).toMatchObject(plan);
    await call.userLegEnds();
    await call.result();
  });

  it('takes a conversation that was nearly as long as it may be for a goodbye', async () => {
    const call = await bridged();
    await call.pass(3_500_000);
    const ended = { kind: 'dial-over', step: 1, dialStatus: 'completed', dialSeconds: 3_500 } as const;
    expect(await call.ask(ended)).toMatchObject({ do: 'offer', offer: 'reconnect' });
    await call.userLegEnds();
    await call.result();
  });

  it('has no word for it in a call that was begun by an API that knew none', async () => {
    const call = await bridged({ spokenMs: undefined });
    await call.pass(3_600_000);
    const ended = { kind: 'dial-over', step: 1, dialStatus: 'completed', dialSeconds: 3_600 } as const;
    expect(await call.ask(ended)).toMatchObject({ do: 'offer', offer: 'reconnect' });
    await call.userLegEnds();
    await call.result();
  });

  it('says goodbye when no key is pressed', async () => {
    const call = await bridged();
    await call.pass(60_000);
    await call.ask({ kind: 'dial-over', step: 1, dialStatus: 'completed', dialSeconds: 60 });
    expect(await call.ask({ kind: 'offer-answered', offer: 'reconnect', step: 1, digits: '' })).toEqual({
      do: 'goodbye',
      words: 'call-over',
    });
    await call.userLegEnds();
    expect((await call.result()).endReason).toBe('bridge-over');
  });

  it('rings the same mentor unasked when the bridge lasted under 20 s', async () => {
    const call = await bridged();
    await call.pass(5_000);
    expect(await call.ask({ kind: 'dial-over', step: 1, dialStatus: 'completed', dialSeconds: 5 })).toMatchObject({
      do: 'dial-mentor',
      mentorId: 'mentor-1',
      words: 'again',
    });
    await call.userLegEnds();
    await call.result();
  });

  it('rings the last mentor of all again, too, when the conversation was cut off', async () => {
    const call = await bridged({ maxMentors: 1 });
    await call.pass(5_000);
    expect(await call.ask({ kind: 'dial-over', step: 1, dialStatus: 'completed', dialSeconds: 5 })).toMatchObject({
      do: 'dial-mentor',
      mentorId: 'mentor-1',
      words: 'again',
    });
    await call.userLegEnds();
    await call.result();
  });

  it('looks for itself when the longest duration is over and nothing was heard', async () => {
    const call = await bridged();
    call.world.legStatus = 'completed';
    expect(await call.result()).toEqual({ status: 'completed', endReason: 'bridge-over' });
  });

  it('rings the user back once when they agreed and the conversation was cut', async () => {
    const call = await bridged({ mayCallBack: true });
    await call.pass(30_000);
    await call.userLegEnds();
    await call.ringing(2);
    expect(await call.ask({ kind: 'user-confirmed' })).toMatchObject({ mentorId: 'mentor-1', words: 'again' });
    await call.userLegEnds();
    expect(await call.result()).toEqual({ status: 'completed', endReason: 'bridge-over' });
    expect(call.world.placed).toBe(2);
    await call.recordAs('rung-back');
  });

  it('does not ring back without their word, nor after a long conversation', async () => {
    const cut = await bridged();
    await cut.userLegEnds();
    await cut.result();
    const long = await bridged({ mayCallBack: true });
    await long.pass(61_000);
    await long.userLegEnds();
    await long.result();
    expect([cut.world.placed, long.world.placed]).toEqual([1, 1]);
  });

  it('gives the ring-back up when its window is over', async () => {
    const call = await bridged({ mayCallBack: true });
    await call.userLegEnds();
    await call.ringing(2);
    call.world.legStatus = 'ringing';
    expect(await call.result()).toEqual({ status: 'completed', endReason: 'bridge-over' });
    expect(call.world.done).toContain('end 2');
  });

  it('keeps saying that the conversation took place when the user cannot be rung back', async () => {
    const call = await bridged({ mayCallBack: true });
    let down = true;
    call.world.override.placeCall = () =>
      Promise.reject(down ? new Error('provider down') : ApplicationFailure.nonRetryable('x', 'DispatchAbandoned'));
    await call.userLegEnds();
    await call.pass(125_000);
    await call.until(() => call.world.closed.length > 0);
    down = false;
    expect(await call.result()).toEqual({ status: 'completed', endReason: 'bridge-over' });
    expect(call.world.closed[0]).toMatchObject({ outcome: 'completed', endReason: 'bridge-over' });
  });
});

describe('being stopped', () => {
  it('is cancelled before the user answers: the leg is ended, no mentor is rung', async () => {
    const call = await rig.call();
    await call.ringing();
    expect(await call.cancel()).toEqual({ status: 'cancelled', endReason: 'cancelled-by-user' });
    expect(call.world.done).toEqual(expect.arrayContaining(['abandon', 'end 1', 'close cancelled cancelled-by-user']));
  });

  it('ends both legs of a bridge and says ended-by-user', async () => {
    const call = await rig.call();
    await call.confirm();
    await call.ask({ kind: 'mentor-answered', step: 1, digits: '1' });
    expect(await call.cancel()).toEqual({ status: 'completed', endReason: 'ended-by-user' });
    expect(call.world.done).toContain('end 1');
    expect(call.world.slots.size).toBe(0);
    await call.recordAs('ended-by-user');
  });

  it('never abandons an attempt under way: it awaits the outcome and ends what came out', async () => {
    let answer: (value: { sid: string }) => void = () => {};
    const call = await rig.call({}, (world) => {
      world.override.placeCall = () =>
        new Promise((resolve) => {
          world.done.push('posting');
          answer = resolve;
        });
    });
    await call.until(() => call.world.done.includes('posting'));
    const cancelled = call.cancel();
    await call.until(() => call.world.done.includes('abandon'));
    expect(call.world.done).not.toContain('end 1');
    answer({ sid: call.world.sid(1) });
    await cancelled;
    expect(call.world.done).toContain('end 1');
  });

  it('leaves no ringing phone and no slot when it is cancelled from the Web UI', async () => {
    const call = await rig.call();
    await call.confirm();
    await call.handle.cancel();
    await expect(call.result()).rejects.toThrow();
    expect(call.world.done).toEqual(expect.arrayContaining(['end 1', 'close cancelled stopped-by-operator']));
    expect(call.world.slots.size).toBe(0);
    await call.recordAs('stopped-by-operator');
  });
});

describe('a user who rings our number while we ring them', () => {
  it('is put into their call, and the outbound leg is withdrawn', async () => {
    const call = await rig.call();
    await call.ringing();
    expect(await call.ask({ kind: 'user-called-in' }, 'CA-inbound')).toMatchObject({ do: 'dial-mentor', step: 1 });
    await call.until(() => call.world.done.includes('end 1'));
    expect(call.world.done).toContain('abandon');
    expect(await call.ask({ kind: 'mentor-answered', step: 1, digits: '1' })).toEqual({ do: 'bridge' });
    await call.userLegEnds('completed', 'CA-inbound');
    expect((await call.result()).status).toBe('completed');
    await call.recordAs('called-in');
  });

  it('does not leave their own phone ringing when they hang up again at once', async () => {
    let answer: (value: { sid: string }) => void = () => {};
    const call = await rig.call({}, (world) => {
      world.override.placeCall = () =>
        new Promise((resolve) => {
          answer = resolve;
        });
    });
    await call.pass(1_000);
    await call.ask({ kind: 'user-called-in' }, 'CA-inbound');
    await call.userLegEnds('completed', 'CA-inbound');
    await call.until(() => call.world.done.includes('abandon'));
    // Twilio does not answer: the call is over all the same, with its places free; only the number is still needed.
    await call.until(() => call.world.closed.length === 1);
    expect(call.world.slots.size).toBe(0);
    expect(call.world.numberDestroyed).toBe(false);
    answer({ sid: call.world.sid(1) });
    await call.result();
    expect(call.world.done).toContain('end 1');
    expect(call.world.numberDestroyed).toBe(true);
    await call.recordAs('called-in-and-left');
  });

  it('is over when they hang up, although Twilio’s API answers no question of ours', async () => {
    const call = await rig.call({}, (world) => {
      world.override.readCall = async () => {
        world.done.push('asks Twilio');
        throw ApplicationFailure.create({ type: 'ProviderUnavailable', message: 'away' });
      };
    });
    await call.confirm();
    await call.pass(10 * 60_000);
    expect(call.world.done).toContain('asks Twilio');
    await call.userLegEnds();
    await call.result();
    expect(call.world.closed).toHaveLength(1);
    await call.recordAs('hung-up-while-twilio-was-away');
  });
});
