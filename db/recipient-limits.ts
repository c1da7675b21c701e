/**
 * Limits per recipient, counted from dispatches that were accepted. There is no counter that could be given back twice
 * or not at all: what was never sent was never counted.
 */
import type { Pool } from 'pg';
import { z } from 'zod';
import type { MessageChannel, MessageClass } from '../domain/message';
import type { RecipientLimits } from '../domain/recipient-limits';
import { inTransaction } from './pool';
import { type Db, one } from './query';

/** Whose turn is asked for: the token of a number or address under every live version of the token key, hex. */
export interface RecipientTurn {
  readonly tokenHexes: readonly string[];
  readonly channel: MessageChannel | 'voice';
  readonly messageClass: MessageClass;
}

/**
 * How long until this recipient may be reached again on this channel, ms; 0: now. An act in doubt counts as if it had
 * been accepted. One asks at a time: the advisory lock of the token lets whoever is about to send see what the one before
 * has claimed.
 */
export async function recipientWaitMs(pool: Pool, turn: RecipientTurn, limits: RecipientLimits): Promise<number> {
  return await inTransaction(pool, async (tx) => {
    // Always in the same order, so that two requests never wait for each other.
    for (const token of turn.tokenHexes.toSorted()) {
      await tx.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [RECIPIENT_LOCK, `${turn.channel}:${token}`]);
    }
    return await countedWaitMs(tx, turn, limits);
  });
}

/** First half of the advisory lock; 1 and 2 are those of mentor calls. */
const RECIPIENT_LOCK = 3;

async function countedWaitMs(db: Db, turn: RecipientTurn, limits: RecipientLimits): Promise<number> {
  const steps = limits[turn.messageClass];
  const row = await one(db, z.object({ wait_ms: z.coerce.number() }), WAIT, [
    turn.tokenHexes,
    turn.channel,
    steps.map(({ count }) => count),
    steps.map(({ withinMs }) => withinMs),
  ]);
  return row.wait_ms;
}

// For each step: until the count-th newest of its stretch has left it.
const WAIT = `
  SELECT coalesce(max(turn.wait_ms), 0) AS wait_ms
    FROM unnest($3::int[], $4::bigint[]) AS step(count, within_ms)
   CROSS JOIN LATERAL (
         SELECT greatest(1, ceil(extract(epoch FROM d.attempt_began_at - clock_timestamp()) * 1000 + step.within_ms))::bigint
                  AS wait_ms
           FROM dispatches d
          WHERE d.recipient_token IN (SELECT decode(t, 'hex') FROM unnest($1::text[]) t) AND d.channel = $2
            AND d.state IN ('accepted', 'attempting', 'unknown')
            AND d.attempt_began_at > clock_timestamp() - step.within_ms * interval '1 millisecond'
          ORDER BY d.attempt_began_at DESC OFFSET step.count - 1 LIMIT 1) turn`;
