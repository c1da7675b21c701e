/** One message through everything: HTTP, workflow, dispatch, simulator, receipt, and back. */
import { ORGANISATION_NUMBERS } from '../../../scripts/services';
import type { Fault } from '../../../simulator/types';
import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';
import { legOf, rings } from '../calls/people';

let stack: TestStack;
beforeAll(async () => {
  // What is asked after or looked at once in a while is so at once here.
  const env = { MESSAGE_RECEIPT_SILENCE: '1s', SWEEP_INTERVAL: '1s', LINE_PROBE_INTERVAL: '1s' };
  stack = await startStack({ env });
  await stack.sim.settings({ wordMs: 2 });
});
afterAll(async () => {
  await stack.stop();
});
beforeEach(async () => {
  await stack.sim.faults([]);
});

const { userPhone: phone, otherUserPhone, messageWords: words, email, variable } = MARKED;
const staff = { role: 'staff' } as const;
const SAFETY = { messageClass: 'safety' };

async function send(more: object = {}): Promise<string> {
  const json = { recipient: { phoneNumber: phone }, text: words, ...more };
  const { status, body } = await stack.api('/messages', { json }, staff);
  expect(status).toBe(202);
  return body.messageId;
}

type Message = Record<string, unknown>;

async function ended(messageId: string, state: string): Promise<Message> {
  let seen: Message = {};
  await eventually(async () => {
    seen = (await stack.api(`/messages/${messageId}`, {}, staff)).body;
    expect(seen).toMatchObject({ state });
  });
  return seen;
}

const received = async (number: string): Promise<string[]> =>
  (await stack.sim.texts(number)).filter((text) => text.direction === 'incoming').map(({ body }) => body);

it('is asked for, sent once, delivered, and told of with its history', async () => {
  const messageId = await send();
  const seen = await ended(messageId, 'delivered');
  expect(seen).toMatchObject({ attempts: 1, segments: 1, country: 'US', reason: null });
  expect(seen['tries']).toEqual([expect.objectContaining({ number: 1, state: 'accepted', sid: seen['sid'] })]);
  expect(seen['receipts']).toContainEqual(expect.objectContaining({ status: 'delivered' }));
  expect(await received(phone)).toEqual([words]);
  const { rows } = await stack.pool.query(
    `SELECT r.destroyed_at IS NOT NULL AS is_gone FROM messages m JOIN vault_records r USING (record_id)
      WHERE m.message_id = $1`,
    [messageId],
  );
  expect(rows).toEqual([{ is_gone: true }]);
  const told = await stack.pool.query('SELECT type FROM app_events WHERE object_id = $1 ORDER BY position', [
    messageId,
  ]);
  expect(told.rows.at(0)).toEqual({ type: 'message.sending' });
  expect(told.rows.at(-1)).toEqual({ type: 'message.delivered' });
});

/** What goes wrong between us and Twilio, how the message ends, and how many texts its phone gets. */
const MISHAPS: readonly (readonly [string, readonly Omit<Fault, 'to'>[], object, string, number])[] = [
  [
    'an answer that is lost, its receipts being heard',
    [{ on: 'create-message', kind: 'drop-response' }],
    {},
    'delivered',
    1,
  ],
  [
    'an answer and all receipts that are lost',
    [
      { on: 'create-message', kind: 'drop-response' },
      { on: 'message-callback', kind: 'lost', times: 100 },
    ],
    {},
    'delivered',
    1,
  ],
  [
    'an answer that is lost, and receipts that come after the next attempt',
    [
      { on: 'create-message', kind: 'drop-response' },
      { on: 'message-callback', kind: 'late', delayMs: 4_000, times: 100 },
    ],
    {},
    'delivered',
    1,
  ],
  ['receipts that overtake the answer', [{ on: 'create-message', kind: 'late', delayMs: 700 }], {}, 'delivered', 1],
  ['a 500 after the text was taken', [{ on: 'create-message', kind: 'error-500-after' }], {}, 'delivered', 1],
  ['a 500 before it was', [{ on: 'create-message', kind: 'error-500-before' }], {}, 'lost', 0],
  [
    'the same, where harm may come of silence',
    [{ on: 'create-message', kind: 'error-500-before' }],
    SAFETY,
    'delivered',
    1,
  ],
  ['a burst of 429', [{ on: 'create-message', kind: 'rate-limit', times: 3, delayMs: 100 }], {}, 'delivered', 1],
  [
    'receipts that come twice, late and in the wrong order',
    [
      { on: 'message-callback', kind: 'reorder', event: 'sending' },
      { on: 'message-callback', kind: 'late', event: 'sent', delayMs: 600 },
      { on: 'message-callback', kind: 'duplicate', event: 'delivered' },
    ],
    {},
    'delivered',
    1,
  ],
  [
    'one that comes again with another token',
    [{ on: 'message-callback', kind: 'duplicate-new-token', event: 'delivered' }],
    {},
    'delivered',
    1,
  ],
];

it('a mishap on the way makes no second text, and none is forgotten (scenario rows 1 to 3)', async () => {
  const cases = MISHAPS.map((mishap, n) => [`+1415555015${n}`, ...mishap] as const);
  await stack.sim.faults(cases.flatMap(([to, , faults]) => faults.map((fault) => ({ ...fault, to }))));
  const course = async ([to, name, , more, state, texts]: (typeof cases)[number]) => {
    const messageId = await send({ recipient: { phoneNumber: to }, ...more });
    const seen = await ended(messageId, state);
    const told = await stack.pool.query('SELECT 1 FROM app_events WHERE object_id = $1 AND state = $2', [
      messageId,
      state,
    ]);
    return { name, texts: await received(to), attempts: seen['attempts'], told: told.rowCount, expected: texts };
  };
  for (const { name, expected, ...seen } of await Promise.all(cases.map(course))) {
    expect({ name, ...seen }).toEqual({ name, texts: Array(expected).fill(words), attempts: 1, told: 1 });
  }
});

it('a token that Twilio takes no more stops the line; it opens by itself, and what waited is sent once', async () => {
  const to = '+14155550160';
  await stack.sim.faults([{ on: 'create-message', kind: 'unauthorized' }]);
  await ended(await send({ recipient: { phoneNumber: to } }), 'delivered');
  expect(await received(to)).toEqual([words]);
  const { rows } = await stack.pool.query(`SELECT action FROM audit_entries WHERE action LIKE 'line.%' ORDER BY at`);
  expect(rows.map(({ action }) => action)).toEqual(['line.stopped', 'line.resumed']);
});

it('a number is shown to be one’s own by a code that is read on its phone', async () => {
  const owner = { role: 'user', subject: 'whose-number-it-is' } as const;
  const to = '+14155550161';
  const saved = await stack.api('/contact-points', { json: { phoneNumber: to } }, owner);
  const verify = `/contact-points/${saved.body.contactPointId}/verify`;
  expect(await stack.api(verify, { method: 'POST' }, owner)).toMatchObject({ status: 202, body: { channel: 'sms' } });
  const code = await eventually(async () => {
    const [text] = await received(to);
    return /\d{6}/.exec(text ?? '')?.[0] ?? Promise.reject(new Error('no code yet'));
  });
  const wrong = code === '111111' ? '222222' : '111111';
  expect(await stack.api(verify, { json: { code: wrong } }, owner)).toMatchObject({
    status: 422,
    body: { code: 'code-wrong' },
  });
  expect(await stack.api(verify, { json: { code } }, owner)).toMatchObject({
    status: 200,
    body: { verifiedAt: expect.any(String) },
  });
  // From now on what is sent to the bare number is the owner's to see.
  const messageId = await send({ recipient: { phoneNumber: to }, messageClass: 'safety' });
  expect(await stack.api(`/messages/${messageId}`, {}, owner)).toMatchObject({ status: 200 });
});

it('is said by a call when its number takes no texts and that was asked for; the message names the alert', async () => {
  const to = '+14155550162';
  const texts = { outcome: 'undelivered', errorCode: 30005 } as const;
  const keys = [{ when: 'greeting', press: '1', afterMs: 20 }];
  await stack.sim.script(to, { texts, answerAfterMs: 50, keys });
  const messageId = await send({ recipient: { phoneNumber: to }, fallback: 'voice' });
  const { fallbackAlertId, ...seen } = await ended(messageId, 'undelivered');
  expect(seen).toMatchObject({ attempts: 1, errorCode: '30005', fallback: 'voice' });
  const leg = await legOf(stack, to, (found) => found.endedAt !== null);
  expect(leg.heard.join(' ')).toContain(words);
  await eventually(async () => {
    const alert = await stack.api(`/alerts/voice/${String(fallbackAlertId)}`, {}, staff);
    expect(alert.body).toMatchObject({ state: 'heard', endReason: 'heard-after-key', calls: [{ callSid: leg.sid }] });
  });
  expect(await rings(stack, to)).toHaveLength(1);
  // Nothing is left to say: the number that was given for the message is gone with the call.
  await eventually(async () => {
    const query =
      'SELECT r.destroyed_at FROM messages m JOIN vault_records r USING (record_id) WHERE m.message_id = $1';
    const { rows } = await stack.pool.query(query, [messageId]);
    expect(rows).toEqual([{ destroyed_at: expect.any(Date) }]);
  });
});

it('goes to a list, once to whoever stands on it twice, and only when it is started', async () => {
  const phones = ['+14155550163', '+14155550164', '+14155550163'];
  const recipients = phones.map((listed) => ({ phone: listed }));
  const made = await stack.api('/messages/bulk', { json: { recipients, text: words } }, staff);
  expect(made).toMatchObject({ status: 201, body: { recipients: { total: 3, ready: 2, duplicate: 1 } } });
  expect(await received('+14155550163')).toEqual([]);
  const path = `/messages/bulk/${made.body.batchId}`;
  expect((await stack.api(`${path}/start`, { json: {} }, staff)).status).toBe(202);
  await eventually(async () => {
    const { body } = await stack.api(path, {}, staff);
    expect(body).toMatchObject({ state: 'completed', messages: { delivered: 2 } });
  });
  for (const phone of new Set(phones)) expect(await received(phone)).toEqual([words]);
});

it('goes out as an e-mail from a template', async () => {
  const recipient = { emailAddress: email };
  const template = { name: 'update', variables: { message: variable } };
  await send({ channel: 'email', recipient, text: undefined, template });
  await eventually(async () => {
    expect(JSON.stringify(await stack.sim.mailbox(email))).toContain(variable);
  });
});

it('is not sent to somebody who said STOP', async () => {
  await stack.sim.sendText({ from: otherUserPhone, to: ORGANISATION_NUMBERS[0], body: 'Stop' });
  await eventually(async () => {
    expect((await stack.pool.query('SELECT 1 FROM opt_outs WHERE lifted_at IS NULL')).rows).toHaveLength(1);
  });
  const before = await received(otherUserPhone);
  expect((await ended(await send({ recipient: { phoneNumber: otherUserPhone } }), 'suppressed'))['reason']).toMatch(
    /opted-out|blocked/,
  );
  expect(await received(otherUserPhone)).toEqual(before);
});
