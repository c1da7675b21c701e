/** Batches over real HTTP and a real Postgres: what a check finds, what is stored, and who may do what. */
import { randomUUID } from 'node:crypto';
import { takeRows } from '../../../api/batch-row-check';
import { createContactPoint } from '../../../db/contact-points';
import { noteBatchState, openBatch } from '../../../db/message-batches';
import { noteMoved, noteStarted, rowsToStart } from '../../../db/message-batch-rows';
import { inTransaction } from '../../../db/pool';
import { createSubject } from '../../../db/subjects';
import { readGivenRow } from '../../../domain/message-batch-row';
import { sealableWords } from '../../../domain/message-words';
import { SealedValue } from '../../../domain/sealed';
import { createTokenizer } from '../../../vault/tokens';
import { ApiUnderTest } from './api-under-test';

const STAFF = { role: 'staff' } as const;
let api: ApiUnderTest;

beforeAll(async () => {
  api = await ApiUnderTest.start({ SMS_ENABLED: 'true' });
});
afterAll(() => api.stop());

const number = (n: number): string => `+1628555${String(100 + n).padStart(4, '0')}`;
const many = (count: number) => Array.from({ length: count }, (_, n) => ({ phone: number(n) }));

async function make(recipients: unknown[], more: object = {}) {
  return await api.ask('POST', '/messages/bulk', { who: STAFF, json: { text: 'Hello', recipients, ...more } });
}

async function upload(csv: string, query = 'template=reminder', headers: Record<string, string> = {}) {
  const raw = { body: csv, headers: { 'Content-Type': 'text/csv', ...headers } };
  return await api.ask('POST', `/messages/bulk?${query}`, { who: STAFF, raw });
}

const rowsOf = (id: string, query = '') => api.ask('GET', `/messages/bulk/${id}/rows${query}`, { who: STAFF });

test('what is wrong with a recipient is told by its row, before anything is sent', async () => {
  const answer = await make([
    { phone: '+1 415 555 0101' },
    { phone: '+14155550101' },
    { phone: 'nobody' },
    { phone: '+33 1 23 45 67 89' },
    { phone: '+1 900 555 0199' },
    {},
    { phone: '+1 415 555 0102', language: 'Spanish' },
    { phone: '+1 415 555 0104', zone: 'Mars/Olympus' },
    { subjectId: randomUUID() },
    { phone: '+1 415 555 0103', variables: { name: 'Alex' } },
    { email: 'somebody@example.org' },
  ]);
  expect(answer).toMatchObject({
    status: 201,
    body: {
      state: 'checked',
      recipients: { total: 11, ready: 1, duplicate: 1, invalid: 9 },
      notStarted: 1,
      messages: {},
    },
  });
  const { body } = await rowsOf(answer.body.batchId);
  expect(body.rows.map((row: { problem: string | null }) => row.problem)).toEqual([
    null,
    'duplicate',
    'phone-number-invalid',
    'country-not-allowed',
    'phone-number-not-allowed',
    'recipient-missing',
    'language-invalid',
    'zone-unknown',
    'recipient-unknown',
    'variables-invalid',
    'recipient-missing',
  ]);
  expect(body.rows[1]).toMatchObject({ state: 'duplicate', duplicateOf: 1, messageId: null });
  expect((await rowsOf(answer.body.batchId, '?state=duplicate')).body.rows).toHaveLength(1);
  expect(api.batches.started).toEqual([]);
});

test.each([
  { order: 'saved under the older key, then given', isSavedFirst: true },
  { order: 'given, then saved under the older key', isSavedFirst: false },
])('while the token key is replaced, a phone $order is one recipient', async ({ isSavedFirst }) => {
  const [older, newer] = [1, 2].map((version) => ({ version, key: Buffer.alloc(32, version) }));
  if (older === undefined || newer === undefined) throw new Error('two keys');
  const { vault } = api.deps;
  const { app } = api.database;
  const phone = SealedValue.of('phone', isSavedFirst ? '+14155550171' : '+14155550172');
  const subjectId = await createSubject(app, 'system');
  const recordId = await vault.seal({ subjectId, kind: 'phone', value: phone });
  const token = createTokenizer([older]).token(phone);
  const saved = { subjectId, recordId, kind: 'phone', token, tokenVersion: 1, country: 'US' } as const;
  await inTransaction(app, (tx) => createContactPoint(tx, saved));
  const words = { subjectId, kind: 'text', value: sealableWords({ text: 'Hello' }) } as const;
  const batch = { batchId: randomUUID(), requestedBy: subjectId, channel: 'sms', language: 'en' } as const;
  await openBatch(app, {
    ...batch,
    kind: 'update',
    messageClass: 'ordinary',
    templateId: null,
    templateVersion: null,
    contentRecordId: await vault.seal(words),
    requestHash: '',
    zone: null,
    fallback: null,
    notBefore: null,
    notAfter: new Date(Date.now() + 3_600_000).toISOString(),
  });
  const recipients = [{ subjectId }, { phone: phone.expose() }];
  const parts = { ...api.deps, tokenizer: createTokenizer([older, newer]) };
  const given = isSavedFirst ? recipients : recipients.toReversed();
  await takeRows(parts, { ...batch, template: null, variables: {} }, given);
  const { rows } = await api.database.owner.query(
    'SELECT row, problem, duplicate_of FROM message_batch_rows WHERE batch_id = $1 ORDER BY row',
    [batch.batchId],
  );
  expect(rows).toEqual([
    { row: 1, problem: null, duplicate_of: null },
    { row: 2, problem: 'duplicate', duplicate_of: 1 },
  ]);
});

test('a number is nowhere but in a sealed record of whoever gave it, and opens as what was given', async () => {
  const { body } = await make([{ phone: '+1 415 555 0107' }]);
  const [row] = await rowsToStart(api.database.app, body.batchId, 10);
  const given = await api.deps.vault.reveal({
    recordId: row?.givenRecordId ?? '',
    purpose: 'hand-over',
    actor: 'system',
  });
  expect(readGivenRow(given).to?.expose()).toBe('+14155550107');
  const { rows } = await api.database.owner.query(
    `SELECT v.subject_id = b.requested_by AS is_givers, v.expires_at < now() + interval '8 days' AS is_short
       FROM vault_records v, message_batches b WHERE v.record_id = $1 AND b.batch_id = $2`,
    [row?.givenRecordId, body.batchId],
  );
  expect(rows).toEqual([{ is_givers: true, is_short: true }]);
});

test('a CSV is read by its names, with variables that fit the template or do not', async () => {
  const answer = await upload(
    '\ufeffphone,language,zone,what,at\r\n' +
      '+1 415 555 0101,es,Europe/Madrid,"your appointment, soon",2026-11-23T09:00:00-05:00\r\n' +
      '+1 415 555 0102,,,your appointment,not a time\r\n' +
      '+1 415 555 0103,en,,too,many,cells,here\r\n' +
      '\r\n' +
      '+1 415 555 0101,,,again,2026-11-23T09:00:00-05:00\r\n',
  );
  expect(answer.status).toBe(201);
  const { body } = await rowsOf(answer.body.batchId);
  expect(body.rows.map((row: { problem: string | null }) => row.problem)).toEqual([
    null,
    'variables-invalid',
    'row-unreadable',
    'duplicate',
  ]);
  const [row] = await rowsToStart(api.database.app, answer.body.batchId, 10);
  expect(row).toMatchObject({
    language: 'es',
    zone: 'Europe/Madrid',
    country: 'US',
    subjectId: null,
    ownsRecord: true,
  });
});

test.each([
  ['no names', '+14155550101\n+14155550102\n', 422, 'csv-unreadable'],
  ['a name twice', 'phone,phone\n+14155550101,+14155550102\n', 422, 'csv-unreadable'],
  ['a quote that never ends', 'phone,what\n"+14155550101,x\n', 422, 'csv-unreadable'],
  ['nothing', '', 422, 'csv-unreadable'],
  ['names only', 'phone\n', 422, 'nothing-to-send'],
  ['a line without an end', `phone\n${'9'.repeat(40_000)}`, 422, 'csv-unreadable'],
  ['more than is ever read', `phone\n${`${'x'.repeat(9_999)}\n`.repeat(410)}`, 413, 'body-too-large'],
  ['one recipient too many', `phone\n${'x\n'.repeat(10_001)}`, 422, 'too-many-recipients'],
])('a CSV of %s is refused and leaves no batch', async (_what, csv, status, code) => {
  const before = await api.ask('GET', '/messages/bulk?limit=100', { who: STAFF });
  expect(await upload(csv)).toMatchObject({ status, body: { code } });
  const after = await api.ask('GET', '/messages/bulk?limit=100', { who: STAFF });
  if (code !== 'nothing-to-send') expect(after.body.messageBatches).toHaveLength(before.body.messageBatches.length);
});

test.each([
  ['a template whose name is none', { template: { name: 'up\u0000date' } }, '#/template/name'],
  ['a kind that nobody asks for', { kind: 'automatic' }, '#/kind'],
  ['a code that is not the service’s', { kind: 'verification' }, '#/kind'],
  ['a reply that would opt them out', { text: 'Are you well? Reply YES or CANCEL.' }, '#/text'],
])('%s is refused, and leaves no batch', async (_what, more, pointer) => {
  const json = { recipients: many(1), ...('template' in more ? {} : { text: 'Hello' }), ...more };
  const count = async () => (await api.database.owner.query('SELECT 1 FROM message_batches')).rows.length;
  const before = await count();
  const answer = await api.ask('POST', '/messages/bulk', { who: STAFF, json });
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid-body', errors: [{ pointer }] } });
  expect(await count()).toBe(before);
  expect(await upload('phone\n+14155550101\n', 'template=up%00date')).toMatchObject({
    status: 400,
    body: { code: 'invalid-query', errors: [{ pointer: '#/template' }] },
  });
});

test.each([
  ['a batch', async () => await make(many(1), { zone: 'Mars/Olympus' })],
  ['an upload', async () => await upload('phone\n+14155550101\n', 'template=reminder&zone=Mars/Olympus')],
])('a zone for all of %s that nobody knows is refused', async (_what, ask) => {
  expect(await ask()).toMatchObject({ status: 422, body: { code: 'zone-unknown', errors: [{ pointer: '#/zone' }] } });
});

test('a CSV needs a template that exists, and no compression', async () => {
  expect(await upload('phone\n', '')).toMatchObject({ status: 400, body: { code: 'invalid-query' } });
  expect(await upload('phone\n', 'template=none-such')).toMatchObject({ body: { code: 'template-unknown' } });
  const packed = await upload('phone\n', 'template=reminder', { 'Content-Encoding': 'gzip' });
  expect(packed.status).toBe(415);
});

test('the same key makes one batch, also of two CSV at once; another body is refused', async () => {
  const key = { 'Idempotency-Key': randomUUID() };
  const csv = 'phone,what,at\n+14155550111,x,2026-11-23T09:00:00-05:00\n';
  const [one, two] = await Promise.all([upload(csv, 'template=reminder', key), upload(csv, 'template=reminder', key)]);
  expect(one.status).toBe(201);
  expect(two.body.batchId).toBe(one.body.batchId);
  expect((await upload(csv, 'template=reminder', key)).body.batchId).toBe(one.body.batchId);
  expect(await upload(`${csv}\n+14155550112,x,2026-11-23T09:00:00-05:00\n`, 'template=reminder', key)).toMatchObject({
    status: 422,
    body: { code: 'idempotency-key-reused' },
  });
});

test('with `start` it begins only when no row has a problem', async () => {
  const flawed = await make([...many(2), { phone: 'nobody' }], { start: true });
  expect(api.batches.started.map(({ batchId }) => batchId)).not.toContain(flawed.body.batchId);
  const whole = await make(many(2), { start: true });
  expect(api.batches.started.map(({ batchId }) => batchId)).toContain(whole.body.batchId);
  const begun = await api.ask('POST', `/messages/bulk/${flawed.body.batchId}/start`, { who: STAFF });
  expect(begun.status).toBe(202);
  expect(api.batches.started.map(({ batchId }) => batchId)).toContain(flawed.body.batchId);
});

test('a batch without anybody to write to is not started', async () => {
  const { body } = await make([{ phone: 'nobody' }]);
  const answer = await api.ask('POST', `/messages/bulk/${body.batchId}/start`, { who: STAFF });
  expect(answer).toMatchObject({ status: 422, body: { code: 'nothing-to-send' } });
});

test('progress is counted from rows and messages, with an end that is estimated from the pace so far', async () => {
  const { body } = await make(many(4));
  const { app, owner } = api.database;
  await noteBatchState(app, body.batchId, 'sending');
  const rows = await rowsToStart(app, body.batchId, 3);
  const { rows: ids } = await owner.query(
    'SELECT requested_by AS "by", content_record_id AS "words" FROM message_batches WHERE batch_id = $1',
    [body.batchId],
  );
  const { by, words } = ids[0];
  for (const row of rows) {
    await noteMoved(app, body.batchId, row.row, { subjectId: by, recordId: words, contentRecordId: null });
  }
  await noteStarted(
    app,
    body.batchId,
    rows.map((row) => row.row),
  );
  for (const [n, state] of ['delivered', 'sent'].entries()) {
    await owner.query(
      `INSERT INTO messages (message_id, batch_id, batch_row, requested_by, subject_id, record_id, owns_record,
                             content_record_id, language, channel, kind, message_class, urgency, country, state,
                             request_hash, requested_at, ended_at, live)
       VALUES ($1, $2, $3, $4, $4, $5, true, $5, 'en', 'sms', 'update', 'ordinary', 'bulk', 'US', $6, 'x', now(),
               CASE WHEN $7 THEN now() END, NOT $7)`,
      [rows[n]?.messageId, body.batchId, rows[n]?.row, by, words, state, state === 'delivered'],
    );
  }
  const { body: seen } = await api.ask('GET', `/messages/bulk/${body.batchId}`, { who: STAFF });
  expect(seen).toMatchObject({
    state: 'sending',
    notStarted: 1,
    messages: { delivered: 1, sent: 1, accepted: 1 },
    estimatedEndAt: expect.any(String),
  });
  expect((await rowsOf(body.batchId)).body.rows.map((row: { state: string }) => row.state)).toEqual([
    'delivered',
    'sent',
    'accepted',
    'ready',
  ]);
  const first = await rowsOf(body.batchId, '?limit=3');
  const rest = await rowsOf(body.batchId, `?limit=3&cursor=${first.body.nextCursor}`);
  expect(rest.body).toMatchObject({ rows: [{ row: 4 }], nextCursor: null });
});

test('pausing and cancelling are told to the workflow; what is over answers 409', async () => {
  const { body } = await make(many(1));
  const to = (what: string) => api.ask('POST', `/messages/bulk/${body.batchId}/${what}`, { who: STAFF });
  expect(await to('pause')).toMatchObject({ status: 409, body: { code: 'batch-over' } });
  api.batches.onTell = async (batchId, what) => {
    const state = what === 'pause' ? 'paused' : what === 'resume' ? 'sending' : 'cancelled';
    return await noteBatchState(api.database.app, batchId, state);
  };
  await noteBatchState(api.database.app, body.batchId, 'sending');
  expect(await to('pause')).toMatchObject({ status: 202, body: { state: 'paused' } });
  expect(await to('resume')).toMatchObject({ status: 202, body: { state: 'sending' } });
  expect(await to('cancel')).toMatchObject({ status: 202, body: { state: 'cancelled' } });
  expect(await to('cancel')).toMatchObject({ status: 202, body: { state: 'cancelled' } });
  expect(await to('resume')).toMatchObject({ status: 409 });
  expect(await to('start')).toMatchObject({ status: 409 });
  const { rows } = await api.database.owner.query(
    `SELECT type FROM app_events WHERE object_id = $1 ORDER BY happened_at`,
    [body.batchId],
  );
  expect(rows.map(({ type }) => type)).toEqual(
    ['checked', 'sending', 'paused', 'sending', 'cancelled'].map((state) => `message-batch.${state}`),
  );
});

test('who started, paused, resumed or cancelled it is kept: the one who asked, not whose batch it is', async () => {
  const { body } = await make(many(1));
  const path = `/messages/bulk/${body.batchId}`;
  api.batches.onTell = async (batchId, what) => {
    const state = what === 'pause' ? 'paused' : what === 'resume' ? 'sending' : 'cancelled';
    return await noteBatchState(api.database.app, batchId, state);
  };
  const admin = { role: 'admin', subject: 'stops-others' } as const;
  expect((await api.ask('POST', `${path}/start`, { who: STAFF })).status).toBe(202);
  await noteBatchState(api.database.app, body.batchId, 'sending');
  for (const what of ['pause', 'resume', 'cancel', 'cancel']) {
    expect((await api.ask('POST', `${path}/${what}`, { who: admin })).status).toBe(202);
  }
  const { rows } = await api.database.owner.query(
    `SELECT a.action, a.actor, a.actor = b.requested_by::text AS is_owners
       FROM audit_entries a JOIN message_batches b ON b.batch_id::text = a.object_id::text
      WHERE a.object_id = $1 AND a.action ~ '(asked|sending|paused|cancelled)$' ORDER BY a.at`,
    [body.batchId],
  );
  const asked = rows.filter(({ action }) => action.endsWith('-asked'));
  expect(asked.map(({ action, is_owners: isOwners }) => [action, isOwners])).toEqual([
    ['message-batch.start-asked', true],
    ['message-batch.pause-asked', false],
    ['message-batch.resume-asked', false],
    ['message-batch.cancel-asked', false],
  ]);
  const done = rows.filter(({ action }) => !action.endsWith('-asked'));
  expect(done.map(({ action, actor }) => [action, actor])).toEqual(
    ['sending', 'paused', 'sending', 'cancelled'].map((state) => [`message-batch.${state}`, 'system']),
  );
});

test('a cancel that the workflow has taken is answered with the batch as it stands, while it goes on', async () => {
  const { body } = await make(many(1));
  await noteBatchState(api.database.app, body.batchId, 'sending');
  api.batches.onTell = async () => 'going-on';
  const answer = await api.ask('POST', `/messages/bulk/${body.batchId}/cancel`, { who: STAFF });
  expect(answer).toMatchObject({ status: 202, body: { batchId: body.batchId, state: 'sending' } });
});

test('a row whose text comes out too long is told before anything is sent', async () => {
  const variables = { longest: { type: 'text', maxLength: 1_000 }, other: { type: 'text', maxLength: 1_000 } };
  const json = { name: 'two-long-ones', variables, languages: { en: { text: '{{longest}} {{other}}' } } };
  expect((await api.ask('POST', '/templates', { who: { role: 'admin' }, json })).status).toBe(201);
  const template = { name: 'two-long-ones', variables: { longest: 'x'.repeat(900), other: 'y' } };
  const recipients = [{ phone: number(1) }, { phone: number(2), variables: { other: 'z'.repeat(900) } }];
  const { body } = await make(recipients, { text: undefined, template });
  const { body: rows } = await rowsOf(body.batchId);
  expect(rows.rows.map((row: { problem: string | null }) => row.problem)).toEqual([null, 'text-too-long']);
});

test('no phone is to be called at an address: neither by JSON nor by CSV', async () => {
  const recipients = [{ email: 'ana@example.org' }];
  const json = await make(recipients, { channel: 'email', fallback: 'voice' });
  const csv = await upload('email\nana@example.org\n', 'template=reminder&channel=email&fallback=voice');
  for (const answer of [json, csv]) {
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '#/fallback' }] } });
  }
});

test('a row that would ask for a reply which opts out is told before anything is sent', async () => {
  const variables = { ask: { type: 'text', maxLength: 100 } };
  const json = { name: 'asks-for-something', variables, languages: { en: { text: 'Please {{ask}}.' } } };
  expect((await api.ask('POST', '/templates', { who: { role: 'admin' }, json })).status).toBe(201);
  const template = { name: 'asks-for-something', variables: { ask: 'call back' } };
  const recipients = [{ phone: number(1) }, { phone: number(2), variables: { ask: 'reply YES or CANCEL' } }];
  const { body } = await make(recipients, { text: undefined, template });
  const { body: rows } = await rowsOf(body.batchId);
  expect(rows.rows.map((row: { problem: string | null }) => row.problem)).toEqual([null, 'variables-invalid']);
  const one = { template: { name: 'asks-for-something', variables: { ask: 'reply CANCEL' } } };
  const answer = await api.ask('POST', '/messages', {
    who: STAFF,
    json: { recipient: { phoneNumber: number(3) }, ...one },
  });
  expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '#/template/variables' }] } });
});

test('a batch is its sender’s; admins see it, and their look is kept', async () => {
  const { body } = await make(many(1));
  const path = `/messages/bulk/${body.batchId}`;
  expect((await api.ask('GET', path, { who: { role: 'staff', subject: 'another' } })).status).toBe(404);
  expect((await api.ask('POST', `${path}/start`, { who: { role: 'service' } })).status).toBe(404);
  expect((await api.ask('GET', path, { who: { role: 'user' } })).status).toBe(403);
  expect((await api.ask('GET', path, { who: { role: 'admin' } })).status).toBe(200);
  const { rows } = await api.database.owner.query(
    `SELECT count(*)::int AS n FROM audit_entries WHERE action = 'message-batch.read' AND object_id = $1`,
    [body.batchId],
  );
  expect(rows[0].n).toBe(1);
});
