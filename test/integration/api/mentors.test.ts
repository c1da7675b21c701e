import { randomUUID } from 'node:crypto';
import { MARKED } from '../../marked-people';
import { ApiUnderTest } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());

const who = { role: 'admin' } as const;
const mentor = {
  name: MARKED.mentorName,
  phoneNumber: MARKED.mentorPhone,
  specialties: ['sleep'],
  languages: ['en', 'es'],
  zone: 'America/New_York',
  windows: [{ weekday: 1, starts: '22:00', ends: '06:00' }],
};
/** An edit by somebody who does not care what was there before. */
const overwriting = { raw: { headers: { 'If-Match': '*' } } };
const create = async (more: object = {}) =>
  (await api.ask('POST', '/mentors', { who, json: { ...mentor, ...more } })).body;

test('a mentor is entered with sensible defaults, and the answer holds a name but never a number', async () => {
  const answer = await api.ask('POST', '/mentors', { who, json: mentor });
  expect(answer.status).toBe(201);
  expect(answer.headers.get('location')).toBe(`/mentors/${answer.body.mentorId}`);
  expect(answer.body).toEqual({
    mentorId: expect.any(String),
    name: MARKED.mentorName,
    country: 'US',
    specialties: ['sleep'],
    languages: ['en', 'es'],
    zone: 'America/New_York',
    available: true,
    maxConcurrentCalls: 1,
    currentCalls: 0,
    windows: mentor.windows,
  });
  expect(answer.text).not.toContain('5550176');
});

test('a mentor can be entered without windows', async () => {
  expect((await create({ windows: undefined, specialties: undefined })).windows).toEqual([]);
});

test('every look at a name leaves an audit entry', async () => {
  const { mentorId } = await create();
  const looks = async () =>
    (
      await api.database.owner.query(
        `SELECT count(*)::int AS n FROM audit_entries a JOIN mentors m ON a.object_id = m.name_record_id::text
          WHERE m.mentor_id = $1 AND a.action = 'record.revealed' AND a.purpose = 'staff-view'`,
        [mentorId],
      )
    ).rows[0].n;
  const before = await looks();
  await api.ask('GET', `/mentors/${mentorId}`, { who });
  expect(await looks()).toBe(before + 1);
});

test('what is left out of a change stays', async () => {
  const made = await create();
  const changed = await api.ask('PATCH', `/mentors/${made.mentorId}`, {
    who,
    json: { available: false },
    ...overwriting,
  });
  expect(changed).toMatchObject({ status: 200, body: { ...made, available: false } });
});

test('a new name and number replace the old ones, whose records are destroyed', async () => {
  const { mentorId } = await create();
  const records = async () =>
    (
      await api.database.owner.query(
        `SELECT v.kind, v.destroyed_at IS NULL AS readable FROM mentors m JOIN vault_records v USING (subject_id)
          WHERE m.mentor_id = $1 ORDER BY v.kind, readable`,
        [mentorId],
      )
    ).rows;
  const json = { name: MARKED.otherMentorName, phoneNumber: MARKED.otherMentorPhone };
  expect((await api.ask('PATCH', `/mentors/${mentorId}`, { who, json, ...overwriting })).body.name).toBe(
    MARKED.otherMentorName,
  );
  expect(await records()).toEqual([
    { kind: 'name', readable: false },
    { kind: 'name', readable: true },
    { kind: 'phone', readable: false },
    { kind: 'phone', readable: true },
  ]);
});

test('windows are replaced as a whole', async () => {
  const { mentorId } = await create();
  const windows = [
    { weekday: 6, starts: '00:00', ends: '00:00' },
    { weekday: 7, starts: '09:30', ends: '12:00' },
  ];
  const answer = await api.ask('PUT', `/mentors/${mentorId}/windows`, { who, json: { windows }, ...overwriting });
  expect(answer).toMatchObject({ status: 200, body: { windows } });
  expect((await api.ask('GET', `/mentors/${mentorId}`, { who })).body.windows).toEqual(windows);
});

test('a deleted mentor is gone from every answer, with name and number', async () => {
  const { mentorId } = await create();
  expect((await api.ask('DELETE', `/mentors/${mentorId}`, { who, ...overwriting })).status).toBe(204);
  for (const [method, json] of [
    ['GET', undefined],
    ['DELETE', undefined],
    ['PATCH', {}],
  ] as const) {
    const answer = await api.ask(method, `/mentors/${mentorId}`, { who, ...(json === undefined ? {} : { json }) });
    expect(answer.status).toBe(404);
  }
});

describe('between the look at a mentor and the look at the name', () => {
  /** Does it once, when a name is about to be revealed. */
  function meanwhile(act: () => Promise<unknown>): void {
    const reveal = api.deps.vault.reveal.bind(api.deps.vault);
    jest.spyOn(api.deps.vault, 'reveal').mockImplementationOnce(async (asked) => {
      await act();
      return reveal(asked);
    });
  }
  const listed = async () =>
    (await api.ask('GET', '/mentors?limit=100', { who })).body.mentors.map((one: { name: string }) => one.name);

  test('a mentor who is deleted is left out of the list, and is a 404 by themselves', async () => {
    const [first, second] = [await create(), await create()];
    const all = await listed();
    meanwhile(() => api.ask('DELETE', `/mentors/${first.mentorId}`, { who, ...overwriting }));
    expect((await api.ask('GET', `/mentors/${first.mentorId}`, { who })).status).toBe(404);
    meanwhile(async () => {
      for (const { mentorId } of [second, ...(await api.ask('GET', '/mentors?limit=100', { who })).body.mentors])
        await api.ask('DELETE', `/mentors/${mentorId}`, { who, ...overwriting });
    });
    expect(all.length).toBeGreaterThan(1);
    expect(await listed()).toEqual([]);
  });

  test('a mentor who gets another name is shown with that one, and with the tag that goes with it', async () => {
    const { mentorId } = await create();
    const json = { name: MARKED.otherMentorName };
    meanwhile(() => api.ask('PATCH', `/mentors/${mentorId}`, { who, json, ...overwriting }));
    const shown = await api.ask('GET', `/mentors/${mentorId}`, { who });
    expect(shown).toMatchObject({ status: 200, body: { name: MARKED.otherMentorName } });
    expect(shown.headers.get('etag')).toBe((await api.ask('GET', `/mentors/${mentorId}`, { who })).headers.get('etag'));
  });
});

test('a mentor nobody knows is a 404 for every method', async () => {
  const id = randomUUID();
  expect((await api.ask('PATCH', `/mentors/${id}`, { who, json: {} })).status).toBe(404);
  expect((await api.ask('PUT', `/mentors/${id}/windows`, { who, json: { windows: [] } })).status).toBe(404);
});

test('the list comes in pages, each mentor once', async () => {
  await create();
  await create();
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await api.ask('GET', `/mentors?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`, { who });
    expect(page.body.mentors.length).toBeLessThanOrEqual(2);
    seen.push(...page.body.mentors.map((one: { mentorId: string }) => one.mentorId));
    cursor = page.body.nextCursor;
  } while (cursor !== null);
  const { rows } = await api.database.owner.query('SELECT mentor_id FROM mentors WHERE deleted_at IS NULL');
  expect(new Set(seen)).toEqual(new Set(rows.map((row) => row.mentor_id)));
  expect(seen).toHaveLength(rows.length);
});
