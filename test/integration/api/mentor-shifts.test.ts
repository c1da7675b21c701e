import { randomUUID } from 'node:crypto';
import { createSubject } from '../../../db/subjects';
import { createMentor, getMentor } from '../../../db/mentors';
import { SealedValue } from '../../../domain/sealed';
import { MARKED } from '../../marked-people';
import { ApiUnderTest, type Who } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());

const admin = { role: 'admin' } as const;
const DAY_MS = 86_400_000;
const NOW = Date.now();
const at = (days: number, time = '09:00') => `${new Date(NOW + days * DAY_MS).toISOString().slice(0, 10)}T${time}`;

/** A mentor who signs in. */
async function linkedMentor(): Promise<{ who: Who; mentorId: string }> {
  const who = { role: 'mentor', subject: randomUUID() } as const;
  // The first accepted token makes the subject.
  expect((await api.ask('GET', '/mentors/me', { who })).body.code).toBe('account-not-linked');
  const { rows } = await api.database.owner.query('SELECT subject_id FROM subjects ORDER BY created_at DESC LIMIT 1');
  const accountId: string = rows[0].subject_id;
  const subjectId = await createSubject(api.deps.pool, 'system');
  const { vault, tokenizer, pool } = api.deps;
  const name = SealedValue.of('name', MARKED.mentorName);
  const number = SealedValue.of('phone', MARKED.mentorPhone);
  const mentor = await createMentor(
    pool,
    {
      subjectId,
      nameRecordId: await vault.seal({ subjectId, kind: 'name', value: name }),
      phoneRecordId: await vault.seal({ subjectId, kind: 'phone', value: number }),
      phoneToken: tokenizer.token(number),
      country: 'US',
      specialties: [],
      languages: ['en'],
      zone: 'America/New_York',
      available: true,
      maxConcurrentCalls: 1,
      windows: [],
    },
    'system',
  );
  const link = 'UPDATE mentors SET account_subject_id = $2 WHERE mentor_id = $1';
  await api.database.owner.query(link, [mentor.mentorId, accountId]);
  return { who, mentorId: mentor.mentorId };
}
const shiftsOf = async (mentorId: string) =>
  (
    await api.database.owner.query(
      'SELECT lower(during) AS from, upper(during) AS until FROM mentor_shifts WHERE mentor_id = $1 ORDER BY during',
      [mentorId],
    )
  ).rows;
const auditOf = async (action: string, objectId: string) =>
  (
    await api.database.owner.query(
      'SELECT purpose FROM audit_entries WHERE action = $1 AND object_id = $2 ORDER BY at',
      [action, objectId],
    )
  ).rows.map((row) => row.purpose);

describe('a mentor, of themselves', () => {
  test('sees what admins see, and their name is revealed to themselves', async () => {
    const { who, mentorId } = await linkedMentor();
    const mine = await api.ask('GET', '/mentors/me', { who });
    expect(mine).toMatchObject({ status: 200, body: { mentorId, name: MARKED.mentorName, available: true } });
    expect(mine.text).not.toContain('5550176');
    const nameRecordId = (await getMentor(api.deps.pool, mentorId))?.nameRecordId ?? '';
    expect(await auditOf('record.revealed', nameRecordId)).toEqual(['own-view']);
  });

  test('switches off and on, which is audited once each and ends nobody’s call', async () => {
    const { who, mentorId } = await linkedMentor();
    await api.database.owner.query(
      `WITH record AS (SELECT record_id, subject_id FROM vault_records LIMIT 1), call AS (
         INSERT INTO call_logs (call_id, workflow_id, user_id, record_id, number_is_for_this_call_only, country, language,
           organisation_number, status, live, request_hash, consent_version, consent_language, may_call_back, preferences, requested_at)
         SELECT gen_random_uuid(), 'w', subject_id, record_id, false, 'US', 'en', '+14155550100', 'bridged', true, 'x', '1', 'en',
                false, '{}', now() FROM record RETURNING call_id)
       UPDATE mentor_slots SET call_id = (SELECT call_id FROM call), step = 1, lease_until = now() WHERE mentor_id = $1`,
      [mentorId],
    );
    const set = (available: boolean) => api.ask('PUT', '/mentors/me/availability', { who, json: { available } });
    expect(await set(false)).toMatchObject({ status: 200, body: { available: false, currentCalls: 1 } });
    expect(await set(false)).toMatchObject({ status: 200, body: { available: false, currentCalls: 1 } });
    expect(await set(true)).toMatchObject({ status: 200, body: { available: true, currentCalls: 1 } });
    expect(await auditOf('mentor.availability-changed', mentorId)).toEqual(['off', 'on']);
    expect((await api.ask('PUT', '/mentors/me/availability', { who, json: {} })).body.code).toBe('invalid-body');
  });
});

describe.each(['own', 'any'] as const)('exceptions (%s)', (side) => {
  const setUp = async () => {
    const { who, mentorId } = await linkedMentor();
    const path = side === 'own' ? '/mentors/me/exceptions' : `/mentors/${mentorId}/exceptions`;
    return { who: side === 'own' ? who : admin, path, mentorId };
  };

  test('are entered, listed, changed and removed, and the shifts follow at once', async () => {
    const { who, path, mentorId } = await setUp();
    const json = { kind: 'shift', starts: at(2), ends: at(2, '11:00'), zone: 'UTC' };
    const made = await api.ask('POST', path, { who, json });
    expect(made).toMatchObject({ status: 201, body: { ...json, source: 'entered' } });
    expect(await shiftsOf(mentorId)).toEqual([{ from: new Date(`${json.starts}Z`), until: new Date(`${json.ends}Z`) }]);
    const one = `${path}/${made.body.exceptionId}`;
    const changed = await api.ask('PUT', one, { who, json: { ...json, ends: at(2, '10:00') } });
    expect(changed).toMatchObject({ status: 200, body: { ends: at(2, '10:00') } });
    await api.ask('POST', path, { who, json: { kind: 'away', starts: at(2, '09:30'), ends: at(4), zone: 'UTC' } });
    expect(await shiftsOf(mentorId)).toEqual([{ from: new Date(`${at(2)}Z`), until: new Date(`${at(2, '09:30')}Z`) }]);
    expect((await api.ask('GET', path, { who })).body.exceptions).toMatchObject([{ kind: 'shift' }, { kind: 'away' }]);
    expect((await api.ask('DELETE', one, { who })).status).toBe(204);
    expect((await api.ask('DELETE', one, { who })).status).toBe(404);
    expect((await api.ask('PUT', one, { who, json })).status).toBe(404);
    expect(await shiftsOf(mentorId)).toEqual([]);
    expect(await auditOf('mentor.shifts-changed', mentorId)).toHaveLength(4);
  });

  test('come in pages, each once, and one request makes one', async () => {
    const { who, path } = await setUp();
    for (const day of [5, 2, 9, 2]) {
      await api.ask('POST', path, { who, json: { kind: 'away', starts: at(day), ends: at(day + 1) } });
    }
    const raw = { headers: { 'Idempotency-Key': randomUUID() } };
    const json = { kind: 'away', starts: at(1), ends: at(2) };
    const [first, again] = [
      await api.ask('POST', path, { who, json, raw }),
      await api.ask('POST', path, { who, json, raw }),
    ];
    expect(again.body).toEqual(first.body);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await api.ask('GET', `${path}?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`, { who });
      seen.push(...page.body.exceptions.map((one: { starts: string }) => one.starts));
      cursor = page.body.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual([at(1), at(2), at(2), at(5), at(9)]);
  });

  test.each([
    ['#/starts', { starts: '2026-02-30T09:00' }],
    ['#/starts', { starts: '2026-12-01T09:00Z' }],
    ['#/ends', { ends: '2026-12-01T09:00' }],
    ['#/ends', { ends: '2028-12-02T09:00' }],
    ['#/kind', { kind: 'holiday' }],
    ['#/zone', { zone: 'EST' }],
  ])('what is wrong is named and changes nothing: %s', async (pointer, wrong) => {
    const { who, path } = await setUp();
    const json = { kind: 'shift', starts: '2026-12-01T09:00', ends: '2026-12-01T10:00', ...wrong };
    const before = await api.footprint();
    const answer = await api.ask('POST', path, { who, json });
    expect(answer.body).toMatchObject({ code: expect.any(String), errors: [{ pointer }] });
    expect([400, 422]).toContain(answer.status);
    expect(await api.footprint()).toEqual(before);
  });
});

test('nobody reaches the exceptions of another mentor by their own address', async () => {
  const [mine, theirs] = [await linkedMentor(), await linkedMentor()];
  const json = { kind: 'away', starts: at(1), ends: at(2) };
  const { body } = await api.ask('POST', '/mentors/me/exceptions', { who: theirs.who, json });
  const address = `/mentors/me/exceptions/${body.exceptionId}`;
  expect((await api.ask('PUT', address, { who: mine.who, json })).status).toBe(404);
  expect((await api.ask('DELETE', address, { who: mine.who })).status).toBe(404);
  expect((await api.ask('DELETE', address, { who: theirs.who })).status).toBe(204);
});

describe('a calendar', () => {
  const event = (day: number, ...more: string[]) =>
    [
      'BEGIN:VEVENT',
      `SUMMARY:${MARKED.mentorName}`,
      `DTSTART:${at(day).replaceAll(/[-:]/g, '')}00Z`,
      `DTEND:${at(day, '10:00').replaceAll(/[-:]/g, '')}00Z`,
      ...more,
      'END:VEVENT',
    ].join('\r\n');
  const calendar = (...events: string[]) => ['BEGIN:VCALENDAR', ...events, 'END:VCALENDAR'].join('\r\n');
  const bring = (who: Who, path: string, text: string, isDryRun?: boolean) =>
    api.ask('POST', `${path}/shifts/import`, {
      who,
      json: { calendar: text, ...(isDryRun === undefined ? {} : { isDryRun }) },
    });

  test('is looked at first without changing anything, and then brings its shifts', async () => {
    const { who, mentorId } = await linkedMentor();
    const text = calendar(event(2, 'RRULE:FREQ=DAILY;COUNT=3'), event(3, 'RRULE:FREQ=SECONDLY'));
    const look = await bring(who, '/mentors/me', text, true);
    expect(look).toMatchObject({
      status: 200,
      body: {
        isDryRun: true,
        events: 2,
        skipped: { 'rule-not-read': 1 },
        shifts: [{ starts: at(2), zone: 'UTC' }, {}, {}],
      },
    });
    expect(look.text).not.toContain(MARKED.mentorName);
    expect(await shiftsOf(mentorId)).toEqual([]);
    expect((await bring(who, '/mentors/me', text)).body).toEqual({
      ...look.body,
      isDryRun: false,
      until: expect.any(String),
    });
    expect(await shiftsOf(mentorId)).toHaveLength(3);
  });

  test('replaces what the one before has brought, and leaves what was entered by hand', async () => {
    const { who, mentorId } = await linkedMentor();
    const path = `/mentors/${mentorId}`;
    await api.ask('POST', '/mentors/me/exceptions', { who, json: { kind: 'shift', starts: at(1), ends: at(2) } });
    await bring(admin, path, calendar(event(2), event(3)));
    await bring(admin, path, calendar(event(4)));
    await bring(admin, path, calendar(event(4)));
    const { body } = await api.ask('GET', `${path}/exceptions`, { who: admin });
    expect(body.exceptions.map((one: { starts: string; source: string }) => [one.starts, one.source])).toEqual([
      [at(1), 'entered'],
      [at(4), 'imported'],
    ]);
  });

  test('that is none, or is too large, is refused and changes nothing', async () => {
    const { who } = await linkedMentor();
    const before = await api.footprint();
    expect((await bring(who, '/mentors/me', 'hello')).body.code).toBe('calendar-unreadable');
    const many = calendar(...Array.from({ length: 1_200 }, (_, day) => event(2, `EXDATE:${20_300_101 + (day % 28)}`)));
    expect((await bring(who, '/mentors/me', many)).body.code).toBe('calendar-unreadable');
    expect((await bring(who, '/mentors/me', 'x'.repeat(300_001))).body.code).toBe('invalid-body');
    expect((await bring(who, '/mentors/me', 'x'.repeat(500_000))).status).toBe(413);
    expect(await api.footprint()).toEqual(before);
  });
});

describe('the coverage of a month', () => {
  test('has its gaps and hours, on the clock of the zone that is asked for', async () => {
    await api.database.owner.query('UPDATE mentors SET deleted_at = now() WHERE deleted_at IS NULL');
    const { who } = await linkedMentor();
    const shift = { kind: 'shift', starts: '2030-03-30T22:00', ends: '2030-03-31T08:00', zone: 'Europe/Madrid' };
    await api.ask('POST', '/mentors/me/exceptions', { who, json: shift });
    const ask = (more: string, role: 'staff' | 'admin' = 'staff') =>
      api.ask('GET', `/coverage?month=2030-03&zone=Europe/Madrid${more}`, { who: { role } });
    const { status, body } = await ask('', 'admin');
    expect(status).toBe(200);
    expect(body).toMatchObject({ month: '2030-03', mentors: 1 });
    expect(body.gaps).toEqual([
      { starts: '2030-03-01T00:00:00+01:00', ends: '2030-03-30T22:00:00+01:00', minutes: (29 * 24 + 22) * 60 },
      { starts: '2030-03-31T08:00:00+02:00', ends: '2030-04-01T00:00:00+02:00', minutes: 16 * 60 },
    ]);
    // The last day of March has no hour from two to three.
    expect(body.hours).toHaveLength(31 * 24 - 1);
    expect(body.hours.filter(({ most }: { most: number }) => most > 0)).toHaveLength(9);
    const csv = await ask('&format=csv');
    expect(csv.headers.get('content-type')).toContain('text/csv');
    const lines = csv.text.trim().split('\r\n');
    expect(lines).toHaveLength(31 * 24);
    expect(lines.slice(0, 2)).toEqual(['starts,fewest,most,gap_minutes', '2030-03-01T00:00:00+01:00,0,0,60']);
    expect(lines).toContain('2030-03-30T22:00:00+01:00,1,1,0');
  });

  test.each(['month=2030-13', 'month=2030-03&zone=EST', 'month=march', '', 'month=2030-03&format=xml'])(
    'is refused for %s',
    async (query) => {
      const answer = await api.ask('GET', `/coverage?${query}`, { who: { role: 'staff' } });
      expect([400, 422]).toContain(answer.status);
      expect(answer.body.errors).toHaveLength(1);
    },
  );
});
