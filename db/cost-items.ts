/**
 * Turns acts and events into costs, a batch at a time. Each item is written once, whatever runs how often: its key is
 * the provider's SID. What is committed late is found by looking back a little each time.
 */
import { z } from 'zod';
import { ELSEWHERE, FIRST_LOOK_MS, PRICE_TABLE, PRICES, PRICES_CURRENCY } from '../domain/prices';
import type { Held } from './legal-holds';
import { type OldPage, type OldRows, stripOld } from './old-rows';
import { type Db, execute, one } from './query';

/** A transaction that has noted its time may commit this much later. */
export const LOOK_BACK = "interval '10 minutes'";

/** The table of estimates as rows, so that the amounts are made where the items are. */
const PRICE_ROWS = JSON.stringify([
  ...Object.entries(PRICES).map(([country, prices]) => ({ country, ...prices })),
  { country: '*', ...ELSEWHERE },
]);
const PRICED = `jsonb_to_recordset($1::jsonb) AS p(country text, "textSegment" bigint, "textIn" bigint, "minuteOut" bigint, "minuteIn" bigint)`;

const counted = z.object({ made: z.int() });

/**
 * Texts that the provider has taken since the last time, also one that had left before it was withdrawn, and a second one
 * that nobody intended.
 * @returns how many costs were noted; `limit` means there are more
 */
export function noteTextCosts(db: Db, limit: number): Promise<number> {
  const taken = `
    SELECT s.sid, d.country, d.settled_at AS at, greatest(coalesce(m.segments, 1), 1) AS units
      FROM dispatches d CROSS JOIN LATERAL unnest(array_prepend(d.sid, d.other_sids)) AS s(sid)
      LEFT JOIN messages m ON m.message_id = d.message_id
     WHERE d.sid IS NOT NULL AND d.settled_at > (SELECT noted_until - ${LOOK_BACK} FROM mark)
       AND d.channel = 'sms' AND (SELECT c.item FROM costs c WHERE c.item = s.sid) IS NULL
     ORDER BY d.settled_at LIMIT $2`;
  return noteTexts(db, limit, { source: 'texts', price: 'textSegment', due: taken });
}

/** A number of ours. */
export interface OurNumber {
  readonly number: string;
  readonly country: string;
}

/**
 * Texts to our numbers since the last time, each as one segment until the provider says how many it was. Such a text is
 * paid for where our number is, whoever sent it.
 * @returns as {@link noteTextCosts}
 */
export function noteInboundTextCosts(db: Db, limit: number, ours: readonly OurNumber[]): Promise<number> {
  const received = `
    SELECT i.message_sid AS sid, coalesce(n.country, i.country, 'ZZ') AS country, i.received_at AS at, 1 AS units
      FROM inbound_texts i
      LEFT JOIN jsonb_to_recordset($7::jsonb) AS n(number text, country text) ON n.number = i.our_number
     WHERE i.received_at > (SELECT noted_until - ${LOOK_BACK} FROM mark)
       AND (SELECT c.item FROM costs c WHERE c.item = i.message_sid) IS NULL
     ORDER BY i.received_at LIMIT $2`;
  return noteTexts(db, limit, { source: 'inbound-texts', price: 'textIn', due: received }, [JSON.stringify(ours)]);
}

/** @param due statement of what is to be noted: `sid`, `country`, `at`, `units`; its own values count from $7 */
async function noteTexts(
  db: Db,
  limit: number,
  { source, price, due }: { source: 'texts' | 'inbound-texts'; price: 'textSegment' | 'textIn'; due: string },
  values: readonly unknown[] = [],
): Promise<number> {
  const { made } = await one(
    db,
    counted,
    `WITH mark AS (SELECT noted_until FROM cost_marks WHERE source = $6 FOR UPDATE),
     prices AS (SELECT p.country, p."${price}" AS segment FROM ${PRICED}),
     due AS (${due}),
     made AS (
       INSERT INTO costs (item, kind, country, month, units, amount_micro, currency, is_estimate, price_source,
                          occurred_at, next_look_at)
       SELECT due.sid, 'sms', due.country, date_trunc('month', due.at AT TIME ZONE 'UTC'), due.units,
              due.units * coalesce(p.segment, other.segment), $3, true, $4, due.at,
              due.at + $5 * interval '1 millisecond'
         FROM due JOIN prices other ON other.country = '*' LEFT JOIN prices p ON p.country = due.country
       ON CONFLICT (item) DO NOTHING RETURNING 1),
     moved AS (
       UPDATE cost_marks SET noted_until =
           CASE WHEN (SELECT count(*) FROM due) < $2 THEN now() ELSE (SELECT max(at) FROM due) END
        WHERE source = $6)
     SELECT count(*)::int AS made FROM made`,
    [PRICE_ROWS, limit, PRICES_CURRENCY, PRICE_TABLE, FIRST_LOOK_MS, source, ...values],
  );
  return made;
}

/**
 * Legs that are over since the last time, of calls and alerts alike: what was rung and answered, by its own events. A leg
 * that nobody picked up costs nothing and is none.
 * @returns as {@link noteTextCosts}
 */
export async function noteLegCosts(db: Db, limit: number): Promise<number> {
  const { made } = await one(
    db,
    counted,
    `WITH mark AS (SELECT noted_until FROM cost_marks WHERE source = 'legs' FOR UPDATE),
     prices AS (SELECT p.country, p."textSegment", p."minuteOut", p."minuteIn" FROM ${PRICED}),
     due AS (
       SELECT e.sid, e.received_at, e.dispatch_id, e.leg,
              coalesce(d.country, CASE WHEN e.leg = 'mentor' THEN m.country END, c.country, 'ZZ') AS country,
              greatest(1, ceil(extract(epoch FROM e.received_at - coalesce(
                (SELECT min(a.received_at) FROM webhook_events a WHERE a.sid = e.sid AND a.status = 'in-progress'),
                e.received_at)) / 60))::int AS units
         FROM webhook_events e
         LEFT JOIN dispatches d ON d.dispatch_id = e.dispatch_id
         LEFT JOIN call_logs c ON c.call_id = e.call_id
         LEFT JOIN mentor_offers o ON o.call_id = e.call_id AND o.step = e.step
         LEFT JOIN mentors m ON m.mentor_id = o.mentor_id
        WHERE e.type IN ('call-status', 'asked') AND e.status = 'completed' AND e.sid IS NOT NULL
          -- Of what is asked for it may only mean that it is gone.
          AND (e.type = 'call-status' OR EXISTS (
            SELECT FROM webhook_events a WHERE a.sid = e.sid AND a.status = 'in-progress'))
          AND e.received_at > (SELECT noted_until - ${LOOK_BACK} FROM mark)
          AND (SELECT k.item FROM costs k WHERE k.item = e.sid) IS NULL
        ORDER BY e.received_at LIMIT $2),
     made AS (
       INSERT INTO costs (item, kind, country, month, units, amount_micro, currency, is_estimate, price_source,
                          occurred_at, next_look_at)
       SELECT DISTINCT ON (due.sid) due.sid, 'voice', due.country,
              date_trunc('month', due.received_at AT TIME ZONE 'UTC'), due.units,
              -- A user's leg that no dispatch made is one that rang us.
              due.units * CASE WHEN due.leg = 'user' AND due.dispatch_id IS NULL
                               THEN coalesce(p."minuteIn", other."minuteIn")
                               ELSE coalesce(p."minuteOut", other."minuteOut") END,
              $3, true, $4, due.received_at, due.received_at + $5 * interval '1 millisecond'
         FROM due JOIN prices other ON other.country = '*' LEFT JOIN prices p ON p.country = due.country
        ORDER BY due.sid, due.received_at
       ON CONFLICT (item) DO NOTHING RETURNING 1),
     moved AS (
       UPDATE cost_marks SET noted_until =
           CASE WHEN (SELECT count(*) FROM due) < $2 THEN now() ELSE (SELECT max(received_at) FROM due) END
        WHERE source = 'legs')
     SELECT count(*)::int AS made FROM made`,
    [PRICE_ROWS, limit, PRICES_CURRENCY, PRICE_TABLE, FIRST_LOOK_MS],
  );
  return made;
}

/** Our own numbers, for the month that has begun. May be repeated. */
export function noteNumberCosts(
  db: Db,
  numbers: readonly (OurNumber & { readonly amountMicro: number })[],
): Promise<number> {
  return execute(
    db,
    `INSERT INTO costs (item, kind, country, month, units, amount_micro, currency, is_estimate, price_source, occurred_at)
     SELECT 'number:' || n.number || to_char(now() AT TIME ZONE 'UTC', ':YYYY-MM'), 'number', n.country,
            date_trunc('month', now() AT TIME ZONE 'UTC'), 1, n."amountMicro", $2, true, $3, now()
       FROM jsonb_to_recordset($1::jsonb) AS n(number text, country text, "amountMicro" bigint)
     ON CONFLICT (item) DO NOTHING`,
    [JSON.stringify(numbers), PRICES_CURRENCY, PRICE_TABLE],
  );
}

/** What is left of a cost whose leg or text nobody is to find any more: month, kind, country, units and amount. */
export const FORGET_ITEM = `item = 'anonymised:' || gen_random_uuid(), next_look_at = NULL,
       occurred_at = date_trunc('day', occurred_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'`;

/** Costs of long ago no longer know which leg or text they were for. Sums stay as they are; numbers of ours are ours. */
export function forgetOldCostItems(db: Db, rows: OldRows): Promise<OldPage> {
  const where = "t.item NOT LIKE 'anonymised:%' AND t.item NOT LIKE 'number:%'";
  const old = { table: 'costs', key: 'item', type: 'text', time: 't.occurred_at', where } as const;
  return stripOld(db, FORGET_ITEM, { ...old, heldWhere: heldItems }, rows);
}

function heldItems({ calls, messages, alerts, subjects }: Held): string {
  return `t.item IN (
     SELECT sid FROM dispatches WHERE sid IS NOT NULL
        AND (call_id IN ${calls} OR message_id IN ${messages} OR alert_id IN ${alerts})
     UNION SELECT sid FROM webhook_events WHERE sid IS NOT NULL AND call_id IN ${calls}
     UNION SELECT message_sid FROM inbound_texts WHERE subject_id IN ${subjects})`;
}
