import { randomUUID } from 'node:crypto';
import { ROLES } from '../../../api/authentication';
import { type Rule, RULES } from '../../../api/authorisation';
import { closeCall, openCall } from '../../../db/calls';
import { MARKED } from '../../marked-people';
import { watchdogFacts } from '../../../db/watchdog-facts';
import { ApiUnderTest, CONSENT } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start({ ALLOWED_COUNTRIES: 'US,CA' });
  // The subject exists, so that from here on "nothing stored" means nothing at all.
  await api.ask('GET', '/mentor-calls', { who: user });
});
afterAll(() => api.stop());

const user = { role: 'user' } as const;
const admin = { role: 'admin' } as const;
const request = { userPhoneNumber: MARKED.userPhone, consent: CONSENT };
const mentor = {
  name: MARKED.mentorName,
  phoneNumber: MARKED.mentorPhone,
  languages: ['en'],
  zone: 'America/New_York',
};
const STAFF_ROUTES = ['/mentors', '/alerts/voice'];
const without = <T extends object>(whole: T, name: keyof T) => ({ ...whole, [name]: undefined });

interface Case {
  readonly what: string;
  readonly route?: string;
  readonly json: unknown;
  readonly status: number;
  readonly code: string;
  readonly pointer?: string;
}

const REQUESTS: Case[] = [
  {
    what: 'a number that is none',
    json: { ...request, userPhoneNumber: 'call me' },
    status: 422,
    code: 'phone-number-invalid',
    pointer: '#/userPhoneNumber',
  },
  {
    what: 'a number without a country',
    json: { ...request, userPhoneNumber: '415 555 0142' },
    status: 422,
    code: 'phone-number-invalid',
    pointer: '#/userPhoneNumber',
  },
  {
    what: 'a number that is too short to be one',
    json: { ...request, userPhoneNumber: '+1415555' },
    status: 422,
    code: 'phone-number-invalid',
    pointer: '#/userPhoneNumber',
  },
  {
    what: 'a number with an extension',
    json: { ...request, userPhoneNumber: `${MARKED.userPhone} ext. 5` },
    status: 422,
    code: 'phone-number-invalid',
    pointer: '#/userPhoneNumber',
  },
  {
    what: 'two numbers in one',
    json: { ...request, userPhoneNumber: `${MARKED.userPhone},${MARKED.otherUserPhone}` },
    status: 422,
    code: 'phone-number-invalid',
    pointer: '#/userPhoneNumber',
  },
  {
    what: 'an emergency number',
    json: { ...request, userPhoneNumber: '911' },
    status: 422,
    code: 'phone-number-not-allowed',
    pointer: '#/userPhoneNumber',
  },
  {
    what: 'a premium number',
    json: { ...request, userPhoneNumber: '+1 900 555 0142' },
    status: 422,
    code: 'phone-number-not-allowed',
    pointer: '#/userPhoneNumber',
  },
  {
    what: 'a number of our own',
    json: { ...request, userPhoneNumber: '+1 415 555 0100' },
    status: 422,
    code: 'phone-number-not-allowed',
    pointer: '#/userPhoneNumber',
  },
  {
    what: 'a toll-free number',
    json: { ...request, userPhoneNumber: '+1 800 555 0142' },
    status: 422,
    code: 'phone-number-not-allowed',
    pointer: '#/userPhoneNumber',
  },
  {
    what: 'a number of a country that is not served',
    json: { ...request, userPhoneNumber: '+34 612 34 56 78' },
    status: 422,
    code: 'country-not-allowed',
    pointer: '#/userPhoneNumber',
  },
  {
    what: 'no number at all',
    json: without(request, 'userPhoneNumber'),
    status: 400,
    code: 'invalid-body',
    pointer: '#/userPhoneNumber',
  },
  {
    what: 'a number and a contact point',
    json: { ...request, contactPointId: randomUUID() },
    status: 400,
    code: 'invalid-body',
  },
  {
    what: 'a contact point that is not theirs',
    json: { contactPointId: randomUUID(), consent: CONSENT },
    status: 404,
    code: 'not-found',
    pointer: '#/contactPointId',
  },
  {
    what: 'a contact point that is no id',
    json: { contactPointId: '1', consent: CONSENT },
    status: 400,
    code: 'invalid-body',
    pointer: '#/contactPointId',
  },
  {
    what: 'a number that is a number',
    json: { ...request, userPhoneNumber: 14155550142 },
    status: 400,
    code: 'invalid-body',
    pointer: '#/userPhoneNumber',
  },
  {
    what: 'no consent',
    json: without(request, 'consent'),
    status: 422,
    code: 'consent-required',
    pointer: '#/consent',
  },
  { what: 'consent that is only a yes', json: { ...request, consent: true }, status: 422, code: 'consent-required' },
  {
    what: 'consent to a text that never was',
    json: { ...request, consent: { ...CONSENT, textVersion: '1999-01' } },
    status: 422,
    code: 'consent-required',
  },
  {
    what: 'consent in a language that has no text',
    json: { ...request, consent: { ...CONSENT, language: 'xx' } },
    status: 422,
    code: 'consent-required',
  },
  {
    what: 'an unknown field',
    json: { ...request, priority: 'high' },
    status: 400,
    code: 'invalid-body',
    pointer: '#/priority',
  },
  {
    what: 'an unknown preference',
    json: { ...request, preferences: { gender: 'f' } },
    status: 400,
    code: 'invalid-body',
    pointer: '#/preferences/gender',
  },
  {
    what: 'a language that is no code',
    json: { ...request, preferences: { languages: ['English'] } },
    status: 400,
    code: 'invalid-body',
    pointer: '#/preferences/languages/0',
  },
  {
    what: 'free text as a specialty',
    json: { ...request, preferences: { specialties: ['I am not well'] } },
    status: 400,
    code: 'invalid-body',
    pointer: '#/preferences/specialties/0',
  },
  {
    what: 'a mentor they never talked to',
    json: { ...request, preferences: { mentorId: randomUUID() } },
    status: 403,
    code: 'mentor-not-allowed',
  },
  {
    what: 'a word for yes or no',
    json: { ...request, mayCallBack: 'yes' },
    status: 400,
    code: 'invalid-body',
    pointer: '#/mayCallBack',
  },
  {
    what: 'a number for whether to wait',
    json: { ...request, mayWait: 2 },
    status: 400,
    code: 'invalid-body',
    pointer: '#/mayWait',
  },
  { what: 'a list instead of an object', json: [request], status: 400, code: 'invalid-body', pointer: '#' },
  {
    what: 'a prototype',
    json: JSON.parse(`{"__proto__":{"admin":true},"userPhoneNumber":"${MARKED.userPhone}"}`),
    status: 400,
    code: 'invalid-body',
  },
];

const MENTORS: Case[] = [
  {
    what: 'an unknown zone',
    json: { ...mentor, zone: 'Mars/Olympus' },
    status: 422,
    code: 'zone-unknown',
    pointer: '#/zone',
  },
  {
    what: 'a zone that is an offset',
    json: { ...mentor, zone: '+02:00' },
    status: 422,
    code: 'zone-unknown',
    pointer: '#/zone',
  },
  {
    what: 'a number that cannot be rung',
    json: { ...mentor, phoneNumber: '+1 900 555 0142' },
    status: 422,
    code: 'phone-number-not-allowed',
    pointer: '#/phoneNumber',
  },
  { what: 'no name', json: without(mentor, 'name'), status: 400, code: 'invalid-body', pointer: '#/name' },
  {
    what: 'a name of control characters',
    json: { ...mentor, name: 'A\u0000B' },
    status: 400,
    code: 'invalid-body',
    pointer: '#/name',
  },
  {
    what: 'no language',
    json: { ...mentor, languages: [] },
    status: 400,
    code: 'invalid-body',
    pointer: '#/languages',
  },
  {
    what: 'a window on an eighth day',
    json: { ...mentor, windows: [{ weekday: 8, starts: '09:00', ends: '10:00' }] },
    status: 400,
    code: 'invalid-body',
    pointer: '#/windows/0/weekday',
  },
  {
    what: 'a window at 25 o’clock',
    json: { ...mentor, windows: [{ weekday: 1, starts: '25:00', ends: '10:00' }] },
    status: 400,
    code: 'invalid-body',
    pointer: '#/windows/0/starts',
  },
  {
    what: 'no places',
    json: { ...mentor, maxConcurrentCalls: 0 },
    status: 400,
    code: 'invalid-body',
    pointer: '#/maxConcurrentCalls',
  },
].map((one) => ({ ...one, route: '/mentors' }));

const POINTS: Case[] = [
  {
    what: 'a number that is none',
    json: { phoneNumber: 'mine' },
    status: 422,
    code: 'phone-number-invalid',
    pointer: '#/phoneNumber',
  },
  {
    what: 'an e-mail address as a number',
    json: { kind: 'email', phoneNumber: MARKED.email },
    status: 400,
    code: 'invalid-body',
    pointer: '#/phoneNumber',
  },
  {
    what: 'a number and an address',
    json: { phoneNumber: '+14155550142', emailAddress: MARKED.email },
    status: 400,
    code: 'invalid-body',
    pointer: '#/phoneNumber',
  },
  {
    what: 'two addresses in one',
    json: { emailAddress: `${MARKED.email}, ${MARKED.email}` },
    status: 422,
    code: 'email-address-invalid',
    pointer: '#/emailAddress',
  },
].map((one) => ({ ...one, route: '/contact-points' }));

const alert = { recipients: [{ phoneNumber: MARKED.userPhone }], text: 'The door is open.' };
const ALERTS: Case[] = [
  { what: 'nobody to ring', json: { ...alert, recipients: [] }, pointer: '#/recipients' },
  {
    what: 'more recipients than one alert has',
    json: { ...alert, recipients: Array.from({ length: 21 }, () => alert.recipients[0]) },
    pointer: '#/recipients',
  },
  {
    what: 'a recipient with two numbers',
    json: { ...alert, recipients: [{ phoneNumber: MARKED.userPhone, subjectId: randomUUID() }] },
    pointer: '#/recipients/0/recipient',
  },
  {
    what: 'a recipient who is not known',
    json: { ...alert, recipients: [{ subjectId: randomUUID() }] },
    status: 404,
    code: 'not-found',
    pointer: '#/recipients/0/recipient/subjectId',
  },
  {
    what: 'a second number that is none',
    json: { ...alert, recipients: [...alert.recipients, { phoneNumber: 'call her' }] },
    status: 422,
    code: 'phone-number-invalid',
    pointer: '#/recipients/1/recipient/phoneNumber',
  },
  { what: 'nothing to say', json: { recipients: alert.recipients }, pointer: '#/text' },
  { what: 'text and template', json: { ...alert, template: { name: 'alert' } }, pointer: '#/text' },
  {
    what: 'no key at all, so that a voicemail would count',
    json: { ...alert, acknowledge: false, neutralFirst: false },
    pointer: '#/acknowledge',
  },
  { what: 'no attempt', json: { ...alert, attempts: 0 }, pointer: '#/attempts' },
  { what: 'eleven attempts', json: { ...alert, attempts: 11 }, pointer: '#/attempts' },
  { what: 'a day before the next try', json: { ...alert, retryAfterSeconds: 86_400 }, pointer: '#/retryAfterSeconds' },
  { what: 'a wait backwards', json: { ...alert, escalationDelaySeconds: -1 }, pointer: '#/escalationDelaySeconds' },
  { what: 'an urgency of thousands', json: { ...alert, urgency: 'bulk' }, pointer: '#/urgency' },
  { what: 'an automatic answer', json: { ...alert, kind: 'automatic' }, pointer: '#/kind' },
  { what: 'a code', json: { ...alert, kind: 'verification' }, pointer: '#/kind' },
  {
    what: 'a template whose name is none',
    json: { recipients: alert.recipients, template: { name: 'al\u0000ert' } },
    pointer: '#/template/name',
  },
].map((one) => ({ status: 400, code: 'invalid-body', ...one, route: '/alerts/voice' }));

describe.each([...REQUESTS, ...MENTORS, ...POINTS, ...ALERTS])(
  '$what ($code)',
  ({ route = '/connect-mentor', json, status, code, pointer }) => {
    test(`is refused by POST ${route} with a hint and without a trace`, async () => {
      const before = await api.footprint();
      const logged = api.logLines.length;
      const answer = await api.ask('POST', route, { who: STAFF_ROUTES.includes(route) ? admin : user, json });
      expect(answer).toMatchObject({
        status,
        body: { code, status, hint: expect.any(String), helplines: expect.anything() },
      });
      expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      const pointers: string[] = (answer.body.errors ?? []).map((place: { pointer: string }) => place.pointer);
      const named = pointer === undefined ? [] : [pointer];
      expect(pointers).toEqual(expect.arrayContaining(named));
      expect(await api.footprint()).toEqual(before);
      expect(answer.text + api.logLines.slice(logged).join('')).not.toMatch(/5550142|555 0142|Quillfeather|612 34/);
    });
  },
);

describe('a body that cannot be read', () => {
  const send = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
    api.ask('POST', '/connect-mentor', {
      who: user,
      raw: { body, headers: { 'Content-Type': 'application/json', ...headers } },
    });

  test.each<[string, string | Uint8Array, Record<string, string>, number, string]>([
    ['broken JSON with a number in it', `{"userPhoneNumber": "${MARKED.userPhone}`, {}, 400, 'malformed-json'],
    ['a bare text', '"hello"', {}, 400, 'malformed-json'],
    ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0x00]), {}, 400, 'malformed-json'],
    ['more than 100 kB', JSON.stringify({ userPhoneNumber: '4'.repeat(150_000) }), {}, 413, 'body-too-large'],
    [
      'a form',
      'userPhoneNumber=1',
      { 'Content-Type': 'application/x-www-form-urlencoded' },
      415,
      'unsupported-media-type',
    ],
    ['text of no known kind', '{}', { 'Content-Type': 'text/plain' }, 415, 'unsupported-media-type'],
    ['compressed JSON', '{}', { 'Content-Encoding': 'gzip' }, 415, 'unsupported-media-type'],
    [
      'JSON in an odd alphabet',
      '{}',
      { 'Content-Type': 'application/json; charset=klingon' },
      415,
      'unsupported-media-type',
    ],
  ])('%s is refused', async (_what, body, headers, status, code) => {
    const before = await api.footprint();
    const answer = await send(body, headers);
    expect(answer).toMatchObject({ status, body: { code, helplines: expect.anything() } });
    expect(await api.footprint()).toEqual(before);
    expect(answer.text + api.logLines.join('')).not.toContain('5550142');
  });
});

describe('every route that reads a body', () => {
  const reading = (Object.entries(RULES) as [string, Rule][]).flatMap(([name, rule]) => {
    const [method = '', pattern = ''] = name.split(' ');
    if (rule.access !== 'signed-in' || method === 'GET' || method === 'DELETE') return [];
    const role = ROLES.find((one) => rule.roles.includes(one)) ?? 'admin';
    return [{ name, method, role, path: pattern.replace(/:\w+/g, () => randomUUID()) }];
  });

  test.each(reading)('$name refuses what it does not know, without a trace', async ({ method, path, role }) => {
    await api.ask('GET', '/mentor-calls', { who: { role } });
    const before = await api.footprint();
    const logged = api.logLines.length;
    for (const json of [{ nonsense: MARKED.userPhone }, [MARKED.userPhone], { text: { $ne: MARKED.userPhone } }]) {
      const raw = { headers: { 'If-Match': '"1"' } };
      const answer = await api.ask(method, path, { who: { role }, json, raw });
      // An account that is no mentor's is told so first.
      expect([400, 404, ...(path.startsWith('/mentors/me/') ? [403] : [])]).toContain(answer.status);
      expect(answer.text + api.logLines.slice(logged).join('')).not.toContain(MARKED.userPhone.slice(2));
    }
    expect(await api.footprint()).toEqual(before);
  });
});

test('a short number is refused with the words for its kind, not with the ones for a number that is none', async () => {
  const answer = await api.ask('POST', '/contact-points', { who: user, json: { phoneNumber: '911' } });
  expect(answer.body.errors).toEqual([
    { pointer: '#/phoneNumber', detail: 'A mobile or fixed number is expected here.' },
  ]);
});

test.each(['', ' ', 'ä', 'a b', 'x'.repeat(256)])('an Idempotency-Key that cannot be used is refused', async (key) => {
  const before = await api.footprint();
  const headers = { 'Idempotency-Key': Buffer.from(key).toString('latin1') };
  const answer = await api.ask('POST', '/connect-mentor', { who: user, json: request, raw: { headers } });
  expect(answer).toMatchObject({ status: 400, body: { code: 'idempotency-key-invalid' } });
  expect(await api.footprint()).toEqual(before);
});

/** A cursor with a time that ISO 8601 has and Postgres has not. */
const yearNought = Buffer.from(JSON.stringify(['0000-01-01T00:00:00.000000Z', randomUUID()])).toString('base64url');

test.each([
  'limit=0',
  'limit=101',
  'limit=many',
  'cursor=nonsense',
  `cursor=${yearNought}`,
  'cursor=a&cursor=b',
  'page=2',
])('a list asked for with ?%s is a 400 that names the parameter', async (query) => {
  const answer = await api.ask('GET', `/mentor-calls?${query}`, { who: user });
  expect(answer).toMatchObject({
    status: 400,
    body: { code: 'invalid-query', errors: [{ pointer: `#/${query.split('=')[0]}` }] },
  });
});

test.each(['/nowhere', '/mentor-calls/%ZZ', '/connect-mentor', '/problems/none', '/problems/constructor'])(
  'GET %s is a problem, not a page of the framework',
  async (path) => {
    const answer = await api.ask('GET', path, { who: user });
    expect([400, 404]).toContain(answer.status);
    expect(answer.body).toMatchObject({ helplines: expect.anything() });
    expect(answer.text).not.toMatch(/express|Cannot GET|at .*\.js/i);
  },
);

test('an address with a number in it never reaches the log', async () => {
  await api.ask('GET', `/call/${MARKED.userPhone}?to=${encodeURIComponent(MARKED.userPhone)}`, { who: user });
  await api.ask('GET', `/mentor-calls/${MARKED.userPhone}`, { who: user });
  expect(api.logLines.join('')).not.toContain('5550142');
});

describe('limits', () => {
  async function startWithCallsThatEnd(settings: Record<string, string>): Promise<ApiUnderTest> {
    const limited = await ApiUnderTest.start(settings);
    limited.process.onStart = async (input) => {
      await openCall(limited.deps.pool, input, { perUser: 10, perTarget: 10 });
      const end = { outcome: 'completed', endReason: 'bridge-over', endedAt: new Date(), durationSeconds: 60 } as const;
      await closeCall(limited.deps.pool, { callId: input.callId, ...end });
    };
    return limited;
  }

  test('a fourth request within the hour is a 429 that says when, and rings nobody', async () => {
    const limited = await startWithCallsThatEnd({ REQUESTS_PER_USER_PER_HOUR: '1' });
    expect((await limited.ask('POST', '/connect-mentor', { who: user, json: request })).status).toBe(202);
    const before = await limited.footprint();
    const answer = await limited.ask('POST', '/connect-mentor', { who: user, json: request });
    expect(answer).toMatchObject({ status: 429, body: { code: 'too-many-requests', helplines: expect.anything() } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(3_000);
    expect(await limited.footprint()).toEqual(before);
    // Somebody who asks again and again is what the watchdog looks for: it sees each try.
    for (let n = 0; n < 4; n += 1) await limited.ask('POST', '/connect-mentor', { who: user, json: request });
    const { windowMs, limits } = limited.deps.config.watchdog;
    expect((await watchdogFacts(limited.deps.pool, windowMs, limits)).userCalls).toMatchObject([{ count: 6 }]);
    await limited.stop();
  });

  test('a number that several accounts ask for is let through once, and the watchdog sees all of them', async () => {
    const limited = await startWithCallsThatEnd({ REQUESTS_PER_TARGET_PER_HOUR: '1' });
    const ask = async () =>
      (await limited.ask('POST', '/connect-mentor', { who: { role: 'user', subject: randomUUID() }, json: request }))
        .status;
    expect([await ask(), await ask(), await ask()]).toEqual([202, 429, 429]);
    const { windowMs, limits } = limited.deps.config.watchdog;
    expect((await watchdogFacts(limited.deps.pool, windowMs, limits)).sharedNumbers).toMatchObject([{ accounts: 3 }]);
    await limited.stop();
  });

  test('an eleventh contact point is refused, however many are saved at once', async () => {
    const who = { role: 'user', subject: randomUUID() } as const;
    const save = (n: number) =>
      api.ask('POST', '/contact-points', { who, json: { phoneNumber: `+141555501${10 + n}` } });
    const all = await Promise.all(Array.from({ length: 12 }, (_, n) => save(n)));
    const saved = all.flatMap(({ status }, n) => (status === 201 ? [n] : []));
    expect(saved).toHaveLength(10);
    // One that is saved already is no eleventh.
    expect((await save(saved[0] ?? 0)).status).toBe(201);
    expect(await save(12)).toMatchObject({ status: 409, body: { code: 'too-many-contact-points' } });
  });
});

test('every answer carries the headers that keep it private, and nothing that names the framework', async () => {
  const { headers } = await api.ask('GET', '/mentor-calls', { who: user });
  expect(Object.fromEntries(headers)).toMatchObject({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
    'x-request-id': expect.any(String),
  });
  expect(headers.has('x-powered-by')).toBe(false);
  expect(headers.has('etag')).toBe(false);
});
