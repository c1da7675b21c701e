import { randomBytes, randomUUID } from 'node:crypto';
import { ROLES } from '../../../api/authentication';
import { type Rule, RULES } from '../../../api/authorisation';
import { openAlert } from '../../../db/alerts';
import { openCall } from '../../../db/calls';
import { insertCheckIn } from '../../../db/check-in-course';
import { finishReceiving, openBatch } from '../../../db/message-batches';
import { inTransaction } from '../../../db/pool';
import { createSubject } from '../../../db/subjects';
import { SealedValue } from '../../../domain/sealed';
import { MARKED } from '../../marked-people';
import { alertRecipient, voiceAlertInput } from '../../voice-alert-input';
import { addBuddy } from '../buddies/people';
import { addAlert } from '../wellbeing/alert-rows';
import { ApiUnderTest, callInput, CONSENT } from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());

/** Everything below is made from the table that the application is built from. */
const ROUTES = (Object.entries(RULES) as [string, Rule][]).map(([name, rule]) => {
  const [method = '', pattern = ''] = name.split(' ');
  return { name, method, path: pattern.replace(/:\w+/g, () => randomUUID()), rule };
});
const signedIn = ROUTES.filter(({ rule }) => rule.access === 'signed-in');
const hasBody = (method: string) => method !== 'GET' && method !== 'DELETE';
/** A body that one of the routes would accept, so that nothing but the rule can refuse it. */
const body = (method: string) =>
  hasBody(method)
    ? { json: { userPhoneNumber: MARKED.userPhone, consent: CONSENT, phoneNumber: MARKED.userPhone } }
    : {};

describe('without an access token', () => {
  test.each(signedIn)('$name is a 401 that says how to sign in', async ({ method, path }) => {
    const before = await api.footprint();
    const answer = await api.ask(method, path, body(method));
    expect(answer).toMatchObject({ status: 401, body: { code: 'token-required', helplines: expect.anything() } });
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(await api.footprint()).toEqual(before);
  });
});

describe('with the wrong role', () => {
  const cases = signedIn.flatMap(({ name, method, path, rule }) =>
    ROLES.filter((role) => rule.access === 'signed-in' && !rule.roles.includes(role)).map((role) => ({
      name,
      method,
      path,
      role,
    })),
  );
  test.each(cases)('$name is a 403 for $role', async ({ method, path, role }) => {
    const before = await api.footprint();
    const answer = await api.ask(method, path, { who: { role }, ...body(method) });
    expect(answer).toMatchObject({ status: 403, body: { code: 'role-not-allowed' } });
    expect(await api.footprint()).toEqual(before);
  });
});

describe('with a right role', () => {
  const cases = signedIn.flatMap(({ name, method, path, rule }) =>
    rule.access === 'signed-in' ? rule.roles.map((role) => ({ name, method, path, role })) : [],
  );
  test.each(cases)('$name lets $role in', async ({ method, path, role }) => {
    const answer = await api.ask(method, path, { who: { role }, ...body(method) });
    // That an account is nobody's of ours is no question of roles.
    if (answer.body?.code !== 'account-not-linked') expect([401, 403]).not.toContain(answer.status);
    expect(answer.status).toBeLessThan(500);
  });
});

/** The workflow does it; who asked for it is written down first. */
const ASKED_FOR = /^(POST \/messages\/bulk\/:batchId\/(pause|resume|cancel)|DELETE \/messages\/:messageId)$/;

describe('with the right role and somebody else’s object', () => {
  const owned = signedIn.flatMap(({ name, rule }) =>
    rule.access === 'signed-in' && rule.owner !== undefined
      ? rule.roles.map((role) => ({ name, role, allowed: rule.owner?.exceptFor.includes(role) ?? false }))
      : [],
  );

  test.each(owned)('$name is found by $role: $allowed', async ({ name, role, allowed }) => {
    const id = await (OBJECTS[wellbeing(name)] ?? OBJECTS[/:(\w+)/.exec(name)?.[1] ?? ''])?.();
    if (id === undefined) throw new Error(`${name}: nobody's object is made for this test yet`);
    const [method = '', pattern = ''] = name.split(' ');
    const before = await api.footprint();
    const answer = await api.ask(method, pattern.replace(/:\w+/, id), { who: { role, subject: randomUUID() } });
    expect(answer.status === 404 ? answer.body.code : 'found').toBe(allowed ? 'found' : 'not-found');
    const after = await api.footprint();
    // Staff who look leave an entry, and one more when they ask for a change; whoever finds nothing leaves nothing.
    const entries = ASKED_FOR.test(name) ? 2 : 1;
    expect(after).toEqual(allowed ? { ...before, audit_entries: (before['audit_entries'] ?? 0) + entries } : before);
  });

  test.each(owned)('$name looks to $role as if it did not exist when it does not', async ({ name, role }) => {
    const [method = '', pattern = ''] = name.split(' ');
    for (const id of [randomUUID(), 'nonsense', '%27']) {
      const answer = await api.ask(method, pattern.replace(/:\w+/, id), { who: { role } });
      expect(answer).toMatchObject({ status: 404, body: { code: 'not-found' } });
    }
  });
});

test('an object that is not there and one that is somebody else’s get the same answer', async () => {
  const who = { role: 'user', subject: randomUUID() } as const;
  const theirs = await api.ask('GET', `/mentor-calls/${await callOfSomebody()}`, { who });
  const nobodys = await api.ask('GET', `/mentor-calls/${randomUUID()}`, { who });
  expect({ ...theirs.body, instance: '' }).toEqual({ ...nobodys.body, instance: '' });
});

describe('an access token', () => {
  const ask = (token: string) =>
    api.fetch('/mentor-calls', { headers: { Authorization: token.includes(' ') ? token : `Bearer ${token}` } });
  const now = Math.floor(Date.now() / 1000);
  const unsigned = (claims: object, header: object) =>
    `${[header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;
  const good = { iss: 'http://issuer.test/oidc', aud: 'kindline', sub: 'x', exp: now + 600, roles: ['user'] };

  test.each<[string, Record<string, unknown>]>([
    ['of another issuer', { iss: 'https://evil.example' }],
    ['for another audience', { aud: 'another-app' }],
    ['that has expired', { exp: now - 60 }],
    ['that is not valid yet', { nbf: now + 600 }],
    ['without an end', { exp: undefined }],
    ['without a subject', { sub: undefined }],
    ['with an empty subject', { sub: '' }],
  ])('%s is refused', async (_why, claims) => {
    const answer = await ask(await api.token({ role: 'user' }, claims));
    expect(answer).toMatchObject({ status: 401, body: { code: 'token-invalid' } });
  });

  test.each([
    ['without a signature', `${unsigned(good, { alg: 'none' })}x`],
    ['signed with a key of its own choice', `${unsigned(good, { alg: 'HS256', kid: 'test' })}c2lnbmF0dXJl`],
    ['that is no token', 'hello'],
    ['of another scheme', 'Basic dXNlcjpwYXNz'],
    ['that is endless', `${'a'.repeat(5_000)}.${'b'.repeat(5_000)}.c`],
  ])('%s is refused', async (_why, token) => {
    expect((await ask(token)).status).toBe(401);
  });

  test.each<[string, Record<string, unknown>]>([
    ['as a list', { roles: ['user'] }],
    ['as words', { roles: 'user other' }],
    ['with one audience of several', { aud: ['other', 'kindline'] }],
    [
      'as Cognito writes it, with a client id and no audience',
      { aud: undefined, client_id: 'kindline', token_use: 'access' },
    ],
  ])('with its roles %s is accepted', async (_how, claims) => {
    expect((await ask(await api.token({ role: 'user' }, claims))).status).toBe(200);
  });

  test.each([
    { aud: undefined, client_id: 'kindline', token_use: 'id' },
    // What Cognito really puts into an id token: the client as its audience.
    { aud: 'kindline', token_use: 'id' },
  ])('of Cognito that is an id token is refused: %j', async (claims) => {
    expect((await ask(await api.token({ role: 'user' }, claims))).status).toBe(401);
  });

  test('with roles that do not exist here gives none', async () => {
    const answer = await ask(await api.token({ role: 'user' }, { roles: ['root', 'superuser', 7] }));
    expect(answer.status).toBe(403);
  });

  test('makes one subject, whose account can be read nowhere', async () => {
    const subject = `account-${randomUUID()}`;
    const token = await api.token({ role: 'user', subject });
    const subjects = async () => (await api.database.owner.query('SELECT s::text AS row FROM subjects s')).rows;
    const before = await subjects();
    await Promise.all([ask(token), ask(token), ask(token)]);
    const after = await subjects();
    expect(after).toHaveLength(before.length + 1);
    expect(JSON.stringify(after)).not.toContain(subject);
  });
});

/** How to make one that belongs to somebody else, by the name of the parameter. */
const OBJECTS: Readonly<Record<string, () => Promise<string>>> = {
  alertId: alertOfSomebody,
  batchId: batchOfSomebody,
  buddyId: buddyOfSomebody,
  callId: callOfSomebody,
  contactPointId: contactPointOfSomebody,
  mentorId: mentorOfSomebody,
  messageId: messageOfSomebody,
  requestId: checkInOfSomebody,
  wellbeing: wellbeingAlertOfSomebody,
};

/** Alerts of both kinds are named by `alertId`. */
function wellbeing(route: string): string {
  return route.includes('/wellbeing/') ? 'wellbeing' : '';
}

test('every route has its rule, and every kind of access its cases', () => {
  const counted = signedIn.reduce((n, { rule }) => n + (rule.access === 'signed-in' ? rule.roles.length : 0), 0);
  expect(signedIn.length).toBeGreaterThan(10);
  expect(counted).toBeGreaterThan(signedIn.length);
  const known = ['public', 'twilio', 'sns', 'page', 'link', 'signed-in'];
  expect(ROUTES.filter(({ rule }) => !known.includes(rule.access))).toEqual([]);
});

test.each(ROUTES.filter(({ rule }) => rule.access === 'link'))(
  '$name with a link that nobody was sent shows and changes nothing, and is kept by no cache',
  async ({ method, name }) => {
    const before = await api.footprint();
    const [path = ''] = name.split(' ').slice(1);
    const token = 'a'.repeat(64);
    const asked = path.includes(':token') ? path.replace(':token', token) : `${path}?token=${token}&action=accept`;
    const body = method === 'POST' ? { body: new URLSearchParams({ step: 'erase', action: 'accept' }) } : {};
    const answer = await api.fetch(asked, { method, ...body });
    expect(answer.status).toBe(404);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(await api.footprint()).toEqual(before);
  },
);

test.each(ROUTES.filter(({ rule }) => rule.access === 'twilio' || rule.access === 'sns'))(
  '$name is for no token, of whatever role',
  async ({ method, path }) => {
    const before = await api.footprint();
    for (const role of ROLES) expect((await api.ask(method, path, { who: { role } })).status).toBe(403);
    expect(await api.footprint()).toEqual(before);
  },
);

async function callOfSomebody(): Promise<string> {
  const { rows } = await api.database.owner.query('INSERT INTO subjects DEFAULT VALUES RETURNING subject_id');
  const userId: string = rows[0].subject_id;
  const recordId = await api.deps.vault.seal({
    subjectId: userId,
    kind: 'phone',
    value: SealedValue.of('phone', MARKED.otherUserPhone),
  });
  const input = callInput(userId, recordId);
  await openCall(api.deps.pool, input, { perUser: 10, perTarget: 10 });
  return input.callId;
}

async function checkInOfSomebody(): Promise<string> {
  const { pool } = api.deps;
  const userId = await createSubject(pool, 'system');
  const { buddyId } = await addBuddy(api.deps, { userId, phone: MARKED.otherUserPhone });
  const requestId = randomUUID();
  const asked = { requestId, buddyId, userId, alert: null, messageId: randomUUID(), spacingMs: 1 };
  const [linkHash, phoneToken] = [randomBytes(32), randomBytes(32)];
  const closesAt = new Date().toISOString();
  await inTransaction(pool, (tx) => insertCheckIn(tx, { ...asked, linkHash, phoneToken, closesAt }));
  return requestId;
}

async function contactPointOfSomebody(): Promise<string> {
  const who = { role: 'user', subject: randomUUID() } as const;
  const { body: made } = await api.ask('POST', '/contact-points', { who, json: { phoneNumber: MARKED.userPhone } });
  return made.contactPointId;
}

async function buddyOfSomebody(): Promise<string> {
  const who = { role: 'user', subject: randomUUID() } as const;
  const json = { name: MARKED.mentorName, phoneNumber: MARKED.userPhone, email: MARKED.email };
  const { body: made } = await api.ask('POST', '/api/buddy', { who, json });
  return made.buddyId;
}

async function mentorOfSomebody(): Promise<string> {
  const json = {
    name: MARKED.mentorName,
    phoneNumber: MARKED.mentorPhone,
    zone: 'UTC',
    languages: ['en'],
    windows: [],
  };
  const { body: made } = await api.ask('POST', '/mentors', { who: { role: 'admin' }, json });
  return made.mentorId;
}

async function batchOfSomebody(): Promise<string> {
  const { pool } = api.deps;
  const batchId = randomUUID();
  await openBatch(pool, {
    batchId,
    requestedBy: await createSubject(pool, 'system'),
    kind: 'update',
    messageClass: 'ordinary',
    channel: 'sms',
    language: 'en',
    templateId: null,
    templateVersion: null,
    contentRecordId: null,
    requestHash: 'x',
    zone: null,
    fallback: null,
    notBefore: null,
    notAfter: null,
  });
  await inTransaction(pool, (tx) => finishReceiving(tx, batchId));
  return batchId;
}

async function messageOfSomebody(): Promise<string> {
  const { vault, pool } = api.deps;
  const subjectId = await createSubject(pool, 'system');
  const value = SealedValue.of('phone', MARKED.otherUserPhone);
  const recordId = await vault.seal({ subjectId, kind: 'phone', value });
  const { rows } = await api.database.owner.query(
    `INSERT INTO messages (message_id, requested_by, subject_id, record_id, owns_record, content_record_id, language,
                           channel, kind, message_class, urgency, country, state, request_hash, requested_at, live)
     VALUES (gen_random_uuid(), $1, $1, $2, true, $2, 'en', 'sms', 'update', 'ordinary', 'normal', 'US', 'waiting', 'x',
             now(), true) RETURNING message_id`,
    [subjectId, recordId],
  );
  return rows[0].message_id;
}

async function wellbeingAlertOfSomebody(): Promise<string> {
  const { pool } = api.deps;
  // One that has begun: it ends by its workflow.
  return addAlert(api.database.owner, await createSubject(pool, 'test'), {});
}

async function alertOfSomebody(): Promise<string> {
  const { vault, pool } = api.deps;
  const subjectId = await createSubject(pool, 'test');
  const recordId = await vault.seal({ subjectId, kind: 'phone', value: SealedValue.of('phone', MARKED.userPhone) });
  const content = { templateId: null, templateVersion: null, recordId };
  const input = voiceAlertInput({
    requestedBy: subjectId,
    recipients: [alertRecipient({ subjectId, recordId, content })],
  });
  await openAlert(pool, input);
  return input.alertId;
}
