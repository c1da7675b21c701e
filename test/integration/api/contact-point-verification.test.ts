import { randomUUID } from 'node:crypto';
import { deleteOldCodes } from '../../../db/contact-point-codes';
import { noteUnreachable } from '../../../db/unreachable-points';
import { readWords } from '../../../domain/message-words';
import { type Answer, ApiUnderTest, CONSENT, type Who } from './api-under-test';

let api: ApiUnderTest;
let strict: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
  strict = await ApiUnderTest.start({ UNVERIFIED_NUMBERS: 'refuse' });
});
afterAll(async () => {
  await api.stop();
  await strict.stop();
});
afterEach(() => {
  api.process.down = null;
});

const somebody = (): Who => ({ role: 'user', subject: randomUUID() });
let people = 0;
const newNumber = () => `+1628555${String(100 + (people++ % 100)).padStart(4, '0')}`;
const sql = async (statement: string, values: unknown[] = [], at = api) =>
  (await at.database.owner.query(statement, values)).rows;
const verify = (who: Who, contactPointId: string, json: object = {}, at = api): Promise<Answer> =>
  at.ask('POST', `/contact-points/${contactPointId}/verify`, { who, json });

async function saved(who: Who, json: object = { phoneNumber: newNumber() }, at = api): Promise<string> {
  return (await at.ask('POST', '/contact-points', { who, json })).body.contactPointId;
}

/** What the newest message, or alert, is to say. */
async function sentCode(at = api, recordId = at.messages.at(-1)?.content.recordId ?? ''): Promise<string> {
  const words = readWords(await at.deps.vault.reveal({ recordId, purpose: 'send', actor: 'system' }));
  return 'variables' in words ? String(words.variables['code']) : '';
}

const another = (code: string, by = 1) => String((Number(code) + by) % 1_000_000).padStart(6, '0');

/** Somebody with a number, to which a code is under way. */
async function asked(at = api): Promise<{ who: Who; id: string; code: string }> {
  const who = somebody();
  const id = await saved(who, undefined, at);
  await verify(who, id, {}, at);
  return { who, id, code: await sentCode(at) };
}

const verifiedAt = async (who: Who, at = api): Promise<string | null> =>
  (await at.ask('GET', '/contact-points', { who })).body.contactPoints[0].verifiedAt;

describe('a code', () => {
  test('goes out as a message like any other, and verifies the number when it comes back', async () => {
    const who = somebody();
    const id = await saved(who);
    expect(await verifiedAt(who)).toBeNull();
    const sent = await verify(who, id, { language: 'es' });
    const input = api.messages.at(-1);
    expect(sent).toMatchObject({
      status: 202,
      body: { contactPointId: id, channel: 'sms', messageId: input?.messageId, expiresAt: expect.any(String) },
    });
    expect(input).toMatchObject({ kind: 'verification', channel: 'sms', language: 'es', ownsRecord: false });
    expect(input?.requestedBy).toBe(input?.subjectId);
    const answer = await verify(who, id, { code: await sentCode() });
    expect(answer).toMatchObject({ status: 200, body: { contactPointId: id, verifiedAt: expect.any(String) } });
    expect(await verifiedAt(who)).toBe(answer.body.verifiedAt);
    // What is verified stays so; nothing is sent again.
    const before = api.messages.length;
    expect((await verify(who, id)).body).toEqual(answer.body);
    expect((await verify(who, id, { code: '000000' })).status).toBe(200);
    expect(api.messages).toHaveLength(before);
    const trail = await sql(`SELECT action FROM audit_entries WHERE object_id = $1 ORDER BY at`, [id]);
    expect(trail.map(({ action }) => action)).toEqual([
      'contact-point.created',
      'contact-point.verification-sent',
      'contact-point.verified',
    ]);
  });

  test('that comes back shows that the number can be reached after all, and so does saving it once more', async () => {
    const phoneNumber = newNumber();
    const who = somebody();
    const id = await saved(who, { phoneNumber });
    const [{ token }] = await sql('SELECT token FROM contact_points WHERE contact_point_id = $1', [id]);
    const unreachable = async () =>
      (await api.ask('GET', '/contact-points', { who })).body.contactPoints[0].unreachable;
    expect(await unreachable()).toBeNull();
    await noteUnreachable(api.deps.pool, token, '21211');
    await noteUnreachable(api.deps.pool, token, '21217');
    expect(await unreachable()).toEqual({ since: expect.any(String), code: '21211' });
    await verify(who, id);
    expect(await unreachable()).not.toBeNull();
    await verify(who, id, { code: await sentCode() });
    expect(await unreachable()).toBeNull();
    await noteUnreachable(api.deps.pool, token, '21211');
    expect(await saved(who, { phoneNumber })).toBe(id);
    expect(await unreachable()).toBeNull();
  });

  test('is asked for without any body, as the guide says, or with an empty one', async () => {
    const who = somebody();
    const path = `/contact-points/${await saved(who)}/verify`;
    const raw = { headers: { 'Idempotency-Key': 'asked-for-without-a-body' } };
    expect(await api.ask('POST', path, { who })).toMatchObject({ status: 202, body: { channel: 'sms' } });
    const first = await api.ask('POST', path, { who, raw });
    expect((await api.ask('POST', path, { who, raw, json: {} })).body).toEqual(first.body);
  });

  test('is said in a call after neutral words and a key, and mailed to an address', async () => {
    const who = somebody();
    const id = await saved(who);
    expect(await verify(who, id, { channel: 'voice' })).toMatchObject({ status: 202, body: { channel: 'voice' } });
    const alert = api.alerts.started.at(-1);
    expect(alert).toMatchObject({ kind: 'verification', neutralFirst: true, attempts: 1, smsWhenExhausted: false });
    const code = await sentCode(api, alert?.recipients[0]?.content.recordId);
    expect((await verify(who, id, { code })).status).toBe(200);
    const address = await saved(who, { emailAddress: 'ada.quillfeather@example.org' });
    expect((await verify(who, address, { channel: 'sms' })).body).toMatchObject({ code: 'invalid-body' });
    expect((await verify(who, address)).body).toMatchObject({ code: 'email-disabled' });
    expect((await verify(who, await saved(who), { channel: 'email' })).body).toMatchObject({ code: 'invalid-body' });
  });

  test('is in no table, no payload and no log line in the clear, nor as a hash without a key', async () => {
    const { who, id, code } = await asked();
    await verify(who, id, { code: another(code) });
    const [row] = await sql('SELECT * FROM contact_point_codes WHERE contact_point_id = $1', [id]);
    expect(row.code_hash).toHaveLength(32);
    const tables = await sql(
      `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
    );
    // As a word of its own: ids and times have six digits in a row by chance.
    const word = `(^|[^0-9a-f.])${code}([^0-9a-f+]|$)`;
    for (const { relname } of tables) {
      // The number of a transaction has six digits, too.
      const kept = await sql(`SELECT to_jsonb(t) - 'txid' AS row FROM ${relname} t WHERE t::text ~ $1`, [word]);
      expect(kept.filter(({ row }) => new RegExp(word).test(JSON.stringify(Object.values(row))))).toEqual([]);
    }
    const told = JSON.stringify([api.messages.at(-1), api.alerts.started.at(-1)]);
    expect(told + api.logLines.join('')).not.toMatch(new RegExp(word));
  });

  test('of somebody else’s number cannot be asked for or tried', async () => {
    const { id, code } = await asked();
    const before = await api.footprint();
    for (const json of [{}, { code }, { channel: 'voice' }]) {
      expect((await verify(somebody(), id, json)).body).toMatchObject({ code: 'not-found' });
    }
    expect(await api.footprint()).toEqual(before);
    expect(await sql('SELECT tries FROM contact_point_codes WHERE contact_point_id = $1', [id])).toEqual([
      { tries: 0 },
    ]);
  });

  test('can be tried five times: then the right one is refused too, until there is a new one', async () => {
    const { who, id, code } = await asked();
    expect(await verify(who, id, { code: '12345' })).toMatchObject({ status: 400 });
    for (let n = 1; n <= 5; n += 1) {
      expect(await verify(who, id, { code: another(code, n) })).toMatchObject({
        status: 422,
        body: { code: 'code-wrong' },
      });
    }
    expect(await verify(who, id, { code })).toMatchObject({ status: 409, body: { code: 'code-used-up' } });
    expect(await verifiedAt(who)).toBeNull();
    await verify(who, id);
    expect((await verify(who, id, { code: await sentCode() })).status).toBe(200);
  });

  test('counts for ten minutes, and only the newest one does', async () => {
    const { who, id, code } = await asked();
    await verify(who, id);
    const newest = await sentCode();
    expect((await verify(who, id, { code: newest === code ? another(code) : code })).body.code).toBe('code-wrong');
    const [row] = await sql(
      `UPDATE contact_point_codes SET expires_at = clock_timestamp()
        WHERE contact_point_id = $1 AND code_hash IS NOT NULL RETURNING expires_at - created_at < '10 minutes' AS short`,
      [id],
    );
    expect(row).toEqual({ short: true });
    expect(await verify(who, id, { code: newest })).toMatchObject({ status: 410, body: { code: 'code-expired' } });
    // Never asked for: the same.
    const fresh = await saved(who);
    expect((await verify(who, fresh, { code: newest })).body).toMatchObject({ code: 'code-expired' });
  });

  test('a burst of guesses shares the five tries', async () => {
    const { who, id, code } = await asked();
    const answers = await Promise.all(
      Array.from({ length: 25 }, (_, n) => verify(who, id, { code: another(code, n + 1) })),
    );
    const count = (wanted: string) => answers.filter(({ body }) => body.code === wanted).length;
    expect([count('code-wrong'), count('code-used-up')]).toEqual([5, 20]);
  });

  test('that comes twice at the same moment verifies once', async () => {
    const { who, id, code } = await asked();
    const answers = await Promise.all([1, 2, 3].map(() => verify(who, id, { code })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(answers.map(({ body }) => body.verifiedAt)).size).toBe(1);
    const entries = `SELECT 1 FROM audit_entries WHERE object_id = $1 AND action = 'contact-point.verified'`;
    expect(await sql(entries, [id])).toHaveLength(1);
  });

  test('comes five times an hour, also when the number is saved anew or by somebody else', async () => {
    const [who, number] = [somebody(), newNumber()];
    let id = await saved(who, { phoneNumber: number });
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map(() => verify(who, id)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([202, 202, 202, 202, 202, 429]);
    await api.ask('DELETE', `/contact-points/${id}`, { who });
    id = await saved(who, { phoneNumber: number });
    const late = await verify(who, id);
    expect(late).toMatchObject({ status: 429, body: { code: 'too-many-requests' } });
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(3_500);
    const other = somebody();
    expect((await verify(other, await saved(other, { phoneNumber: number }))).status).toBe(429);
    await sql(`UPDATE contact_point_codes SET created_at = created_at - interval '1 hour'`);
    expect((await verify(who, id)).status).toBe(202);
  });

  test('is the same one under the same key, also when the first request could not start its message', async () => {
    const who = somebody();
    const id = await saved(who);
    const send = (json: object = {}) => {
      const raw = { headers: { 'Idempotency-Key': 'a-key' } };
      return api.ask('POST', `/contact-points/${id}/verify`, { who, json, raw });
    };
    const start = jest.spyOn(api.messageProcess, 'start').mockRejectedValueOnce(new Error('away'));
    expect((await send()).status).toBe(500);
    start.mockRestore();
    const before = api.messages.length;
    const [first, ...repeats] = await Promise.all([send(), send(), send()]);
    expect([first?.status, ...repeats.map(({ body }) => body)]).toEqual([202, first?.body, first?.body]);
    expect((await send({ language: 'es' })).body).toMatchObject({ code: 'idempotency-key-reused' });
    expect(api.messages).toHaveLength(before + 1);
    const other = await saved(who);
    await verify(who, other);
    expect(await sql('SELECT 1 FROM contact_point_codes WHERE contact_point_id = $1', [id])).toHaveLength(1);
    const code = await sentCode(
      api,
      api.messages.find((one) => one.messageId === first?.body.messageId)?.content.recordId,
    );
    expect((await verify(who, id, { code })).status).toBe(200);
  });

  test('is not promised while Temporal is down, and is gone with its person, or after a day', async () => {
    const { who, id } = await asked();
    api.process.down = new Error('down');
    expect((await verify(who, id)).status).toBeGreaterThanOrEqual(500);
    api.process.down = null;
    const [{ subject_id: subjectId }] = await sql('SELECT subject_id FROM contact_points WHERE contact_point_id = $1', [
      id,
    ]);
    await api.deps.vault.eraseSubject(subjectId, 'system');
    expect(await sql('SELECT 1 FROM contact_point_codes WHERE subject_id = $1', [subjectId])).toEqual([]);
    const { id: old } = await asked();
    await sql(
      `UPDATE contact_point_codes SET created_at = created_at - interval '2 days' WHERE contact_point_id = $1`,
      [old],
    );
    const run = { olderThanMs: 86_400_000, limit: 100 };
    expect(await deleteOldCodes(api.deps.pool, { ...run, isDryRun: true })).toMatchObject({ taken: 1 });
    expect(await deleteOldCodes(api.deps.pool, { ...run, isDryRun: false })).toMatchObject({ taken: 1 });
    expect(await sql('SELECT 1 FROM contact_point_codes WHERE contact_point_id = $1', [old])).toEqual([]);
  });
});

test('only who verified a number is its subject: saving it silences and reads nobody', async () => {
  const number = newNumber();
  const text = async () => {
    await api.ask('POST', '/messages', {
      who: { role: 'staff' },
      json: { recipient: { phoneNumber: number }, text: 'The door is open.' },
    });
    return api.messages.at(-1)?.subjectId;
  };
  const [stranger, owner] = [somebody(), somebody()];
  const subjectOf = async (id: string) =>
    (await sql('SELECT subject_id FROM contact_points WHERE contact_point_id = $1', [id]))[0].subject_id;
  const theirs = await saved(stranger, { phoneNumber: number });
  const first = await text();
  expect(first).not.toBe(await subjectOf(theirs));
  const mine = await saved(owner, { phoneNumber: number });
  expect(await text()).toBe(first);
  await verify(owner, mine);
  await verify(owner, mine, { code: await sentCode() });
  expect(await text()).toBe(await subjectOf(mine));
});

describe('with UNVERIFIED_NUMBERS=refuse', () => {
  const refused = { status: 403, body: { code: 'number-unverified', hint: expect.stringContaining('/verify') } };
  const call = (who: Who, json: object) =>
    strict.ask('POST', '/connect-mentor', { who, json: { ...json, consent: CONSENT } });
  const text = (who: Who, recipient: object) =>
    strict.ask('POST', '/messages', { who, json: { recipient, text: 'The door is open.' } });

  test('users are called and texted only at numbers that they have verified', async () => {
    const [who, phoneNumber] = [somebody(), newNumber()];
    const contactPointId = await saved(who, { phoneNumber }, strict);
    const ways = () => [
      call(who, { contactPointId }),
      call(who, { userPhoneNumber: phoneNumber }),
      text(who, { contactPointId }),
      text(who, { phoneNumber }),
    ];
    for (const answer of await Promise.all(ways())) expect(answer).toMatchObject(refused);
    expect(await call(who, { userPhoneNumber: newNumber() })).toMatchObject(refused);
    expect([strict.process.started, strict.messages]).toEqual([[], []]);
    await verify(who, contactPointId, {}, strict);
    expect((await verify(who, contactPointId, { code: await sentCode(strict) }, strict)).status).toBe(200);
    for (const answer of await Promise.all(ways())) expect(answer.status).toBe(202);
  });

  test('staff name any number, but what they saved themselves is verified first', async () => {
    const staff: Who = { role: 'staff', subject: randomUUID() };
    expect((await call(staff, { userPhoneNumber: newNumber() })).status).toBe(202);
    expect((await text(staff, { phoneNumber: newNumber() })).status).toBe(202);
    const contactPointId = await saved(staff, undefined, strict);
    expect(await call(staff, { contactPointId })).toMatchObject(refused);
  });
});
