/**
 * Limits per recipient, counted from dispatches that were accepted. There is no counter that could be given back twice
 * or not at all: what was never sent was never counted.
 */
import { z } from 'zod';
import type { MessageChannel, MessageClass } from '../domain/message';
import type { RecipientLimits, RecipientStep } from '../domain/recipient-limits';
import { type Db, execute, maybeOne, one } from './query';

/** Whose turn is asked for: the token of one of their numbers or addresses under every live version of the token key, hex. */
export interface RecipientTurn {
  readonly tokenHexes: readonly string[];
  readonly channel: MessageChannel | 'voice';
  readonly messageClass: MessageClass;
}

/**
 * How long until this recipient may be reached again on this channel, ms; 0: now. An act in doubt counts as if it had been
 * accepted. What is answered holds for this moment; the claim of a message asks once more ({@link recipientWaitSql}).
 */
export async function recipientWaitMs(db: Db, turn: RecipientTurn, limits: RecipientLimits): Promise<number> {
  const row = await one(db, z.object({ wait_ms: z.coerce.number() }), WAIT, [
    turn.tokenHexes,
    turn.channel,
    ...limitValues(limits[turn.messageClass]),
  ]);
  return row.wait_ms;
}

// For each step: until the count-th newest of its stretch has left it. No index is searched for a `clock_timestamp()`,
// which is volatile.
const waitMs = (counts: string, within: string, whose: string): string => `
  SELECT coalesce(max(turn.wait_ms), 0) AS wait_ms
    FROM unnest(${counts}::int[], ${within}::bigint[]) AS step(count, within_ms)
   CROSS JOIN LATERAL (
         SELECT greatest(1, ceil(extract(epoch FROM o.attempt_began_at - clock_timestamp()) * 1000 + step.within_ms))::bigint
                  AS wait_ms
           FROM dispatches o
          WHERE ${whose} AND (o.state IN ('accepted', 'attempting', 'unknown') OR (o.state = 'abandoned' AND o.sid IS NOT NULL))
            AND o.attempt_began_at > statement_timestamp() - step.within_ms * interval '1 millisecond'
          ORDER BY o.attempt_began_at DESC OFFSET step.count - 1 LIMIT 1) turn`;

/** Calls are counted by number: to ring somebody's other phone is what an alert does when the first is not answered. */
const kindSql = (channel: string): string => `CASE ${channel} WHEN 'sms' THEN 'phone' WHEN 'email' THEN 'email' END`;

/** Subject id of whoever verified one of these numbers or addresses last; null: nobody, or it is a call. */
const personSql = (tokens: string, channel: string): string => `(
  SELECT subject_id FROM contact_points
   WHERE token = ANY(${tokens}) AND kind = ${kindSql(channel)} AND deleted_at IS NULL AND verified_at IS NOT NULL
   ORDER BY verified_at DESC, contact_point_id LIMIT 1)`;

/**
 * Where this person is reached: there, and at all else that they have verified. What somebody has only saved may be a
 * stranger's: it neither keeps anything from them nor tells how often the stranger is reached.
 */
const tokensOfPerson = (tokens: string, channel: string): string => `ARRAY(
  SELECT unnest(${tokens})
   UNION SELECT token FROM contact_points
   WHERE subject_id = ${personSql(tokens, channel)} AND kind = ${kindSql(channel)} AND deleted_at IS NULL
     AND verified_at IS NOT NULL)`;

const ASKED = "ARRAY(SELECT decode(t, 'hex') FROM unnest($1::text[]) t)";
const WAIT = waitMs('$3', '$4', `o.recipient_token = ANY(${tokensOfPerson(ASKED, '$2')}) AND o.channel = $2`);

/**
 * The same as an expression over `dispatches d`, for the statement that claims it: of two that were both told that they
 * may go, the second one waits there. Only one act towards a token may be in doubt at a time (the unique index
 * `dispatches_one_in_doubt`), so that nobody counts while another one sends; of several tokens of one person that is so
 * under {@link lockPersonReached}.
 * @param first number of its first parameter; {@link limitValues} gives the two values
 */
export function recipientWaitSql(first: number): string {
  const tokens = tokensOfPerson('ARRAY[d.recipient_token]', 'd.channel');
  const whose = `o.recipient_token = ANY(${tokens}) AND o.channel = d.channel AND o.dispatch_id <> d.dispatch_id`;
  return `(${waitMs(`$${first}`, `$${first + 1}`, whose)})`;
}

/** @param steps null: nobody waits */
export function limitValues(steps: readonly RecipientStep[] | null): readonly unknown[] {
  return [(steps ?? []).map(({ count }) => count), (steps ?? []).map(({ withinMs }) => withinMs)];
}

/** Subject id of whom a dispatch reaches, when they can be reached elsewhere too on its channel; null: they cannot. */
export async function personReachedElsewhere(db: Db, dispatchId: string): Promise<string | null> {
  const row = z.object({ subject_id: z.uuid() });
  const person = personSql('ARRAY[d.recipient_token]', 'd.channel');
  const found = await maybeOne(
    db,
    row,
    `SELECT c.subject_id FROM dispatches d JOIN contact_points c ON c.subject_id = ${person}
      WHERE d.dispatch_id = $1 AND c.kind = ${kindSql('d.channel')} AND c.token <> d.recipient_token
        AND c.deleted_at IS NULL AND c.verified_at IS NOT NULL LIMIT 1`,
    [dispatchId],
  );
  return found?.subject_id ?? null;
}

/** Until the transaction ends nobody else claims what reaches this person. It holds no other lock, and takes none before. */
export async function lockPersonReached(tx: Db, subjectId: string): Promise<void> {
  await execute(tx, 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`person-reached:${subjectId}`]);
}
