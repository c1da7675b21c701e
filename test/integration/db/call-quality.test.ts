import { randomUUID } from 'node:crypto';
import { beginLook, findCallQuality, insightsDue, keepInsights, noteCallQuality } from '../../../db/call-quality';
import { closeCall, openCall, updateCall } from '../../../db/calls';
import { ensureDispatch, adoptCallSid } from '../../../db/dispatches';
import { releaseSlot } from '../../../db/mentor-slots';
import { availableShare, callFigures, meanSatisfaction } from '../../../db/quality-figures';
import { storeEvent } from '../../../db/webhook-events';
import type { EndReason, MentorCallInput, Outcome } from '../../../domain/mentor-call';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { ALWAYS, callInput, liveCall, mentorWith, personWithNumber, reserveSlot, tokenHex } from './people';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const BEGAN = Date.now() - 3_600_000;
/** So many seconds after the request. */
const at = (seconds: number): string => new Date(BEGAN + seconds * 1_000).toISOString();
const sidOf = (): string => `CA${randomUUID().replaceAll('-', '')}`;
const NOTE = { settledMs: 60_000, timeLimitSeconds: 1_800, insightsAfterMs: 1_800_000, limit: 100 };

/** What Twilio told of a leg: state and second. */
async function told(callId: string, leg: string, step: number | null, states: [string, number][], sip = 200) {
  const sid = sidOf();
  for (const [sequence, [status, seconds]] of states.entries()) {
    const payload = { at: at(seconds), ...(sequence === states.length - 1 ? { sip } : {}) };
    const event = { seenKey: `${sid}:${status}`, type: 'call-status', sid, callId, leg, step, status, sequence };
    await storeEvent(database.app, { ...event, dispatchId: null, errorCode: null, payload }, true);
  }
  return sid;
}

/** A live call whose user was rung, with a SID from the start. */
async function rung(): Promise<MentorCallInput> {
  const call = await liveCall(database.app);
  await database.owner.query('UPDATE call_logs SET requested_at = $2 WHERE call_id = $1', [call.callId, at(0)]);
  return call;
}

async function offered(callId: string, step: number, result: Parameters<typeof releaseSlot>[1]['result']) {
  const { mentorId } = await mentorWith(database.app);
  await reserveSlot(database.app, { mentorId, callId, step, leaseMs: 60_000 });
  await releaseSlot(database.app, { callId, step, result });
  return mentorId;
}

const over = (callId: string, outcome: Outcome, endReason: EndReason, seconds: number, durationSeconds = 0) =>
  closeCall(database.app, { callId, outcome, endReason, endedAt: at(seconds), durationSeconds });

/** A call of which everything was told; the user's line ends at `userEnds`, the mentor's at `mentorEnds`. */
async function conversation(mentorEnds: number, userEnds: number) {
  const { callId } = await rung();
  const userSid = await told(callId, 'user', null, [
    ['initiated', 1],
    ['ringing', 3],
    ['in-progress', 8],
    ['completed', userEnds],
  ]);
  await offered(callId, 1, 'no-answer');
  await told(
    callId,
    'mentor',
    1,
    [
      ['initiated', 12],
      ['ringing', 13],
      ['no-answer', 33],
    ],
    487,
  );
  const mentorId = await offered(callId, 2, 'completed');
  const mentorSid = await told(callId, 'mentor', 2, [
    ['initiated', 34],
    ['ringing', 38],
    ['in-progress', 44],
    ['completed', mentorEnds],
  ]);
  const patch = { callSid: userSid, mentorId, answeredAt: at(11), bridgedAt: at(50), status: 'connected' as const };
  await updateCall(database.app, callId, patch);
  await over(callId, 'completed', 'bridge-over', userEnds, mentorEnds - 50);
  return { callId, userSid, mentorSid };
}

describe('the quality of a call', () => {
  it('is told from its row, its offers and what Twilio has told', async () => {
    const { callId } = await conversation(350, 360);
    expect(await findCallQuality(database.app, callId)).toBeNull();
    await noteCallQuality(database.app, NOTE);
    expect(await findCallQuality(database.app, callId)).toEqual({
      callId,
      endedAt: new Date(at(360)),
      msToAnswer: 8_000,
      msToMentor: 39_000,
      mentorsRung: 2,
      bridgeSeconds: 300,
      reconnections: 0,
      ringBacks: 0,
      linesLost: 0,
      endedFirst: 'mentor',
      userPostDialDelayMs: 2_000,
      mentorPostDialDelayMs: 4_000,
      userSipCode: 200,
      mentorSipCode: 200,
      insights: {},
      insightsDueAt: new Date(at(360) ? new Date(at(360)).valueOf() + 1_800_000 : 0),
    });
  });

  it.each([
    ['user', 360, 360],
    ['user', 361, 360],
    ['mentor', 358, 360],
    ['time-limit', 44 + 1_800, 1_850],
  ])(
    'tells that the line of the %s ended first, when the mentor’s ended at %i and the user’s at %i',
    async (who, mentor, user) => {
      const { callId } = await conversation(mentor, user);
      await noteCallQuality(database.app, NOTE);
      expect((await findCallQuality(database.app, callId))?.endedFirst).toBe(who);
    },
  );

  it('leaves open whose line ended first when the mentor’s was over a second before the user’s', async () => {
    const { callId } = await conversation(359, 360);
    await noteCallQuality(database.app, NOTE);
    expect(await findCallQuality(database.app, callId)).toMatchObject({ endedFirst: null, bridgeSeconds: 309 });
  });

  it('tells what it can of a call that came to nobody', async () => {
    const { callId } = await rung();
    await told(
      callId,
      'user',
      null,
      [
        ['initiated', 1],
        ['busy', 4],
      ],
      486,
    );
    await over(callId, 'no-answer', 'user-not-reached', 5);
    await noteCallQuality(database.app, NOTE);
    expect(await findCallQuality(database.app, callId)).toMatchObject({
      msToAnswer: null,
      msToMentor: null,
      mentorsRung: 0,
      endedFirst: null,
      userPostDialDelayMs: null,
      userSipCode: 486,
      mentorSipCode: null,
    });
  });

  it('counts who was rung again: mentors after a conversation, the user after a lost line', async () => {
    const { callId, workflowId } = { ...(await rung()), workflowId: 'w' };
    for (const [step, result] of [
      [1, 'declined'],
      [2, 'completed'],
      [3, 'completed'],
      [4, 'no-answer'],
      // Kept for a user who did not pick up: no mentor's phone rang.
      [5, 'not-rung'],
    ] as const)
      await offered(callId, step, result);
    // The first ring and the one for a turn in the queue come before the conversation; a recording rings nobody.
    const acts = [
      ['voice', 1],
      ['voice', 30],
      ['recording', 51],
      ['voice', 200],
    ] as const;
    for (const [nth, [channel, seconds]] of acts.entries()) {
      const dispatchId = randomUUID();
      const businessKey = `mentor-call:${callId}:user:${nth}`;
      const asked = {
        dispatchId,
        businessKey,
        callId,
        workflowId,
        recipientToken: tokenHex(),
        channel: 'voice',
      } as const;
      await ensureDispatch(database.app, { ...asked, sender: '+14155550100', country: 'US' });
      await adoptCallSid(database.app, dispatchId, sidOf());
      const made = 'UPDATE dispatches SET created_at = $2, channel = $3 WHERE dispatch_id = $1';
      await database.owner.query(made, [dispatchId, at(seconds), channel]);
    }
    // Lost in a conversation; one that never came up was lost by nobody.
    await told(callId, 'user', null, [
      ['in-progress', 10],
      ['failed', 60],
    ]);
    await told(callId, 'mentor', 1, [
      ['initiated', 20],
      ['failed', 21],
    ]);
    await updateCall(database.app, callId, { bridgedAt: at(50) });
    await over(callId, 'completed', 'bridge-over', 400, 60);
    await noteCallQuality(database.app, NOTE);
    expect(await findCallQuality(database.app, callId)).toMatchObject({
      mentorsRung: 4,
      reconnections: 2,
      ringBacks: 1,
      linesLost: 1,
    });
    const counted = 'SELECT mentors_rung FROM ended_calls WHERE call_id = $1';
    expect((await database.owner.query(counted, [callId])).rows[0]).toEqual({ mentors_rung: 4 });
  });

  it('is noted once, not before the last callbacks can have come, and never of what is live or merged', async () => {
    await noteCallQuality(database.app, NOTE);
    const live = await rung();
    const { callId: winner } = await rung();
    const merged = await rung();
    await closeCall(database.app, {
      callId: merged.callId,
      outcome: 'merged',
      endReason: 'merged',
      mergedInto: winner,
      endedAt: at(1),
      durationSeconds: 0,
    });
    const justNow = await rung();
    const endedAt = new Date();
    await closeCall(database.app, {
      callId: justNow.callId,
      outcome: 'failed',
      endReason: 'provider-unavailable',
      endedAt,
      durationSeconds: 0,
    });
    expect(await noteCallQuality(database.app, NOTE)).toBe(0);
    for (const { callId } of [live, merged, justNow]) expect(await findCallQuality(database.app, callId)).toBeNull();
    expect(await noteCallQuality(database.app, { ...NOTE, settledMs: 0 })).toBe(1);
    expect(await noteCallQuality(database.app, { ...NOTE, settledMs: 0 })).toBe(0);
  });

  it('goes with the row of its call', async () => {
    const { callId } = await conversation(350, 360);
    await noteCallQuality(database.app, NOTE);
    await database.owner.query('DELETE FROM mentor_offers WHERE call_id = $1', [callId]);
    await database.owner.query('DELETE FROM call_logs WHERE call_id = $1', [callId]);
    expect(await findCallQuality(database.app, callId)).toBeNull();
  });
});

describe('Voice Insights', () => {
  const LEG = {
    jitterMs: 4,
    packetLossPercent: 0,
    postDialDelayMs: 900,
    sipCode: 200,
    disconnectedBy: 'callee',
    tags: [],
  };

  it('are due half an hour after the call, and not any more once they are whole', async () => {
    const { callId, userSid, mentorSid } = await conversation(350, 360);
    await noteCallQuality(database.app, NOTE);
    const due = (await insightsDue(database.app, 100)).find((one) => one.callId === callId);
    expect(due).toEqual({ callId, userSid, mentorSid, looks: 0 });
    await beginLook(database.app, callId, 60_000);
    await keepInsights(database.app, callId, { user: LEG }, false);
    const between = await findCallQuality(database.app, callId);
    expect(between?.insights).toEqual({ user: LEG });
    expect(between?.insightsDueAt?.valueOf()).toBeGreaterThan(Date.now());
    await keepInsights(database.app, callId, { mentor: LEG }, true);
    expect(await findCallQuality(database.app, callId)).toMatchObject({
      insights: { user: LEG, mentor: LEG },
      insightsDueAt: null,
    });
  });

  it('are never due where they are off', async () => {
    const { callId } = await conversation(350, 360);
    await noteCallQuality(database.app, { ...NOTE, insightsAfterMs: null });
    expect((await insightsDue(database.app, 100)).map((due) => due.callId)).not.toContain(callId);
  });
});

describe('the figures of the service', () => {
  it('are of all calls of a day: those taken back, not picked up or one too many count for nothing', async () => {
    const fresh = await createTestDatabase();
    const ended = async (outcome: Outcome, endReason: EndReason, waited: number | null, talked: number) => {
      const { callId } = await liveCall(fresh.app);
      const [answeredAt, bridgedAt] = [new Date(BEGAN), waited === null ? undefined : new Date(BEGAN + waited * 1_000)];
      await updateCall(fresh.app, callId, { answeredAt, bridgedAt });
      await closeCall(fresh.app, { callId, outcome, endReason, endedAt: new Date(), durationSeconds: talked });
    };
    expect(await callFigures(fresh.app, 86_400_000)).toEqual({
      successRatio: null,
      waitSeconds: { '0.5': null, '0.95': null },
      conversationSeconds: { '0.5': null, '0.95': null },
    });
    await ended('completed', 'bridge-over', 10, 600);
    await ended('completed', 'ended-by-user', 20, 1_200);
    await ended('completed', 'bridge-over', 30, 1_800);
    await ended('cancelled', 'user-hung-up', null, 0);
    await ended('cancelled', 'cancelled-by-user', null, 0);
    await ended('no-answer', 'user-not-reached', null, 0);
    // One too many of an hour: nobody was looked for.
    const person = await personWithNumber(fresh.app);
    const taken = callInput(person);
    await openCall(fresh.app, taken, { perUser: 1, perTarget: 3 });
    const back = { callId: taken.callId, outcome: 'cancelled', endReason: 'cancelled-by-user' } as const;
    await closeCall(fresh.app, { ...back, endedAt: new Date(), durationSeconds: 0 });
    const limited = await openCall(fresh.app, callInput(person), { perUser: 1, perTarget: 3 });
    expect(limited).toMatchObject({ state: 'limited' });
    const figures = await callFigures(fresh.app, 86_400_000);
    expect(figures.successRatio).toBeCloseTo(0.75);
    expect(figures.waitSeconds['0.5']).toBeCloseTo(20);
    expect(figures.conversationSeconds['0.95']).toBeCloseTo(1_740);
    expect((await callFigures(fresh.app, 0)).successRatio).toBeNull();
    await fresh.drop();
  });

  it('tell the share of mentors who could be rung now', async () => {
    const fresh = await createTestDatabase();
    const now = new Date();
    expect(await availableShare(fresh.app, now)).toBeNull();
    await mentorWith(fresh.app, { windows: ALWAYS });
    await mentorWith(fresh.app, { windows: ALWAYS, available: false });
    await mentorWith(fresh.app, { windows: [] });
    const busy = await mentorWith(fresh.app, { windows: ALWAYS });
    expect(await availableShare(fresh.app, now)).toBe(0.5);
    const { callId } = await liveCall(fresh.app);
    await reserveSlot(fresh.app, { mentorId: busy.mentorId, callId, step: 1, leaseMs: 60_000 });
    expect(await availableShare(fresh.app, now)).toBe(0.25);
    await fresh.drop();
  });

  it('tell a mean of what users thought only when there are ten to hide behind', async () => {
    const fresh = await createTestDatabase();
    const answer = (rating: number) =>
      fresh.owner.query(
        "INSERT INTO call_feedback (call_id, mentor_id, rating, via) VALUES (gen_random_uuid(), gen_random_uuid(), $1, 'key')",
        [rating],
      );
    for (let n = 0; n < 9; n += 1) await answer(5);
    expect(await meanSatisfaction(fresh.app, 86_400_000)).toBeNull();
    await answer(3);
    expect(await meanSatisfaction(fresh.app, 86_400_000)).toBeCloseTo(4.8);
    expect(await meanSatisfaction(fresh.app, 0)).toBeNull();
    await fresh.drop();
  });
});
