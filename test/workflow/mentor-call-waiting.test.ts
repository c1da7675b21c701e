import { ApplicationFailure } from '@temporalio/common';
import type { CallPlan, MentorCallInput } from '../../domain/mentor-call';
import { KINDLINE_STATE } from '../../temporal/search-attributes';
import { type CallWorld, MentorCallRig, type TestCall } from './world';

const MINUTE = 60_000;
const waiting = { limit: 5, longestWait: 20 * MINUTE };

let rig: MentorCallRig;
beforeAll(async () => {
  rig = await MentorCallRig.start();
});
afterAll(async () => {
  const notDeterministic = await rig.replayAll();
  await rig.stop();
  expect(notDeterministic).toEqual([]);
});

const allBusy = (world: CallWorld) => {
  world.mentors = [];
  world.why = 'all-busy';
};
const busyCall = (input: Partial<MentorCallInput> = {}, prepare: (world: CallWorld) => void = () => {}) =>
  rig.call({ waiting, ...input }, (world) => {
    allBusy(world);
    prepare(world);
  });
const press = (call: TestCall, digits: string, step = 1): Promise<CallPlan> =>
  call.ask({ kind: 'offer-answered', offer: 'wait', step, digits });

/** Has pressed key 2 and hung up. */
async function waitingCall(input: Partial<MentorCallInput> = {}): Promise<TestCall> {
  const call = await busyCall(input);
  await call.confirm();
  await press(call, '2');
  await call.userLegEnds();
  await call.until(() => call.world.looks > 0);
  return call;
}

describe('when all mentors are talking', () => {
  it('offers to ring again, and without a key takes the helpline at once', async () => {
    const call = await busyCall();
    expect(await call.confirm()).toEqual({ do: 'offer', offer: 'wait', step: 1 });
    expect(await press(call, '')).toMatchObject({ do: 'dial-helpline', because: 'nobody' });
    await call.userLegEnds();
    expect((await call.result()).endReason).toBe('helpline-over');
    expect(call.world.done.some((line) => line.startsWith('join'))).toBe(false);
  });

  it('takes key 0 as a wish for the helpline', async () => {
    const call = await busyCall();
    await call.confirm();
    expect(await press(call, '0')).toMatchObject({ do: 'dial-helpline', because: 'asked' });
    await call.userLegEnds();
    await call.result();
  });

  it.each([
    ['the request did not say so', { input: { waiting: undefined } }],
    ['nobody is on shift', { why: 'nobody-on-shift' as const }],
    ['the queue is full', { outlook: 'full' as const }],
    ['everybody on shift was rung for this call already', { outlook: 'nobody' as const }],
  ])('asks nobody to wait when %s: the helpline at once', async (_when, { input, why, outlook }: Circumstances) => {
    const { waiting: terms, ...rest } = { waiting, ...input };
    const call = await rig.call({ ...rest, ...(terms === undefined ? {} : { waiting: terms }) }, (world) => {
      allBusy(world);
      world.why = why ?? world.why;
      world.outlook = outlook ?? world.outlook;
    });
    expect(await call.confirm()).toMatchObject({ do: 'dial-helpline', because: 'nobody' });
    await call.userLegEnds();
    await call.result();
  });

  it('takes the helpline when the last place went to somebody else while they pressed the key', async () => {
    const call = await busyCall({}, (world) => {
      world.override.joinQueue = async () => ({ state: 'full' });
    });
    await call.confirm();
    expect(await press(call, '2')).toMatchObject({ do: 'dial-helpline', because: 'nobody' });
    await call.userLegEnds();
    expect((await call.result()).status).toBe('fallback-completed');
  });
});

interface Circumstances {
  readonly input?: { readonly waiting: undefined };
  readonly why?: CallWorld['why'];
  readonly outlook?: CallWorld['outlook'];
}

describe('somebody who waits', () => {
  it('keeps their number, is rung again, and after key 1 gets the mentor whose place was kept', async () => {
    const call = await busyCall();
    await call.confirm();
    expect(await press(call, '2')).toEqual({ do: 'will-ring', withinSeconds: 20 * 60 });
    await call.userLegEnds();
    await call.until(() => call.world.looks > 0);
    // Between two looks: the server that skips time hangs for ever on a task that cancels a timer which fires just then.
    await call.pass(MINUTE + 5_000);
    expect((await call.handle.describe()).typedSearchAttributes.get(KINDLINE_STATE)).toBe('waiting');
    expect(call.world.numberDestroyed).toBe(false);
    expect(call.world.placed).toBe(1);

    await call.offer('mentor-7');
    await call.ringing(2);
    // The place is held while the phone rings, and nobody else is reserved for it.
    expect([...call.world.slots.values()]).toEqual(['mentor-7']);
    expect(await call.ask({ kind: 'user-confirmed' })).toMatchObject({
      do: 'dial-mentor',
      mentorId: 'mentor-7',
      words: 'turn',
    });
    expect(await call.ask({ kind: 'mentor-answered', step: 2, digits: '1' })).toEqual({ do: 'bridge' });
    await call.userLegEnds();
    expect(await call.result()).toEqual({ status: 'completed', endReason: 'bridge-over' });
    expect(call.world.numberDestroyed).toBe(true);
    expect(call.world.slots.size).toBe(0);
    await call.recordAs('waited-and-rung');
  });

  it('takes a place within 15 s although the signal that offers it was lost', async () => {
    const call = await waitingCall();
    await call.offer('mentor-7', true);
    await call.pass(15_100);
    await call.ringing(2);
    expect(await call.ask({ kind: 'user-confirmed' })).toMatchObject({ mentorId: 'mentor-7', words: 'turn' });
    await call.userLegEnds();
    await call.result();
  });

  it('is not rung when nothing is kept for them, whatever signals come', async () => {
    const call = await waitingCall();
    for (let n = 0; n < 3; n += 1) await call.handle.signal('placeOffered');
    await call.until(() => call.world.looks >= 2);
    expect(call.world.placed).toBe(1);
    await call.cancel();
  });

  it('is never on two phones: what is offered while they still hear our words waits for their line to end', async () => {
    const call = await busyCall();
    await call.confirm();
    await press(call, '2');
    await call.offer('mentor-7');
    await call.pass(5_000);
    expect(call.world.placed).toBe(1);
    await call.userLegEnds();
    await call.ringing(2);
    await call.ask({ kind: 'user-confirmed' });
    await call.userLegEnds();
    await call.result();
  });

  it('stays in the queue when they hang up while their key is being written down', async () => {
    let join: () => void = () => {};
    const call = await busyCall({}, (world) => {
      const { joinQueue } = world.activities;
      world.override.joinQueue = async (asked) => {
        world.done.push('joining');
        await new Promise<void>((resolve) => {
          join = resolve;
        });
        return joinQueue(asked);
      };
    });
    await call.confirm();
    const pressed = press(call, '2');
    await call.until(() => call.world.done.includes('joining'));
    await call.userLegEnds();
    join();
    await pressed;
    await call.offer('mentor-7');
    await call.ringing(2);
    expect(await call.ask({ kind: 'user-confirmed' })).toMatchObject({ mentorId: 'mentor-7', words: 'turn' });
    await call.userLegEnds();
    await call.result();
  });

  it('costs the mentor no time when they do not answer: the place is given back, nobody is rung', async () => {
    const call = await waitingCall();
    await call.offer('mentor-7');
    await call.ringing(2);
    await call.userLegEnds('no-answer');
    expect(await call.result()).toEqual({ status: 'no-answer', endReason: 'user-not-reached' });
    expect(call.world.done).toContain('release 2 not-rung');
    expect(call.world.done.indexOf('release 2 not-rung')).toBeLessThan(
      call.world.done.indexOf('close no-answer user-not-reached'),
    );
    await call.recordAs('waited-and-not-reached');
  });

  it('gives the place back when the call cannot be placed', async () => {
    const call = await waitingCall();
    call.world.override.placeCall = () => Promise.reject(ApplicationFailure.nonRetryable('no', 'DispatchRefused'));
    await call.offer('mentor-7');
    expect(await call.result()).toEqual({ status: 'failed', endReason: 'provider-refused' });
    expect(call.world.done).toContain('release 2 not-rung');
  });

  it('waits on with the turn they had when the mentor does not answer and all others are talking', async () => {
    const call = await waitingCall();
    await call.offer('mentor-7');
    await call.ringing(2);
    await call.ask({ kind: 'user-confirmed' });
    // Full for others; they have waited before.
    call.world.outlook = 'full';
    expect(await call.ask({ kind: 'dial-over', step: 2, dialStatus: 'no-answer', dialSeconds: 0 })).toMatchObject({
      do: 'offer',
      offer: 'wait',
    });
    await press(call, '2', 2);
    await call.userLegEnds();
    await call.until(() => call.world.done.includes('join 2026-11-21T15:04:05.678Z'));
    await call.offer('mentor-8');
    await call.ringing(3);
    expect(await call.ask({ kind: 'user-confirmed' })).toMatchObject({ mentorId: 'mentor-8', words: 'turn' });
    await call.userLegEnds();
    await call.result();
    await call.recordAs('waited-twice');
  });

  it('asks for another place at once when the mentor of the kept one was deleted, with a step of its own', async () => {
    const call = await waitingCall();
    const { takeTurn } = call.world.activities;
    const steps: number[] = [];
    call.world.override.takeTurn = async (asked) => {
      steps.push(asked.step);
      if (asked.step === 2) return { mentor: null, queue: 'offered', isGone: true };
      return takeTurn(asked);
    };
    await call.offer('mentor-7');
    await call.ringing(2);
    expect(steps).toEqual([2, 3]);
    expect(await call.ask({ kind: 'user-confirmed' })).toMatchObject({ do: 'dial-mentor', step: 3, words: 'turn' });
    await call.userLegEnds();
    await call.result();
    await call.recordAs('waited-for-one-who-was-deleted');
  });

  it('is told so again when they call us meanwhile', async () => {
    const call = await waitingCall();
    await call.pass(5 * MINUTE);
    const plan = await call.ask({ kind: 'user-called-in' }, 'CA-inbound');
    expect(plan).toMatchObject({ do: 'will-ring' });
    expect(plan.do === 'will-ring' && plan.withinSeconds).toBeLessThanOrEqual(15 * 60);
    await call.cancel();
  });

  it('gives up when the longest wait is over, and says that it was in vain', async () => {
    const call = await waitingCall({ waiting: { ...waiting, longestWait: 2 * MINUTE } });
    expect(await call.result()).toEqual({ status: 'no-answer', endReason: 'waited-in-vain' });
    expect(call.world.placed).toBe(1);
    // Nobody is on the line who could be told: a text names the helplines, and takes over the number.
    expect(call.world.done).toContain('text helplines');
    expect(call.world.numberDestroyed).toBe(false);
    const { events } = await call.handle.fetchHistory();
    const waited = Number(events?.at(-1)?.eventTime?.seconds) - Number(events?.[0]?.eventTime?.seconds);
    expect(waited).toBeGreaterThanOrEqual(120);
    expect(waited).toBeLessThan(180);
    await call.recordAs('waited-in-vain');
  });

  it('is told so at once when nobody can come any more', async () => {
    const call = await waitingCall();
    call.world.override.takeTurn = async () => ({ mentor: null, queue: 'waiting', isHopeless: true });
    expect(await call.result()).toEqual({ status: 'no-answer', endReason: 'waited-in-vain' });
    expect(call.world.done).toContain('text helplines');
    await call.recordAs('waited-for-nobody');
  });

  it('looks at most five times a minute, six events a look', async () => {
    const call = await waitingCall();
    const before = (await call.handle.fetchHistory()).events?.length ?? 0;
    const looks = call.world.looks;
    await call.pass(10 * MINUTE);
    const after = (await call.handle.fetchHistory()).events?.length ?? 0;
    const more = call.world.looks - looks;
    expect(more).toBeGreaterThanOrEqual(30);
    expect(more).toBeLessThanOrEqual(41);
    // One more look than we see may be half written before and after.
    expect(after - before).toBeLessThanOrEqual(6 * (more + 1));
    await call.cancel();
  });

  it('leaves at any time, and nothing is left', async () => {
    const call = await waitingCall();
    expect(await call.cancel()).toEqual({ status: 'cancelled', endReason: 'cancelled-by-user' });
    expect(call.world.isInQueue).toBe(false);
    expect(call.world.placed).toBe(1);
    await call.recordAs('left-the-queue');
  });

  it('leaves also while the place is being taken: it goes back with the call', async () => {
    const call = await waitingCall();
    let cancelled: Promise<unknown> = Promise.resolve();
    const { takeTurn } = call.world.activities;
    call.world.override.takeTurn = async (asked) => {
      const turn = await takeTurn(asked);
      cancelled = call.cancel();
      return turn;
    };
    await call.offer('mentor-7');
    expect((await call.result()).status).toBe('cancelled');
    await cancelled;
    // And not as a ring that the mentor has missed.
    expect(call.world.done).toContain('release 2 not-rung');
    expect(call.world.slots.size).toBe(0);
  });

  it('leaves no place behind when an operator cancels the workflow', async () => {
    const call = await waitingCall();
    await call.handle.cancel();
    await expect(call.result()).rejects.toThrow();
    expect(call.world.done).toContain('close cancelled stopped-by-operator');
    expect(call.world.isInQueue).toBe(false);
  });

  it('takes a place of the queue again when its row was lost, with the turn it had', async () => {
    const call = await waitingCall();
    call.world.isInQueue = false;
    await call.pass(16_000);
    await call.until(() => call.world.isInQueue);
    expect(call.world.done).toContain('join 2026-11-21T15:04:05.678Z');
    await call.cancel();
  });

  it('ends when the call was closed by a sweep meanwhile', async () => {
    const call = await waitingCall();
    call.world.isInQueue = false;
    call.world.override.joinQueue = async () => ({ state: 'over' });
    expect((await call.result()).endReason).toBe('waited-in-vain');
  });
});
