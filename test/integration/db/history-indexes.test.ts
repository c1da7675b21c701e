/**
 * History at 100,000 rows a table: each query that reads it finds its rows by an index, and each index says which query
 * it is there for.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type Pool } from 'pg';
import { noteLegCosts, noteTextCosts } from '../../../db/cost-items';
import { costsToLookAt, monthlyCosts, spentThisMonth } from '../../../db/costs';
import { latestEventFor, overdueDispatches } from '../../../db/dispatches';
import { reserveBest } from '../../../db/mentor-match';
import { countMessages } from '../../../db/message-batches';
import { deleteOldMessages, findMessage, listMessages, messageReceipts } from '../../../db/messages';
import { takeOpenMessages } from '../../../db/open-messages';
import { countOptOuts } from '../../../db/opt-outs';
import { inTransaction } from '../../../db/pool';
import type { Db } from '../../../db/query';
import { silentTexts } from '../../../db/silent-texts';
import { destroyUnreferencedRecords } from '../../../db/unreferenced-records';
import {
  deleteOldWebhookEvents,
  findEvent,
  lastStatus,
  legSeen,
  listEvents,
  unhandledEvents,
} from '../../../db/webhook-events';
import { defaultScorer } from '../../../domain/match-scorers';
import { RETENTION } from '../../../domain/retention';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { liveCall, personWithNumber } from './people';

const ROWS = 100_000;
const LARGE = ['webhook_events', 'messages', 'costs', 'dispatches', 'opt_outs', 'mentor_shifts', 'vault_records'];
/** Whose indexes say what they are for. */
const HISTORY = (
  'webhook_events messages costs dispatches voice_alerts voice_alert_recipients app_events inbound_texts ' +
  'open_questions opt_outs provider_blocks message_batches message_batch_rows'
).split(' ');
const id = (table: string, n: number) => `pg_temp.id('${table}' || ${n})`;

interface Index {
  readonly name: string;
  readonly table: string;
  readonly definition: string;
  readonly comment: string | null;
}

let database: TestDatabase;
let said: readonly Index[] = [];
let ids: Record<'subject' | 'message' | 'dispatch' | 'event' | 'call' | 'batch' | 'alert', string>;

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
  const { rows: indexes } = await admin.query<Index>(
    `SELECT c.relname AS name, t.relname AS table, pg_get_indexdef(c.oid) AS definition, obj_description(c.oid) AS comment
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
       LEFT JOIN pg_constraint k ON k.conindid = c.oid
      WHERE t.relname = ANY($1) AND t.relnamespace = 'public'::regnamespace AND k.oid IS NULL`,
    [[...new Set([...LARGE, ...HISTORY])]],
  );
  said = indexes.filter(({ table }) => HISTORY.includes(table));
  const dropped = indexes.filter(({ table }) => LARGE.includes(table));
  await admin.query(`DROP INDEX ${dropped.map(({ name }) => name).join(', ')}`);
  const fill = (columns: string, table: string, values: string, rows = ROWS) =>
    admin.query(`INSERT INTO ${table} (${columns}) SELECT ${values} FROM generate_series(1, ${rows}) n`);
  const at = `now() - n * interval '1 minute'`;
  await fill(
    'seen_key, event_id, type, sid, dispatch_id, call_id, leg, step, status, message_id, alert_id, received_at, handled_at, attempts',
    'webhook_events',
    `'seen' || n, pg_temp.id('e' || n), CASE WHEN n % 2 = 0 THEN 'call-status' ELSE 'message-status' END, 'SID' || n,
     pg_temp.id('d' || n), pg_temp.id('c' || n / 4), 'user', n % 4, CASE WHEN n % 8 = 0 THEN 'completed' ELSE 'ringing' END,
     CASE WHEN n % 2 = 1 THEN pg_temp.id('m' || n) END, CASE WHEN n % 10 = 4 THEN pg_temp.id('a' || n / 20) END, ${at}, CASE WHEN n % 500 > 0 THEN ${at} END, (n % 1000 = 0)::int`,
  );
  await fill(
    `message_id, requested_by, subject_id, record_id, owns_record, content_record_id, language, channel, kind,
     message_class, urgency, country, state, request_hash, requested_at, opened_at, ended_at, live, next_attempt_at, sid,
     sent_at, batch_id, batch_row`,
    'messages',
    `pg_temp.id('m' || n), pg_temp.id('s' || n % 50), pg_temp.id('s' || n % 5000), pg_temp.id('r' || n), true,
     pg_temp.id('b' || n), 'en', 'sms', 'update', 'ordinary', 'normal', 'US',
     CASE WHEN n % 300 = 0 THEN 'failed' WHEN n % 400 = 1 THEN 'waiting' WHEN n % 400 = 201 THEN 'sent' ELSE 'delivered' END, 'x', ${at}, ${at},
     CASE WHEN n % 200 = 1 THEN NULL ELSE ${at} END, n % 200 = 1, CASE WHEN n % 800 = 1 THEN now() END, 'SM' || n,
     CASE WHEN n % 400 = 1 THEN NULL ELSE ${at} END, CASE WHEN n % 10 = 3 THEN pg_temp.id('g' || n / 2000) END,
     CASE WHEN n % 10 = 3 THEN n END`,
  );
  await fill(
    `dispatch_id, business_key, workflow_id, message_id, recipient_token, channel, sender, country, created_at,
     attempt_began_at, lease_until, state, sid, settled_at`,
    'dispatches',
    `pg_temp.id('d' || n), 'key' || n, 'w', pg_temp.id('m' || n), sha256(n::text::bytea), 'sms', '+14155550100', 'US', ${at},
     ${at}, now() + (n - 500) * interval '1 minute',
     CASE n % 50 WHEN 5 THEN 'attempting' WHEN 6 THEN 'abandoned' ELSE 'accepted' END,
     CASE WHEN n % 50 NOT IN (5, 6) THEN 'SM' || n END, CASE WHEN n % 50 NOT IN (5, 6) THEN ${at} END`,
    ROWS / 5,
  );
  await fill(
    'item, kind, country, month, units, amount_micro, currency, is_estimate, price_source, occurred_at, next_look_at',
    'costs',
    `'SM' || n, CASE WHEN n % 3 = 0 THEN 'voice' ELSE 'sms' END, 'US', date_trunc('month', now() - n * interval '20 minutes'),
     1, 8300, 'USD', n % 100 = 0, 'x', ${at}, CASE WHEN n % 100 = 0 THEN now() + (n - 5000) * interval '1 second' END`,
  );
  await fill(
    'recipient_token, token_version, scope, since',
    'opt_outs',
    `sha256(n::text::bytea), 1, 'organisation', ${at}`,
  );
  await fill(
    'record_id, subject_id, kind, format, key_version, wrapped_data_key, ciphertext, commitment, created_at',
    'vault_records',
    `pg_temp.id('r' || n), pg_temp.id('s' || n % 5000), 'phone', 1, 1, '\\x00', '\\x00', '\\x00', ${at}`,
  );
  await fill(
    'mentor_id, subject_id, name_record_id, phone_record_id, country, zone',
    'mentors',
    `pg_temp.id('k' || n), pg_temp.id('s' || n), pg_temp.id('r' || n), pg_temp.id('r' || n), 'US', 'UTC'`,
    ROWS / 100,
  );
  await fill('mentor_id, n', 'mentor_slots', `pg_temp.id('k' || n), 1`, ROWS / 100);
  // Ten of them are on shift at any time.
  const starts = `now() + (n - ${ROWS / 2}) * interval '1 minute'`;
  await fill(
    'mentor_id, during',
    'mentor_shifts',
    `pg_temp.id('k' || (n % ${ROWS / 100} + 1)), tstzrange(${starts}, ${starts} + interval '10 minutes')`,
  );
  await admin.query(`SET maintenance_work_mem = '128MB'; ${dropped.map(({ definition }) => definition).join('; ')}`);
  await admin.query(`UPDATE cost_marks SET noted_until = now() - interval '1 hour'`);
  // The only one of them that is counted by an index alone; from here on nothing vacuums it.
  await admin.query('VACUUM messages');
  await admin.query(`ANALYZE ${LARGE.join(', ')}, mentors, mentor_slots`);
  const { rows } = await admin.query(
    `SELECT ${id('s', 7)} AS subject, ${id('m', 7)} AS message, ${id('d', 7)} AS dispatch, ${id('e', 7)} AS event,
            ${id('c', 7)} AS call, ${id('g', 7)} AS batch, ${id('a', 7)} AS alert`,
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

/** Asks Postgres how it would run each statement, and runs it. @param isAsked which statements are meant */
function explaining(db: Db, seen: Plan[], isAsked: (text: string) => boolean = () => true): Db {
  return {
    async query(statement, values) {
      const text = typeof statement === 'string' ? statement : statement.text;
      if (!isAsked(text)) return db.query(text, values);
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

/** A pool whose clients explain what they are asked in transactions. */
function explainingPool(pool: Pool, seen: Plan[], isAsked: (text: string) => boolean): Pool {
  const connect = async () => {
    const client = await pool.connect();
    const { query } = explaining(client, seen, isAsked);
    return new Proxy(client, {
      get(target, name) {
        if (name === 'query') return query;
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
  return { connect } as Pool;
}

const seqScans = (seen: readonly Plan[]) =>
  seen.filter((plan) => plan['Node Type'] === 'Seq Scan' && LARGE.includes(plan['Relation Name'] ?? ''));
const indexesOf = (seen: readonly Plan[]) => seen.map((plan) => plan['Index Name']);

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
  [
    'events of a message among all',
    ['webhook_events_of_message'],
    (db) => listEvents(db, { limit: 50, messageId: ids.message }),
  ],
  ['events of an alert', ['webhook_events_of_alert'], (db) => listEvents(db, { limit: 50, alertId: ids.alert })],
  ['events of a call at Twilio', ['webhook_events_of_sid'], (db) => listEvents(db, { limit: 50, sid: 'SID8' })],
  ['events of a leg', ['webhook_events_of_call'], (db) => legSeen(db, ids.call, 'user', 1)],
  ['the last state of a call', ['webhook_events_of_sid'], (db) => lastStatus(db, 'SID8')],
  ['the last event of a dispatch', ['webhook_events_of_dispatch'], (db) => latestEventFor(db, ids.dispatch)],
  ['a message by its id', ['messages_pkey'], (db) => findMessage(db, ids.message)],
  ['messages by time', ['messages_by_time'], (db) => listMessages(db, { limit: 50 })],
  ['messages of a subject', ['messages_of_subject'], (db) => listMessages(db, { limit: 50, subjectId: ids.subject })],
  [
    'messages that somebody got or asked for',
    ['messages_of_subject', 'messages_requested'],
    (db) => listMessages(db, { limit: 50, of: ids.subject }),
  ],
  ['messages of a batch', ['messages_of_batch_by_time'], (db) => listMessages(db, { limit: 50, batchId: ids.batch })],
  ['states of the messages of a batch', ['messages_of_batch_by_state'], (db) => countMessages(db, ids.batch)],
  ['texts whose receipts stay away', ['messages_silent'], (db) => silentTexts(db, 60_000, 20)],
  ['acts in doubt', ['dispatches_in_doubt', 'dispatches_abandoned_open'], (db) => overdueDispatches(db, 5_000, 100)],
  ['opt-outs of a day', ['opt_outs_since'], (db) => countOptOuts(db, 86_400_000)],
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
  expect(seqScans(seen)).toEqual([]);
  expect(indexesOf(seen)).toEqual(expect.arrayContaining([...indexes]));
});

test('whoever could take a call now is found by an index on shifts, in the statement that takes their place', async () => {
  const seen: Plan[] = [];
  const { callId } = await liveCall(database.app);
  const pool = explainingPool(database.app, seen, (text) => text.includes('UPDATE mentor_slots'));
  const match = { callId, step: 1, leaseMs: 60_000, preferences: {}, country: 'US', exclude: [] };
  expect(await reserveBest(pool, match, defaultScorer())).toMatchObject({ why: 'reserved', again: false });
  expect(seqScans(seen)).toEqual([]);
  expect(indexesOf(seen)).toContain('mentor_shifts_during');
});

test('whether anything names a record after all is asked by an index, before it is destroyed', async () => {
  const seen: Plan[] = [];
  const ofOne = explainingPool(database.app, seen, (text) => text.includes('WHERE t.record_id = $1'));
  const { recordId } = await personWithNumber(database.app);
  const longAgo = "UPDATE vault_records SET created_at = now() - interval '1 year' WHERE record_id = $1";
  await database.owner.query(longAgo, [recordId]);
  const rows = { olderThanMs: RETENTION.unreferencedRecord, limit: 10, isDryRun: false };
  expect((await inTransaction(ofOne, (tx) => destroyUnreferencedRecords(tx, rows))).taken).toBe(1);
  expect(seqScans(seen)).toEqual([]);
  expect(indexesOf(seen)).toEqual(expect.arrayContaining(['messages_by_record', 'messages_by_content']));
});

test('pages are cut from the index as well, however far back', async () => {
  const seen: Plan[] = [];
  const db = explaining(database.app, seen);
  const first = await listEvents(database.app, { limit: 300 });
  await listEvents(db, { limit: 50, cursor: first.nextCursor });
  const of = await listMessages(database.app, { limit: 500 });
  await listMessages(db, { limit: 50, cursor: of.nextCursor });
  const theirs = await listMessages(database.app, { limit: 500, of: ids.subject });
  await listMessages(db, { limit: 50, of: ids.subject, cursor: theirs.nextCursor });
  expect(seqScans(seen)).toEqual([]);
});

test('each index of the history says which query it serves, and that query is there', async () => {
  expect(said.length).toBeGreaterThan(50);
  const wrong = said.filter(({ comment }) => {
    const [, names = '', file = ''] = /^serves: ([\w, ]+) \((\w+\/[\w-]+\.ts)\)/.exec(comment ?? '') ?? [];
    if (file === '') return true;
    const source = readFileSync(join(__dirname, '../../..', file), 'utf8');
    return names.split(', ').some((name) => !new RegExp(`function ${name}\\b`).test(source));
  });
  expect(wrong).toEqual([]);
});
