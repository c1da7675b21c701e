import { createHash, randomUUID } from 'node:crypto';
import { RULES } from '../../api/authorisation';
import type { SeededRandom } from '../chaos/seeded-random';
import { ACCOUNT_SID, AUTH_TOKEN, newCallSid, sign, WEBHOOK_BASE } from '../integration/api/api-under-test';
import { MARKED } from '../marked-people';
import { splitAnew } from './split-anew';
import type { WireRequest } from './wire';

/** A webhook as Twilio would send it. */
export interface Webhook {
  readonly path: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** What may become of it. `refused`: 4xx. `harmless`: it may be answered, but nothing changes. */
export interface Forgery {
  readonly kind: string;
  readonly expected: 'refused' | 'harmless';
  readonly request: WireRequest;
}

const CALL = randomUUID();
const DISPATCH = randomUUID();
const ALERT = randomUUID();
const OF_ALERT = `alert=${ALERT}&call=${CALL}&dispatch=${DISPATCH}&lang=en`;
const FIELDS = {
  AccountSid: ACCOUNT_SID,
  ApiVersion: '2010-04-01',
  CallSid: newCallSid(),
  CallStatus: 'completed',
  Direction: 'outbound-api',
  From: '+14155550100',
  SequenceNumber: '3',
  To: MARKED.userPhone,
};

/** The URLs we give to Twilio; a route that is not here is asked without a query. */
const QUERIES: Readonly<Record<string, readonly string[]>> = {
  '/call-status': [
    `call=${CALL}&leg=user&dispatch=${DISPATCH}`,
    `call=${CALL}&leg=mentor&n=1`,
    `call=${CALL}&alert=${ALERT}&leg=recipient&dispatch=${DISPATCH}`,
  ],
  '/twiml/connect-mentor': [
    `call=${CALL}&dispatch=${DISPATCH}&step=greeting&try=1&lang=en`,
    `call=${CALL}&dispatch=${DISPATCH}&step=confirmed&try=1&lang=en`,
    `call=${CALL}&dispatch=${DISPATCH}&step=dial-over&n=1&lang=en`,
    `call=${CALL}&dispatch=${DISPATCH}&step=offer&n=1&lang=es&offer=reconnect`,
  ],
  '/twiml/alert': [
    `${OF_ALERT}&step=greeting&first=key`,
    `${OF_ALERT}&step=greeting&first=words`,
    `${OF_ALERT}&step=confirmed&first=key&try=1`,
    `${OF_ALERT}&step=answered&first=key&n=1`,
  ],
  '/twiml/mentor-whisper': [`call=${CALL}&n=1&lang=en`],
  '/twiml/mentor-confirm': [`call=${CALL}&n=1&lang=en`, `call=${CALL}&n=1&rec=answer&lang=en`],
  '/recording-status': [`call=${CALL}&recording=${DISPATCH}`],
};

const MESSAGE_SID = `SM${'4f'.repeat(16)}`;

/** What a route is sent beyond what every webhook of a call has. */
const MORE_FIELDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '/twiml/inbound-text': {
    MessageSid: MESSAGE_SID,
    Body: 'STOP',
    From: MARKED.userPhone,
    To: FIELDS.From,
    NumMedia: '0',
  },
};

/** One of each for every route of Twilio's in the table of rules. */
export const WEBHOOKS: readonly Webhook[] = Object.entries(RULES)
  .filter(([, rule]) => rule.access === 'twilio')
  .map(([name]) => name.replace(/^\w+ /, ''))
  .flatMap((path) => (QUERIES[path] ?? ['']).map((query) => `${path}${query === '' ? '' : '?'}${query}`))
  .flatMap((path) =>
    ['completed', 'in-progress'].map((status, index) => ({
      path,
      fields: {
        ...FIELDS,
        CallSid: newCallSid(),
        CallStatus: status,
        SequenceNumber: String(index),
        Digits: '1',
        ...MORE_FIELDS[path],
      },
    })),
  );

const form = 'application/x-www-form-urlencoded; charset=UTF-8';

export function signed(
  { path, fields }: Webhook,
  { token = AUTH_TOKEN, url = `${WEBHOOK_BASE}${path}` } = {},
): WireRequest {
  return {
    method: 'POST',
    path,
    headers: { 'Content-Type': form, 'X-Twilio-Signature': sign(token, url, { ...fields }) },
    body: Buffer.from(new URLSearchParams(fields).toString()),
  };
}

type Forge = (webhook: Webhook, random: SeededRandom) => WireRequest;

const withHeader = (request: WireRequest, name: string, value: string): WireRequest => ({
  ...request,
  headers: { ...request.headers, [name]: value },
});
const withBody = (request: WireRequest, body: string | Buffer): WireRequest => ({
  ...request,
  body: Buffer.from(body),
});
const resigned = (webhook: Webhook, value: string) => withHeader(signed(webhook), 'X-Twilio-Signature', value);
const signatureOf = (webhook: Webhook) => String(signed(webhook).headers['X-Twilio-Signature']);
const changed = (webhook: Webhook, fields: Readonly<Record<string, string>>) =>
  withBody(signed(webhook), new URLSearchParams(fields).toString());
const word = (random: SeededRandom, length = 8) =>
  Array.from({ length }, () => random.pick('abcXYZ019+/='.split(''))).join('');

/** Nothing of these may get through. */
const REFUSED: Readonly<Record<string, Forge>> = {
  'no signature': (webhook) => {
    const { 'X-Twilio-Signature': _none, ...headers } = signed(webhook).headers;
    return { ...signed(webhook), headers };
  },
  'a signature of chance': (webhook, random) => resigned(webhook, `${word(random, 27).replaceAll('=', 'A')}=`),
  'a signature in another spelling': (webhook, random) => {
    const right = signatureOf(webhook);
    const spelled = random.pick([
      `${right}=`,
      ` ${right} x`,
      right.toLowerCase(),
      encodeURIComponent(right),
      right + right,
    ]);
    return resigned(webhook, spelled === right ? `${right}x` : spelled);
  },
  'a signature cut short': (webhook, random) => resigned(webhook, signatureOf(webhook).slice(0, random.between(0, 27))),
  'a signature with one other character': (webhook, random) => {
    const right = signatureOf(webhook);
    // Not the last one: of that only four bits are meant.
    const at = random.between(0, 25);
    const other = right[at] === 'A' ? 'B' : 'A';
    return resigned(webhook, right.slice(0, at) + other + right.slice(at + 1));
  },
  'two signatures': (webhook) => ({
    ...signed(webhook),
    headers: {
      ...signed(webhook).headers,
      'X-Twilio-Signature': ['AAAAAAAAAAAAAAAAAAAAAAAAAAA=', signatureOf(webhook)],
    },
  }),
  'the token of another account': (webhook, random) => signed(webhook, { token: word(random, 32) }),
  'an empty token': (webhook) => signed(webhook, { token: '\0' }),
  'the signature of another URL': (webhook, random) => {
    const url = `${WEBHOOK_BASE}${webhook.path}`;
    return signed(webhook, {
      url: random.pick([
        url.replace('https://', 'http://'),
        url.replace('calls.example.org', 'calls.example.org.evil.example'),
        url.replace('calls.example.org', 'CALLS.example.org'),
        url.replace('calls.example.org', `calls.example.org:${random.pick([80, 8443, 3000])}`),
        url.replace('https://', 'https://user@'),
        `${url}#rc=3&rp=5xx,ct,rt`,
        `${url}${url.includes('?') ? '&' : '?'}x=${word(random)}`,
        `${WEBHOOK_BASE}/${webhook.path}`,
        WEBHOOK_BASE,
        '',
      ]),
    });
  },
  'the host that its headers name': (webhook, random) => {
    const host = random.pick(['evil.example', '127.0.0.1', 'localhost:3000']);
    const forged = signed(webhook, { url: `https://${host}${webhook.path}` });
    return withHeader(
      withHeader(forged, random.pick(['Host', 'X-Forwarded-Host', 'Forwarded']), host),
      'X-Forwarded-Proto',
      'https',
    );
  },
  'another URL than the one that was signed': (webhook, random) => {
    const { path } = webhook;
    const [bare = '', query = ''] = path.split('?');
    const parts = query.split('&');
    const paths = [
      `${path}${query === '' ? '?' : '&'}${random.pick(['call', 'x', 'step', 'bodySHA256'])}=${word(random)}`,
      `${bare}/${query === '' ? '' : `?${query}`}`,
      `${bare.toUpperCase()}?${query}`,
      `//${path.slice(1)}`,
      `${bare}?${query}&`,
      `http://${random.pick(['evil.example', '127.0.0.1'])}${path}`,
      ...(parts.length > 1 ? [`${bare}?${parts.toReversed().join('&')}`, `${bare}?${parts.slice(1).join('&')}`] : []),
      ...(query === ''
        ? []
        : [bare, `${bare}?${query.replace('=', '=%00')}`, `${bare}?${query.replace(CALL, randomUUID())}`]),
    ];
    return { ...signed(webhook), path: random.pick(paths.filter((other) => other !== path)) };
  },
  'a field more': (webhook, random) => {
    const name = random.pick(['Digits2', 'ForwardedFrom', '__proto__', 'constructor', 'CallStatus2', word(random)]);
    return changed(webhook, { ...webhook.fields, [name]: word(random) });
  },
  'a field less': (webhook, random) => {
    const gone = random.pick(Object.keys(webhook.fields));
    return changed(webhook, Object.fromEntries(Object.entries(webhook.fields).filter(([name]) => name !== gone)));
  },
  'a field with another value': (webhook, random) => {
    const name = random.pick(Object.keys(webhook.fields));
    const value = random.pick([
      '',
      'failed',
      '0',
      newCallSid(),
      word(random),
      '\u0000',
      '１',
      '\ud83d',
      'x'.repeat(5_000),
    ]);
    return changed(webhook, { ...webhook.fields, [name]: value === webhook.fields[name] ? `${value}x` : value });
  },
  'a field twice, with two values': (webhook, random) => {
    const name = random.pick(Object.keys(webhook.fields));
    const other = `${name}=${word(random)}`;
    const body = signed(webhook).body.toString();
    return withBody(signed(webhook), random.pick([`${other}&${body}`, `${body}&${other}`]));
  },
  'another account, signed rightly': (webhook, random) =>
    signed({
      ...webhook,
      fields: {
        ...webhook.fields,
        AccountSid: random.pick(['', `AC${'b2'.repeat(16)}`, ACCOUNT_SID.toUpperCase(), `${ACCOUNT_SID} `, 'null']),
      },
    }),
  'the body of another webhook': (webhook, random) => {
    const other = random.pick(WEBHOOKS.filter(({ fields }) => fields !== webhook.fields));
    return withBody(signed(webhook), signed(other).body);
  },
  'no body': (webhook) => withBody(signed(webhook), ''),
  'another type of body': (webhook, random) =>
    withHeader(
      signed(webhook),
      'Content-Type',
      random.pick([
        'text/plain',
        'multipart/form-data; boundary=x',
        'application/json',
        'application/xml',
        '',
        '*/*',
        'x',
      ]),
    ),
  'a compressed body': (webhook, random) =>
    withHeader(signed(webhook), 'Content-Encoding', random.pick(['gzip', 'deflate', 'br', 'x'])),
  'a huge body': (webhook, random) =>
    withBody(signed(webhook), `${signed(webhook).body.toString()}&x=${'x'.repeat(64_000 + random.between(0, 999))}`),
  'bytes that are no text': (webhook, random) =>
    withBody(
      signed(webhook),
      Buffer.from(Array.from({ length: random.between(1, 400) }, () => random.between(0, 255))),
    ),
  'JSON with the hash of another body': (webhook, random) => {
    const body = JSON.stringify({ ...webhook.fields });
    const hashed = random.pick([body.replace(':', ': '), `${body} `, '{}', '']);
    return json(webhook, body, createHash('sha256').update(hashed).digest('hex'));
  },
  'JSON with a hash that is none': (webhook, random) =>
    json(webhook, JSON.stringify(webhook.fields), random.pick(['', 'x', '0'.repeat(64), 'é'.repeat(32), '%00'])),
  'JSON, rightly signed, that holds no account of ours': (webhook, random) => {
    const body = random.pick([
      'null',
      '[]',
      '"x"',
      '{',
      '{"AccountSid":null}',
      `{"AccountSid":["${ACCOUNT_SID}"]}`,
      `{"__proto__":{"AccountSid":"${ACCOUNT_SID}"}}`,
      '['.repeat(20_000),
    ]);
    return json(webhook, body, createHash('sha256').update(body).digest('hex'));
  },
};

/** Twilio has signed these, or nobody needs to: whatever the answer is, they change nothing. */
const HARMLESS: Readonly<Record<string, Forge>> = {
  'a replay': (webhook) => signed(webhook),
  'a replay with its fields in another order': (webhook) =>
    withBody(signed(webhook), new URLSearchParams(Object.entries(webhook.fields).toReversed()).toString()),
  'a replay that says a field twice': (webhook) =>
    withBody(signed(webhook), `${signed(webhook).body.toString()}&Direction=outbound-api`),
  'a replay whose names and values are split anew': (webhook, random) =>
    changed(webhook, random.pick(splitAnew(webhook.fields))),
  'another method': (webhook, random) => ({
    ...signed(webhook),
    method: random.pick(['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND', 'TRACE']),
  }),
  'ids that are none, signed rightly': (webhook, random) => {
    const odd = random.pick(['', 'x', '1', '%00', '%27', 'null', `${CALL}x`, '..%2f', '%ed%a0%80']);
    const path = webhook.path.replace(CALL, odd).replace(DISPATCH, odd);
    // Without an id in its URL a status callback is looked up by its SID: nobody knows this one.
    return signed({
      path,
      fields: { ...webhook.fields, CallSid: random.pick([newCallSid(), '', 'CA', odd, 'x'.repeat(5_000)]) },
    });
  },
  'no query, and a call that nobody knows, signed rightly': (webhook) =>
    signed({ path: webhook.path.replace(/\?.*$/, ''), fields: { ...webhook.fields, CallSid: newCallSid() } }),
  'a status callback of a state that Twilio does not have': (webhook, random) =>
    signed({
      path: WEBHOOKS.find(({ path }) => path.startsWith('/call-status'))?.path ?? '/call-status',
      fields: {
        ...webhook.fields,
        CallSid: newCallSid(),
        CallStatus: random.pick(['', 'exploded', 'COMPLETED', '__proto__', '\u0000']),
      },
    }),
};

/** One forgery or mutation of one of Twilio's webhooks. */
export function forge(random: SeededRandom): Forgery {
  const isHarmless = random.next() < 0.2;
  const [kind, make] = random.pick(Object.entries(isHarmless ? HARMLESS : REFUSED));
  const request = make(random.pick(WEBHOOKS), random);
  return { kind, expected: isHarmless ? 'harmless' : 'refused', request };
}

function json({ path }: Webhook, body: string, hash: string): WireRequest {
  const target = `${path}${path.includes('?') ? '&' : '?'}bodySHA256=${encodeURIComponent(hash)}`;
  return {
    method: 'POST',
    path: target,
    headers: {
      'Content-Type': 'application/json',
      'X-Twilio-Signature': sign(AUTH_TOKEN, `${WEBHOOK_BASE}${target}`, {}),
    },
    body: Buffer.from(body),
  };
}
