import { randomUUID } from 'node:crypto';
import { ROLES, type Role } from '../../api/authentication';
import { type RouteName, type Rule, RULES } from '../../api/authorisation';
import type { SeededRandom } from '../chaos/seeded-random';
import { CONSENT } from '../integration/api/api-under-test';
import { MARKED } from '../marked-people';

/** Stands in everything that is sent, so that a refusal that repeats any of it is seen. */
export const MARK = 'Zq9kx7';

/** A request to be sent; who asks is told apart, because a token has to be made for them. */
export interface OddRequest {
  readonly route: string;
  readonly method: string;
  readonly path: string;
  readonly who: { readonly role: Role; readonly subject: string } | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

type Fields = Readonly<Record<string, unknown>>;

const WORDS = { template: { name: 'update', variables: { message: MARK } }, language: 'en', kind: 'update' };
const TEMPLATE = {
  variables: { where: { type: 'text', maxLength: 60 } },
  languages: { en: { text: 'Your shift is at {{where}}.', subject: 'A shift' } },
};

/** Stands for an id of whoever asks. */
const OWN = 'an id of their own';
const POLICY = {
  steps: [
    { who: 'buddies', channel: 'sms', afterMinutes: 0, count: 2, answeredBy: ['buddies'] },
    { who: 'registered-contact', channel: 'sms', afterMinutes: 60, count: 1, answeredBy: ['buddies'] },
  ],
  closesAfterMinutes: 600,
};

/** A body that is accepted, by route. A route that is not here gets one of the others. */
const GOOD_BODIES: Partial<Record<RouteName, Fields>> = {
  'POST /connect-mentor': {
    userPhoneNumber: MARKED.userPhone,
    consent: CONSENT,
    preferences: { languages: ['en'], specialties: ['grief'] },
  },
  'POST /contact-points': { kind: 'phone', phoneNumber: MARKED.userPhone },
  'POST /contact-points/:contactPointId/verify': { code: '123456', language: 'en' },
  'POST /mentors': {
    name: MARKED.mentorName,
    phoneNumber: MARKED.mentorPhone,
    languages: ['en', 'es'],
    specialties: ['grief'],
    zone: 'America/New_York',
    available: true,
    maxConcurrentCalls: 2,
    windows: [{ weekday: 1, starts: '09:00', ends: '17:00' }],
  },
  'PATCH /mentors/:mentorId': { available: false, zone: 'Europe/London' },
  'PUT /mentors/:mentorId/windows': { windows: [{ weekday: 1, starts: '09:00', ends: '17:00' }] },
  'POST /messages': { recipient: { phoneNumber: MARKED.userPhone }, zone: 'America/New_York', ...WORDS },
  'POST /messages/bulk': {
    recipients: [
      { phone: MARKED.userPhone, language: 'en', variables: { message: MARK } },
      { phone: MARKED.mentorPhone },
    ],
    ...WORDS,
  },
  'POST /alerts/voice': { recipients: [{ phoneNumber: MARKED.userPhone }], attempts: 2, ...WORDS },
  'POST /templates': { name: 'shift-change', ...TEMPLATE },
  'PUT /templates/:templateId': TEMPLATE,
  'POST /templates/preview': { draft: TEMPLATE, language: 'en', variables: { where: MARK } },
  'PUT /preferences': { preferences: [{ channel: 'sms', kind: 'survey', allowed: false }] },
  'PUT /api/users/me/profile': { firstName: 'Thessaly', language: 'en', tellMeBy: 'app' },
  'POST /api/buddy': {
    name: MARKED.otherMentorName,
    phoneNumber: MARKED.buddyPhone,
    email: MARKED.email,
    relationship: MARK,
    language: 'es',
  },
  'PATCH /api/buddy/:buddyId': { name: MARKED.otherMentorName, rank: 1, language: 'en' },
  'PUT /api/buddy/order': { buddyIds: [] },
  'POST /api/buddy/send-verification': { buddyContactId: OWN, userId: OWN },
  'POST /api/buddy/send-checkin': { buddyContactId: OWN, userId: OWN },
  'PUT /api/users/me/registered-contact': {
    name: MARKED.contactName,
    phoneNumber: MARKED.contactPhone,
    language: 'en',
  },
  'POST /api/wellbeing/scores': {
    events: [
      { eventId: OWN, userId: OWN, score: 20, risk: 'high', measuredAt: '2026-11-30T10:00:00Z' },
      { eventId: OWN, userId: OWN, score: 55.5, risk: 'low', measuredAt: '2026-11-30T11:00:00Z' },
    ],
  },
  'PUT /api/escalation-policy': POLICY,
  'POST /api/escalation-policy/dry-run': { userId: OWN, policy: POLICY },
  'PUT /costs/budget': { amountMicro: 100_000_000, currency: 'USD', warnAtPercent: 80 },
};

const ROUTES = (Object.entries(RULES) as [RouteName, Rule][]).flatMap(([name, rule]) =>
  rule.access === 'signed-in' ? [{ name, roles: rule.roles }] : [],
);

/** Whose tokens are used. */
export const SUBJECTS = Array.from({ length: 12 }, (_, n) => `${MARK}-${n + 1}`);

/** Ids that earlier rounds were given, so that some of the odd requests are about something that is there. */
export class KnownIds {
  private readonly ids: string[] = [];

  private readonly own = new Map<string, string>();

  /** @param subject whose token it was asked with */
  add(text: string, subject: string): void {
    for (const [, name, id] of text.matchAll(/"(userId|buddyId)":"([0-9a-f-]{36})"/g)) {
      if (id !== undefined) this.own.set(`${subject} ${name}`, id);
    }
    for (const id of text.match(/(?<=Id":")[0-9a-f-]{36}/g) ?? []) this.ids.push(id);
    if (this.ids.length > 200) this.ids.splice(0, 100);
  }

  /** Of the field of a body, as far as they have one. */
  ofField(random: SeededRandom, subject: string, field: string): string {
    const name = field === 'buddyContactId' ? 'buddyId' : field;
    return this.own.get(`${subject} ${name}`) ?? (field === 'eventId' ? randomUUID() : this.one(random));
  }

  one(random: SeededRandom): string {
    return this.ids.length === 0 ? randomUUID() : random.pick(this.ids);
  }
}

/**
 * A request of an app's in which most things are as no app would send them; some are right by chance.
 * @param only the route it is about; without it, any
 */
export function oddRequest(random: SeededRandom, known: KnownIds, only?: string): OddRequest {
  const { name, roles } = random.pick(only === undefined ? ROUTES : ROUTES.filter((route) => route.name === only));
  const [method = '', pattern = ''] = name.split(' ');
  const isRightRole = random.next() < 0.8;
  const role = random.pick(isRightRole ? roles : ROLES);
  const hasBody = method !== 'GET' && method !== 'DELETE';
  const subject = random.pick(SUBJECTS);
  return {
    route: name,
    method: random.next() < 0.97 ? method : random.pick(['PUT', 'PATCH', 'DELETE', 'GET', 'PROPFIND', 'OPTIONS']),
    path: oddPath(random, known, pattern, method === 'GET'),
    who: random.next() < 0.97 ? { role, subject } : null,
    headers: oddHeaders(random, hasBody || random.next() < 0.1),
    body:
      hasBody || random.next() < 0.1
        ? oddBody(random, ownBody(random, known, subject, GOOD_BODIES[name] ?? random.pick(Object.values(GOOD_BODIES))))
        : NOTHING,
  };
}

const NOTHING = Buffer.alloc(0);

/** With ids of whoever asks where the body has a place for them. */
function ownBody(random: SeededRandom, known: KnownIds, subject: string, good: Fields): Fields {
  const text = JSON.stringify(good, (field, value: unknown) =>
    value === OWN ? known.ofField(random, subject, field) : value,
  );
  return JSON.parse(text) as Fields;
}

function oddPath(random: SeededRandom, known: KnownIds, pattern: string, isList: boolean): string {
  const path = pattern.replace(/:\w+/g, () =>
    random.next() < 0.5 ? known.one(random) : random.pick([randomUUID(), known.one(random).toUpperCase(), ...ODD_IDS]),
  );
  // A few lists in full: each name in one is a look into the vault.
  if (isList && random.next() < 0.2) return `${path}?limit=${random.between(1, 3)}`;
  if (random.next() < (isList ? 0.05 : 0.9)) return path;
  const query = Array.from({ length: random.between(1, 3) }, () => oddParameter(random)).join('&');
  return `${path}?${query}`;
}

const ODD_IDS = [
  MARK,
  '%00',
  '%27%20OR%201=1--',
  '%F0%9F%92%A9',
  '%ed%a0%80',
  '%',
  '%2e%2e%2f',
  '..%2F..',
  '__proto__',
  'constructor',
  'null',
  '-1',
  '1e309',
  'x'.repeat(2_000),
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
];

function oddParameter(random: SeededRandom): string {
  const name = random.pick([
    'limit',
    'cursor',
    'limit',
    'cursor',
    '__proto__',
    'limit[]',
    'cursor[a]',
    MARK,
    '',
    'constructor',
  ]);
  const value = random.pick([
    () => String(random.between(-5, 120)),
    () => random.pick(['1', '1e1', '0x5', '%205', '05', '1.0', '%D9%A3', 'true', 'Infinity', 'NaN', '9'.repeat(400)]),
    () => oddCursor(random),
    () => MARK.repeat(random.between(1, 50)),
    () =>
      random.pick(['', '%00', '%', '%ff', '%ed%a0%80', '.', '.'.repeat(100), 'a.b', `${MARK}.AAAAAAAAAAAAAAAAAAAAAA`]),
  ]);
  return `${name}=${value()}`;
}

function oddCursor(random: SeededRandom): string {
  const time = random.pick([
    '0000-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '2026-02-29T00:00:00Z',
    '',
    MARK,
    7,
    null,
    [],
  ]);
  const id = random.pick([randomUUID(), MARK, null, {}, 'ffffffff-ffff-ffff-ffff-ffffffffffff']);
  const content = random.pick([[time, id], [id], { time, id }, null, MARK]);
  const place = Buffer.from(JSON.stringify(content)).toString('base64url');
  return random.pick([place, `${place}.`, `${place}.${'A'.repeat(22)}`, `.${place}`]);
}

function oddHeaders(random: SeededRandom, hasBody: boolean): Record<string, string> {
  const headers: Record<string, string> = {};
  if (hasBody) headers['Content-Type'] = random.next() < 0.8 ? 'application/json' : random.pick(ODD_TYPES);
  for (const [name, values] of Object.entries(ODD_HEADERS)) {
    if (random.next() < 0.12) headers[name] = random.pick(values);
  }
  if (random.next() < 0.3) headers['Idempotency-Key'] = randomUUID();
  if (random.next() < 0.3) headers['If-Match'] = '*';
  return headers;
}

const ODD_TYPES = [
  'application/json; charset=utf-16',
  'application/json; charset=utf-8',
  'application/json;;',
  `application/json; charset=${MARK}`,
  'APPLICATION/JSON',
  'text/json',
  `text/${MARK}`,
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/merge-patch+json',
  '',
  '\u00e4',
];

const ODD_HEADERS: Readonly<Record<string, readonly string[]>> = {
  'Idempotency-Key': ['', MARK, 'k', '"', 'a,b', '~'.repeat(255), 'x'.repeat(4_000), `<${MARK}>`, '\u00e9', '"quoted"'],
  'If-Match': ['', '*', MARK, '"1"', 'W/"1"', '"', '"1", "2"', '"99999999999999999999"', '"-1"', 'x'.repeat(3_000)],
  'If-None-Match': ['*', '"1"', MARK],
  'Accept-Language': ['en-GB', 'xx-XX', '*', '-'.repeat(50), 'en-constructor', 'a-'.repeat(1_000), `${MARK}-__`],
  Accept: ['text/html', '*/*;q=x', MARK, 'application/xml'],
  'Content-Encoding': ['gzip', 'br', 'identity', MARK, ''],
  'X-Forwarded-For': ['', MARK, '1.2.3.4, x', ','.repeat(500), '::1%eth0'],
  'X-Forwarded-Host': [`${MARK}.example`],
  'X-Forwarded-Proto': ['', 'https,', MARK],
  'X-Http-Method-Override': ['DELETE'],
  'X-Request-Id': [MARK, '\u00e9'],
  Authorization: ['', 'Bearer', `Bearer ${MARK}`, `Basic ${MARK}`, 'Bearer a.b.c', `Bearer ${'x'.repeat(6_000)}`],
  Cookie: [`session=${MARK}`],
  Range: ['bytes=0-1', MARK],
};

function oddBody(random: SeededRandom, good: Fields): Buffer {
  const body: Record<string, unknown> = structuredClone(good) as Record<string, unknown>;
  for (let changes = random.between(0, 3); changes > 0; changes -= 1) change(random, body);
  const text = JSON.stringify(body);
  if (random.next() < 0.7) return Buffer.from(text);
  return random.pick(ODD_TEXTS)(text, random);
}

function change(random: SeededRandom, body: Record<string, unknown>): void {
  const name = random.pick(Object.keys(body).concat('preferences', 'consent'));
  const inner = body[name];
  const dice = random.next();
  if (dice < 0.5) body[name] = oddValue(random);
  else if (dice < 0.6) delete body[name];
  else if (dice < 0.75 && typeof inner === 'object' && inner !== null) {
    const key = random.pick([...Object.keys(inner), '0', `${MARK}1`, 'toString']);
    // So that even __proto__ becomes a field of its own.
    Object.defineProperty(inner, key, {
      value: oddValue(random),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else {
    const key = random.pick(ODD_NAMES);
    Object.defineProperty(body, key, { value: oddValue(random), enumerable: true, configurable: true, writable: true });
  }
}

const ODD_NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'then',
  'length',
  `${MARK}2`,
  '',
  '\u0000',
  '~1/',
  'contactPointId',
  'mayCallBack',
  'mayWait',
];

function oddValue(random: SeededRandom): unknown {
  return random.pick(ODD_VALUES)(random);
}

const ODD_VALUES: readonly ((random: SeededRandom) => unknown)[] = [
  () => null,
  (random) => random.pick([true, false]),
  (random) => random.pick([-1, 0, 1, 1.5, 2 ** 53, 1e308, -0, 21]),
  (random) => MARK.repeat(random.between(0, 60)),
  (random) =>
    `${MARK}${random.pick(['\u0000', '\u001b[31m', '\r\n', '\u202e', '\ufeff', '\u2028', '\ud800', '\udfff', '𝒳', 'é', '<script>', "';--"])}`,
  (random) =>
    random.pick([
      '\ud83d',
      '\u0000',
      '',
      ' ',
      '２０２６',
      '١٢٣',
      '+１４１５５５５０１４２',
      'constructor',
      '__proto__',
    ]),
  () => randomUUID(),
  (random) =>
    random.pick([
      '+14155550142',
      '+44 7700 900123',
      '911',
      '+1900555014',
      '0014155550142',
      'tel:+14155550142',
      '+'.repeat(60),
    ]),
  (random) => random.pick(['24:00', '23:59', '23:59:60', '9:00', '00:00', '-1:00']),
  (random) =>
    random.pick([
      'America/New_York',
      'america/new_york',
      'Etc/GMT+5',
      'UTC\u0000',
      '+05:30',
      '../../etc/passwd',
      'Mars/Base',
    ]),
  (random) => Array.from({ length: random.between(0, 30) }, () => random.pick(['en', MARK, null, 7, 'grief'])),
  () => Array.from({ length: 3_000 }, () => MARK),
  () => ({}),
  () => ({ [`${MARK}3`]: { toString: MARK, constructor: { prototype: {} } } }),
  () => JSON.parse('{"__proto__":{"roles":["admin"]},"constructor":{"prototype":{"admin":true}}}') as unknown,
  () => ({ textVersion: 'constructor', language: '__proto__' }),
  () => ({ ...CONSENT, language: 'constructor' }),
  (random) => [{ weekday: random.pick([0, 1, 7, 8, 1.5, '1', null]), starts: oddText(random), ends: oddText(random) }],
  (random) => ({ mentorId: random.pick([randomUUID(), MARK, null]), languages: [oddText(random)], specialties: MARK }),
];

function oddText(random: SeededRandom): string {
  return random.pick(['09:00', '17:00', '', MARK, '24:00', '00:00', '\u0000', 'en']);
}

/** What is no longer JSON of ours, or never was. */
const ODD_TEXTS: readonly ((text: string, random: SeededRandom) => Buffer)[] = [
  (text, random) => Buffer.from(text.slice(0, random.between(0, text.length))),
  (text) => Buffer.from(`\ufeff${text}`),
  (text) => Buffer.from(text, 'utf16le'),
  (text) => Buffer.concat([Buffer.from(text.slice(0, -1)), Buffer.from([0xff, 0xfe, 0xc0]), Buffer.from('}')]),
  (text) => Buffer.from(text.replace('{', `{"${MARK}4":1,"${MARK}4":2,"name":"${MARK}","zone":"${MARK}",`)),
  (text) => Buffer.from(text.replace(':', ':1e999,"x":')),
  (text) => Buffer.from(text.replace(/"/, '"\u0001')),
  (text) => Buffer.from(`${text}${text}`),
  (text) => Buffer.from(`[${text}]`),
  (text) => Buffer.from(`/*${MARK}*/${text}`),
  () => Buffer.from('['.repeat(40_000) + ']'.repeat(40_000)),
  () => Buffer.from(`${'{"consent":'.repeat(8_000)}1${'}'.repeat(8_000)}`),
  () => Buffer.from(`{"name":"${MARK.repeat(20_000)}"}`),
  (_text, random) =>
    Buffer.from(random.pick(['null', 'true', '7', `"${MARK}"`, '[]', '{}', '', ' ', 'NaN', 'undefined', "{'a':1}"])),
  (_text, random) => Buffer.from(Array.from({ length: random.between(1, 200) }, () => random.between(0, 255))),
];
