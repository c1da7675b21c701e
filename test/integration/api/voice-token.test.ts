import { randomUUID } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { openCall } from '../../../db/calls';
import { createSubject } from '../../../db/subjects';
import { RULES } from '../../../api/authorisation';
import { appCallInput } from '../../mentor-call-input';
import { ACCOUNT_SID, API_KEY, API_SECRET, ApiUnderTest, newCallSid, TWIML_APP_SID } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());
beforeEach(() => {
  api.twilioState = 'up';
});

const somebody = () => ({ role: 'user', subject: randomUUID() }) as const;
const verified = (token: string) => jwtVerify(token, new TextEncoder().encode(API_SECRET), { algorithms: ['HS256'] });
const identities = async () =>
  (await api.database.owner.query('SELECT * FROM voice_identities ORDER BY issued_at')).rows;

describe('GET /voice-token', () => {
  test('is a JWT as text, which nobody keeps', async () => {
    const answer = await api.ask('GET', '/voice-token', { who: somebody() });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.text.split('.')).toHaveLength(3);
    expect(api.logLines.join('')).not.toContain(answer.text);
  });

  test('lets its bearer call our TwiML app, and be called, for ten minutes', async () => {
    const { body } = await api.ask('GET', '/voice-token?format=json', { who: somebody() });
    const { payload } = await verified(body.token);
    expect(decodeProtectedHeader(body.token)).toMatchObject({ alg: 'HS256', cty: 'twilio-fpa;v=1' });
    expect(payload).toMatchObject({ iss: API_KEY, sub: ACCOUNT_SID });
    expect(payload['grants']).toEqual({
      identity: body.identity,
      voice: { incoming: { allow: true }, outgoing: { application_sid: TWIML_APP_SID } },
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(600);
    expect(Date.parse(body.expiresAt)).toBe((payload.exp ?? 0) * 1000);
  });

  test('names the user by a pseudonym: the same one each time, another one for everybody else', async () => {
    const who = somebody();
    const identity = async (one: ReturnType<typeof somebody>) =>
      (await api.ask('GET', '/voice-token?format=json', { who: one })).body.identity;
    const first = await identity(who);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await identity(who)).toBe(first);
    expect(await identity(somebody())).not.toBe(first);
    const [row] = (await identities()).filter((one) => one.identity === first);
    expect(row.subject_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(first).not.toContain(row.subject_id.slice(0, 8));
  });

  test('keeps where the user is, their language, and the text they agreed to', async () => {
    const query = 'format=json&country=MX&language=es&textVersion=app-2026-11';
    const { body } = await api.ask('GET', `/voice-token?${query}`, { who: somebody() });
    const [row] = (await identities()).filter(({ identity }) => identity === body.identity);
    expect(row).toMatchObject({
      country: 'MX',
      language: 'es',
      consent_version: 'app-2026-11',
      consent_language: 'es',
    });
    expect(row.expires_at.toISOString()).toBe(body.expiresAt);
  });

  test('speaks the language of the country to who has named none', async () => {
    const { body } = await api.ask('GET', '/voice-token?format=json&country=ES', { who: somebody() });
    const [row] = (await identities()).filter(({ identity }) => identity === body.identity);
    expect(row).toMatchObject({ country: 'ES', language: 'es', consent_version: null });
  });

  test.each([
    ['format=xml', 'invalid-query', '#/format'],
    ['country=usa', 'invalid-query', '#/country'],
    ['language=english', 'invalid-query', '#/language'],
    ['specialties=sleep', 'invalid-query', '#/specialties'],
    ['textVersion=app-2026-11', 'consent-required', '#/textVersion'],
    ['textVersion=app-1999-01&language=en', 'consent-required', '#/textVersion'],
  ])('with ?%s is refused as %s, and gives nobody a name', async (query, code, pointer) => {
    const before = await api.footprint();
    const answer = await api.ask('GET', `/voice-token?${query}`, { who: somebody() });
    expect(answer.body).toMatchObject({ code, errors: [{ pointer }], helplines: { crisis: expect.anything() } });
    expect(await api.footprint()).toMatchObject({ voice_identities: before['voice_identities'] });
  });

  test('is for users alone', () => {
    expect(RULES['GET /voice-token'].roles).toEqual(['user']);
    expect(RULES['DELETE /voice-token'].roles).toEqual(['user']);
  });

  test('lives as long as it is configured, and never longer than a quarter of an hour', async () => {
    const short = await ApiUnderTest.start({ VOICE_TOKEN_TTL: '1m' });
    const { text } = await short.ask('GET', '/voice-token', { who: somebody() });
    const { payload } = await verified(text);
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(60);
    await short.stop();
  });

  test('without a TwiML app is a 503 that says what to do instead', async () => {
    const other = await ApiUnderTest.start({ TWIML_APP_SID: '' });
    const answer = await other.ask('GET', '/voice-token', { who: somebody() });
    expect(answer).toMatchObject({
      status: 503,
      body: { code: 'app-calls-unavailable', hint: expect.stringContaining('POST /connect-mentor') },
    });
    await other.stop();
  });

  test('is refused while Twilio is down, or calls are switched off: nobody should tap in vain', async () => {
    api.twilioState = 'down';
    expect((await api.ask('GET', '/voice-token', { who: somebody() })).body.code).toBe('calls-unavailable');
    api.twilioState = 'up';
    await api.ask('PUT', '/switches/voice', { who: { role: 'admin' }, json: { isOn: false } });
    expect((await api.ask('GET', '/voice-token', { who: somebody() })).body.code).toBe('voice-disabled');
    await api.ask('PUT', '/switches/voice', { who: { role: 'admin' }, json: { isOn: true } });
  });
});

describe('the hourly limit of calls', () => {
  let limited: ApiUnderTest;
  beforeAll(async () => {
    limited = await ApiUnderTest.start({ REQUESTS_PER_USER_PER_HOUR: '1' });
  });
  afterAll(() => limited.stop());

  const limits = { perUser: 1, perTarget: 1 };
  /** Somebody with one call, and what the API knows them as. */
  async function caller() {
    const who = somebody();
    const { body } = await limited.ask('GET', '/voice-token?format=json', { who });
    const { rows } = await limited.database.owner.query('SELECT subject_id FROM voice_identities WHERE identity = $1', [
      body.identity,
    ]);
    const input = appCallInput(newCallSid(), { userId: rows[0].subject_id });
    await openCall(limited.deps.pool, input, limits);
    return { who, callId: input.callId };
  }

  test('is told before the app rings, with when it will do', async () => {
    const { who, callId } = await caller();
    await limited.database.owner.query(
      `UPDATE call_logs SET live = false, status = 'cancelled', outcome = 'cancelled', ended_at = now() WHERE call_id = $1`,
      [callId],
    );
    const answer = await limited.ask('GET', '/voice-token', { who });
    expect(answer).toMatchObject({ status: 429, body: { code: 'too-many-requests' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(3_500);
  });

  test('does not keep the SDK from renewing its token while that call goes on', async () => {
    const { who } = await caller();
    expect((await limited.ask('GET', '/voice-token', { who })).status).toBe(200);
  });
});

test('DELETE /voice-token takes the name away, and of that user alone', async () => {
  const [one, other] = [somebody(), somebody()];
  const nameOf = async (who: typeof one) =>
    (await api.ask('GET', '/voice-token?format=json', { who })).body.identity as string;
  const [gone, stays] = [await nameOf(one), await nameOf(other)];
  expect((await api.ask('DELETE', '/voice-token', { who: one })).status).toBe(204);
  const left = (await identities()).map(({ identity }) => identity);
  expect(left).not.toContain(gone);
  expect(left).toContain(stays);
  // Again: there is nothing to take any more.
  expect((await api.ask('DELETE', '/voice-token', { who: one })).status).toBe(204);
});

test('the texts to agree to are there before anybody signs in', async () => {
  const { body } = await api.ask('GET', '/consent-texts/app-call');
  expect(body.job).toBe('app-call');
  expect(body.texts).toContainEqual({
    textVersion: 'app-2026-11',
    language: 'en',
    text: expect.stringMatching(/mentor/),
  });
});

test('erasing a person takes their name at Twilio too', async () => {
  const subjectId = await createSubject(api.deps.pool, 'system');
  await api.database.owner.query(
    `INSERT INTO voice_identities (identity, subject_id, country, language, expires_at)
     VALUES (repeat('ab', 32), $1, 'US', 'en', now() + interval '10 minutes')`,
    [subjectId],
  );
  await api.deps.vault.eraseSubject(subjectId, 'system');
  expect((await identities()).filter((row) => row.subject_id === subjectId)).toEqual([]);
});
