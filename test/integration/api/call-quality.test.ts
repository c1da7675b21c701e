import { randomUUID } from 'node:crypto';
import { noteCallQuality } from '../../../db/call-quality';
import { closeCall, openCall } from '../../../db/calls';
import { createSubject } from '../../../db/subjects';
import { SealedValue } from '../../../domain/sealed';
import { MARKED } from '../../marked-people';
import { ApiUnderTest, callInput, newCallSid } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());

const admin = { role: 'admin' } as const;
const qualityOf = (callId: string, who: Parameters<ApiUnderTest['token']>[0] = admin) =>
  api.ask('GET', `/mentor-calls/${callId}/quality`, { who });

async function call() {
  const userId = await createSubject(api.deps.pool, 'system');
  const value = SealedValue.of('phone', MARKED.userPhone);
  const input = callInput(userId, await api.deps.vault.seal({ subjectId: userId, kind: 'phone', value }));
  await openCall(api.deps.pool, input, { perUser: 9, perTarget: 9 });
  return input;
}

describe('the quality of a call', () => {
  test('is for admins, and that they looked is kept', async () => {
    const { callId } = await call();
    for (const role of ['user', 'mentor', 'staff', 'service'] as const) {
      expect(await qualityOf(callId, { role })).toMatchObject({ status: 403, body: { code: 'role-not-allowed' } });
    }
    expect(await qualityOf(callId)).toMatchObject({ status: 200, body: { callId, quality: null } });
    const { rows } = await api.database.owner.query(
      `SELECT actor, outcome FROM audit_entries WHERE object_id = $1 AND action = 'mentor-call.read'`,
      [callId],
    );
    expect(rows).toEqual([{ actor: expect.any(String), outcome: 'done' }]);
  });

  test.each([['no id'], [randomUUID()]])('of %s is not found', async (id) => {
    expect(await qualityOf(id)).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });

  test('is made of callbacks as Twilio sends them: its time and SIP code are kept, no number is', async () => {
    const { callId } = await call();
    const CallSid = newCallSid();
    const ended = Math.floor(Date.now() / 1_000) * 1_000;
    const status = (CallStatus: string, secondsBefore: number, more: Record<string, string> = {}) => {
      const Timestamp = new Date(ended - secondsBefore * 1_000).toUTCString().replace('GMT', '+0000');
      const fields = { CallSid, CallStatus, Timestamp, From: '+14155550100', To: MARKED.userPhone, ...more };
      return api.twilio(`/call-status?call=${callId}&leg=user`, fields);
    };
    await status('initiated', 9);
    await status('ringing', 6);
    await status('no-answer', 0, { SipResponseCode: '487' });
    await closeCall(api.deps.pool, {
      callId,
      outcome: 'no-answer',
      endReason: 'user-not-reached',
      endedAt: new Date(),
      durationSeconds: 0,
    });
    const how = { settledMs: 0, timeLimitSeconds: 3_600, insightsAfterMs: null, limit: 10 };
    await noteCallQuality(api.deps.pool, how);
    expect((await qualityOf(callId)).body.quality).toMatchObject({
      userPostDialDelayMs: 3_000,
      userSipCode: 487,
      mentorSipCode: null,
      msToAnswer: null,
      insights: { user: null, mentor: null },
      insightsDueAt: null,
    });
    const { rows } = await api.database.owner.query('SELECT payload::text FROM webhook_events WHERE call_id = $1', [
      callId,
    ]);
    expect(rows).toHaveLength(3);
    for (const { payload } of rows) expect(payload).not.toContain('4155550');
  });

  test.each([
    ['no time', { Timestamp: 'yesterday' }],
    ['the time of another year', { Timestamp: 'Sat, 21 Nov 2009 12:00:00 +0000' }],
    ['a code that is none', { SipResponseCode: '+14155550142' }],
  ])('keeps nothing of a callback with %s but its state', async (_what, odd) => {
    const { callId } = await call();
    await api.twilio(`/call-status?call=${callId}&leg=user`, { CallSid: newCallSid(), CallStatus: 'ringing', ...odd });
    const { rows } = await api.database.owner.query('SELECT status, payload FROM webhook_events WHERE call_id = $1', [
      callId,
    ]);
    expect(rows).toEqual([{ status: 'ringing', payload: {} }]);
  });
});
