import { randomUUID } from 'node:crypto';
import { feedbackOf, takeFeedback } from '../../../db/call-feedback';
import { closeCall, openCall, updateCall } from '../../../db/calls';
import { inTransaction } from '../../../db/pool';
import type { Outcome } from '../../../domain/mentor-call';
import { MARKED } from '../../marked-people';
import { mentorWith } from '../db/people';
import { ApiUnderTest, CONSENT } from './api-under-test';

let api: ApiUnderTest;
let [somebody, somebodyElse] = ['', ''];
beforeAll(async () => {
  api = await ApiUnderTest.start();
  const made = [await mentorWith(api.deps.pool), await mentorWith(api.deps.pool)];
  [somebody = '', somebodyElse = ''] = made.map(({ mentorId }) => mentorId);
});
afterAll(() => api.stop());

interface Made {
  readonly callId: string;
  readonly userId: string;
  readonly who: { readonly role: 'user'; readonly subject: string };
}

/** A call of somebody new, with a conversation unless `mentorId` is null, over unless `outcome` is. */
async function call(mentorId: string | null = somebody, outcome: Outcome | null = 'completed'): Promise<Made> {
  const who = { role: 'user', subject: randomUUID() } as const;
  const json = { userPhoneNumber: MARKED.userPhone, consent: CONSENT };
  await api.ask('POST', '/connect-mentor', { who, json });
  const input = api.process.started.at(-1);
  if (input === undefined) throw new Error('nothing was started');
  const { callId, userId } = input;
  await openCall(api.deps.pool, input, { perUser: 1_000, perTarget: 1_000 });
  const bridgedAt = new Date();
  if (mentorId !== null) await updateCall(api.deps.pool, callId, { status: 'connected', mentorId, bridgedAt });
  const end = { callId, endReason: 'bridge-over', endedAt: new Date(), durationSeconds: 600 } as const;
  if (outcome !== null) await closeCall(api.deps.pool, { ...end, outcome });
  return { callId, userId, who };
}

const path = ({ callId }: Made) => `/mentor-calls/${callId}/feedback`;
const rate = (made: Made, json: unknown, who: Parameters<ApiUnderTest['token']>[0] = made.who) =>
  api.ask('POST', path(made), { who, json });
const earlier = (table: string, column: string, callId: string, by: string) =>
  api.database.owner.query(`UPDATE ${table} SET ${column} = ${column} - $2::interval WHERE call_id = $1`, [callId, by]);

describe('rating a call', () => {
  test('is kept with its words sealed, shown to its user, and repeated without harm', async () => {
    const made = await call();
    const json = { rating: 5, words: `  ${MARKED.replyWords} ` };
    const first = await rate(made, json);
    expect(first).toMatchObject({
      status: 200,
      body: { callId: made.callId, rating: 5, words: MARKED.replyWords, via: 'app' },
    });
    expect((await rate(made, json)).body).toEqual(first.body);
    expect((await api.ask('GET', path(made), { who: made.who })).body).toEqual(first.body);
    const { rows } = await api.database.owner.query('SELECT * FROM call_feedback WHERE call_id = $1', [made.callId]);
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain('heron');
    expect(api.logLines.join('')).not.toContain('heron');
  });

  test('may be changed for a day; words that are left out are destroyed', async () => {
    const made = await call();
    await rate(made, { rating: 2, words: 'first thought' });
    const before = await feedbackOf(api.deps.pool, made.callId);
    expect((await rate(made, { rating: 4 })).body).toMatchObject({ rating: 4, words: null });
    const { rows } = await api.database.owner.query(
      'SELECT destroyed_at IS NOT NULL AS is_gone FROM vault_records WHERE record_id = $1',
      [before?.wordRecordId],
    );
    expect(rows).toEqual([{ is_gone: true }]);
    await earlier('call_feedback', 'given_at', made.callId, '25 hours');
    expect(await rate(made, { rating: 1 })).toMatchObject({ status: 409, body: { code: 'feedback-closed' } });
    expect((await feedbackOf(api.deps.pool, made.callId))?.rating).toBe(4);
  });

  test('is not possible while the call goes on, without a conversation, or after a week', async () => {
    expect((await rate(await call(somebody, null), { rating: 5 })).body.code).toBe('call-not-over');
    expect((await rate(await call(null, 'fallback-completed'), { rating: 5 })).body.code).toBe('no-conversation');
    const old = await call();
    await earlier('call_logs', 'ended_at', old.callId, '8 days');
    expect((await rate(old, { rating: 5 })).body.code).toBe('feedback-closed');
    const { rows } = await api.database.owner.query('SELECT count(*)::int AS n FROM call_feedback WHERE call_id = $1', [
      old.callId,
    ]);
    expect(rows[0].n).toBe(0);
  });

  test.each([
    [{ rating: 0 }],
    [{ rating: 6 }],
    [{ rating: 4.5 }],
    [{ rating: '5' }],
    [{}],
    [{ rating: 5, words: '' }],
    [{ rating: 5, words: 'x'.repeat(301) }],
    [{ rating: 5, userId: 'me' }],
  ])('%j is refused, and nothing is kept', async (json) => {
    const made = await call();
    const before = await api.footprint();
    expect(await rate(made, json)).toMatchObject({ status: 400, body: { code: 'invalid-body' } });
    expect(await api.footprint()).toEqual(before);
  });

  test('is for the user of the call alone: staff and admins neither give nor see it', async () => {
    const made = await call();
    await rate(made, { rating: 3 });
    expect((await rate(made, { rating: 1 }, { role: 'user', subject: randomUUID() })).status).toBe(404);
    expect((await rate(made, { rating: 1 }, { role: 'staff' })).status).toBe(404);
    expect((await api.ask('GET', path(made), { who: { role: 'staff' } })).status).toBe(404);
    expect((await api.ask('GET', path(made), { who: { role: 'admin' } })).status).toBe(403);
    expect((await api.ask('GET', path(await call()), { who: made.who })).status).toBe(404);
  });

  test('is gone with the words when their user is erased, and the number stays as nobody’s', async () => {
    const made = await call();
    await rate(made, { rating: 2, words: MARKED.replyWords });
    await api.deps.vault.eraseSubject(made.userId, 'system');
    const left = await feedbackOf(api.deps.pool, made.callId);
    expect(left).toMatchObject({ rating: 2 });
    const words = api.deps.vault.reveal({
      recordId: left?.wordRecordId ?? '',
      purpose: 'own-view',
      actor: made.userId,
    });
    await expect(words).rejects.toThrow();
  });
});

describe('satisfaction', () => {
  const month = new Date().toISOString().slice(0, 7);
  const ratedBy = async (mentorId: string, ratings: readonly number[]) => {
    for (const rating of ratings) {
      const { callId } = await call(mentorId);
      const given = { callId, rating, words: null, via: 'key' } as const;
      const parts = { vault: api.deps.vault, retention: api.deps.config.retention };
      await inTransaction(api.deps.pool, (tx) => takeFeedback(tx, parts, given));
    }
  };
  const staff = { role: 'staff' } as const;
  const monthly = async () => (await api.ask('GET', `/satisfaction?from=${month}&to=${month}`, { who: staff })).body;

  beforeEach(async () => {
    await api.database.owner.query('DELETE FROM call_feedback');
  });

  test('of a month shows a mean only when there are five answers to hide behind', async () => {
    await ratedBy(somebody, [1, 5, 5, 4]);
    expect(await monthly()).toEqual({ months: [{ month, answers: 4, mean: null, ratings: null }] });
    await ratedBy(somebodyElse, [4]);
    expect(await monthly()).toEqual({ months: [{ month, answers: 5, mean: 3.8, ratings: [1, 0, 0, 2, 2] }] });
  });

  test('leaves out other months, and asks for months in their order', async () => {
    await ratedBy(somebody, [5]);
    await api.database.owner.query(`UPDATE call_feedback SET given_at = given_at - interval '70 days'`);
    expect(await monthly()).toEqual({ months: [] });
    const all = await api.ask('GET', '/satisfaction', { who: { role: 'admin' } });
    expect(all.body.months).toHaveLength(1);
    for (const query of ['from=2026-13', 'from=2026-05&to=2026-04', 'from=2020-01&to=2026-01']) {
      const answer = await api.ask('GET', `/satisfaction?${query}`, { who: staff });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-query' } });
    }
  });

  test('with one mentor shows nothing of nine answers, and the mean of ten to the mentor and to admins', async () => {
    const json = {
      name: MARKED.mentorName,
      phoneNumber: MARKED.mentorPhone,
      zone: 'UTC',
      languages: ['en'],
      windows: [],
    };
    const { body: mentor } = await api.ask('POST', '/mentors', { who: { role: 'admin' }, json });
    const own = `/mentors/${mentor.mentorId}/satisfaction`;
    const seen = async (who: Parameters<ApiUnderTest['token']>[0]) => (await api.ask('GET', own, { who })).body;
    await ratedBy(mentor.mentorId, [5, 5, 5, 5, 5, 5, 5, 5, 1]);
    expect(await seen({ role: 'admin' })).toEqual({ mentorId: mentor.mentorId, answers: null, mean: null });
    await ratedBy(mentor.mentorId, [4]);
    expect(await seen({ role: 'admin' })).toEqual({ mentorId: mentor.mentorId, answers: 10, mean: 4.5 });
    const account = randomUUID();
    const me = { role: 'mentor', subject: account } as const;
    expect((await api.ask('GET', own, { who: me })).status).toBe(404);
    await api.database.owner.query(
      `UPDATE mentors SET account_subject_id = (SELECT subject_id FROM subjects ORDER BY created_at DESC LIMIT 1)
        WHERE mentor_id = $1`,
      [mentor.mentorId],
    );
    expect(await seen(me)).toMatchObject({ answers: 10 });
    const other = await api.ask('POST', '/mentors', { who: { role: 'admin' }, json });
    expect((await api.ask('GET', `/mentors/${other.body.mentorId}/satisfaction`, { who: me })).status).toBe(404);
  });
});
