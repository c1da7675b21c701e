/** The pages of a batch over a real Postgres and vault, with a Temporal that remembers which messages it was given. */
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createContactPoint } from '../../../db/contact-points';
import { noteMessage, openMessage } from '../../../db/messages';
import { inTransaction } from '../../../db/pool';
import { createBatchSweep, endUnbegunMessages } from '../../../activities/batch-sweep';
import { createMessageBatchActivities } from '../../../activities/message-batches';
import type { ActivityDependencies } from '../../../activities/dependencies';
import { messagesToCancel } from '../../../db/message-batch-rows';
import { deleteOldBatches } from '../../../db/message-batches';
import { messageBatchWorkflowId } from '../../../domain/message-batch';
import { RETENTION } from '../../../domain/retention';
import { readWords } from '../../../domain/message-words';
import { type MessageInput, messageWorkflowId } from '../../../domain/message';
import { SealedValue } from '../../../domain/sealed';
import type { OwnerState } from '../../../temporal/owners';
import { ApiUnderTest } from './api-under-test';

const STAFF = { role: 'staff' } as const;
let api: ApiUnderTest;
let pages: ReturnType<typeof createMessageBatchActivities>;
let started: Map<string, MessageInput>;
let failAfter = Number.POSITIVE_INFINITY;
/** Messages of these rows are refused by Temporal, now and ever. */
let refusedRows: readonly number[] = [];

beforeAll(async () => {
  api = await ApiUnderTest.start({ SMS_ENABLED: 'true' });
  const temporal = {
    workflowQueue: 'kindline',
    subjectAttribute: (id: string) => id,
    withDeadline: <T>(_until: number, run: () => Promise<T>) => run(),
    workflow: {
      start: async (_type: string, { workflowId, args }: { workflowId: string; args: [MessageInput] }) => {
        if (started.size >= failAfter) throw new Error('Temporal is away');
        if (refusedRows.includes(args[0].batchRow ?? 0)) {
          throw Object.assign(new Error('bad input'), { code: 3, details: 'bad input', metadata: {} });
        }
        started.set(workflowId, args[0]);
      },
    },
  };
  const { pool, vault } = api.deps;
  const parts = { pool, vault, temporal, retention: RETENTION };
  pages = createMessageBatchActivities(parts as unknown as ActivityDependencies);
});
afterAll(() => api.stop());
beforeEach(() => {
  started = new Map();
  failAfter = Number.POSITIVE_INFINITY;
  refusedRows = [];
});

const run = <A, R>(activity: (asked: A) => Promise<R>, asked: A): Promise<R> =>
  new MockActivityEnvironment().run(activity, asked);

async function batch(recipients: object[], more: object = { text: 'Hello' }): Promise<string> {
  const { body } = await api.ask('POST', '/messages/bulk', { who: STAFF, json: { recipients, ...more } });
  return body.batchId;
}
const people = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => ({ phone: `+1628555${String(100 + from + n).padStart(4, '0')}` }));

test('a row is handed over to the key of whom it is about, and what was given is destroyed', async () => {
  const at = '2026-11-23T09:00:00-05:00';
  const template = { name: 'reminder', variables: { what: 'an appointment', at } };
  const [one, two] = people(2);
  const batchId = await batch(
    [
      { ...one, variables: { what: 'a visit' } },
      { ...two, language: 'es' },
    ],
    { template },
  );
  expect(await run(pages.startMessagePage, { batchId })).toEqual({ started: 2, open: 2, left: 0, isFull: false });
  const [first, second] = [...started.values()].toSorted((a, b) => (a.batchRow ?? 0) - (b.batchRow ?? 0));
  if (first === undefined || second === undefined) throw new Error('two messages were expected');
  expect(first).toMatchObject({
    batchId,
    batchRow: 1,
    urgency: 'bulk',
    ownsRecord: true,
    language: 'en',
    country: 'US',
  });
  expect(second).toMatchObject({ batchRow: 2, language: 'es' });
  expect(first.subjectId).not.toBe(second.subjectId);
  const reveal = (recordId: string) => api.deps.vault.reveal({ recordId, purpose: 'send', actor: 'system' });
  expect((await reveal(first.recordId)).expose()).toBe('+16285550100');
  expect(readWords(await reveal(first.content.recordId))).toEqual({ variables: { what: 'a visit', at } });
  expect(readWords(await reveal(second.content.recordId))).toEqual({ variables: { what: 'an appointment', at } });
  const { rows } = await api.database.owner.query(
    `SELECT count(*) FILTER (WHERE v.subject_id = b.requested_by AND v.destroyed_at IS NULL
                               AND v.record_id <> b.content_record_id)::int AS left_with_giver
       FROM vault_records v, message_batches b WHERE b.batch_id = $1 AND v.created_at >= b.received_at`,
    [batchId],
  );
  expect(rows).toEqual([{ left_with_giver: 0 }]);
});

test('a page that broke off goes on with the same messages: nobody gets two', async () => {
  const batchId = await batch(people(8, 10));
  failAfter = 3;
  await expect(run(pages.startMessagePage, { batchId })).rejects.toThrow();
  const before = [...started.keys()];
  failAfter = Number.POSITIVE_INFINITY;
  await run(pages.startMessagePage, { batchId });
  expect(started.size).toBe(8);
  expect([...started.keys()]).toEqual(expect.arrayContaining(before));
  const { rows } = await api.database.owner.query(
    'SELECT count(*)::int AS n FROM vault_records v JOIN message_batch_rows r USING (record_id) WHERE r.batch_id = $1',
    [batchId],
  );
  expect(rows).toEqual([{ n: 8 }]);
});

test('no more than five hundred wait to be sent, and what the provider has takes nobody’s place', async () => {
  const batchId = await batch([{ phone: '+14155550199' }]);
  await api.database.owner.query(
    `INSERT INTO message_batch_rows (batch_id, row, subject_id, recipient_token, token_version, country, started_at)
     SELECT $1, n, requested_by, sha256(n::text::bytea), 1, 'US', now()
       FROM generate_series(2, 500) n, message_batches b WHERE b.batch_id = $1`,
    [batchId],
  );
  expect(await run(pages.startMessagePage, { batchId })).toMatchObject({ started: 1, open: 500, isFull: true });
  expect(await run(pages.startMessagePage, { batchId })).toMatchObject({ started: 0, open: 500, isFull: true });

  // It may wait for its receipt for hours.
  const [input] = started.values();
  if (input === undefined) throw new Error('no message was started');
  const { pool } = api.deps;
  await openMessage(pool, input, { state: 'sending', reason: null, nextAttemptAt: null });
  await noteMessage(pool, { messageId: input.messageId, state: 'sent', reason: null, nextAttemptAt: null });
  expect(await run(pages.startMessagePage, { batchId })).toMatchObject({ started: 0, open: 500, isFull: false });
});

test('the zone of a recipient is what is said of them, else what they have told, else what is said of all', async () => {
  const [mine, own, other] = people(3, 60);
  const { pool, vault, tokenizer } = api.deps;
  const who = { role: 'user', subject: 'tells-a-zone' } as const;
  const phone = SealedValue.of('phone', own?.phone ?? '');
  const { body } = await api.ask('PUT', '/api/users/me/profile', {
    who,
    json: { firstName: 'Ada', timeZone: 'Pacific/Honolulu' },
  });
  const subjectId: string = body.userId;
  const recordId = await vault.seal({ subjectId, kind: 'phone', value: phone });
  const saved = {
    subjectId,
    recordId,
    kind: 'phone',
    token: tokenizer.token(phone),
    tokenVersion: 1,
    country: 'US',
  } as const;
  await inTransaction(pool, (tx) => createContactPoint(tx, saved));
  const recipients = [{ ...mine, zone: 'America/Denver' }, { subjectId }, { ...other }];
  const zones = async (more: object) => {
    started = new Map();
    const batchId = await batch(recipients, { text: 'Hello', ...more });
    await run(pages.startMessagePage, { batchId });
    return [...started.values()].toSorted((a, b) => (a.batchRow ?? 0) - (b.batchRow ?? 0)).map(({ zone }) => zone);
  };
  expect(await zones({ zone: 'America/Chicago' })).toEqual(['America/Denver', 'Pacific/Honolulu', 'America/Chicago']);
  // Where nothing is said of all, what they have told is asked when it is their turn.
  expect(await zones({})).toEqual(['America/Denver', null, null]);
});

test('what was kept for its time and is gone is told by its row, and holds up nobody', async () => {
  const batchId = await batch(people(2, 30));
  await api.database.owner.query(
    `UPDATE vault_records SET expires_at = now() - interval '1 second'
      WHERE record_id = (SELECT given_record_id FROM message_batch_rows WHERE batch_id = $1 AND row = 1)`,
    [batchId],
  );
  expect(await run(pages.startMessagePage, { batchId })).toMatchObject({ started: 1, left: 0 });
  const { body } = await api.ask('GET', `/messages/bulk/${batchId}/rows?state=invalid`, { who: STAFF });
  expect(body.rows).toMatchObject([{ row: 1, problem: 'expired' }]);
});

test('what was given for a cancelled batch is destroyed', async () => {
  const batchId = await batch(people(3, 40));
  expect(await run(pages.destroyGivenPage, { batchId })).toBe(3);
  expect(await run(pages.destroyGivenPage, { batchId })).toBe(0);
});

test('a batch leaves with its rows ninety days after its end, and one that goes on stays', async () => {
  const [old, going] = [await batch(people(2, 80)), await batch(people(2, 80))];
  await run(pages.noteBatchState, { batchId: going, state: 'sending' });
  const age = "UPDATE message_batches SET received_at = received_at - interval '91 days' WHERE batch_id = ANY($1)";
  await api.database.owner.query(age, [[old, going]]);
  const leave = async (isDryRun: boolean) => {
    const rows = { olderThanMs: RETENTION.messageBatch, limit: 10, isDryRun };
    return (await deleteOldBatches(api.deps.pool, rows)).taken;
  };
  expect([await leave(true), await leave(false), await leave(false)]).toEqual([1, 1, 0]);
  expect((await api.ask('GET', `/messages/bulk/${old}`, { who: STAFF })).status).toBe(404);
  expect((await api.ask('GET', `/messages/bulk/${going}`, { who: STAFF })).body.recipients.total).toBe(2);
});

const tokens = async (batchId: string): Promise<number> => {
  const { rows } = await api.database.owner.query(
    'SELECT count(recipient_token)::int AS n FROM message_batch_rows WHERE batch_id = $1',
    [batchId],
  );
  return rows[0].n;
};

test('no row finds a person again once its message is begun, or will never be', async () => {
  const begun = await batch(people(3, 50));
  expect(await tokens(begun)).toBe(3);
  await run(pages.startMessagePage, { batchId: begun });
  expect(await tokens(begun)).toBe(0);
  const cancelled = await batch(people(3, 50));
  await run(pages.noteBatchState, { batchId: cancelled, state: 'cancelled' });
  expect(await tokens(cancelled)).toBe(0);
});

test('who is erased before their row is begun is not written to, and holds up nobody', async () => {
  const subject = randomUUID();
  const who = { role: 'user', subject } as const;
  await api.ask('POST', '/contact-points', { who, json: { phoneNumber: '+14155550161' } });
  const { rows } = await api.database.owner.query(
    'SELECT subject_id FROM contact_points ORDER BY created_at DESC LIMIT 1',
  );
  const { subject_id: subjectId } = rows[0];
  const batchId = await batch([{ subjectId }, ...people(1, 62)]);
  expect(await tokens(batchId)).toBe(2);
  await api.deps.vault.eraseSubject(subjectId, 'system');
  expect(await tokens(batchId)).toBe(1);
  expect(await run(pages.startMessagePage, { batchId })).toMatchObject({ started: 1, left: 0 });
});

test('cancelling reaches also what the provider has: it is not tried again, nor said by a call', async () => {
  const batchId = await batch(people(2, 60));
  await run(pages.startMessagePage, { batchId, afterRow: 0 });
  const [first, second] = [...started.values()].filter((one) => one.batchId === batchId);
  for (const one of [first, second]) {
    if (one === undefined) throw new Error('two are begun');
    await openMessage(api.deps.pool, one, { state: 'sending', reason: null, nextAttemptAt: null });
  }
  await noteMessage(api.deps.pool, {
    messageId: first?.messageId ?? '',
    state: 'sent',
    reason: null,
    nextAttemptAt: null,
  });
  const left = await messagesToCancel(api.deps.pool, batchId, 0, 10);
  expect(left.map(({ message_id: id }) => id).toSorted()).toEqual([first?.messageId, second?.messageId].toSorted());
});

test('a batch whose workflow is gone is cancelled by the sweep, with what was given for it', async () => {
  const batchId = await batch(people(2, 70));
  await run(pages.noteBatchState, { batchId, state: 'sending' });
  const sweep = (state: OwnerState) =>
    createBatchSweep(
      api.deps,
      async (owner) => (owner === messageBatchWorkflowId(batchId) ? state : 'running'),
      -1_000,
    )();
  expect(await sweep('running')).toBe(0);
  expect(await sweep('stopped')).toBe(1);
  const { body } = await api.ask('GET', `/messages/bulk/${batchId}`, { who: STAFF });
  expect(body.state).toBe('cancelled');
  expect(await run(pages.destroyGivenPage, { batchId })).toBe(0);
  expect(await sweep('stopped')).toBe(0);
});

test('a row whose message Temporal refuses for good, or that does not open, says so and holds up nobody', async () => {
  const batchId = await batch(people(4, 90));
  refusedRows = [2];
  await api.database.owner.query(
    `UPDATE vault_records SET ciphertext = set_byte(ciphertext, 40, 255 - get_byte(ciphertext, 40))
      WHERE record_id = (SELECT given_record_id FROM message_batch_rows WHERE batch_id = $1 AND row = 3)`,
    [batchId],
  );
  expect(await run(pages.startMessagePage, { batchId })).toMatchObject({ started: 2, open: 2, left: 0 });
  const { body } = await api.ask('GET', `/messages/bulk/${batchId}/rows?state=invalid`, { who: STAFF });
  expect(body.rows).toMatchObject([
    { row: 2, problem: 'not-startable', messageId: null },
    { row: 3, problem: 'not-startable', messageId: null },
  ]);
  const { rows } = await api.database.owner.query(
    `SELECT count(*)::int AS n FROM vault_records v JOIN message_batch_rows r ON v.record_id IN (r.given_record_id, r.record_id)
      WHERE r.batch_id = $1 AND r.problem IS NOT NULL AND v.destroyed_at IS NULL`,
    [batchId],
  );
  expect(rows).toEqual([{ n: 0 }]);
});

test('rows whose message was ended before its first step are told as over, and their batch ends', async () => {
  const batchId = await batch(people(3, 94));
  await run(pages.noteBatchState, { batchId, state: 'sending' });
  await run(pages.startMessagePage, { batchId });
  const [running, terminated, failed] = [...started.values()].toSorted((a, b) => (a.batchRow ?? 0) - (b.batchRow ?? 0));
  if (running === undefined || terminated === undefined || failed === undefined) throw new Error('three were expected');
  const states: Record<string, OwnerState> = {
    [messageWorkflowId(terminated.messageId)]: 'stopped',
    [messageWorkflowId(failed.messageId)]: 'over',
  };
  const sweep = (olderThanMs = -1_000) =>
    run(() => endUnbegunMessages(api.deps, async (owner) => states[owner] ?? 'running', olderThanMs), undefined);
  expect(await sweep(60_000)).toBe(0);
  expect(await sweep()).toBe(2);
  expect(await sweep()).toBe(0);
  const first = { state: 'sending', reason: null, nextAttemptAt: null } as const;
  // Comes too late, and changes nothing.
  await openMessage(api.deps.pool, terminated, first);
  await openMessage(api.deps.pool, running, first);
  expect(await run(pages.startMessagePage, { batchId })).toMatchObject({ started: 0, open: 1, left: 0 });
  const { body } = await api.ask('GET', `/messages/bulk/${batchId}`, { who: STAFF });
  expect(body.messages).toEqual({ sending: 1, cancelled: 1, failed: 1 });
  for (const { recordId } of [terminated, failed]) {
    const gone = api.deps.vault.reveal({ recordId, purpose: 'send', actor: 'system' });
    await expect(gone).rejects.toThrow('destroyed');
  }
});
