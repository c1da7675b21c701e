import { randomUUID } from 'node:crypto';
import { openCall } from '../../../db/calls';
import { reserveBest } from '../../../db/mentor-match';
import { SealedValue } from '../../../domain/sealed';
import { defaultScorer } from '../../../domain/match-scorers';
import { MARKED } from '../../marked-people';
import { ALWAYS } from '../db/people';
import { ApiUnderTest, callInput, CONSENT, newCallSid } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start({ MENTOR_CALLS_ACCESS: 'list' });
});
afterAll(() => api.stop());

const admin = { role: 'admin' } as const;

async function liveCall(): Promise<string> {
  const { rows } = await api.database.owner.query('INSERT INTO subjects DEFAULT VALUES RETURNING subject_id');
  const value = SealedValue.of('phone', MARKED.userPhone);
  const recordId = await api.deps.vault.seal({ subjectId: rows[0].subject_id, kind: 'phone', value });
  const input = callInput(rows[0].subject_id, recordId);
  await openCall(api.deps.pool, input, { perUser: 10, perTarget: 10 });
  return input.callId;
}

test('an admin sees step by step who was chosen and why, and the look is kept', async () => {
  const mentor = { name: MARKED.mentorName, phoneNumber: MARKED.mentorPhone, zone: 'UTC', windows: ALWAYS };
  const make = async (languages: string[]) =>
    (await api.ask('POST', '/mentors', { who: admin, json: { ...mentor, languages } })).body.mentorId;
  const [spanish, english] = [await make(['es']), await make(['en'])];
  const callId = await liveCall();
  const match = { callId, leaseMs: 60_000, preferences: { languages: ['es'] }, country: 'US' };
  await reserveBest(api.deps.pool, { ...match, step: 1, exclude: [] }, defaultScorer());
  await reserveBest(api.deps.pool, { ...match, step: 2, exclude: [spanish, english] }, defaultScorer());
  // One of those from before: it is shown without its reasons.
  await api.database.owner.query(
    `INSERT INTO mentor_offers (call_id, step, mentor_id, reasons) VALUES ($1, 3, $2, '{"score": 1}')`,
    [callId, english],
  );
  const answer = await api.ask('GET', `/mentor-calls/${callId}/matching`, { who: admin });
  expect(answer.status).toBe(200);
  expect(answer.body).toMatchObject({
    callId,
    steps: [
      {
        step: 1,
        mentorId: spanish,
        why: 'reserved',
        reasons: {
          scorer: { name: 'default' },
          chosen: { score: 100, met: { languages: ['es'] } },
          others: [{ mentorId: english, why: 'lower-score', score: 0 }],
        },
      },
      { step: 2, mentorId: null, why: 'all-busy', reasons: { chosen: null, counts: { triedAlready: 2 } } },
      { step: 3, mentorId: english, reasons: null },
    ],
  });
  expect(answer.text).not.toContain(MARKED.mentorName);
  const { rows } = await api.database.owner.query(
    `SELECT count(*)::int AS n FROM audit_entries WHERE action = 'mentor-call.matching-read' AND object_id = $1`,
    [callId],
  );
  expect(rows).toEqual([{ n: 1 }]);
});

test('a call nobody knows is a 404 that leaves nothing', async () => {
  const before = await api.footprint();
  const answer = await api.ask('GET', `/mentor-calls/${randomUUID()}/matching`, { who: admin });
  expect(answer).toMatchObject({ status: 404, body: { code: 'not-found' } });
  expect(await api.footprint()).toEqual(before);
});

describe('while calls are for those on the list', () => {
  const user = () => ({ role: 'user', subject: randomUUID() }) as const;
  const connect = (who: ReturnType<typeof user>) =>
    api.ask('POST', '/connect-mentor', { who, json: { userPhoneNumber: MARKED.userPhone, consent: CONSENT } });
  const give = (json: object) => api.ask('POST', '/mentor-call-access', { who: admin, json });

  test('anybody else is refused with the helplines, and nothing is kept of them', async () => {
    const who = user();
    await api.ask('GET', '/mentor-calls', { who });
    const before = await api.footprint();
    const answer = await connect(who);
    expect(answer).toMatchObject({
      status: 403,
      body: { code: 'calls-not-open-to-you', helplines: { crisis: expect.anything(), emergency: expect.anything() } },
    });
    expect(await api.footprint()).toEqual(before);
  });

  test('somebody is let in by their account or our id, and taken off again', async () => {
    const who = user();
    const given = await give({ account: who.subject });
    expect(given).toMatchObject({ status: 201, body: { subjectId: expect.any(String) } });
    expect((await give({ subjectId: given.body.subjectId })).body).toEqual(given.body);
    expect((await connect(who)).status).toBe(202);
    const address = `/mentor-call-access/${given.body.subjectId}`;
    expect((await api.ask('DELETE', address, { who: admin })).status).toBe(204);
    expect((await api.ask('DELETE', address, { who: admin })).status).toBe(404);
    expect((await connect(who)).status).toBe(403);
    const { rows } = await api.database.owner.query(
      `SELECT action FROM audit_entries WHERE object_id = $1 AND action LIKE 'mentor-call-access.%' ORDER BY at`,
      [given.body.subjectId],
    );
    expect(rows.map(({ action }) => action)).toEqual(['mentor-call-access.given', 'mentor-call-access.taken']);
  });

  test('no app of anybody else gets a token either, and the helplines are those of their country', async () => {
    const who = user();
    const token = (one: typeof who) => api.ask('GET', '/voice-token?format=json&country=GB', { who: one });
    await api.ask('GET', '/mentor-calls', { who });
    const before = await api.footprint();
    const answer = await token(who);
    expect(answer).toMatchObject({ status: 403, body: { code: 'calls-not-open-to-you' } });
    expect(answer.body.helplines.emergency).toMatchObject({ number: '999' });
    expect(await api.footprint()).toEqual(before);
    const { subjectId } = (await give({ account: who.subject })).body;
    expect((await token(who)).status).toBe(200);
    await api.ask('DELETE', `/mentor-call-access/${subjectId}`, { who: admin });
  });

  test('who was taken off it since they got a token hears the helplines, and no call begins', async () => {
    const who = user();
    const { subjectId } = (await give({ account: who.subject })).body;
    const { body } = await api.ask('GET', '/voice-token?format=json&country=US&language=en', { who });
    const call = () =>
      api.twilio('/twiml/voice-app', {
        CallSid: newCallSid(),
        CallStatus: 'ringing',
        Direction: 'inbound',
        From: `client:${body.identity}`,
        To: 'mentor-queue',
        textVersion: 'app-2026-11',
        language: 'en',
      });
    const begun = api.process.started.length;
    await call();
    expect(api.process.started).toHaveLength(begun + 1);
    await api.ask('DELETE', `/mentor-call-access/${subjectId}`, { who: admin });
    const { text } = await call();
    expect(text).toContain('9 8 8');
    expect(text).toContain('9 1 1');
    expect(api.process.started).toHaveLength(begun + 1);
  });

  test('the list comes in pages, each once', async () => {
    for (let made = 0; made < 5; made += 1) await give({ account: randomUUID() });
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await api.ask('GET', `/mentor-call-access?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`, {
        who: admin,
      });
      seen.push(...page.body.access.map((one: { subjectId: string }) => one.subjectId));
      cursor = page.body.nextCursor;
    } while (cursor !== null);
    expect(seen).toHaveLength(5);
    expect(new Set(seen).size).toBe(5);
  });

  test('a subject who is not there, or was erased, cannot be let in; who is erased leaves the list', async () => {
    expect((await give({ subjectId: randomUUID() })).status).toBe(404);
    expect((await give({})).status).toBe(400);
    const { subjectId } = (await give({ account: randomUUID() })).body;
    await api.deps.vault.eraseSubject(subjectId, 'system');
    expect((await api.ask('DELETE', `/mentor-call-access/${subjectId}`, { who: admin })).status).toBe(404);
    expect((await give({ subjectId })).status).toBe(404);
  });
});
