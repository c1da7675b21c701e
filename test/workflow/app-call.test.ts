import { randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation } from '@temporalio/client';
import { MENTOR_CALL, mentorCallWorkflowId } from '../../domain/mentor-call';
import { appCallInput } from '../mentor-call-input';
import { type CallWorld, MentorCallRig, type TestCall } from './world';

let rig: MentorCallRig;
beforeAll(async () => {
  rig = await MentorCallRig.start();
});
afterAll(async () => {
  const notDeterministic = await rig.replayAll();
  await rig.stop();
  expect(notDeterministic).toEqual([]);
});

const SID = 'CA-app';

function fromApp(prepare?: (world: CallWorld) => void): Promise<TestCall> {
  const { recordId, recipientToken, numberIsForThisCallOnly, fromApp: own } = appCallInput(SID);
  return rig.call({ recordId, recipientToken, numberIsForThisCallOnly, ...(own ? { fromApp: own } : {}) }, prepare);
}

const called = (call: TestCall) => call.ask({ kind: 'app-called' }, SID);
const rung = (call: TestCall) => call.world.done.filter((line) => line.startsWith('ring'));

describe('a call from the app', () => {
  it('rings a mentor at once and nobody else, and is completed when the conversation is over', async () => {
    const call = await fromApp();
    expect(await called(call)).toMatchObject({ do: 'dial-mentor', step: 1, words: 'first' });
    expect(await call.ask({ kind: 'mentor-answered', step: 1, digits: '1' }, SID)).toEqual({ do: 'bridge' });
    await call.pass(120_000);
    expect(await call.ask({ kind: 'dial-over', step: 1, dialStatus: 'completed', dialSeconds: 120 }, SID)).toEqual({
      do: 'offer',
      offer: 'reconnect',
      step: 1,
    });
    await call.userLegEnds('completed', SID);
    expect(await call.result()).toEqual({ status: 'completed', endReason: 'bridge-over' });
    expect(rung(call)).toEqual([]);
    expect(call.world.done).not.toContain('abandon');
    expect(call.world.slots.size).toBe(0);
    await call.recordAs('from-the-app');
  });

  it('takes fewer history events than a call to a phone may', async () => {
    const call = await fromApp();
    await called(call);
    await call.ask({ kind: 'mentor-answered', step: 1, digits: '1' }, SID);
    await call.userLegEnds('completed', SID);
    await call.result();
    const { events } = await call.handle.fetchHistory();
    expect(events?.length).toBeLessThanOrEqual(60);
  });

  it('gets the same plan for the same question, and one mentor', async () => {
    const call = await fromApp();
    const first = await called(call);
    expect(await Promise.all([called(call), called(call)])).toEqual([first, first]);
    expect(call.world.done.filter((line) => line.startsWith('reserve'))).toHaveLength(1);
    await call.userLegEnds('completed', SID);
    await call.result();
  });

  it('belongs to the call that began it: no other leg may speak for it', async () => {
    const call = await fromApp();
    expect(await call.ask({ kind: 'app-called' }, 'CA-other')).toEqual({ do: 'hang-up' });
    expect(await called(call)).toMatchObject({ do: 'dial-mentor' });
    await call.userLegEnds('completed', SID);
    await call.result();
  });

  it('is over, and rings nobody, when the user has left before it was asked anything', async () => {
    const call = await fromApp();
    await call.userLegEnds('canceled', SID);
    expect(await call.result()).toEqual({ status: 'cancelled', endReason: 'user-hung-up' });
    expect(call.world.done.some((line) => line.startsWith('reserve'))).toBe(false);
  });

  it('is over when nobody told us that its leg is: Twilio is asked after a minute', async () => {
    const call = await fromApp((world) => {
      world.legStatus = 'completed';
    });
    expect(await call.result()).toEqual({ status: 'cancelled', endReason: 'user-hung-up' });
    await call.recordAs('from-the-app-untold');
  });

  it('that Twilio took to the static document ends as that', async () => {
    const call = await fromApp((world) => {
      world.fallback = true;
    });
    await call.userLegEnds('completed', SID);
    expect(await call.result()).toEqual({ status: 'fallback-completed', endReason: 'fallback-static' });
  });

  it('goes to the helpline when no mentor is free', async () => {
    const call = await fromApp((world) => {
      world.mentors = [];
    });
    expect(await called(call)).toMatchObject({ do: 'dial-helpline', because: 'nobody' });
    await call.ask({ kind: 'helpline-over', dialStatus: 'completed', dialSeconds: 60 }, SID);
    await call.userLegEnds('completed', SID);
    expect(await call.result()).toEqual({ status: 'fallback-completed', endReason: 'helpline-over' });
  });

  it('is hung up when the user ends it by the API', async () => {
    const call = await fromApp();
    await called(call);
    expect(await call.cancel()).toEqual({ status: 'cancelled', endReason: 'cancelled-by-user' });
    expect(call.world.done).toContain('end p');
    expect(await call.result()).toMatchObject({ status: 'cancelled' });
    await call.recordAs('from-the-app-ended-by-user');
  });

  it('is never rung back, however short the conversation was', async () => {
    const call = await fromApp();
    await called(call);
    await call.ask({ kind: 'mentor-answered', step: 1, digits: '1' }, SID);
    await call.pass(5_000);
    await call.userLegEnds('failed', SID);
    expect(await call.result()).toEqual({ status: 'completed', endReason: 'bridge-over' });
    expect(rung(call)).toEqual([]);
  });
});

describe('a call from the app that may not go on', () => {
  /** Asked together with the start, as the API does it: such a workflow is over before it could be asked anything. */
  async function begun(prepare: (world: CallWorld) => void) {
    const callId = randomUUID();
    prepare(rig.world(callId));
    const startWorkflowOperation = new WithStartWorkflowOperation(MENTOR_CALL.workflow, {
      workflowId: mentorCallWorkflowId(callId),
      taskQueue: 'kindline',
      args: [appCallInput(SID, { callId })],
      workflowIdConflictPolicy: 'USE_EXISTING',
    });
    const validUntil = (await rig.env.currentTimeMs()) + 60_000;
    const plan = await rig.env.client.workflow.executeUpdateWithStart(MENTOR_CALL.answerTwiml, {
      args: [{ kind: 'app-called', callSid: SID, validUntil }],
      startWorkflowOperation,
    });
    const handle = await startWorkflowOperation.workflowHandle();
    return { plan, result: await handle.result(), callId };
  }

  it('tells a user who has another call to go on with that one', async () => {
    const other = randomUUID();
    const { plan, result } = await begun((world) => {
      world.override = { openCall: async () => ({ state: 'merged', mergedInto: other }) };
    });
    expect(plan).toEqual({ do: 'goodbye', words: 'already-in-call' });
    expect(result).toMatchObject({ status: 'merged', mergedInto: other });
  });

  it('tells a user who has asked too often where else to turn', async () => {
    const { plan, result } = await begun((world) => {
      world.override = { openCall: async () => ({ state: 'limited', which: 'user' }) };
    });
    expect(plan).toEqual({ do: 'goodbye', words: 'no-mentor-now' });
    expect(result).toEqual({ status: 'failed', endReason: 'too-many-requests' });
  });
});
