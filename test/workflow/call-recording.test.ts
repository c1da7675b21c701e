import { ApplicationFailure } from '@temporalio/common';
import type { CallWorld } from './world';
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

/** A call that the user lets be recorded, up to the mentor's keys. */
const connected = async (mentorAgrees: boolean | null, prepare: (world: CallWorld) => void = () => undefined) => {
  const call = await rig.call({ recording: true }, prepare);
  const dial = await call.confirm();
  expect(dial).toMatchObject({ do: 'dial-mentor', mayBeRecorded: true });
  const bridge = await call.ask({
    kind: 'mentor-answered',
    step: 1,
    digits: '1',
    ...(mentorAgrees === null ? {} : { recording: mentorAgrees }),
  });
  return { call, bridge };
};
const recorded = (world: CallWorld) => world.done.filter((line) => /record/.test(line));

describe('a call that the user lets be recorded', () => {
  it('is recorded once the mentor has agreed too, and nothing has to be stopped when the user leaves', async () => {
    const { call, bridge } = await connected(true);
    expect(bridge).toEqual({ do: 'bridge', isRecorded: true });
    await call.until(() => recorded(call.world).length > 0);
    await call.pass(120_000);
    await call.userLegEnds();
    expect(await call.result()).toEqual({ status: 'completed', endReason: 'bridge-over' });
    expect(recorded(call.world)).toEqual(['record 1']);
    expect(call.world.done).not.toContain('abandon');
    await call.recordAs('recorded');
  });

  it('takes at most 60 history events, and no more timers than any call', async () => {
    const { call } = await connected(true);
    await call.until(() => recorded(call.world).length > 0);
    await call.userLegEnds();
    await call.result();
    const { events } = await call.handle.fetchHistory();
    expect(events?.length).toBeLessThanOrEqual(60);
    expect(events?.filter((e) => e.timerStartedEventAttributes)).toHaveLength(3);
  });

  it.each([false, null])(
    'is a bridge like any other, and unrecorded, when the mentor’s answer is %s',
    async (answer) => {
      const { call, bridge } = await connected(answer);
      expect(bridge).toEqual({ do: 'bridge', isRecorded: false });
      await call.userLegEnds();
      expect((await call.result()).status).toBe('completed');
      expect(recorded(call.world)).toEqual([]);
    },
  );

  it('is not bridged, nor recorded, by a consent without key 1', async () => {
    const call = await rig.call({ recording: true });
    await call.confirm();
    const answer = await call.ask({ kind: 'mentor-answered', step: 1, digits: '2', recording: true });
    expect(answer).toEqual({ do: 'hang-up' });
    await call.userLegEnds();
    await call.result();
    expect(recorded(call.world)).toEqual([]);
  });

  it('stops being recorded before anybody else is rung, and asks the next mentor anew', async () => {
    const { call } = await connected(true);
    await call.until(() => recorded(call.world).length > 0);
    await call.pass(60_000);
    const offer = await call.ask({ kind: 'dial-over', step: 1, dialStatus: 'completed', dialSeconds: 60 });
    expect(offer).toMatchObject({ do: 'offer', offer: 'reconnect' });
    expect(recorded(call.world)).toEqual(['record 1', 'stop recording']);
    const again = await call.ask({ kind: 'offer-answered', offer: 'reconnect', step: 1, digits: '1' });
    expect(again).toMatchObject({ do: 'dial-mentor', step: 2, mayBeRecorded: true });
    await call.ask({ kind: 'mentor-answered', step: 2, digits: '1', recording: true });
    await call.until(() => recorded(call.world).length > 2);
    await call.userLegEnds();
    await call.result();
    expect(recorded(call.world)).toEqual(['record 1', 'stop recording', 'record 2']);
    await call.recordAs('recorded-and-stopped');
  });

  it('leaves nobody waiting for a Twilio that does not stop recording, and tries on', async () => {
    let tries = 0;
    const { call } = await connected(true, (world) => {
      world.override.stopRecording = async () => {
        tries += 1;
        if (tries < 3) throw new Error('provider down');
        world.done.push('stop recording');
      };
    });
    await call.until(() => recorded(call.world).length > 0);
    await call.pass(60_000);
    const asked = call.ask({ kind: 'dial-over', step: 1, dialStatus: 'completed', dialSeconds: 60 });
    // The server skips no time while somebody waits for an answer.
    await call.until(() => tries > 0);
    await call.pass(2_500);
    expect(await asked).toMatchObject({ do: 'offer' });
    await call.pass(20_000);
    await call.until(() => tries === 3);
    await call.userLegEnds();
    await call.result();
    expect(recorded(call.world)).toEqual(['record 1', 'stop recording']);
  });

  it('withdraws a recording that has not begun when the conversation is over', async () => {
    let withdrawn = false;
    const { call } = await connected(true, (world) => {
      world.override.startRecording = async () => {
        if (!withdrawn) throw new Error('provider down');
        throw ApplicationFailure.nonRetryable('withdrawn', 'DispatchAbandoned');
      };
      world.override.abandonDispatch = async () => {
        withdrawn = true;
        world.done.push('abandon');
        return { state: 'abandoned', sid: null, isQuiet: true };
      };
    });
    await call.pass(30_000);
    await call.userLegEnds();
    // The app is told before Twilio is back.
    await call.until(() => call.world.closed.length === 1);
    expect((await call.result()).status).toBe('completed');
    expect(call.world.done.filter((line) => line === 'abandon')).toHaveLength(1);
    expect(recorded(call.world)).toEqual([]);
    await call.recordAs('recording-withdrawn');
  });

  it('goes on unrecorded when Twilio refuses to record it', async () => {
    const { call, bridge } = await connected(true, (world) => {
      world.override.startRecording = () => Promise.reject(ApplicationFailure.nonRetryable('no', 'DispatchRefused'));
    });
    expect(bridge).toMatchObject({ do: 'bridge' });
    await call.pass(60_000);
    const offer = await call.ask({ kind: 'dial-over', step: 1, dialStatus: 'completed', dialSeconds: 60 });
    expect(offer).toMatchObject({ do: 'offer' });
    await call.userLegEnds();
    expect((await call.result()).status).toBe('completed');
    expect(recorded(call.world)).toEqual([]);
  });

  it('gives a mentor time for both keys before their place goes to somebody else', async () => {
    const call = await rig.call({ recording: true });
    await call.confirm();
    await call.pass(80_000);
    expect(call.world.slots.size).toBe(1);
    const bridge = await call.ask({ kind: 'mentor-answered', step: 1, digits: '1', recording: true });
    expect(bridge).toMatchObject({ do: 'bridge' });
    await call.userLegEnds();
    await call.result();
  });
});

describe('a call that nobody lets be recorded', () => {
  it('asks nobody, and records nothing whatever a question says', async () => {
    const call = await rig.call();
    expect(await call.confirm()).not.toHaveProperty('mayBeRecorded');
    const bridge = await call.ask({ kind: 'mentor-answered', step: 1, digits: '1', recording: true });
    expect(bridge).toEqual({ do: 'bridge' });
    await call.userLegEnds();
    await call.result();
    expect(recorded(call.world)).toEqual([]);
  });
});
