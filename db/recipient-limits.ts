/**
 * Limits per recipient, counted from dispatches that were accepted. There is no counter that could be given back twice
 * or not at all: what was never sent was never counted.
 */
import { z } from 'zod';
import type { MessageChannel, MessageClass } from '../domain/message';
import type { RecipientLimits, RecipientStep } from '../domain/recipient-limits';
import { type Db, one } from './query';

/** Whose turn is asked for: the token of a number or address under every live version of the token key, hex. */
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

// For each step: until the count-th newest of its stretch has left it.
const waitMs = (counts: string, within: string, whose: string): string => `
  SELECT coalesce(max(turn.wait_ms), 0) AS wait_ms
    FROM unnest(${counts}::int[], ${within}::bigint[]) AS step(count, within_ms)
   CROSS JOIN LATERAL (
         SELECT greatest(1, ceil(extract(epoch FROM o.attempt_began_at - clock_timestamp()) * 1000 + step.within_ms))::bigint
                  AS wait_ms
           FROM dispatches o
          WHERE ${whose} AND (o.state IN ('accepted', 'attempting', 'unknown') OR (o.state = 'abandoned' AND o.sid IS NOT NULL))
            AND o.attempt_began_at > clock_timestamp() - step.within_ms * interval '1 millisecond'
          ORDER BY o.attempt_began_at DESC OFFSET step.count - 1 LIMIT 1) turn`;

const WAIT = waitMs(
  '$3',
  '$4',
  "o.recipient_token IN (SELECT decode(t, 'hex') FROM unnest($1::text[]) t) AND o.channel = $2",
);

/**
 * The same as an expression over `dispatches d`, for the statement that claims it: of two that were both told that they
 * may go, the second one waits there. Only one act towards a token may be in doubt at a time (the unique index
 * `dispatches_one_in_doubt`), so that nobody counts while another one sends.
 * @param first number of its first parameter; {@link limitValues} gives the two values
 */
export function recipientWaitSql(first: number): string {
  const whose = 'o.recipient_token = d.recipient_token AND o.channel = d.channel AND o.dispatch_id <> d.dispatch_id';
  return `(${waitMs(`$${first}`, `$${first + 1}`, whose)})`;
}

/** @param steps null: nobody waits */
export function limitValues(steps: readonly RecipientStep[] | null): readonly unknown[] {
  return [(steps ?? []).map(({ count }) => count), (steps ?? []).map(({ withinMs }) => withinMs)];
}
