import { randomUUID } from 'node:crypto';
import { MARKED } from '../../marked-people';
import { ApiUnderTest } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());

const who = { role: 'admin' } as const;
const json = { name: MARKED.mentorName, phoneNumber: MARKED.mentorPhone, languages: ['en'], zone: 'UTC' };
const create = () => api.ask('POST', '/mentors', { who, json });
const tagOf = async (mentorId: string) => (await api.ask('GET', `/mentors/${mentorId}`, { who })).headers.get('etag');
const ifMatch = (tag: string | null) => ({ raw: tag === null ? {} : { headers: { 'If-Match': tag } } });

/** Every way to edit a mentor. */
const EDITS: [string, string, unknown][] = [
  ['PATCH', '', { available: false }],
  ['PUT', '/windows', { windows: [] }],
  ['DELETE', '', undefined],
];
const edit = ([method, path, body]: (typeof EDITS)[number], mentorId: string, tag: string | null) =>
  api.ask(method, `/mentors/${mentorId}${path}`, {
    who,
    ...(body === undefined ? {} : { json: body }),
    ...ifMatch(tag),
  });

test('the tag of a mentor is the same until somebody edits, and another one then', async () => {
  const made = await create();
  const { mentorId } = made.body;
  const first = await tagOf(mentorId);
  expect(first).toMatch(/^"[^"]+"$/);
  expect(made.headers.get('etag')).toBe(first);
  const changed = await edit(['PATCH', '', { available: false }], mentorId, first);
  expect(changed.status).toBe(200);
  expect(changed.headers.get('etag')).toBe(await tagOf(mentorId));
  expect(await tagOf(mentorId)).not.toBe(first);
});

describe.each(EDITS)('%s of a mentor%s', (...way) => {
  test('without the version it was made from is a 428 and changes nothing', async () => {
    const { body: made } = await create();
    const before = await api.footprint();
    const answer = await edit(way, made.mentorId, null);
    expect(answer).toMatchObject({ status: 428, body: { code: 'precondition-required', hint: /If-Match/ } });
    expect(await api.footprint()).toEqual(before);
  });

  test('made from an older version is a 412 and changes nothing', async () => {
    const { body: made } = await create();
    const older = await tagOf(made.mentorId);
    await edit(['PATCH', '', { maxConcurrentCalls: 3 }], made.mentorId, older);
    const newest = await tagOf(made.mentorId);
    const before = await api.footprint();
    for (const tag of [older, `W/${newest}`, 'nonsense', '""']) {
      expect(await edit(way, made.mentorId, tag)).toMatchObject({ status: 412, body: { code: 'stale-version' } });
    }
    expect(await api.footprint()).toEqual(before);
    expect((await api.ask('GET', `/mentors/${made.mentorId}`, { who })).body.maxConcurrentCalls).toBe(3);
  });

  test('that names the version among others, or any, is done', async () => {
    const [one, other] = [(await create()).body.mentorId, (await create()).body.mentorId];
    expect((await edit(way, one, `"7", ${await tagOf(one)}`)).status).toBeLessThan(300);
    expect((await edit(way, other, '*')).status).toBeLessThan(300);
  });
});

test('of two editors at the same instant one loses, is told so, and leaves nothing behind', async () => {
  const { mentorId } = (await create()).body;
  for (let round = 0; round < 5; round += 1) {
    const tag = await tagOf(mentorId);
    const names = [`First Editor ${round}`, `Second Editor ${round}`];
    const answers = await Promise.all(
      names.map((name) => edit(['PATCH', '', { name, available: true }], mentorId, tag)),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412]);
    const winner = answers.find(({ status }) => status === 200)?.body.name;
    expect((await api.ask('GET', `/mentors/${mentorId}`, { who })).body.name).toBe(winner);
  }
  const { rows } = await api.database.owner.query(
    `SELECT count(*)::int AS n FROM mentors m JOIN vault_records v USING (subject_id)
      WHERE m.mentor_id = $1 AND v.kind = 'name' AND v.destroyed_at IS NULL`,
    [mentorId],
  );
  expect(rows).toEqual([{ n: 1 }]);
});

test('an edit and a deletion at the same instant: whichever comes second is told', async () => {
  const { mentorId } = (await create()).body;
  const tag = await tagOf(mentorId);
  const answers = await Promise.all([
    edit(['PATCH', '', { available: false }], mentorId, tag),
    edit(['DELETE', '', undefined], mentorId, tag),
  ]);
  const [first = 0, second = 0] = answers.map(({ status }) => status).toSorted((a, b) => a - b);
  expect([200, 204]).toContain(first);
  expect([404, 412]).toContain(second);
});

describe('a mentor that is entered again under the same Idempotency-Key', () => {
  const enter = (key: string, body: unknown = json, as: typeof who & { subject?: string } = who) =>
    api.ask('POST', '/mentors', { who: as, json: body, raw: { headers: { 'Idempotency-Key': key } } });
  const mentorsAndRecords = async () => {
    const { mentors, vault_records: records } = await api.footprint();
    return { mentors, records };
  };

  test('is the first one, however often and at whatever instant', async () => {
    const key = randomUUID();
    const before = await mentorsAndRecords();
    const answers = await Promise.all([enter(key), enter(key), enter(key)]);
    answers.push(await enter(key));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.mentorId}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(201);
    const { mentors = 0, records = 0 } = before;
    expect(await mentorsAndRecords()).toEqual({ mentors: mentors + 1, records: records + 2 });
  });

  test('with another body is refused', async () => {
    const key = randomUUID();
    await enter(key);
    expect(await enter(key, { ...json, zone: 'Europe/Madrid' })).toMatchObject({
      status: 422,
      body: { code: 'idempotency-key-reused' },
    });
  });

  test('by another admin is another one', async () => {
    const key = randomUUID();
    const other = await enter(key, json, { ...who, subject: randomUUID() });
    expect(other.body.mentorId).not.toBe((await enter(key)).body.mentorId);
  });

  test('after it was deleted is not made again, and says so', async () => {
    const key = randomUUID();
    const { mentorId } = (await enter(key)).body;
    await edit(['DELETE', '', undefined], mentorId, '*');
    const before = await mentorsAndRecords();
    expect(await enter(key)).toMatchObject({ status: 410, body: { code: 'already-deleted' } });
    expect(await mentorsAndRecords()).toEqual(before);
  });

  test('is a new one when the key is older than a day', async () => {
    const key = randomUUID();
    const first = await enter(key);
    await api.database.owner.query(`UPDATE idempotent_creations SET created_at = created_at - interval '25 hours'`);
    const second = await enter(key);
    expect(second.status).toBe(201);
    expect(second.body.mentorId).not.toBe(first.body.mentorId);
    const { rows } = await api.database.owner.query(
      `SELECT count(*)::int AS old FROM idempotent_creations WHERE created_at < now() - interval '24 hours'`,
    );
    expect(rows).toEqual([{ old: 0 }]);
  });

  test('with a key that cannot be one is refused', async () => {
    for (const key of ['', 'a b', 'x'.repeat(256)]) {
      expect(await enter(key)).toMatchObject({ status: 400, body: { code: 'idempotency-key-invalid' } });
    }
  });
});

describe('a number that is saved again under the same Idempotency-Key', () => {
  const save = (key: string, phoneNumber: string = MARKED.userPhone, subject = 'a-saver') =>
    api.ask('POST', '/contact-points', {
      who: { role: 'user', subject },
      json: { phoneNumber },
      raw: { headers: { 'Idempotency-Key': key } },
    });

  test('is the first contact point, also when both come at once', async () => {
    const key = randomUUID();
    const [one, two] = await Promise.all([save(key), save(key)]);
    expect(two.body).toEqual(one.body);
    expect(one.status).toBe(201);
  });

  test('with another number is refused, and after it was deleted it is not saved again', async () => {
    const key = randomUUID();
    const { contactPointId } = (await save(key)).body;
    expect(await save(key, MARKED.otherUserPhone)).toMatchObject({ status: 422 });
    const path = `/contact-points/${contactPointId}`;
    expect((await api.ask('DELETE', path, { who: { role: 'user', subject: 'a-saver' } })).status).toBe(204);
    expect(await save(key)).toMatchObject({ status: 410, body: { code: 'already-deleted' } });
  });

  test('by two people is two contact points', async () => {
    const key = randomUUID();
    const [mine, theirs] = [await save(key), await save(key, MARKED.userPhone, 'somebody-else')];
    expect(theirs.body.contactPointId).not.toBe(mine.body.contactPointId);
  });
});
