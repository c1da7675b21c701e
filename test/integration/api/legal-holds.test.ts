import { randomUUID } from 'node:crypto';
import { deleteMentor } from '../../../db/mentors';
import { subjectForAccount } from '../../../db/subjects';
import { mentorWith } from '../db/people';
import { ApiUnderTest } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());

const who = { role: 'admin' } as const;
const person = (): Promise<string> => subjectForAccount(api.deps.pool, Buffer.from(randomUUID().replaceAll('-', '')));
const place = (json: unknown) => api.ask('POST', '/legal-holds', { who, json });
const lift = (holdId: string) => api.ask('DELETE', `/legal-holds/${holdId}`, { who });
const entries = async (objectId: string) => {
  const { rows } = await api.database.owner.query(
    `SELECT action, purpose, outcome FROM audit_entries WHERE object_id = $1 ORDER BY at`,
    [objectId],
  );
  return rows;
};

test('a hold is placed once for a reason, lifted once, and each is audited once', async () => {
  const subjectId = await person();
  const placed = await place({ subjectId, reason: 'court-order' });
  expect(placed).toMatchObject({ status: 201, body: { subjectId, reason: 'court-order', liftedAt: null } });
  expect(await place({ subjectId, reason: 'court-order' })).toMatchObject({ status: 200, body: placed.body });
  const { holdId } = placed.body;
  const lifted = await lift(holdId);
  const times = { liftedBy: expect.any(String), liftedAt: expect.any(String) };
  expect(lifted).toMatchObject({ status: 200, body: { ...placed.body, ...times } });
  expect((await lift(holdId)).body).toEqual(lifted.body);
  expect(await entries(holdId)).toEqual([
    { action: 'legal-hold.placed', purpose: 'court-order', outcome: 'done' },
    { action: 'legal-hold.lifted', purpose: 'court-order', outcome: 'done' },
  ]);
  const raw = { headers: { 'Idempotency-Key': randomUUID() } };
  const again = { who, json: { subjectId, reason: 'dispute' }, raw };
  const repeated = [1, 2].map(() => api.ask('POST', '/legal-holds', again));
  const [first, second] = await Promise.all(repeated);
  expect([first?.status, second]).toMatchObject([201, { status: 201, body: first?.body }]);
  // Another one may follow.
  expect((await place({ subjectId, reason: 'court-order' })).body.holdId).not.toBe(holdId);
});

test('holds are listed a page at a time, those that stand or those of one person', async () => {
  const subjectId = await person();
  for (const reason of ['authority', 'dispute', 'complaint']) await place({ subjectId, reason });
  const ask = (query: string) => api.ask('GET', `/legal-holds?subjectId=${subjectId}&${query}`, { who });
  const first = await ask('limit=2');
  const second = await ask(`limit=2&cursor=${first.body.nextCursor}`);
  const reasons = [first, second].flatMap(({ body }) =>
    body.legalHolds.map(({ reason }: { reason: string }) => reason),
  );
  expect(reasons).toEqual(['complaint', 'dispute', 'authority']);
  expect(second.body.nextCursor).toBeNull();
  await lift(first.body.legalHolds[0].holdId);
  expect((await ask('standing=true')).body.legalHolds).toHaveLength(2);
  expect((await ask('standing=false')).body.legalHolds).toMatchObject([{ reason: 'complaint' }]);
  expect(await ask('cursor=nonsense')).toMatchObject({ status: 400, body: { code: 'invalid-query' } });
});

test('nobody who is unknown or erased is held, and no reason but those of the list is taken', async () => {
  const subjectId = await person();
  const before = await api.footprint();
  expect(await place({ subjectId: randomUUID(), reason: 'dispute' })).toMatchObject({ status: 404 });
  expect(await place({ subjectId, reason: 'because of +14155550123' })).toMatchObject({
    status: 400,
    body: { code: 'invalid-body' },
  });
  expect(await lift(randomUUID())).toMatchObject({ status: 404 });
  expect(await api.footprint()).toEqual(before);
  await api.deps.vault.eraseSubject(subjectId, 'system');
  expect(await place({ subjectId, reason: 'dispute' })).toMatchObject({ status: 404, body: { code: 'not-found' } });
});

test('somebody who is held is not erased, which is audited, until the hold is lifted', async () => {
  const subjectId = await person();
  const { holdId } = (await place({ subjectId, reason: 'investigation' })).body;
  await expect(api.deps.vault.eraseSubject(subjectId, 'system')).rejects.toMatchObject({ code: 'subject-held' });
  expect(await entries(subjectId)).toEqual([{ action: 'subject.erased', purpose: null, outcome: 'refused' }]);
  await lift(holdId);
  expect(await api.deps.vault.eraseSubject(subjectId, 'system')).toBe(true);
});

test('a hold and an erasure at the same moment come one after the other: never is somebody held of whom nothing is left', async () => {
  for (let round = 0; round < 8; round += 1) {
    const subjectId = await person();
    const [held, erased] = await Promise.allSettled([
      place({ subjectId, reason: 'dispute' }),
      api.deps.vault.eraseSubject(subjectId, 'system'),
    ]);
    const status = held.status === 'fulfilled' ? held.value.status : 0;
    expect([status, erased.status]).toEqual(erased.status === 'fulfilled' ? [404, 'fulfilled'] : [201, 'rejected']);
  }
});

test('a mentor who is held is not deleted, with name and number, which is audited, until the hold is lifted', async () => {
  const { pool } = api.deps;
  const { mentorId, subjectId, nameRecordId, phoneRecordId } = await mentorWith(pool);
  const account = await person();
  const ofAccount = 'UPDATE mentors SET account_subject_id = $2 WHERE mentor_id = $1';
  await api.database.owner.query(ofAccount, [mentorId, account]);
  const there = async () => {
    const text = 'SELECT 1 FROM vault_records WHERE record_id = ANY($1) AND destroyed_at IS NULL';
    return (await api.database.owner.query(text, [[nameRecordId, phoneRecordId]])).rowCount;
  };
  for (const held of [subjectId, account]) {
    const { holdId } = (await place({ subjectId: held, reason: 'investigation' })).body;
    expect(await deleteMentor(pool, mentorId, account)).toBe('held');
    const raw = { headers: { 'If-Match': '*' } };
    const refused = await api.ask('DELETE', `/mentors/${mentorId}`, { who, raw });
    expect(refused).toMatchObject({ status: 409, body: { code: 'subject-held' } });
    expect(await there()).toBe(2);
    await lift(holdId);
  }
  const refusals = (await entries(mentorId)).filter(({ outcome }) => outcome === 'refused');
  expect(refusals).toHaveLength(4);
  expect(await deleteMentor(pool, mentorId, account)).toBe('deleted');
  expect(await there()).toBe(0);
});

test('what expires of somebody who is held stays until the hold is lifted', async () => {
  const subjectId = await person();
  const { holdId } = (await place({ subjectId, reason: 'dispute' })).body;
  await api.database.owner.query(
    `INSERT INTO vault_records (record_id, subject_id, kind, format, key_version, wrapped_data_key, ciphertext,
                                commitment, expires_at)
     VALUES (gen_random_uuid(), $1, 'text', 1, 1, '\\x00', '\\x00', '\\x00', now() - interval '1 day')`,
    [subjectId],
  );
  expect(await api.deps.vault.destroyExpired(10)).toBe(0);
  await lift(holdId);
  expect(await api.deps.vault.destroyExpired(10)).toBe(1);
});

test('statistics of calls are by month and country, and no more months are asked for than there is an end to', async () => {
  await api.database.owner.query(
    `INSERT INTO call_facts (day, country, language, outcome, seconds_to_answer, seconds_to_bridge, duration_seconds, mentors_rung)
     VALUES ('2026-03-31', 'US', 'en', 'completed', 10, 30, 600, 1), ('2026-03-01', 'US', 'es', 'completed', 20, 50, 900, 3),
            ('2026-03-01', 'US', 'es', 'no-answer', NULL, NULL, 0, 0), ('2026-03-01', 'GB', 'en', 'merged', NULL, NULL, 0, 0),
            ('2026-04-01', 'GB', 'en', 'fallback-completed', 5, NULL, 0, 2)`,
  );
  const ask = (query: string) => api.ask('GET', `/call-statistics?${query}`, { who: { role: 'staff' } });
  const none = { completed: 0, helpline: 0, cancelled: 0, noAnswer: 0, failed: 0 };
  const march = { ...none, calls: 3, completed: 2, noAnswer: 1, secondsToAnswer: 10, secondsToMentor: 30 };
  const april = { ...none, calls: 1, helpline: 1, secondsToAnswer: 5, secondsToMentor: null };
  const [spoken, silent] = [
    { conversationSeconds: 600, conversationSecondsInAll: 1_500, mentorsRung: 4 },
    { conversationSeconds: null, conversationSecondsInAll: 0, mentorsRung: 2 },
  ];
  expect((await ask('from=2026-03&to=2026-04')).body.months).toEqual([
    { month: '2026-04', country: 'GB', ...april, ...silent },
    { month: '2026-03', country: 'US', ...march, ...spoken },
  ]);
  expect((await ask('from=2026-03&to=2026-04&country=US')).body.months).toHaveLength(1);
  expect(await ask('from=2020-01&to=2026-04')).toMatchObject({ status: 400, body: { code: 'invalid-query' } });
});
