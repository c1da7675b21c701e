import { randomBytes } from 'node:crypto';
import { type RouteName, type Rule, RULES } from '../../api/authorisation';
import type { SeededRandom } from '../chaos/seeded-random';
import { MARK } from './odd-requests';
import type { WireRequest } from './wire';

/** A form as a browser sends it, or nearly; `route` is the one it was meant for. */
export interface OddForm extends WireRequest {
  readonly route: RouteName;
}

export type LinkKind = 'verify' | 'checkin' | 'alert' | 'contact';

/** What the forms need to get anywhere. */
export interface FormKeys {
  /** Of links that lead somewhere, by what they lead to; any of them opens the rights of its buddy. */
  readonly tokens: Readonly<Record<LinkKind, readonly string[]>>;
  readonly buddyIds: readonly string[];
  /** Of a user who is signed in to the pages. */
  readonly cookie: string;
  readonly formToken: string;
}

const FORMS = (Object.entries(RULES) as [RouteName, Rule][]).flatMap(([route, { access }]) =>
  access === 'link' || (access === 'page' && route.includes(' /circle')) ? [route] : [],
);

const OFTEN = ['open', 'answer', 'see', 'export'];

/** Every name and value that a form of these pages has, and some that none has. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  action: ['accept', 'decline', 'renew'],
  // Nobody is erased or blocked by half of all: there would soon be nobody left to ask about.
  step: [...OFTEN, ...OFTEN, ...OFTEN, 'withdraw', 'block', 'erase', 'block-everybody'],
  response: ['called', 'messaged', 'cannot-reach', 'unavailable'],
  note: ['', 'a note', 'x'.repeat(501)],
  do: ['agree', 'refuse', 'answer', 'see', 'erase'],
  sure: ['yes'],
  firstName: ['Thessaly', 'Ω'],
  language: ['en', 'es'],
  tellMeBy: ['app', 'sms', 'email'],
  name: ['Thessaly Brookwater'],
  phoneNumber: ['+14155550142', '415-555-0142'],
  email: ['somebody@example.org'],
  relationship: ['a friend'],
  rank: ['1', '99'],
  cursor: [''],
};

const ODD_VALUES = [
  '',
  ' ',
  MARK,
  MARK.repeat(400),
  '\u0000',
  '\u202e',
  '\ud83d',
  '<script>',
  '${7*7}',
  "';--",
  '__proto__',
  'constructor',
  '1e309',
  '-1',
  'null',
  '\r\nSet-Cookie: a=b',
  '+14155550142'.repeat(20),
  'x'.repeat(20_000),
];

export function oddForm(random: SeededRandom, keys: FormKeys): OddForm {
  const route = random.pick(FORMS);
  const [method = '', pattern = ''] = route.split(' ');
  const isPage = pattern.startsWith('/circle');
  const token = oddToken(random, keys, kindOf(pattern));
  const path = pattern
    .replace(':token', encodeOddly(random, token))
    .replace(/:(?:buddyId|alertId)/, oddId(random, keys));
  const asked = pattern.endsWith('/verify') && random.next() < 0.9;
  const query = asked ? `?token=${encodeOddly(random, token)}&action=${random.pick(['accept', 'decline', MARK])}` : '';
  const fields = oddFields(random, pattern.endsWith('/verify') ? { token } : {});
  if (isPage) fields.push(['formToken', random.next() < 0.9 ? keys.formToken : random.pick(ODD_VALUES)]);
  return {
    route,
    method: random.next() < 0.97 ? method : random.pick(['HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']),
    path: `${path}${random.next() < 0.05 ? `${query === '' ? '?' : '&'}${random.pick(ODD_QUERIES)}` : query}`,
    headers: oddHeaders(random, isPage ? keys.cookie : null),
    body: method === 'POST' ? bodyOf(random, fields) : Buffer.alloc(0),
  };
}

const KINDS = ['verify', 'checkin', 'alert', 'contact'] as const satisfies readonly LinkKind[];

function kindOf(pattern: string): LinkKind | null {
  return KINDS.find((kind) => pattern.includes(`/${kind}`)) ?? null;
}

function oddToken(random: SeededRandom, { tokens }: FormKeys, kind: LinkKind | null): string {
  const known = random.pick(tokens[kind !== null && random.next() < 0.8 ? kind : random.pick(KINDS)]);
  const dice = random.next();
  if (dice < 0.7) return known;
  if (dice < 0.8) return randomBytes(48).toString('base64url');
  return random.pick([
    '',
    MARK,
    known.slice(0, 63),
    `${known}a`,
    known.toUpperCase(),
    `${known.slice(0, 63)}\u0000`,
    `../${known}`,
    '__proto__',
    'x'.repeat(4_000),
  ]);
}

function encodeOddly(random: SeededRandom, token: string): string {
  if (random.next() < 0.97) return encodeURIComponent(token);
  return random.pick(['%', '%ff', '%ed%a0%80', '%00', '%2e%2e%2f', '%F0%9F%92%A9']);
}

function oddId(random: SeededRandom, { buddyIds }: FormKeys): string {
  const odd = [MARK, '%00', '..%2f', 'null', '00000000-0000-0000-0000-000000000000'];
  return random.next() < 0.8 ? random.pick(buddyIds) : random.pick(odd);
}

function oddFields(random: SeededRandom, right: Readonly<Record<string, string>>): [string, string][] {
  const fields: [string, string][] = Object.entries(right);
  for (const [name, values] of Object.entries(FIELDS)) {
    const dice = random.next();
    if (dice < 0.7) fields.push([name, random.pick(values)]);
    else if (dice < 0.85) fields.push([name, random.pick(ODD_VALUES)]);
    if (dice > 0.97) fields.push([name, random.pick(values)]);
  }
  if (random.next() < 0.1) fields.push([random.pick(['__proto__', 'step[]', 'step[a]', 'constructor', '', MARK]), 'x']);
  return fields;
}

function bodyOf(random: SeededRandom, fields: [string, string][]): Buffer {
  const text = new URLSearchParams(fields).toString();
  const dice = random.next();
  if (dice < 0.85) return Buffer.from(text);
  return random.pick([
    () => Buffer.from(JSON.stringify(Object.fromEntries(fields))),
    () => Buffer.from(text.slice(0, random.between(0, text.length))),
    () => Buffer.from(`${text}&%&=&%ff=%`),
    () => Buffer.from(`${'a=1&'.repeat(2_000)}${text}`),
    () => Buffer.from(`${text}&note=${MARK.repeat(30_000)}`),
    () => randomBytes(random.between(1, 300)),
    () => Buffer.alloc(0),
  ])();
}

const ODD_QUERIES = [
  `x=${MARK}`,
  'token[]=a',
  'action[a]=b',
  'token=a&token=b',
  'done=__proto__',
  'cursor=%00',
  '__proto__[a]=b',
];

function oddHeaders(random: SeededRandom, cookie: string | null): Record<string, string> {
  const form = 'application/x-www-form-urlencoded';
  const type =
    random.next() < 0.9 ? form : random.pick(['', 'application/json', 'text/plain', `${form}; charset=${MARK}`]);
  return {
    'Content-Type': type,
    'User-Agent': random.pick(['a browser', '', `${MARK} `.repeat(200), '\u00e9\u00ff']),
    'Accept-Language': random.pick(['en', 'es', '*', 'xx-XX', '-'.repeat(60), 'a-'.repeat(500)]),
    ...(random.next() < 0.1 ? { 'X-Forwarded-For': random.pick(['', MARK, '1.2.3.4, x', '::1%eth0']) } : {}),
    ...(random.next() < 0.05 ? { 'Content-Encoding': random.pick(['gzip', 'br', MARK]) } : {}),
    ...(cookie === null || random.next() < 0.03 ? {} : { Cookie: random.next() < 0.97 ? cookie : `${cookie}x` }),
  };
}
