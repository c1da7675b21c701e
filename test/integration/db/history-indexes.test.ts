/**
 * History at 100,000 rows a table: each query that reads it finds its rows by an index, and each index says which query
 * it is there for.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { noteLegCosts, noteTextCosts } from '../../../db/cost-items';
import { costsToLookAt, monthlyCosts, spentThisMonth } from '../../../db/costs';
import { latestEventFor } from '../../../db/dispatches';
import { deleteOldMessages, findMessage, listMessages, messageReceipts } from '../../../db/messages';
import { takeOpenMessages } from '../../../db/open-messages';
import type { Db } from '../../../db/query';
import {
  deleteOldWebhookEvents,
  findEvent,
  lastStatus,
  legSeen,
  listEvents,
  unhandledEvents,
} from '../../../db/webhook-events';
import { createTestDatabase, type TestDatabase } from '../../postgres';

const ROWS = 100_000;
const LARGE = ['webhook_events', 'messages', 'costs', 'dispatches'];
const id = (table: string, n: number) => `pg_temp.id('${table}' || ${n})`;

let database: TestDatabase;
let said: readonly { readonly name: string; readonly comment: string | null }[] = [];
let ids: { subject: string; message: string; dispatch: string; event: string; call: string };

beforeAll(async () => {
  database = await createTestDatabase();
  const admin = new Client({ connectionString: database.adminUrl });
  await admin.connect();
  // Rows for reading plans: what refers to what is another test's.
  await admin.query('SET session_replication_role = replica; SET synchronous_commit = off');
  // Behind a vacuum, which comes when it likes, rows that are only counted are counted in whatever index has their time.
  for (const table of LARGE) await admin.query(`ALTER TABLE ${table} SET (autovacuum_enabled = off)`);
  await admin.query(
    `CREATE FUNCTION pg_temp.id(text) RETURNS uuid LANGUAGE sql IMMUTABLE AS
       $$ SELECT overlay(overlay(md5($1) PLACING '4' FROM 13) PLACING '8' FROM 17)::uuid $$`,
  );
  // Built at the end they take a tenth of the time; all but what a constraint stands on.
  const { rows: indexes } = await admin.query<{ name: string; definition: string; comment: string | null }>(
    `SELECT c.relname AS name, pg_get_indexdef(c.oid) AS definition, obj_description(c.oid) AS comment
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
       LEFT JOIN pg_constraint k ON k.conindid = c.oid
      WHERE t.relname = ANY($1) AND t.relnamespace = 'public'::regnamespace AND k.oid IS NULL`,
    [LARGE],
  );
  said = indexes;
  await admin.query(`DROP INDEX ${indexes.map(({ name }) => name).join(', ')}`);
  const fill = (columns: string, table: string, values: string, rows = ROWS) =>
    admin.query(`INSERT INTO ${table} (${columns}) SELECT ${values} FROM generate_series(1, ${rows}) n`);
  const at = `now() - n * interval '1 minute'`;
  await fill(
    'seen_key, event_id, type, sid, dispatch_id, call_id, leg, step, status, message_id, received_at, handled_at, attempts',
    'webhook_events',
    `'seen' || n, pg_temp.id('e' || n), CASE WHEN n % 2 = 0 THEN 'call-status' ELSE 'message-status' END, 'SID' || n,
     pg_temp.id('d' || n), pg_temp.id('c' || n / 4), 'user', n % 4, CASE WHEN n % 8 = 0 THEN 'completed' ELSE 'ringing' END,
     CASE WHEN n % 2 = 1 THEN pg_temp.id('m' || n) END, ${at}, CASE WHEN n % 500 > 0 THEN ${at} END, (n % 1000 = 0)::int`,
  );
  await fill(
    `message_id, requested_by, subject_id, record_id, owns_record, content_record_id, language, channel, kind,
     message_class, urgency, country, state, request_hash, requested_at, opened_at, ended_at, live, next_attempt_at, sid`,
    'messages',
    `pg_temp.id('m' || n), pg_temp.id('s' || n % 50), pg_temp.id('s' || n % 5000), pg_temp.id('r' || n), true,
     pg_temp.id('b' || n), 'en', 'sms', 'update', 'ordinary', 'normal', 'US',
     CASE WHEN n % 300 = 0 THEN 'failed' WHEN n % 400 = 1 THEN 'waiting' ELSE 'delivered' END, 'x', ${at}, ${at},
     CASE WHEN n % 400 = 1 THEN NULL ELSE ${at} END, n % 400 = 1, CASE WHEN n % 800 = 1 THEN now() END, 'SM' || n`,
  );
  await fill(
    'dispatch_id, business_key, workflow_id, message_id, recipient_token, channel, state, sender, sid, country, created_at, settled_at',
    'dispatches',
    `pg_temp.id('d' || n), 'key' || n, 'w', pg_temp.id('m' || n), sha256(n::text::bytea), 'sms', 'accepted', '+14155550100',
     'SM' || n, 'US', ${at}, ${at}`,
    ROWS / 5,
  );
  await fill(
    'item, kind, country, month, units, amount_micro, currency, is_estimate, price_source, occurred_at, next_look_at',
    'costs',
    `'SM' || n, CASE WHEN n % 3 = 0 THEN 'voice' ELSE 'sms' END, 'US', date_trunc('month', now() - n * interval '20 minutes'),
     1, 8300, 'USD', n % 100 = 0, 'x', ${at}, CASE WHEN n % 100 = 0 THEN now() + (n - 5000) * interval '1 second' END`,
  );
  await admin.query(`SET maintenance_work_mem = '128MB'; ${indexes.map(({ definition }) => definition).join('; ')}`);
  await admin.query(`UPDATE cost_marks SET noted_until = now() - interval '1 hour'`);
  await admin.query(`ANALYZE ${LARGE.join(', ')}`);
  const { rows } = await admin.query(
    `SELECT ${id('s', 7)} AS subject, ${id('m', 7)} AS message, ${id('d', 7)} AS dispatch, ${id('e', 7)} AS event,
            ${id('c', 7)} AS call`,
  );
  ids = rows[0];
  await admin.end();
});
afterAll(() => database.drop());

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly Plan[];
}

/** Asks Postgres how it would run each statement, and runs it. */
function explaining(db: Db, seen: Plan[]): Db {
  return {
    async query(statement, values) {
      const text = typeof statement === 'string' ? statement : statement.text;
      const { rows } = await db.query(`EXPLAIN (FORMAT JSON) ${text}`, values);
      const walk = (plan: Plan): void => {
        seen.push(plan);
        for (const child of plan.Plans ?? []) walk(child);
      };
      for (const row of rows) walk(row['QUERY PLAN'][0].Plan);
      return db.query(text, values);
    },
  };
}

/**
 * Of 69 days all but the first four: of fewer rows, estimated from a sample, Postgres may as well read the other index
 * on time by skips.
 */
const ALMOST_ALL = { olderThanMs: 65 * 86_400_000, limit: 5_000, isDryRun: true };
const month = () => new Date().toISOString().slice(0, 7);
const CASES: readonly (readonly [string, readonly string[], (db: Db) => Promise<unknown>])[] = [
  ['events by time', ['webhook_events_listed'], (db) => listEvents(db, { limit: 50 })],
  ['events that failed', ['webhook_events_failed'], (db) => listEvents(db, { limit: 50, failed: true })],
  [
    'events that nobody has handled',
    ['webhook_events_unhandled'],
    (db) => listEvents(db, { limit: 50, handled: false }),
  ],
  ['events that wait to be tried again', ['webhook_events_unhandled'], (db) => unhandledEvents(db, 100)],
  ['an event by its id', ['webhook_events_by_id'], (db) => findEvent(db, ids.event)],
  ['events of a call', ['webhook_events_of_call'], (db) => listEvents(db, { limit: 50, callId: ids.call })],
  ['events of a message', ['webhook_events_of_message'], (db) => messageReceipts(db, ids.message)],
  ['events of a leg', ['webhook_events_of_call'], (db) => legSeen(db, ids.call, 'user', 1)],
  ['the last state of a call', ['webhook_events_of_sid'], (db) => lastStatus(db, 'SID8')],
  ['the last event of a dispatch', ['webhook_events_of_dispatch'], (db) => latestEventFor(db, ids.dispatch)],
  ['a message by its id', ['messages_pkey'], (db) => findMessage(db, ids.message)],
  ['messages by time', ['messages_by_time'], (db) => listMessages(db, { limit: 50 })],
  ['messages of a subject', ['messages_of_subject'], (db) => listMessages(db, { limit: 50, subjectId: ids.subject })],
  ['messages that wait', ['messages_pending'], (db) => listMessages(db, { limit: 50, state: 'waiting' })],
  ['messages that failed', ['messages_failed'], (db) => listMessages(db, { limit: 50, state: 'failed' })],
  ['messages to be asked after', ['messages_to_ask_after'], (db) => takeOpenMessages(db, 60_000, 20)],
  ['costs of a year', ['costs_by_month'], (db) => monthlyCosts(db, { from: month(), to: month() })],
  ['what was spent this month', ['costs_by_month'], (db) => spentThisMonth(db, 'USD')],
  ['costs to be looked at', ['costs_to_look_at'], (db) => costsToLookAt(db, 100)],
  ['texts to be noted', ['dispatches_taken', 'costs_pkey'], (db) => noteTextCosts(db, 500)],
  ['messages that have been over for long', ['messages_over'], (db) => deleteOldMessages(db, ALMOST_ALL)],
  ['events that were kept for their time', ['webhook_events_old'], (db) => deleteOldWebhookEvents(db, ALMOST_ALL)],
  ['legs to be noted', ['webhook_events_ended_legs', 'costs_pkey'], (db) => noteLegCosts(db, 500)],
];

test.each(CASES)('%s are found by %j, and no table is read from end to end', async (_what, indexes, ask) => {
  const seen: Plan[] = [];
  await ask(explaining(database.app, seen));
  const read = seen.filter(({ 'Relation Name': table }) => LARGE.includes(table ?? ''));
  expect(read.filter(({ 'Node Type': how }) => how === 'Seq Scan')).toEqual([]);
  expect(seen.map((plan) => plan['Index Name'])).toEqual(expect.arrayContaining([...indexes]));
});

test('pages are cut from the index as well, however far back', async () => {
  const seen: Plan[] = [];
  const db = explaining(database.app, seen);
  const first = await listEvents(database.app, { limit: 300 });
  await listEvents(db, { limit: 50, cursor: first.nextCursor });
  const of = await listMessages(database.app, { limit: 500 });
  await listMessages(db, { limit: 50, cursor: of.nextCursor });
  expect(
    seen.filter((plan) => plan['Node Type'] === 'Seq Scan' && LARGE.includes(plan['Relation Name'] ?? '')),
  ).toEqual([]);
});

test('each index of the history says which query it serves, and that query is there', async () => {
  const rows = said.filter(({ name }) => !name.startsWith('dispatches'));
  expect(rows.length).toBeGreaterThan(15);
  const wrong = rows.filter(({ comment }) => {
    const [, names = '', file = ''] = /^serves: ([\w, ]+) \((\w+\/[\w-]+\.ts)\)/.exec(comment ?? '') ?? [];
    if (file === '') return true;
    const source = readFileSync(join(__dirname, '../../..', file), 'utf8');
    return names.split(', ').some((name) => !new RegExp(`function ${name}\\b`).test(source));
  });
  expect(wrong).toEqual([]);
});
