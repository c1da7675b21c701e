/**
 * Mentor calls that were kept for their time: what stays, what goes, and that nothing on the way loses or repeats one.
 * The calls are written as rows: how they came to be is other tests'.
 */
import { randomUUID } from 'node:crypto';
import { Client, type Pool } from 'pg';
import { callStatistics } from '../../../db/call-statistics';
import { monthlyCosts, spentThisMonth } from '../../../db/costs';
import { liftHold, placeHold } from '../../../db/legal-holds';
import { callsToDeleteAtTwilio, noteDeletedAtTwilio } from '../../../db/open-legs';
import { inTransaction } from '../../../db/pool';
import { anonymiseOldCalls, TABLES_OF_A_CALL } from '../../../db/call-anonymising';
import { countOver, sweepPage } from '../../../db/retention-pages';
import { createSubject } from '../../../db/subjects';
import { progressOfRun } from '../../../db/retention-runs';
import { OUTCOMES } from '../../../domain/mentor-call';
import { RETENTION } from '../../../domain/retention';
import { APP_ROLE } from '../../../scripts/postgres';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { mentorWith, personWithNumber } from './people';

const PEOPLE = 20;
let database: TestDatabase;
let users: string[];
let mentors: { mentorId: string; subjectId: string }[];
beforeEach(async () => {
  database = await createTestDatabase();
  users = [];
  for (let n = 0; n < PEOPLE; n += 1) users.push((await personWithNumber(database.app)).userId);
  mentors = [await mentorWith(database.app), await mentorWith(database.app)];
});
afterEach(() => database.drop());

/** A past of calls from `oldest` days ago until now, evenly, with everything that hangs on them. */
async function calls(count: number, oldest: number): Promise<void> {
  const id = (of: string) => `md5('${of}' || n || '${oldest}')::uuid`;
  const apart = Math.round((oldest * 86_400) / (count + 1));
  const at = `(now() - interval '${oldest} days' + n * interval '${apart} seconds')`;
  const fill = (into: string, values: string, where = 'true') =>
    database.owner.query(
      `INSERT INTO ${into} SELECT ${values} FROM generate_series(1, ${count}) n WHERE ${where}`,
      values.includes('$1') ? [users] : [],
    );
  await fill(
    `call_logs (call_id, workflow_id, user_id, record_id, number_is_for_this_call_only, country, language,
                organisation_number, status, outcome, end_reason, live, merged_into, limited_by, request_hash,
                consent_version, consent_language, may_call_back, preferences, mentor_id, call_sid, requested_at,
                opened_at, answered_at, bridged_at, ended_at, duration_seconds)`,
    `${id('call')}, 'mentor-call:' || ${id('call')}, ($1::uuid[])[n % ${PEOPLE} + 1],
     (SELECT record_id FROM vault_records WHERE subject_id = ($1::uuid[])[n % ${PEOPLE} + 1]), false,
     (ARRAY['US', 'GB', 'IN'])[n % 3 + 1], (ARRAY['en', 'es'])[n % 2 + 1], '+14155550100', o.outcome, o.outcome,
     'bridge-over', false, CASE WHEN o.outcome = 'merged' THEN gen_random_uuid() END,
     CASE WHEN o.outcome = 'failed' THEN 'user' END, 'x', '1', 'en', false, '{}',
     CASE WHEN o.outcome = 'completed' THEN (SELECT mentor_id FROM mentors ORDER BY 1 OFFSET n % 2 LIMIT 1) END,
     'CA' || md5('user' || n || '${oldest}'), ${at}, ${at},
     CASE WHEN o.outcome <> 'no-answer' THEN ${at} + (n % 20) * interval '1.3 seconds' END,
     CASE WHEN o.outcome = 'completed' THEN ${at} + (20 + n % 50) * interval '1.1 seconds' END,
     ${at} + interval '20 minutes', CASE WHEN o.outcome = 'completed' THEN 100 + n % 900 END`.replaceAll(
      'o.outcome',
      `(ARRAY[${OUTCOMES.map((outcome) => `'${outcome}'`).join(', ')}])[n % ${OUTCOMES.length} + 1]`,
    ),
  );
  await fill(
    'mentor_offers (call_id, step, mentor_id, result)',
    `${id('call')}, 1, (SELECT mentor_id FROM mentors ORDER BY 1 OFFSET n % 2 LIMIT 1), 'completed'`,
    'n % 6 < 3',
  );
  await fill(
    'dispatches (dispatch_id, business_key, call_id, workflow_id, channel, state, sender, sid, country, created_at, settled_at)',
    `${id('act')}, 'ring:' || ${id('call')}, ${id('call')}, 'w', 'voice', 'accepted', '+14155550100',
     'CA' || md5('user' || n || '${oldest}'), 'US', ${at}, ${at}`,
  );
  for (const leg of ['user', 'mentor']) {
    await fill(
      'webhook_events (seen_key, type, sid, dispatch_id, call_id, leg, step, status, received_at, handled_at)',
      `'${leg}' || ${id('call')}, 'call-status', 'CA' || md5('${leg}' || n || '${oldest}'), ${id('act')}, ${id('call')},
       '${leg}', 1, 'completed', ${at} + interval '15 minutes', ${at}`,
    );
    await fill(
      `costs (item, kind, country, month, units, amount_micro, currency, is_estimate, price_source, occurred_at)`,
      `'CA' || md5('${leg}' || n || '${oldest}'), 'voice', 'US', date_trunc('month', ${at} AT TIME ZONE 'UTC'), n % 9 + 1,
       (n % 9 + 1) * 13000, 'USD', n % 2 = 0, 'twilio', ${at}`,
    );
    await fill('deletions_at_twilio (sid)', `'CA' || md5('${leg}' || n || '${oldest}')`);
  }
  await fill(
    'open_questions (question_id, kind, object_id, subject_id, sender)',
    `gen_random_uuid(), 'survey', ${id('call')}, ($1::uuid[])[n % ${PEOPLE} + 1], '+14155550100'`,
  );
  await fill(
    'app_events (subject_id, type, object_id, state)',
    `gen_random_uuid(), 'mentor-call.x', ${id('call')}, 'x'`,
  );
}

/** Everything that is computed over calls, for any month. */
async function sums(): Promise<unknown> {
  const months = { from: '2020-01', to: '2035-12' };
  const { rows: facts } = await database.owner.query(
    `SELECT day, country, language, outcome, end_reason, limited_by, count(*), sum(seconds_to_answer) AS answer,
            sum(seconds_to_bridge) AS bridge, sum(duration_seconds) AS duration, sum(mentors_rung) AS rung
       FROM call_outcomes GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4`,
  );
  return {
    statistics: await callStatistics(database.app, months),
    costs: await monthlyCosts(database.app, months),
    spent: await spentThisMonth(database.app, 'USD'),
    facts,
  };
}

async function sweep(pool: Pool = database.app, runId = randomUUID()) {
  for (;;) {
    const progress = await sweepPage(pool, { runId, kind: 'mentor-calls' }, RETENTION);
    if (progress.isOver) return progress;
  }
}

const count = async (from: string): Promise<number> =>
  (await database.owner.query(`SELECT count(*)::int AS n FROM ${from}`)).rows[0].n;

/** The rows of every table but the audit trail, as text. */
async function everything(): Promise<string> {
  const { rows } = await database.owner.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
      WHERE s.nspname = 'public' AND c.relkind = 'r' AND c.relname NOT LIKE 'audit%'`,
  );
  const tables = rows.map(({ name }) => database.owner.query(`SELECT t::text AS row FROM ${name} t`));
  return (await Promise.all(tables)).flatMap((table) => table.rows.map(({ row }) => String(row))).join('\n');
}

test('an old call leaves its facts under a new id, and no other row anywhere names it or one of its legs', async () => {
  await calls(60, 200);
  await calls(10, 80);
  const { rows } = await database.owner.query(
    `SELECT call_id::text AS call, 'CA' AS sid FROM call_logs WHERE ended_at < now() - interval '90 days'`,
  );
  const { rows: legs } = await database.owner.query(
    `SELECT e.sid FROM webhook_events e JOIN call_logs c USING (call_id) WHERE c.ended_at < now() - interval '90 days'`,
  );
  const [old, young] = [rows.length, 70 - rows.length];
  expect([old, legs.length]).toEqual([expect.any(Number), 2 * old]);
  expect(young).toBeGreaterThan(10);
  const before = await sums();
  expect(await countOver(database.app, 'mentor-calls', RETENTION)).toMatchObject({ found: old, taken: old, held: 0 });
  expect(await count('call_facts')).toBe(0);
  expect(await sweep()).toMatchObject({ found: old, taken: old, held: 0 });
  expect(await sums()).toEqual(before);
  expect([await count('call_facts'), await count('call_logs'), await count('costs')]).toEqual([old, young, 140]);
  const left = await everything();
  for (const { call } of rows) expect(left).not.toContain(call);
  for (const { sid } of legs) expect(left).not.toContain(sid);
  expect(await sweep()).toMatchObject({ found: 0, taken: 0 });
});

test('the call of a live workflow and one that ended a day too late stay, however old their request', async () => {
  await calls(2, 200);
  const { rows } = await database.owner.query('SELECT call_id FROM call_logs ORDER BY 1');
  const change = (set: string, id: unknown) =>
    database.owner.query(`UPDATE call_logs SET ${set} WHERE call_id = $1`, [id]);
  await change('live = true, outcome = NULL, ended_at = NULL, merged_into = NULL', rows[0].call_id);
  await change("ended_at = now() - interval '89 days'", rows[1].call_id);
  expect(await sweep()).toMatchObject({ found: 0 });
  await change("ended_at = now() - interval '91 days'", rows[1].call_id);
  expect(await sweep()).toMatchObject({ taken: 1 });
});

test('killed at any instant, the sweep loses no call and takes none twice, and its counts are exact', async () => {
  await calls(5_000, 300);
  const before = await sums();
  const old = await count("call_logs WHERE ended_at < now() - interval '90 days'");
  const runId = randomUUID();
  const [pool, admin] = [database.anotherPool(2), new Client({ connectionString: database.adminUrl })];
  await admin.connect();
  let seed = 20_261_130;
  const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const over = new AbortController();
  let kills = 0;
  /** As a process that is gone: its connections end in the middle of whatever they are doing. */
  const kill = async () => {
    while (!over.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, random() * 120));
      const { rowCount } = await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND usename = $1 AND state <> 'idle'`,
        [APP_ROLE],
      );
      kills += rowCount ?? 0;
      if (kills >= 12) return;
    }
  };
  const attempts = async () => {
    for (;;) {
      try {
        await sweep(pool, runId);
        return;
      } catch {
        // The next attempt goes on behind the last page that was committed.
      }
    }
  };
  const killing = kill();
  await attempts();
  over.abort();
  await killing;
  await admin.end();
  expect(kills).toBeGreaterThan(0);
  expect([await count('call_facts'), await count('call_logs')]).toEqual([old, 5_000 - old]);
  expect(await progressOfRun(database.app, runId)).toMatchObject([{ found: old, taken: old, held: 0, isOver: true }]);
  expect(await sums()).toEqual(before);
});

test('two runs at once, and an attempt beside its own retry, note the facts of each call once', async () => {
  await calls(3_000, 300);
  const before = await sums();
  const old = await count("call_logs WHERE ended_at < now() - interval '90 days'");
  const [run, another] = [randomUUID(), randomUUID()];
  await Promise.all([run, run, another].map((runId) => sweep(database.app, runId)));
  // What one run was holding when the other came by, the other has left to it.
  await sweep();
  expect(await count('call_facts')).toBe(old);
  expect(await sums()).toEqual(before);
  const taken = await database.owner.query('SELECT sum(taken)::int AS n FROM retention_progress');
  expect(taken.rows[0].n).toBe(old);
});

test('how a call was is left with the day in UTC, whatever clock the session goes by', async () => {
  await calls(1, 200);
  await database.owner.query(
    `INSERT INTO call_feedback (call_id, mentor_id, rating, via, given_at, changed_at)
     SELECT call_id, gen_random_uuid(), 5, 'key', '2026-03-05T20:00:00Z', '2026-03-05T21:00:00Z' FROM call_logs LIMIT 1`,
  );
  const session = await database.app.connect();
  await session.query(`SET TIME ZONE 'Asia/Kolkata'`);
  await anonymiseOldCalls(session, { olderThanMs: RETENTION.callLog, limit: 100, isDryRun: false });
  session.release(true);
  const { rows } = await database.owner.query('DELETE FROM call_feedback RETURNING given_at, changed_at');
  const day = new Date('2026-03-05T00:00:00Z');
  expect(rows).toEqual([{ given_at: day, changed_at: day }]);
});

test('a legal hold keeps the calls of a user and of a mentor, says how many, and lets them go when it is lifted', async () => {
  await calls(60, 200);
  const old = await count("call_logs WHERE ended_at < now() - interval '90 days'");
  const held = { reason: 'court-order', actor: users[0] ?? '' } as const;
  const place = (subjectId: string) => inTransaction(database.app, (tx) => placeHold(tx, { subjectId, ...held }));
  // Of one mentor it is the account they sign in with that is held.
  const account = await createSubject(database.app, 'system');
  const ofAccount = 'UPDATE mentors SET account_subject_id = $2 WHERE mentor_id = $1';
  await database.owner.query(ofAccount, [mentors[1]?.mentorId, account]);
  const holds = [await place(users[1] ?? ''), await place(mentors[0]?.subjectId ?? ''), await place(account)];
  const kept = await count(
    `call_logs c WHERE ended_at < now() - interval '90 days' AND (user_id = '${users[1]}'
       OR EXISTS (SELECT FROM mentor_offers o WHERE o.call_id = c.call_id
                   AND o.mentor_id IN ('${mentors[0]?.mentorId}', '${mentors[1]?.mentorId}')))`,
  );
  expect(kept).toBeGreaterThan(3);
  expect(await countOver(database.app, 'mentor-calls', RETENTION)).toMatchObject({ taken: old - kept, held: kept });
  expect(await sweep()).toMatchObject({ found: old, taken: old - kept, held: kept });
  // What hangs on them stays with them.
  for (const kind of ['webhook-events', 'dispatches', 'costs'] as const) {
    const part = await countOver(database.app, kind, RETENTION);
    expect([kind, part.taken, part.held > 0 || kind === 'dispatches']).toEqual([kind, 0, true]);
  }
  for (const placed of holds) {
    await inTransaction(database.app, (tx) => liftHold(tx, placed?.hold.holdId ?? '', users[0] ?? ''));
  }
  expect(await sweep()).toMatchObject({ found: kept, taken: kept, held: 0 });
});

test('a leg that Twilio still knows is deleted there although nothing here knows its call any more', async () => {
  await calls(1, 200);
  await database.owner.query('DELETE FROM deletions_at_twilio');
  await sweep();
  const week = 7 * 86_400_000;
  await database.owner.query(`UPDATE calls_left_at_twilio SET since = now() - interval '8 days'`);
  const due = await callsToDeleteAtTwilio(database.app, week, 10);
  expect(due).toHaveLength(2);
  for (const { callSid } of due) {
    await noteDeletedAtTwilio(database.app, callSid);
    expect(await everything()).not.toContain(callSid);
  }
  expect(await callsToDeleteAtTwilio(database.app, week, 10)).toEqual([]);
});

test('every table that names a call is dealt with when the call leaves', async () => {
  const { rows } = await database.owner.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attname = 'call_id'
      UNION SELECT conrelid::regclass::text FROM pg_constraint WHERE confrelid = 'call_logs'::regclass`,
  );
  const named = rows.map(({ name }) => name).filter((name) => name !== 'call_logs');
  expect(TABLES_OF_A_CALL).toEqual(expect.arrayContaining(named));
});
