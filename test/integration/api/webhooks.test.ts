import { createHash, randomUUID } from 'node:crypto';
import { splitAnew } from '../../fuzz/split-anew';
import { MARKED } from '../../marked-people';
import {
  ACCOUNT_SID,
  ApiUnderTest,
  AUTH_TOKEN,
  newCallSid,
  SECOND_AUTH_TOKEN,
  sign,
  WEBHOOK_BASE,
  type WrongWebhook,
} from './api-under-test';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());
afterEach(() => {
  api.process.down = null;
});

const callId = randomUUID();
const dispatchId = randomUUID();
const callSid = newCallSid();
const fields = { CallSid: callSid, From: '+14155550100', To: MARKED.userPhone, Direction: 'outbound-api' };
const ended = { ...fields, CallStatus: 'completed', SequenceNumber: '3', CallDuration: '12' };
const statusPath = `/call-status?call=${callId}&leg=user&dispatch=${dispatchId}`;

const alertId = randomUUID();
const ofAlert = `alert=${alertId}&call=${callId}&dispatch=${dispatchId}`;
const alertStatusPath = `/call-status?call=${callId}&alert=${alertId}&leg=recipient&dispatch=${dispatchId}`;

const TWILIO_ROUTES = [
  statusPath,
  alertStatusPath,
  `/twiml/alert?${ofAlert}&step=greeting&first=key&lang=en`,
  `/twiml/alert?${ofAlert}&step=greeting&first=words&lang=en`,
  `/twiml/alert?${ofAlert}&step=confirmed&first=key&try=1&lang=en`,
  `/twiml/alert?${ofAlert}&step=answered&first=key&n=1&lang=en`,
  `/twiml/connect-mentor?call=${callId}&dispatch=${dispatchId}&step=greeting&try=1&lang=en`,
  `/twiml/connect-mentor?call=${callId}&dispatch=${dispatchId}&step=confirmed&try=1&lang=en`,
  `/twiml/connect-mentor?call=${callId}&dispatch=${dispatchId}&step=dial-over&n=1&lang=en`,
  `/twiml/mentor-whisper?call=${callId}&n=1&lang=en`,
  `/twiml/mentor-confirm?call=${callId}&n=1&lang=en`,
  `/twiml/mentor-confirm?call=${callId}&n=1&rec=answer&lang=en`,
  `/recording-status?call=${callId}&recording=${dispatchId}`,
  '/twiml/inbound',
  '/twiml/inbound-text',
  `/message-status?message=${callId}&dispatch=${dispatchId}`,
];

/** Every way in which a request can claim to be Twilio's and not be it. */
const FORGERIES: [string, number, (path: string) => WrongWebhook][] = [
  ['without a signature', 403, () => ({ signature: null })],
  ['with a wrong signature', 403, () => ({ signature: sign('guessed', 'https://x.example', {}) })],
  ['with something else in its place', 403, () => ({ signature: 'Bearer letmein' })],
  ['signed by another account', 403, () => ({ token: 'the-token-of-another-account' })],
  ['signed for another host', 403, (path) => ({ signedUrl: `https://evil.example${path}` })],
  ['signed for the host that its Host header names', 403, (path) => ({ signedUrl: `http://127.0.0.1${path}` })],
  ['signed for another port', 403, (path) => ({ signedUrl: `${WEBHOOK_BASE}:8443${path}` })],
  ['signed for another path', 403, () => ({ signedUrl: `${WEBHOOK_BASE}/other` })],
  ['signed with its connection overrides', 403, (path) => ({ signedUrl: `${WEBHOOK_BASE}${path}#rc=3&rp=5xx,ct,rt` })],
  ['with its body changed on the way', 403, () => ({ body: 'AccountSid=AC&CallSid=CA&CallStatus=completed&Digits=1' })],
  ['with its body taken away', 403, () => ({ body: '' })],
  ['with its form sent as JSON', 403, () => ({ headers: { 'Content-Type': 'application/json' } })],
  ['with a compressed body', 415, () => ({ headers: { 'Content-Encoding': 'gzip' } })],
  ['with a huge body', 413, () => ({ body: `AccountSid=${'A'.repeat(70_000)}` })],
];

describe.each(FORGERIES)('a webhook %s', (_why, status, forge) => {
  test.each(TWILIO_ROUTES)(
    `is answered ${status} with nothing to learn from, and changes nothing: %s`,
    async (path) => {
      const before = await api.footprint();
      const answer = await api.twilio(path, ended, forge(path));
      expect(answer.status).toBe(status);
      expect(answer.text).toBe('');
      expect(await api.footprint()).toEqual(before);
    },
  );
});

test.each(TWILIO_ROUTES)('a webhook that is signed but names another account is refused: %s', async (path) => {
  const before = await api.footprint();
  for (const AccountSid of [`AC${'b2'.repeat(16)}`, '']) {
    expect(await api.twilio(path, { ...ended, AccountSid })).toMatchObject({ status: 403, text: '' });
  }
  expect(await api.footprint()).toEqual(before);
});

test('a webhook is not answered to GET, with whatever signature', async () => {
  const url = `${WEBHOOK_BASE}${statusPath}`;
  const answer = await api.fetch(statusPath, { headers: { 'X-Twilio-Signature': sign(AUTH_TOKEN, url, {}) } });
  expect(answer.status).toBe(404);
});

describe('a status callback', () => {
  const event = async (more: Record<string, string> = {}, path = statusPath, wrong: WrongWebhook = {}) =>
    api.twilio(path, { ...ended, ...more }, wrong);
  const stored = async (sid: string) => {
    const { rows } = await api.database.owner.query(
      'SELECT status, leg, sequence, handled_at IS NOT NULL AS handled FROM webhook_events WHERE sid = $1 ORDER BY sequence',
      [sid],
    );
    return rows;
  };

  test('of the end of the user’s leg is stored and signalled once', async () => {
    const CallSid = newCallSid();
    const before = api.process.ended.length;
    expect(await event({ CallSid })).toMatchObject({ status: 204, text: '' });
    expect(await stored(CallSid)).toEqual([{ status: 'completed', leg: 'user', sequence: 3, handled: true }]);
    expect(api.process.ended.slice(before)).toMatchObject([{ callSid: CallSid, status: 'completed', dispatchId }]);
  });

  test('of the end of a recipient’s leg is told to its alert, once, and to no call', async () => {
    const CallSid = newCallSid();
    const calls = api.process.ended.length;
    for (let copy = 0; copy < 2; copy += 1) await event({ CallSid, CallStatus: 'busy' }, alertStatusPath);
    expect(await stored(CallSid)).toEqual([{ status: 'busy', leg: 'recipient', sequence: 3, handled: true }]);
    expect(api.alerts.ended.filter(({ event: told }) => told.callSid === CallSid)).toMatchObject([
      { alertId, event: { status: 'busy', dispatchId } },
    ]);
    expect(api.process.ended).toHaveLength(calls);
  });

  test.each<[string, (path: string) => WrongWebhook]>([
    ['as it was', () => ({})],
    [
      'with a new idempotency token, which nobody signs',
      () => ({ headers: { 'I-Twilio-Idempotency-Token': randomUUID() } }),
    ],
    ['signed with the other token of a rotation', () => ({ token: SECOND_AUTH_TOKEN })],
    ['signed with the port written out', (path) => ({ signedUrl: `${WEBHOOK_BASE}:443${path}` })],
  ])('that comes again, %s, is answered as the first time and changes nothing', async (_how, again) => {
    const CallSid = newCallSid();
    await event({ CallSid });
    const before = await api.footprint();
    expect((await event({ CallSid }, statusPath, again(statusPath))).status).toBe(204);
    expect(await api.footprint()).toEqual(before);
  });

  test('without a sequence that comes again with a new idempotency token changes nothing either', async () => {
    const fields = { ...ended, CallSid: newCallSid() };
    const { SequenceNumber: _left, ...unnumbered } = fields;
    const once = () => api.twilio(statusPath, unnumbered, { headers: { 'I-Twilio-Idempotency-Token': randomUUID() } });
    expect((await once()).status).toBe(204);
    const before = await api.footprint();
    expect((await once()).status).toBe(204);
    expect(await api.footprint()).toEqual(before);
  });

  test('that comes again with its names and values split anew, and so with its own signature, changes nothing', async () => {
    const fields = { ...ended, AccountSid: ACCOUNT_SID, ApiVersion: '2010-04-01', CallSid: newCallSid() };
    expect((await api.twilio(statusPath, fields)).status).toBe(204);
    const before = await api.footprint();
    const signature = sign(AUTH_TOKEN, `${WEBHOOK_BASE}${statusPath}`, fields);
    const again = splitAnew(fields);
    expect(again).toContainEqual(expect.objectContaining({ SequenceNumbe: 'r3' }));
    const answers = await Promise.all(
      again.map((other) => api.twilio(statusPath, {}, { body: new URLSearchParams(other).toString(), signature })),
    );
    // 403 where the account is gone; otherwise the signature is right.
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204, 403]));
    expect(await api.footprint()).toEqual(before);
  });

  test('that arrives out of order is stored beside the others, and only the end is signalled', async () => {
    const CallSid = newCallSid();
    const before = api.process.ended.length;
    const inOrderOfArrival = [
      ['completed', '3'],
      ['ringing', '1'],
      ['in-progress', '2'],
      ['initiated', '0'],
    ] as const;
    for (const [CallStatus, SequenceNumber] of inOrderOfArrival) {
      expect((await event({ CallSid, CallStatus, SequenceNumber })).status).toBe(204);
    }
    const rows = await stored(CallSid);
    expect(rows.map(({ status }) => status)).toEqual(['initiated', 'ringing', 'in-progress', 'completed']);
    expect(rows.every(({ handled }) => handled)).toBe(true);
    expect(api.process.ended.slice(before)).toHaveLength(1);
  });

  test.each(['mentor', 'helpline'])('of the end of a %s’s leg is stored and not signalled', async (leg) => {
    const CallSid = newCallSid();
    const before = api.process.ended.length;
    expect((await event({ CallSid }, `/call-status?call=${callId}&leg=${leg}&n=1`)).status).toBe(204);
    expect(await stored(CallSid)).toMatchObject([{ leg, handled: true }]);
    expect(api.process.ended).toHaveLength(before);
  });

  test('of a call that is over, or never was, counts as handled', async () => {
    const CallSid = newCallSid();
    const over = randomUUID();
    api.process.over.add(over);
    expect((await event({ CallSid }, `/call-status?call=${over}&leg=user`)).status).toBe(204);
    expect(await stored(CallSid)).toMatchObject([{ handled: true }]);
  });

  test('that cannot be signalled is answered 204 all the same and waits for the relay', async () => {
    const CallSid = newCallSid();
    api.process.down = new Error('Temporal is down');
    expect((await event({ CallSid })).status).toBe(204);
    expect(await stored(CallSid)).toMatchObject([{ handled: false }]);
    api.process.down = null;
    expect((await event({ CallSid })).status).toBe(204);
    expect(await stored(CallSid)).toMatchObject([{ handled: true }]);
  });

  test.each([
    ['names no call', '/call-status', {}],
    ['names something that is no call', '/call-status?call=1&leg=user', {}],
    ['has a state that Twilio does not have', statusPath, { CallStatus: 'exploded' }],
    ['has no SID', statusPath, { CallSid: '' }],
  ])('that %s is answered 204, and nothing is stored', async (_what, path, more) => {
    const before = await api.footprint();
    expect((await event({ CallSid: newCallSid(), ...more }, path)).status).toBe(204);
    expect(await api.footprint()).toEqual(before);
  });

  test('leaves nothing of what Twilio says about people', async () => {
    const CallSid = newCallSid();
    await event({ CallSid, Caller: MARKED.userPhone, CallerName: MARKED.mentorName, ErrorCode: MARKED.userPhone });
    const { rows } = await api.database.owner.query('SELECT w::text AS row FROM webhook_events w WHERE sid = $1', [
      CallSid,
    ]);
    expect(JSON.stringify(rows) + api.logLines.join('')).not.toMatch(/5550142|Quillfeather/);
  });

  test('is answered 503, for Twilio to come again, only when it cannot be stored', async () => {
    const gone = await ApiUnderTest.start({}, { postgres: false });
    const answer = await gone.twilio(statusPath, ended);
    expect(answer).toMatchObject({ status: 503, text: '' });
    expect(gone.process.ended).toHaveLength(0);
    await gone.stop();
  });

  test('that is stored is not answered 503 because its copy cannot be counted in time', async () => {
    const sid = randomUUID().replaceAll('-', '');
    const text = { MessageSid: `SM${sid}`, From: MARKED.userPhone, To: '+14155550100', Body: 'Thank you' };
    const asked: [string, Record<string, string>][] = [
      [statusPath, { ...ended, CallSid: `CA${sid}` }],
      [`/message-status?message=${randomUUID()}`, { MessageSid: `SM${sid}`, MessageStatus: 'delivered' }],
      ['/twiml/inbound-text', text],
    ];
    const all = () => Promise.all(asked.map(async ([path, given]) => (await api.twilio(path, given)).status));
    expect(await all()).toEqual([204, 204, 200]);
    const other = await api.database.owner.connect();
    try {
      await other.query('BEGIN');
      const { rows } = await other.query('SELECT FROM webhook_events WHERE sid LIKE $1 FOR UPDATE', [`%${sid}`]);
      expect(rows).toHaveLength(3);
      expect(await all()).toEqual([204, 204, 200]);
    } finally {
      await other.query('ROLLBACK');
      other.release();
    }
  });

  test('with a JSON body is proven by its hash', async () => {
    const body = JSON.stringify({ ...ended, AccountSid: ACCOUNT_SID, CallSid: newCallSid() });
    const path = `${statusPath}&bodySHA256=${createHash('sha256').update(body).digest('hex')}`;
    const headers = {
      'Content-Type': 'application/json',
      'X-Twilio-Signature': sign(AUTH_TOKEN, WEBHOOK_BASE + path, {}),
    };
    expect((await api.fetch(path, { method: 'POST', headers, body })).status).toBe(204);
    const changed = body.replace('completed', 'busy');
    expect(await api.fetch(path, { method: 'POST', headers, body: changed })).toMatchObject({ status: 403, text: '' });
  });
});
