/** Messages over HTTP, with a real Postgres and vault; what their workflows write is written by its own activities. */
import { randomBytes, randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createMessageActivities } from '../../../activities/messages';
import type { ActivityDependencies } from '../../../activities/dependencies';
import { ensureDispatch } from '../../../db/dispatches';
import { deleteOldMessages } from '../../../db/messages';
import type { MessageInput } from '../../../domain/message';
import { SealedValue } from '../../../domain/sealed';
import { TemporalNotInTime } from '../../../temporal/errors';
import { type Answer, ApiUnderTest, type Who } from './api-under-test';

let api: ApiUnderTest;
let rows: ReturnType<typeof createMessageActivities>;
beforeAll(async () => {
  api = await ApiUnderTest.start({ RECIPIENT_LIMITS: '3/15m' });
  const deps = {
    pool: api.deps.pool,
    logger: api.deps.logger,
    messages: { quietHours: null, receiptPatienceMs: 1_000, receiptSilenceMs: 1_000 },
    recipientLimits: api.deps.config.limits.recipient,
  } as unknown as ActivityDependencies;
  rows = inContext(createMessageActivities(deps));
});
afterAll(() => api.stop());
afterEach(() => {
  api.process.down = null;
});

/** They count what they do, as activities can. */
function inContext<T extends object>(activities: T): T {
  const entries = Object.entries(activities).map(([name, activity]) => [
    name,
    (asked: unknown) => new MockActivityEnvironment().run(activity, asked),
  ]);
  return Object.fromEntries(entries) as T;
}

const staff: Who = { role: 'staff' };
const NUMBER = '+14155550142';
const newSid = () => `SM${randomBytes(16).toString('hex')}`;
const text = (more: object = {}) => ({ recipient: { phoneNumber: NUMBER }, text: 'The door code is blue.', ...more });
const post = (who: Who, json: object, key?: string): Promise<Answer> =>
  api.ask('POST', '/messages', {
    who,
    json,
    ...(key === undefined ? {} : { raw: { headers: { 'Idempotency-Key': key } } }),
  });
const get = (who: Who, messageId: string) => api.ask('GET', `/messages/${messageId}`, { who });
const sql = async (statement: string, values: unknown[] = []) =>
  (await api.database.owner.query(statement, values)).rows;

/** Asked for over HTTP, and begun as its workflow would. */
async function begun(who: Who = staff, more: object = {}): Promise<MessageInput> {
  const { body } = await post(who, text(more));
  const input = api.messages.find(({ messageId }) => messageId === body.messageId);
  if (input === undefined) throw new Error('not started');
  await rows.openMessage(input);
  return input;
}

const closing = (messageId: string, more: object = {}) => ({
  messageId,
  outcome: 'delivered' as const,
  reason: null,
  sid: null,
  segments: 1,
  attempts: 1,
  errorCode: null,
  errorClass: null,
  fallbackAlertId: null,
  endedAt: new Date().toISOString(),
  ...more,
});

async function savedNumber(who: Who, phoneNumber: string): Promise<string> {
  const { body } = await api.ask('POST', '/contact-points', { who, json: { phoneNumber } });
  return body.contactPointId;
}

async function verifiedNumber(who: Who, phoneNumber: string): Promise<string> {
  const contactPointId = await savedNumber(who, phoneNumber);
  await sql('UPDATE contact_points SET verified_at = now() WHERE contact_point_id = $1', [contactPointId]);
  return contactPointId;
}

describe('POST /messages', () => {
  test('seals number and words under the recipient’s key, and starts a workflow with ids only', async () => {
    const answer = await post(staff, text({ kind: 'reminder', zone: 'America/Chicago', fallback: 'voice' }));
    expect(answer).toMatchObject({ status: 202, body: { success: true, state: 'accepted' } });
    expect(answer.headers.get('location')).toBe(`/messages/${answer.body.messageId}`);
    const input = api.messages.at(-1);
    expect(input).toMatchObject({
      messageId: answer.body.messageId,
      batchId: null,
      country: 'US',
      channel: 'sms',
      kind: 'reminder',
      messageClass: 'ordinary',
      urgency: 'normal',
      ownsRecord: true,
      fallback: 'voice',
      zone: 'America/Chicago',
      sender: null,
    });
    expect(JSON.stringify(input)).not.toMatch(/5550142|door code/);
    const reveal = async (recordId = '') =>
      (await api.deps.vault.reveal({ recordId, purpose: 'send', actor: 'system' })).expose();
    expect(await reveal(input?.recordId)).toBe(NUMBER);
    expect(await reveal(input?.content.recordId)).toBe(JSON.stringify({ text: 'The door code is blue.' }));
    const records = await sql('SELECT subject_id, expires_at FROM vault_records WHERE record_id = ANY($1)', [
      [input?.recordId, input?.content.recordId],
    ]);
    expect(records.map((row) => row.subject_id)).toEqual([input?.subjectId, input?.subjectId]);
    expect(records.every((row) => row.expires_at > new Date())).toBe(true);
    expect(api.logLines.join('')).not.toMatch(/5550142|door code/);
  });

  test('goes to a verified number of somebody who is named, before a newer one that may be a slip', async () => {
    const who: Who = { role: 'user', subject: randomUUID() };
    const verified = await verifiedNumber(who, '+14155550171');
    const newer = await savedNumber(who, '+14155550172');
    const [{ subject_id: subjectId }] = await sql('SELECT subject_id FROM contact_points WHERE contact_point_id = $1', [
      verified,
    ]);
    const recordOf = async () => {
      await post(staff, text({ recipient: { subjectId } }));
      const [point] = await sql('SELECT contact_point_id FROM contact_points WHERE record_id = $1', [
        api.messages.at(-1)?.recordId,
      ]);
      return point.contact_point_id;
    };
    expect(await recordOf()).toBe(verified);
    await sql('UPDATE contact_points SET verified_at = NULL WHERE contact_point_id = $1', [verified]);
    expect(await recordOf()).toBe(newer);
    const { limits } = api.deps.config;
    Object.assign(limits, { unverifiedNumbers: 'refuse' });
    const refused = await post(staff, text({ recipient: { subjectId } }));
    Object.assign(limits, { unverifiedNumbers: 'allow' });
    expect(refused.body).toMatchObject({ code: 'number-unverified', errors: [{ pointer: '#/recipient/subjectId' }] });
  });

  test('one number is one person, also when it is asked for at the same moment', async () => {
    const to = { recipient: { phoneNumber: '+14155550143' } };
    const answers = await Promise.all(Array.from({ length: 6 }, () => post(staff, text(to))));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202, 202]);
    expect(new Set(api.messages.slice(-6).map(({ subjectId }) => subjectId)).size).toBe(1);
  });

  test('the number of somebody who verified it is theirs', async () => {
    const who: Who = { role: 'user', subject: 'owner-of-0144' };
    await verifiedNumber(who, '+14155550144');
    await post(staff, text({ recipient: { phoneNumber: '+1 (415) 555-0144' } }));
    const [saved] = await sql('SELECT subject_id FROM contact_points ORDER BY created_at DESC LIMIT 1');
    expect(api.messages.at(-1)?.subjectId).toBe(saved.subject_id);
  });

  test('a template is pinned in its version, and only its variables are sealed', async () => {
    const { body: templates } = await api.ask('GET', '/templates?limit=100', { who: { role: 'admin' } });
    const template = templates.templates.find((one: { name: string }) => one.name === 'update');
    const variables = Object.fromEntries(Object.keys(template.variables).map((name) => [name, 'soon']));
    const asked = { recipient: { phoneNumber: NUMBER }, template: { name: 'update', variables } };
    expect((await post(staff, asked)).status).toBe(202);
    expect(api.messages.at(-1)?.content).toMatchObject({ templateId: template.templateId, templateVersion: 1 });
    expect(
      (await post(staff, { ...asked, template: { name: 'update', variables: {} } })).body.errors[0].pointer,
    ).toMatch(/^#\/template\/variables\//);
    expect(await post(staff, { ...asked, template: { name: 'nothing-like-it' } })).toMatchObject({ status: 404 });
  });

  test('the same key is the same message; with another body it is refused', async () => {
    const key = randomUUID();
    const first = await post(staff, text(), key);
    const again = await post(staff, text(), key);
    expect(again.body).toEqual(first.body);
    expect(api.messages.filter(({ messageId }) => messageId === first.body.messageId)).toHaveLength(1);
    expect((await post(staff, text({ language: 'es' }), key)).body).toMatchObject({ code: 'idempotency-key-reused' });
    expect((await post(staff, text())).body.messageId).not.toBe(first.body.messageId);
  });

  test('users send to themselves only', async () => {
    const me: Who = { role: 'user', subject: 'sends-to-self' };
    const mine = await verifiedNumber(me, '+14155550145');
    const theirs = await savedNumber({ role: 'user', subject: 'somebody-else' }, '+14155550146');
    expect((await post(me, text({ recipient: { contactPointId: mine } }))).status).toBe(202);
    expect(api.messages.at(-1)).toMatchObject({ ownsRecord: false });
    const { requestedBy, subjectId } = api.messages.at(-1) ?? {};
    expect(requestedBy).toBe(subjectId);
    expect((await post(me, text({ recipient: { subjectId } }))).status).toBe(202);
    expect((await post(me, text({ recipient: { phoneNumber: '+14155550145' } }))).status).toBe(202);
    expect((await post(me, text({ recipient: { contactPointId: theirs } }))).body).toMatchObject({ code: 'not-found' });
    expect((await post(me, text({ recipient: { subjectId: randomUUID() } }))).body).toMatchObject({
      code: 'not-found',
    });
    expect((await post(me, text())).body).toMatchObject({ code: 'recipient-not-allowed' });
    expect((await post(me, text({ channel: 'email', recipient: { emailAddress: 'a@example.org' } }))).status).not.toBe(
      202,
    );
    // What passes by the quiet hours is not for them to ask for.
    const urgent = { recipient: { contactPointId: mine } };
    expect((await post(me, text({ ...urgent, priority: 'emergency' }))).status).toBe(403);
    expect((await post(me, text({ ...urgent, messageClass: 'safety' }))).status).toBe(403);
    expect((await post({ role: 'service' }, text({ recipient: { contactPointId: theirs } }))).status).toBe(202);
  });

  test('nobody has their words texted to, or said at, a phone they have only saved', async () => {
    const me: Who = { role: 'user', subject: 'saved-a-stranger' };
    const strangers = await savedNumber(me, '+14155550149');
    const before = api.messages.length;
    for (const recipient of [{ contactPointId: strangers }, { phoneNumber: '+14155550149' }]) {
      expect(await post(me, text({ recipient }))).toMatchObject({ status: 403, body: { code: 'number-unverified' } });
    }
    const mine = await verifiedNumber(me, '+14155550150');
    const called = await post(me, text({ recipient: { contactPointId: mine }, fallback: 'voice' }));
    expect(called).toMatchObject({ status: 403, body: { code: 'role-not-allowed' } });
    expect(api.messages).toHaveLength(before);
    expect((await post(me, text({ recipient: { contactPointId: mine } }))).status).toBe(202);
  });

  const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
  test.each([
    ['no recipient', { recipient: {} }, 'invalid-body', '#/recipient'],
    ['two recipients', { recipient: { phoneNumber: NUMBER, subjectId: randomUUID() } }, 'invalid-body', '#/recipient'],
    [
      'an address for a text',
      { recipient: { emailAddress: 'a@example.org' } },
      'invalid-body',
      '#/recipient/emailAddress',
    ],
    ['a number for a mail', { channel: 'email' }, null, null],
    ['no number', { recipient: { phoneNumber: 'call me' } }, 'phone-number-invalid', '#/recipient/phoneNumber'],
    ['a short number', { recipient: { phoneNumber: '911' } }, 'phone-number-not-allowed', '#/recipient/phoneNumber'],
    [
      'a country we do not serve',
      { recipient: { phoneNumber: '+33612345678' } },
      'country-not-allowed',
      '#/recipient/phoneNumber',
    ],
    ['text and template', { template: { name: 'update' } }, 'invalid-body', '#/text'],
    ['neither', { text: undefined }, 'invalid-body', '#/text'],
    ['a text that is too long', { text: 'x'.repeat(1_601) }, 'invalid-body', '#/text'],
    ['a reply that would opt them out', { text: 'Are you well? Reply YES or CANCEL.' }, 'invalid-body', '#/text'],
    ['a kind that nobody asks for', { kind: 'automatic' }, 'invalid-body', '#/kind'],
    ['a code that is not the service’s', { kind: 'verification' }, 'invalid-body', '#/kind'],
    [
      'a template whose name is none',
      { text: undefined, template: { name: 'up\u0000date' } },
      'invalid-body',
      '#/template/name',
    ],
    [
      'a variable whose name is a number, which is not repeated',
      { text: undefined, template: { name: 'update', variables: { '14155550142': true } } },
      'invalid-body',
      '#/template/variables',
    ],
    ['an unknown zone', { zone: 'Mars/Olympus' }, 'zone-unknown', '#/zone'],
    ['a time in the past', { notAfter: '2020-01-01T00:00:00Z' }, 'invalid-body', '#/notAfter'],
    ['an end before its beginning', { notBefore: tomorrow, notAfter: tomorrow }, 'invalid-body', '#/notAfter'],
    ['a time too far ahead', { notBefore: '2099-01-01T00:00:00Z' }, 'invalid-body', '#/notBefore'],
    ['a field nobody knows', { sender: '+14155550100' }, 'invalid-body', '#/sender'],
    ['no language', { language: 'english' }, 'invalid-body', '#/language'],
  ])('refuses %s', async (_what, more, code, pointer) => {
    const before = api.messages.length;
    const answer = await post(staff, text(more));
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(code === null ? 600 : 500);
    if (code !== null) expect(answer.body).toMatchObject({ code, errors: [{ pointer }] });
    expect(api.messages).toHaveLength(before);
  });

  test('is refused while texts are switched off, with a mail nobody carries, and when a recipient has got enough', async () => {
    const admin: Who = { role: 'admin' };
    await api.ask('PUT', '/switches/sms', { who: admin, json: { isOn: false } });
    expect((await post(staff, text())).body).toMatchObject({ status: 503, code: 'sms-disabled' });
    await api.ask('PUT', '/switches/sms', { who: admin, json: { isOn: true } });
    const mail = { recipient: { emailAddress: 'a@example.org' }, channel: 'email', text: 'Hello.' };
    expect((await post(staff, mail)).body).toMatchObject({ status: 503, code: 'email-disabled' });
    const token = api.deps.tokenizer.token(SealedValue.of('phone', '+14155550147')).toString('hex');
    for (let nth = 1; nth <= 3; nth += 1) await acceptedDispatch(randomUUID(), token);
    const answer = await post(staff, text({ recipient: { phoneNumber: '+14155550147' } }));
    expect(answer).toMatchObject({ status: 429, body: { code: 'too-many-requests' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(60);
  });

  test('is 503 when Temporal is down, and a repeat is then the first', async () => {
    const key = randomUUID();
    api.process.down = new TemporalNotInTime();
    expect((await post(staff, text(), key)).status).toBe(503);
    api.process.down = null;
    expect((await post(staff, text(), key)).status).toBe(202);
  });
});

async function acceptedDispatch(messageId: string, token: string, sid = newSid()): Promise<void> {
  const dispatchId = randomUUID();
  await ensureDispatch(api.deps.pool, {
    dispatchId,
    businessKey: `message:${messageId}:${dispatchId}`,
    callId: null,
    messageId,
    alertId: null,
    workflowId: `message:${messageId}`,
    recipientToken: token,
    channel: 'sms',
    sender: '+14155550100',
    country: 'US',
  });
  await sql(
    `UPDATE dispatches SET state = 'accepted', sid = $2, attempt = 1, attempt_began_at = clock_timestamp()
      WHERE dispatch_id = $1`,
    [dispatchId, sid],
  );
}

describe('GET /messages/{messageId}', () => {
  test('before its first row it is accepted, for who asked and nobody else', async () => {
    const { body } = await post(staff, text());
    expect((await get(staff, body.messageId)).body).toMatchObject({ state: 'accepted', tries: [], receipts: [] });
    expect((await get({ role: 'service' }, body.messageId)).status).toBe(404);
    expect((await get(staff, randomUUID())).status).toBe(404);
  });

  test('tells every try and receipt; neither words nor number', async () => {
    const input = await begun();
    const sid = newSid();
    await acceptedDispatch(input.messageId, input.recipientToken, sid);
    const sent = { state: 'sent', reason: null, nextAttemptAt: null, sid, segments: 2, attempts: 1 } as const;
    await rows.noteMessage({ messageId: input.messageId, ...sent });
    const path = `/message-status?message=${input.messageId}`;
    for (const MessageStatus of ['sent', 'sent', 'delivered']) {
      expect((await api.twilio(path, { MessageSid: sid, MessageStatus, To: NUMBER })).status).toBe(204);
    }
    await rows.closeMessage(closing(input.messageId, { sid, segments: 2 }));
    const { body } = await get(staff, input.messageId);
    expect(body).toMatchObject({ state: 'delivered', sid, segments: 2, attempts: 1, requestedBy: input.requestedBy });
    expect(body.tries).toEqual([expect.objectContaining({ number: 1, state: 'accepted', sid })]);
    expect(body.receipts).toEqual([
      expect.objectContaining({ status: 'sent', copies: 2 }),
      expect.objectContaining({ status: 'delivered', copies: 1 }),
    ]);
    expect(JSON.stringify(body)).not.toMatch(/5550142|door code/);
  });

  test('the recipient may look at it; others’ is not found; that staff looked is kept', async () => {
    const me: Who = { role: 'user', subject: 'reads-own' };
    const mine = await savedNumber(me, '+14155550148');
    const input = await begun({ role: 'service' }, { recipient: { contactPointId: mine } });
    expect((await get(me, input.messageId)).status).toBe(200);
    expect((await get({ role: 'user', subject: 'curious' }, input.messageId)).status).toBe(404);
    expect((await get({ role: 'mentor' }, input.messageId)).status).toBe(403);
    expect((await get(staff, input.messageId)).status).toBe(200);
    const read = await sql(`SELECT 1 FROM audit_entries WHERE action = 'message.read' AND object_id = $1`, [
      input.messageId,
    ]);
    expect(read).toHaveLength(1);
    // It is not the recipient's to cancel.
    expect((await api.ask('DELETE', `/messages/${input.messageId}`, { who: me })).status).toBe(404);
  });
});

describe('DELETE /messages/{messageId}', () => {
  test('cancels what was not sent, and says how it stands', async () => {
    const input = await begun();
    api.messageProcess.onCancel = async (messageId) => {
      await rows.closeMessage(closing(messageId, { outcome: 'cancelled', reason: 'cancelled', attempts: 0 }));
      return { state: 'cancelled', reason: 'cancelled' };
    };
    const path = `/messages/${input.messageId}`;
    const admin: Who = { role: 'admin' };
    expect((await api.ask('DELETE', path, { who: admin })).body).toMatchObject({ state: 'cancelled' });
    const asked = await sql(
      `SELECT actor FROM audit_entries WHERE action = 'message.cancel-asked' AND object_id = $1`,
      [input.messageId],
    );
    // Who has cancelled it, not who had asked for it.
    expect(asked).toEqual([{ actor: expect.any(String) }]);
    expect(asked[0].actor).not.toBe(input.requestedBy);
    // Told from its row from now on.
    api.process.down = new TemporalNotInTime();
    expect((await api.ask('DELETE', path, { who: staff })).body).toMatchObject({ state: 'cancelled' });
  });

  test('one that the provider has goes its way', async () => {
    const input = await begun();
    await rows.noteMessage({ messageId: input.messageId, state: 'sent', reason: null, nextAttemptAt: null });
    api.messageProcess.onCancel = async () => 'too-late';
    const answer = await api.ask('DELETE', `/messages/${input.messageId}`, { who: staff });
    expect(answer).toMatchObject({ status: 200, body: { state: 'sent' } });
  });
});

describe('GET /messages', () => {
  test('is a page at a time, filtered, and one’s own for whoever is not staff', async () => {
    const service: Who = { role: 'service', subject: 'the-lister' };
    const inputs = [];
    for (const kind of ['reminder', 'update', 'reminder']) inputs.push(await begun(service, { kind }));
    const [first, second, third] = inputs.map(({ messageId }) => messageId);
    await rows.closeMessage(closing(second ?? '', { outcome: 'failed', reason: 'provider-refused' }));
    const list = async (query: string, who = service) => (await api.ask('GET', `/messages?${query}`, { who })).body;
    const ids = (page: { messages: { messageId: string }[] }) => page.messages.map(({ messageId }) => messageId);
    expect(ids(await list(''))).toEqual([third, second, first]);
    expect(ids(await list('kind=reminder'))).toEqual([third, first]);
    expect(ids(await list('state=failed'))).toEqual([second]);
    expect(ids(await list(`channel=sms&subjectId=${inputs[0]?.subjectId}&kind=update`))).toEqual([second]);
    expect(ids(await list(`batchId=${randomUUID()}`))).toEqual([]);
    expect(ids(await list(`until=${new Date(Date.now() - 3_600_000).toISOString()}`))).toEqual([]);
    expect(ids(await list(`from=${new Date(Date.now() - 3_600_000).toISOString()}`))).toHaveLength(3);
    const page = await list('limit=2');
    expect(ids(page)).toEqual([third, second]);
    expect(ids(await list(`limit=2&cursor=${page.nextCursor}`))).toEqual([first]);
    expect((await list(`limit=2&kind=update&cursor=${page.nextCursor}`)).code).toBe('invalid-query');
    expect((await list('state=nonsense')).code).toBe('invalid-query');
    expect(ids(await list('', { role: 'user', subject: 'nobody-yet' }))).toEqual([]);
    expect(ids(await list('limit=100', staff))).toEqual(expect.arrayContaining([first, second, third]));
  });
});

describe('POST /message-status', () => {
  const eventsOf = (sid: string) =>
    sql('SELECT status, error_code, handled_at, copies, payload FROM webhook_events WHERE sid = $1', [sid]);

  test('is stored once and told once, when it ends a try', async () => {
    const [messageId, sid] = [randomUUID(), newSid()];
    const path = `/message-status?message=${messageId}&dispatch=${randomUUID()}`;
    const fields = {
      MessageSid: sid,
      MessageStatus: 'undelivered',
      ErrorCode: '30003',
      From: '+14155550100',
      To: NUMBER,
    };
    const before = api.receipts.length;
    for (let nth = 1; nth <= 3; nth += 1) expect((await api.twilio(path, fields)).status).toBe(204);
    const seenKey = `message-status:${sid}:undelivered`;
    const receipt = { seenKey, sid, status: 'undelivered', errorCode: '30003' };
    expect(api.receipts.slice(before)).toEqual([{ messageId, receipt }]);
    expect(await eventsOf(sid)).toEqual([
      { status: 'undelivered', error_code: '30003', handled_at: expect.any(Date), copies: 3, payload: {} },
    ]);
  });

  test('what does not end a try is stored and not told; what is not ours is neither', async () => {
    const sid = newSid();
    const before = api.receipts.length;
    const path = `/message-status?message=${randomUUID()}`;
    await api.twilio(path, { MessageSid: sid, MessageStatus: 'sent' });
    expect(await eventsOf(sid)).toEqual([expect.objectContaining({ status: 'sent', handled_at: expect.any(Date) })]);
    for (const [asked, fields] of [
      [path, { MessageSid: newSid(), MessageStatus: 'received' }],
      [path, { MessageSid: 'SM1', MessageStatus: 'delivered' }],
      ['/message-status', { MessageSid: newSid(), MessageStatus: 'delivered' }],
      ['/message-status?message=1', { MessageSid: newSid(), MessageStatus: 'delivered' }],
    ] as const) {
      const { webhook_events: kept } = await api.footprint();
      expect((await api.twilio(asked, fields)).status).toBe(204);
      expect((await api.footprint())['webhook_events']).toBe(kept);
    }
    expect(api.receipts).toHaveLength(before);
  });

  test('waits for the relay while Temporal is down, and can be handed over again by an admin', async () => {
    const [messageId, sid] = [randomUUID(), newSid()];
    api.process.down = new TemporalNotInTime();
    const fields = { MessageSid: sid, MessageStatus: 'delivered' };
    expect((await api.twilio(`/message-status?message=${messageId}`, fields)).status).toBe(204);
    expect(await eventsOf(sid)).toEqual([expect.objectContaining({ handled_at: null })]);
    api.process.down = null;
    const [event] = await sql('SELECT event_id FROM webhook_events WHERE sid = $1', [sid]);
    const replay = () => api.ask('POST', `/webhook-events/${event.event_id}/replay`, { who: { role: 'admin' } });
    expect((await replay()).body).toMatchObject({ result: 'signalled' });
    api.messageProcess.over.add(messageId);
    expect((await replay()).body).toMatchObject({ result: 'closed' });
    expect(api.receipts.at(-1)).toMatchObject({ messageId, receipt: { status: 'delivered' } });
  });
});

describe('the row of a message', () => {
  test('ends once: number destroyed, words kept, audit and app told', async () => {
    const input = await begun();
    await rows.closeMessage(closing(input.messageId));
    await rows.closeMessage(closing(input.messageId, { outcome: 'failed' }));
    await rows.noteMessage({ messageId: input.messageId, state: 'sent', reason: null, nextAttemptAt: null });
    expect((await get(staff, input.messageId)).body.state).toBe('delivered');
    const alive = await sql('SELECT record_id FROM vault_records WHERE record_id = ANY($1) AND destroyed_at IS NULL', [
      [input.recordId, input.content.recordId],
    ]);
    expect(alive).toEqual([{ record_id: input.content.recordId }]);
    const audit = await sql('SELECT action, purpose FROM audit_entries WHERE object_id = $1 ORDER BY at', [
      input.messageId,
    ]);
    expect(audit).toEqual([
      { action: 'message.requested', purpose: 'US:update' },
      { action: 'message.closed', purpose: 'US:delivered:0' },
    ]);
    const told = await sql('SELECT type FROM app_events WHERE object_id = $1 ORDER BY position', [input.messageId]);
    expect(told).toEqual([{ type: 'message.sending' }, { type: 'message.delivered' }]);
  });

  test('a number that the call has taken over stays; a saved one always does', async () => {
    const input = await begun();
    await rows.closeMessage(closing(input.messageId, { outcome: 'undelivered', fallbackAlertId: randomUUID() }));
    const me: Who = { role: 'user', subject: 'keeps-number' };
    const saved = await begun(me, { recipient: { contactPointId: await verifiedNumber(me, '+14155550149') } });
    await rows.closeMessage(closing(saved.messageId));
    const alive = await sql('SELECT 1 FROM vault_records WHERE record_id = ANY($1) AND destroyed_at IS NULL', [
      [input.recordId, saved.recordId],
    ]);
    expect(alive).toHaveLength(2);
  });

  test('21610 in a receipt blocks the pair of recipient and sender', async () => {
    const input = await begun();
    const sid = newSid();
    await acceptedDispatch(input.messageId, input.recipientToken, sid);
    const error = { errorCode: '21610', errorClass: 'opted-out' };
    await rows.closeMessage(closing(input.messageId, { outcome: 'suppressed', reason: 'blocked', sid, ...error }));
    const blocks = await sql(
      `SELECT sender FROM provider_blocks WHERE recipient_token = decode($1, 'hex') AND lifted_at IS NULL`,
      [input.recipientToken],
    );
    expect(blocks).toEqual([{ sender: '+14155550100' }]);
  });

  test('21610 in a receipt blocks the pair also when the message is over, but not after the person has asked again', async () => {
    const input = await begun(staff, { recipient: { phoneNumber: '+14155550153' } });
    const sid = newSid();
    await acceptedDispatch(input.messageId, input.recipientToken, sid);
    await rows.closeMessage(closing(input.messageId, { outcome: 'unconfirmed', reason: 'no-receipt', sid }));
    const path = `/message-status?message=${input.messageId}`;
    const stands = () =>
      sql(`SELECT sender FROM provider_blocks WHERE recipient_token = decode($1, 'hex') AND lifted_at IS NULL`, [
        input.recipientToken,
      ]);
    const told = { MessageSid: sid, ErrorCode: '21610' };
    expect((await api.twilio(path, { ...told, MessageStatus: 'undelivered' })).status).toBe(204);
    expect(await stands()).toEqual([{ sender: '+14155550100' }]);
    await api.database.owner.query(
      `UPDATE provider_blocks SET lifted_at = clock_timestamp() WHERE recipient_token = decode($1, 'hex')`,
      [input.recipientToken],
    );
    expect((await api.twilio(path, { ...told, MessageStatus: 'failed' })).status).toBe(204);
    expect(await stands()).toEqual([]);
  });

  test('a retry is a line of the log with attempt, class and delay', async () => {
    const input = await begun();
    const nextAttemptAt = new Date(Date.now() + 60_000).toISOString();
    const { messageId } = input;
    await rows.noteRetry({
      messageId,
      attempt: 1,
      errorClass: 'temporary',
      errorCode: '30003',
      delayMs: 60_000,
      nextAttemptAt,
    });
    const line = api.logLines
      .map((one) => JSON.parse(one))
      .find((one) => one.messageId === messageId && one.attempt === 1);
    expect(line).toMatchObject({ attempt: 1, class: 'temporary', errorCode: '30003', retryAfterMs: 60_000 });
    expect((await get(staff, messageId)).body).toMatchObject({ state: 'waiting', reason: 'retry', nextAttemptAt });
  });

  test('erasing the recipient destroys words and number, and forgets the token once it is over', async () => {
    const input = await begun(staff, { recipient: { phoneNumber: '+14155550150' } });
    await api.deps.vault.eraseSubject(input.subjectId, 'system');
    const token = () => sql('SELECT recipient_token FROM messages WHERE message_id = $1', [input.messageId]);
    expect((await token())[0].recipient_token).not.toBeNull();
    await rows.closeMessage(closing(input.messageId, { outcome: 'failed', reason: 'record-destroyed' }));
    expect((await token())[0].recipient_token).toBeNull();
    expect(await sql('SELECT 1 FROM recipients WHERE subject_id = $1', [input.subjectId])).toEqual([]);
    // Somebody new from then on.
    const again = await begun(staff, { recipient: { phoneNumber: '+14155550150' } });
    expect(again.subjectId).not.toBe(input.subjectId);
  });

  test('is deleted ninety days after its end, and not a moment before', async () => {
    const old = await begun();
    const live = await begun();
    await rows.closeMessage(closing(old.messageId, { endedAt: new Date(Date.now() - 100 * 86_400_000).toISOString() }));
    const run = { olderThanMs: 90 * 86_400_000, limit: 100 };
    expect(await deleteOldMessages(api.deps.pool, { ...run, isDryRun: true })).toMatchObject({ taken: 1 });
    expect(await deleteOldMessages(api.deps.pool, { ...run, isDryRun: false })).toMatchObject({ taken: 1 });
    const left = await sql('SELECT message_id FROM messages WHERE message_id = ANY($1)', [
      [old.messageId, live.messageId],
    ]);
    expect(left).toEqual([{ message_id: live.messageId }]);
  });
});
