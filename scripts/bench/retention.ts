/** What the retention sweep costs a row, against one statement that somebody would write to do the same by hand. */
import { randomUUID } from 'node:crypto';
import { loadConfig } from '../../config/config';
import { createPool } from '../../db/pool';
import { type RowKind, sweepPage } from '../../db/retention-pages';
import { RETENTION } from '../../domain/retention';
import type { BenchGround } from './ground';
import type { BenchGroup, Effort } from './group';
import { inTurns } from './rounds';
import { type BenchRow, rowOf, type Target } from './rows';

const TARGET: Target = { of: 'ratio', is: '≤', than: 1.5 };
const EVENTS = 40_000;
const CALLS = 4_000;

export const retentionGroup: BenchGroup = { name: 'retention', run: { needs: 'ground', measure } };

/** Twilio's events are the plain case: rows that are deleted. */
const EVENTS_BY_HAND = `DELETE FROM webhook_events WHERE received_at < now() - interval '90 days'`;

/** The same facts and the same rows, in the same order of thought; every part once over all calls. */
const CALLS_BY_HAND = `
  WITH old AS MATERIALIZED (
    SELECT call_id, call_sid FROM call_logs
     WHERE kind = 'mentor-call' AND NOT live AND ended_at < now() - interval '90 days'),
  facts AS (
    INSERT INTO call_facts (day, country, language, outcome, end_reason, seconds_to_answer, seconds_to_bridge,
                            duration_seconds, mentors_rung)
    SELECT (c.requested_at AT TIME ZONE 'UTC')::date, c.country, c.language, c.outcome, c.end_reason,
           extract(epoch FROM c.answered_at - c.requested_at), extract(epoch FROM c.bridged_at - c.requested_at),
           c.duration_seconds, (SELECT count(*) FROM mentor_offers o WHERE o.call_id = c.call_id)
      FROM call_logs c JOIN old USING (call_id)),
  offers AS (DELETE FROM mentor_offers WHERE call_id IN (SELECT call_id FROM old)),
  places AS (UPDATE mentor_slots SET call_id = NULL, step = NULL, lease_until = NULL WHERE call_id IN (SELECT call_id FROM old)),
  acts AS (DELETE FROM dispatches WHERE call_id IN (SELECT call_id FROM old) RETURNING sid),
  heard AS (DELETE FROM webhook_events WHERE call_id IN (SELECT call_id FROM old) RETURNING sid),
  told AS (DELETE FROM app_events WHERE object_id IN (SELECT call_id FROM old)),
  legs AS (SELECT sid FROM acts UNION SELECT sid FROM heard UNION SELECT call_sid FROM old),
  paid AS (UPDATE costs SET item = gen_random_uuid()::text, next_look_at = NULL WHERE item IN (SELECT sid FROM legs)),
  known AS (DELETE FROM deletions_at_twilio WHERE sid IN (SELECT sid FROM legs))
  DELETE FROM call_logs WHERE call_id IN (SELECT call_id FROM old)`;

async function measure({ rounds, isQuick }: Effort, ground: BenchGround): Promise<BenchRow[]> {
  // Its relay would take the events for its own.
  await ground.stopWorker();
  const { url } = loadConfig(ground.env).database;
  const pool = createPool({ url, poolSize: 2 }, { warn: () => undefined });
  const by = (kind: RowKind, hand: string, fill: (rows: number) => Promise<void>, rows: number) =>
    inTurns(rounds, {
      ours: () => perRow(rows, fill, () => sweptWhole(kind)),
      // No statement of ours may take as long as this one takes over a large past.
      baseline: () => perRow(rows, fill, () => ground.owner.query(hand)),
    });
  const sweptWhole = async (kind: RowKind): Promise<void> => {
    const runId = randomUUID();
    while (!(await sweepPage(pool, { runId, kind }, RETENTION)).isOver);
  };
  const perRow = async (rows: number, fill: (rows: number) => Promise<void>, act: () => Promise<unknown>) => {
    await fill(rows);
    const began = performance.now();
    await act();
    return ((performance.now() - began) * 1_000) / rows;
  };
  const share = isQuick ? 100 : 1;
  const unit = 'µs a row';
  try {
    await ground.owner.query(PEOPLE);
    const events = await by('webhook-events', EVENTS_BY_HAND, fillEvents(ground), EVENTS / share);
    const calls = await by('mentor-calls', CALLS_BY_HAND, fillCalls(ground), CALLS / share);
    return [
      rowOf({ name: 'retention: an event of Twilio’s deleted', unit, ...events, target: TARGET }),
      rowOf({ name: 'retention: a call anonymised, with what hangs on it', unit, ...calls, target: TARGET }),
    ];
  } finally {
    await pool.end();
  }
}

/** One user and one mentor, whose calls all of them are. */
const PEOPLE = `
  WITH p AS (INSERT INTO subjects (subject_id) VALUES (md5('bench')::uuid) RETURNING subject_id),
  r AS (INSERT INTO vault_records (record_id, subject_id, kind, format, key_version, wrapped_data_key, ciphertext, commitment)
        SELECT md5('bench')::uuid, subject_id, 'phone', 1, 1, '\\x00', '\\x00', '\\x00' FROM p RETURNING record_id)
  INSERT INTO mentors (mentor_id, subject_id, name_record_id, phone_record_id, country, zone)
  SELECT md5('bench')::uuid, md5('bench')::uuid, record_id, record_id, 'US', 'UTC' FROM r`;
const OLD = "(now() - interval '200 days' + n * interval '1 minute')";
const each = (rows: number) => `FROM generate_series(1, ${rows}) n`;

/** A past, and as much that is still young: the sweep must not pay for what stays. */
function fillEvents({ owner }: BenchGround) {
  return async (rows: number): Promise<void> => {
    await owner.query(`TRUNCATE webhook_events`);
    for (const [name, at] of [
      ['old', OLD],
      ['young', `(now() - n * interval '1 minute')`],
    ] as const) {
      await owner.query(
        `INSERT INTO webhook_events (seen_key, type, sid, status, received_at, handled_at)
         SELECT '${name}' || n, 'message-status', 'SM' || n, 'sent', ${at}, ${at} ${each(rows)}`,
      );
    }
    await owner.query('ANALYZE webhook_events');
  };
}

function fillCalls({ owner }: BenchGround) {
  return async (rows: number): Promise<void> => {
    const id = "md5('call' || n)::uuid";
    const tables =
      'call_logs, mentor_offers, dispatches, webhook_events, app_events, costs, deletions_at_twilio, mentor_slots';
    await owner.query(`TRUNCATE ${tables} CASCADE`);
    const fill = (into: string, values: string) => owner.query(`INSERT INTO ${into} SELECT ${values} ${each(rows)}`);
    await fill(
      `call_logs (call_id, workflow_id, user_id, record_id, number_is_for_this_call_only, country, language,
                  organisation_number, status, outcome, end_reason, live, request_hash, consent_version, consent_language,
                  may_call_back, preferences, mentor_id, call_sid, requested_at, answered_at, bridged_at, ended_at,
                  duration_seconds)`,
      `${id}, 'w' || n, md5('bench')::uuid, md5('bench')::uuid, false, 'US', 'en', '+14155550100', 'completed', 'completed',
       'bridge-over', false, 'x', '1', 'en', false, '{}', md5('bench')::uuid, 'CAuser' || n, ${OLD}, ${OLD}, ${OLD}, ${OLD}, 600`,
    );
    await fill('mentor_offers (call_id, step, mentor_id, result)', `${id}, 1, md5('bench')::uuid, 'completed'`);
    await fill(
      'dispatches (dispatch_id, business_key, call_id, workflow_id, channel, state, sender, sid, country, created_at)',
      `${id}, 'ring' || n, ${id}, 'w', 'voice', 'accepted', '+14155550100', 'CAuser' || n, 'US', ${OLD}`,
    );
    for (const leg of ['user', 'mentor']) {
      for (const status of ['initiated', 'ringing', 'in-progress', 'completed']) {
        await fill(
          'webhook_events (seen_key, type, sid, call_id, leg, step, status, received_at, handled_at)',
          `'${leg}${status}' || n, 'call-status', 'CA${leg}' || n, ${id}, '${leg}', 1, '${status}', ${OLD}, ${OLD}`,
        );
      }
      await fill(
        'costs (item, kind, country, month, units, amount_micro, currency, is_estimate, price_source, occurred_at)',
        `'CA${leg}' || n, 'voice', 'US', date_trunc('month', ${OLD} AT TIME ZONE 'UTC'), 1, 1, 'USD', false, 'twilio', ${OLD}`,
      );
      await fill('deletions_at_twilio (sid)', `'CA${leg}' || n`);
    }
    await fill('app_events (subject_id, type, object_id, state)', `md5('bench')::uuid, 'mentor-call.x', ${id}, 'x'`);
    await owner.query(`ANALYZE ${tables}`);
  };
}
