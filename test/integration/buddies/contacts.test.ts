import { randomUUID } from 'node:crypto';
import { placeHold } from '../../../db/legal-holds';
import { inTransaction } from '../../../db/pool';
import { noteRefusal } from '../../../db/buddy-refusals';
import { TemporalNotInTime } from '../../../temporal/errors';
import { SealedValue } from '../../../domain/sealed';
import { MARKED } from '../../marked-people';
import { eventually } from '../../stack';
import { ApiUnderTest, type Who } from '../api/api-under-test';
import { buddyOf, invite, newBuddy, newUser, somebody } from './buddies-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());
afterEach(() => {
  api.process.down = null;
});

const person = (): Who => ({ role: 'user', subject: randomUUID() });
const add = (who: Who, more: object = {}) => api.ask('POST', '/api/buddy', { who, json: somebody(more) });
const ranks = async (who: Who) =>
  (await api.ask('GET', '/api/buddy', { who })).body.buddies.map((one: { buddyId: string; rank: number }) => [
    one.buddyId,
    one.rank,
  ]);

describe('PUT /api/users/me/profile', () => {
  test('keeps the first name sealed, and the one before it is destroyed', async () => {
    const who = person();
    expect((await api.ask('GET', '/api/users/me/profile', { who })).status).toBe(404);
    await api.ask('PUT', '/api/users/me/profile', { who, json: { firstName: 'Ada' } });
    const json = { firstName: 'Zoë', language: 'es', tellMeBy: 'sms' };
    const { body } = await api.ask('PUT', '/api/users/me/profile', { who, json });
    expect(body).toMatchObject(json);
    expect((await api.ask('GET', '/api/users/me/profile', { who })).body).toEqual(body);
    const { rows } = await api.database.owner.query(
      `SELECT count(*) FILTER (WHERE destroyed_at IS NULL)::int AS kept, count(*)::int AS made
         FROM vault_records WHERE subject_id = $1`,
      [body.userId],
    );
    expect(rows).toEqual([{ kept: 1, made: 2 }]);
  });

  test.each(['', ' ', 'evil.example', 'http://a', 'Ann\nBcc', 'a'.repeat(41), '<b>Ann</b>'])(
    'takes no name like %j, which strangers would read in a mail of ours',
    async (firstName) => {
      const answer = await api.ask('PUT', '/api/users/me/profile', { who: person(), json: { firstName } });
      expect(answer).toMatchObject({
        status: 400,
        body: { code: 'invalid-body', errors: [{ pointer: '#/firstName' }] },
      });
    },
  );

  test('takes a zone of the IANA database and no other', async () => {
    const who = person();
    const json = { firstName: 'Ada', timeZone: 'Europe/Madrid' };
    expect((await api.ask('PUT', '/api/users/me/profile', { who, json })).body).toMatchObject(json);
    for (const timeZone of ['', 'Madrid', 'UTC+1', 'Mars/Olympus']) {
      const answer = await api.ask('PUT', '/api/users/me/profile', { who, json: { ...json, timeZone } });
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '#/timeZone' }] } });
    }
    const left = await api.ask('PUT', '/api/users/me/profile', { who, json: { firstName: 'Ada' } });
    expect(left.body).toMatchObject({ timeZone: null });
  });

  test.each(['Zoë', "O'Neil", 'Ann-Marie Smith', 'Dr. Ann', 'राधा', '王'])('takes %j', async (firstName) => {
    const { status } = await api.ask('PUT', '/api/users/me/profile', { who: person(), json: { firstName } });
    expect(status).toBe(200);
  });
});

describe('POST /api/buddy', () => {
  test('makes an entry whose name, number and address only its user sees', async () => {
    const who = person();
    const given = somebody({ name: MARKED.variable, relationship: 'sister', language: 'es' });
    const { status, body, headers } = await api.ask('POST', '/api/buddy', { who, json: given });
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/api/buddy/${body.buddyId}`);
    expect(body).toMatchObject({
      ...given,
      rank: 1,
      status: 'pending',
      country: 'US',
      canBeAsked: false,
      verifiedAt: null,
    });
    expect(body.invitations).toEqual({
      sent: 0,
      left: 3,
      nextAt: null,
      lastSentAt: null,
      linkExpiresAt: null,
      renewalAskedAt: null,
    });
    const { rows } = await api.database.owner.query('SELECT b::text AS row FROM buddy_contacts b WHERE buddy_id = $1', [
      body.buddyId,
    ]);
    for (const value of [given.name, given.phoneNumber, given.email, 'sister'])
      expect(rows[0].row).not.toContain(value);
    const audit = await api.database.owner.query(
      `SELECT count(*)::int AS n FROM audit_entries a JOIN vault_records r ON r.record_id::text = a.object_id::text
         JOIN buddy_contacts b ON b.subject_id = r.subject_id
        WHERE b.buddy_id = $1 AND a.action = 'record.revealed' AND a.purpose = 'own-view'`,
      [body.buddyId],
    );
    expect(audit.rows).toEqual([{ n: 4 }]);
    expect((await api.ask('GET', '/api/buddy', { who: person() })).body.buddies).toEqual([]);
  });

  test('repeated under one key makes one entry; another body under it is refused', async () => {
    const who = person();
    const json = somebody();
    const raw = { headers: { 'Idempotency-Key': randomUUID() } };
    const made = await Promise.all([1, 2, 3].map(() => api.ask('POST', '/api/buddy', { who, json, raw })));
    expect(new Set(made.map(({ body }) => body.buddyId)).size).toBe(1);
    const other = await api.ask('POST', '/api/buddy', { who, json: somebody(), raw });
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
  });

  test.each([
    ['number', { email: 'somebody.else@example.org' }, 409, 'buddy-already-named'],
    ['address', { phoneNumber: '+14155550199' }, 409, 'buddy-already-named'],
  ])('the same %s twice for one user is refused', async (_what, change, status, code) => {
    const who = person();
    const json = somebody();
    await api.ask('POST', '/api/buddy', { who, json });
    const again = await api.ask('POST', '/api/buddy', { who, json: { ...json, ...change } });
    expect(again).toMatchObject({ status, body: { code } });
    expect((await api.ask('POST', '/api/buddy', { who: person(), json })).status).toBe(201);
  });

  test('no more than so many, also when ten are added at once', async () => {
    const who = person();
    const answers = await Promise.all(Array.from({ length: 10 }, () => add(who)));
    const codes = answers.map(({ status, body }) => body.code ?? status).toSorted();
    expect(codes).toEqual([...Array(5).fill(201), ...Array(5).fill('too-many-buddies')].toSorted());
    expect((await ranks(who)).map(([, rank]: [string, number]) => rank)).toEqual([1, 2, 3, 4, 5]);
  });

  test('whoever has refused this user is not named again, and another user’s request says nothing of it', async () => {
    const user = await newUser(api);
    const { tokenizer, pool } = api.deps;
    const json = somebody();
    const tokens = [tokenizer.token(SealedValue.of('email', json.email))];
    await noteRefusal(pool, { userId: user.userId, tokens, tokenVersion: tokenizer.version, reason: 'declined' });
    const refused = await api.ask('POST', '/api/buddy', { who: user, json });
    expect(refused).toMatchObject({ status: 409, body: { code: 'buddy-has-refused' } });
    expect((await api.ask('POST', '/api/buddy', { who: person(), json })).status).toBe(201);
  });

  test('one’s own number is nobody’s buddy', async () => {
    const who = person();
    const { phoneNumber } = somebody();
    const { body: point } = await api.ask('POST', '/contact-points', { who, json: { phoneNumber } });
    await api.database.owner.query('UPDATE contact_points SET verified_at = now() WHERE contact_point_id = $1', [
      point.contactPointId,
    ]);
    expect(await add(who, { phoneNumber })).toMatchObject({ status: 422, body: { code: 'buddy-is-oneself' } });
  });

  test.each([
    [{ phoneNumber: 'call me' }, 422, 'phone-number-invalid'],
    [{ phoneNumber: '+33612345678' }, 422, 'country-not-allowed'],
    [{ phoneNumber: '+14155550100' }, 422, 'phone-number-not-allowed'],
    [{ email: 'two@example.org, three@example.org' }, 422, 'email-address-invalid'],
    [{ rank: 0 }, 400, 'invalid-body'],
    [{ language: 'fr' }, 400, 'invalid-body'],
    [{ note: 'x' }, 400, 'invalid-body'],
  ])('%j is refused and leaves nothing', async (wrong, status, code) => {
    const who = person();
    await api.ask('GET', '/api/buddy', { who });
    const before = await api.footprint();
    expect(
      await api.ask('POST', '/api/buddy', { who, json: { ...somebody({ phoneNumber: '+14155550177' }), ...wrong } }),
    ).toMatchObject({
      status,
      body: { code },
    });
    expect(await api.footprint()).toEqual(before);
  });
});

describe('the order', () => {
  test('is by rank; one that is named in between moves the others', async () => {
    const who = person();
    const [first, second] = [await newBuddy(api, who), await newBuddy(api, who)];
    const third = await newBuddy(api, who, { rank: 1 });
    expect(await ranks(who)).toEqual([
      [third, 1],
      [first, 2],
      [second, 3],
    ]);
    await api.ask('PATCH', `/api/buddy/${third}`, { who, json: { rank: 3 } });
    expect(await ranks(who)).toEqual([
      [first, 1],
      [second, 2],
      [third, 3],
    ]);
    const { body } = await api.ask('PUT', '/api/buddy/order', { who, json: { buddyIds: [second, third, first] } });
    expect(body.buddies.map((one: { buddyId: string }) => one.buddyId)).toEqual([second, third, first]);
    await api.ask('DELETE', `/api/buddy/${second}`, { who });
    expect(await ranks(who)).toEqual([
      [third, 1],
      [first, 2],
    ]);
  });

  test('names all of them once, and nobody else’s', async () => {
    const who = person();
    const [one, other] = [await newBuddy(api, who), await newBuddy(api, who)];
    const theirs = await newBuddy(api, person());
    for (const buddyIds of [[one], [one, one], [one, other, theirs], [one, theirs], []]) {
      const answer = await api.ask('PUT', '/api/buddy/order', { who, json: { buddyIds } });
      expect(answer).toMatchObject({ status: 422, body: { code: 'buddy-order-incomplete' } });
    }
  });
});

describe('PATCH /api/buddy/:buddyId', () => {
  test('changes what is given, and destroys what it replaces', async () => {
    const who = person();
    const buddyId = await newBuddy(api, who, { relationship: 'sister' });
    const json = { name: MARKED.otherMentorName, relationship: null, language: 'es' };
    const { body } = await api.ask('PATCH', `/api/buddy/${buddyId}`, { who, json });
    expect(body).toMatchObject(json);
    const phoneNumber = '+14155550188';
    const moved = await api.ask('PATCH', `/api/buddy/${buddyId}`, { who, json: { phoneNumber } });
    expect(moved.body).toMatchObject({ phoneNumber, name: MARKED.otherMentorName });
    const { rows } = await api.database.owner.query(
      `SELECT count(*)::int AS n FROM vault_records r JOIN buddy_contacts b USING (subject_id)
        WHERE b.buddy_id = $1 AND r.destroyed_at IS NULL`,
      [buddyId],
    );
    expect(rows).toEqual([{ n: 3 }]);
  });

  test('number and address stay once somebody was asked there', async () => {
    const who = await newUser(api);
    const buddyId = await newBuddy(api, who);
    await invite(api, who, buddyId);
    for (const json of [{ phoneNumber: '+14155550189' }, { email: 'elsewhere@example.org' }]) {
      const answer = await api.ask('PATCH', `/api/buddy/${buddyId}`, { who, json });
      expect(answer).toMatchObject({ status: 409, body: { code: 'buddy-was-asked' } });
    }
    expect((await api.ask('PATCH', `/api/buddy/${buddyId}`, { who, json: { name: 'Ann' } })).status).toBe(200);
  });

  test('nobody else’s is changed or found', async () => {
    const buddyId = await newBuddy(api, person());
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const json = method === 'PATCH' ? { json: { name: 'Ann' } } : {};
      expect((await api.ask(method, `/api/buddy/${buddyId}`, { who: person(), ...json })).status).toBe(404);
    }
  });
});

describe('DELETE /api/buddy/:buddyId', () => {
  test('takes them off the list, tells what runs for them, and erases the person', async () => {
    const who = person();
    const buddyId = await newBuddy(api, who);
    expect((await api.ask('DELETE', `/api/buddy/${buddyId}`, { who })).status).toBe(204);
    await eventually(() => expect(api.endings.told).toContainEqual({ buddyId, checkInIds: [] }));
    expect((await api.ask('GET', `/api/buddy/${buddyId}`, { who })).status).toBe(404);
    // The row says that it was told once it has been.
    await eventually(async () => {
      const { rows } = await api.database.owner.query(
        `SELECT s.erased_at IS NOT NULL AS is_erased, b.email_token, b.phone_token, b.is_end_untold
           FROM buddy_contacts b JOIN subjects s USING (subject_id) WHERE b.buddy_id = $1`,
        [buddyId],
      );
      expect(rows).toEqual([{ is_erased: true, email_token: null, phone_token: null, is_end_untold: false }]);
    });
  });

  test('keeps what a legal hold keeps, and leaves to the relay what cannot be told now', async () => {
    const who = person();
    const buddyId = await newBuddy(api, who);
    const { rows } = await api.database.owner.query(
      'SELECT subject_id, user_id FROM buddy_contacts WHERE buddy_id = $1',
      [buddyId],
    );
    const [{ subject_id: subjectId, user_id: actor }] = rows;
    await inTransaction(api.deps.pool, (tx) => placeHold(tx, { subjectId, reason: 'dispute', actor }));
    api.process.down = new TemporalNotInTime();
    expect((await api.ask('DELETE', `/api/buddy/${buddyId}`, { who })).status).toBe(204);
    const after = await api.database.owner.query(
      `SELECT s.erased_at, b.removed_at IS NOT NULL AS is_removed, b.is_end_untold
         FROM buddy_contacts b JOIN subjects s USING (subject_id) WHERE b.buddy_id = $1`,
      [buddyId],
    );
    expect(after.rows).toEqual([{ erased_at: null, is_removed: true, is_end_untold: true }]);
    expect((await api.ask('GET', '/api/buddy', { who })).body.buddies).toEqual([]);
  });

  test('may be repeated', async () => {
    const who = person();
    const buddyId = await newBuddy(api, who);
    const both = await Promise.all([1, 2].map(() => api.ask('DELETE', `/api/buddy/${buddyId}`, { who })));
    for (const { status } of both) expect([204, 404]).toContain(status);
    expect(await buddyOf(api, who, buddyId)).toMatchObject({ code: 'not-found' });
  });
});
