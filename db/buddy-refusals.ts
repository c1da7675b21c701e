/** Who does not want to be asked by whom. It knows tokens only, and outlives the buddy's erasure: like a STOP. */
import { z } from 'zod';
import { type Db, execute, one } from './query';

interface RefusalOf {
  /** By whom they are not to be asked; null: by nobody. */
  readonly userId: string | null;
  /** Of their address and their number. */
  readonly tokens: readonly Buffer[];
  readonly tokenVersion: number;
}

/** `stoppedBy`: token of the number that texted STOP; its START lifts this refusal, and nothing lifts the others. */
export type BuddyRefusal = RefusalOf &
  (
    | { readonly reason: 'declined' | 'withdrawn' | 'blocked' }
    | { readonly reason: 'stopped'; readonly stoppedBy: Buffer }
  );

/**
 * May be repeated; the first reason stays, but for a block, which is asked for in so many words, and for a STOP, which
 * could be lifted.
 * @returns whether that is news
 */
export async function noteRefusal(tx: Db, refusal: BuddyRefusal): Promise<boolean> {
  const { userId, tokens, tokenVersion, reason } = refusal;
  const noted = await execute(
    tx,
    `INSERT INTO buddy_refusals (user_id, token, token_version, reason, stopped_by)
     SELECT $1, t, $3, $4, $5 FROM unnest($2::bytea[]) t
     ON CONFLICT (token, user_id) DO UPDATE SET reason = EXCLUDED.reason, stopped_by = EXCLUDED.stopped_by
       WHERE (EXCLUDED.reason = 'blocked' AND buddy_refusals.reason <> 'blocked')
          OR (buddy_refusals.reason = 'stopped' AND EXCLUDED.reason <> 'stopped')`,
    [userId, tokens, tokenVersion, reason, refusal.reason === 'stopped' ? refusal.stoppedBy : null],
  );
  return noted > 0;
}

/** Users whom a STOP of these numbers ($1, tokens) keeps from asking somebody. */
export const STOPPED_USERS = 'SELECT user_id FROM buddy_refusals WHERE stopped_by = ANY($1::bytea[])';

/**
 * START takes back what STOP has said, of the number and of the addresses that were refused with it, also where nobody is
 * a buddy any more. Behind the locks of {@link STOPPED_USERS}.
 * @param tokens of the number, under every live version of the token key
 */
export async function liftStops(tx: Db, tokens: readonly Buffer[]): Promise<void> {
  await execute(tx, 'DELETE FROM buddy_refusals WHERE stopped_by = ANY($1::bytea[])', [tokens]);
}

/** @param tokens of the address and the number, under every live version of the token key */
export async function hasRefused(db: Db, userId: string, tokens: readonly Buffer[]): Promise<boolean> {
  const { is_refused: isRefused } = await one(
    db,
    z.object({ is_refused: z.boolean() }),
    `SELECT EXISTS (SELECT FROM buddy_refusals
                     WHERE token = ANY($2::bytea[]) AND (user_id = $1 OR user_id IS NULL)) AS is_refused`,
    [userId, tokens],
  );
  return isRefused;
}
