/**
 * What became of a dispatch. Three parties may write it (the attempt, a callback, the first TwiML request), late and
 * at the same time; each of these statements says from which states it may move the row, and moves nothing else.
 */
import { z } from 'zod';
import { heldByObject } from './legal-holds';
import { type OldPage, type OldRows, stripOld } from './old-rows';
import { type Db, execute, maybeOne, sqlState, UNIQUE_VIOLATION } from './query';
import { type Dispatch, findDispatch } from './dispatch-rows';

/**
 * `accepted`: the SID is the dispatch's own. `second`: it has another one, or was settled without; the caller ends
 * this call by REST. `abandoned`: not wanted any more, the SID is remembered; the caller ends this call by REST.
 * `taken`: the SID belongs to another dispatch; the caller must neither adopt nor end it.
 */
export type Accepted = 'accepted' | 'second' | 'abandoned' | 'taken';

/** What a TwiML request is told: only `own` may speak. */
export type Adoption = 'own' | 'other' | 'abandoned' | 'unknown-dispatch';

/**
 * Writes the SID that the provider answered, or that reconciling found. May be repeated; also by an attempt whose
 * lease is long over.
 */
export async function settleAccepted(db: Db, dispatchId: string, sid: string): Promise<Accepted> {
  const adoption = await takeSid(db, dispatchId, sid);
  if (adoption === 'unknown-dispatch') throw new Error('There is no such dispatch');
  if (adoption === 'own') return 'accepted';
  return adoption === 'other' ? 'second' : adoption;
}

/**
 * The first TwiML request of a dispatch makes its CallSid the dispatch's own, also while the attempt is still waiting
 * for its answer. Any other call of the same dispatch is a double and says nothing.
 */
export async function adoptCallSid(db: Db, dispatchId: string, callSid: string): Promise<Adoption> {
  const adoption = await takeSid(db, dispatchId, callSid);
  // The call of another dispatch that asks in the name of this one is not ours to answer.
  return adoption === 'taken' ? 'other' : adoption;
}

/** Whether a dispatch knows that it has made this one: true for nearly every receipt, and one look-up. */
export async function knowsSid(db: Db, dispatchId: string, sid: string): Promise<boolean> {
  const row = await maybeOne(
    db,
    z.object({ is_known: z.boolean() }),
    `SELECT coalesce(sid = $2, false) OR $2::text = ANY(other_sids) AS is_known FROM dispatches WHERE dispatch_id = $1`,
    [dispatchId, sid],
  );
  return row?.is_known ?? true;
}

/**
 * What a receipt says of the dispatch it names: the first SID becomes its own, also while the attempt still waits for
 * its answer; any other one is a double, which of a text can only be counted.
 * @returns whether it is a double
 */
export async function noteReceiptSid(db: Db, dispatchId: string, sid: string): Promise<boolean> {
  return (await takeSid(db, dispatchId, sid)) === 'other';
}

const takenRow = z.object({ state: z.string(), is_own: z.boolean() });

/**
 * One statement decides, so that of two calls that ask at the same moment exactly one is the first. `refused` takes
 * no SID any more: the workflow has gone on, and what comes late is ended.
 */
async function takeSid(db: Db, dispatchId: string, sid: string): Promise<Adoption | 'taken'> {
  try {
    const row = await maybeOne(
      db,
      takenRow,
      `UPDATE dispatches d
          SET sid = CASE WHEN ${TAKES_SID} THEN $2 ELSE sid END,
              state = CASE WHEN ${TAKES_SID} AND state <> 'abandoned' THEN 'accepted' ELSE state END,
              settled_at = CASE WHEN ${TAKES_SID} THEN coalesce(settled_at, clock_timestamp()) ELSE settled_at END,
              other_sids = CASE WHEN ${IS_NEW_DOUBLE} THEN other_sids || $2::text ELSE other_sids END,
              doubled_count = doubled_count + CASE WHEN ${IS_NEW_DOUBLE} THEN 1 ELSE 0 END
        WHERE dispatch_id = $1
        RETURNING state, coalesce(sid = $2, false) AS is_own`,
      [dispatchId, sid],
    );
    if (row === null) return 'unknown-dispatch';
    if (row.state === 'abandoned') return 'abandoned';
    return row.is_own ? 'own' : 'other';
  } catch (error) {
    if (sqlState(error) === UNIQUE_VIOLATION) return 'taken';
    throw error;
  }
}

const TAKES_SID = `(sid IS NULL AND state <> 'refused' AND NOT $2::text = ANY(other_sids))`;
const IS_NEW_DOUBLE = `(NOT ${TAKES_SID} AND sid IS DISTINCT FROM $2 AND NOT $2::text = ANY(other_sids))`;

/** Counts a leg beyond the one intended, once per SID. @returns how many there are now */
export async function noteDoubled(db: Db, dispatchId: string, sid: string): Promise<number> {
  const row = await maybeOne(
    db,
    z.object({ doubled_count: z.int() }),
    `UPDATE dispatches
        SET other_sids = CASE WHEN sid = $2 OR $2::text = ANY(other_sids) THEN other_sids ELSE other_sids || $2::text END,
            doubled_count = doubled_count + CASE WHEN sid = $2 OR $2::text = ANY(other_sids) THEN 0 ELSE 1 END
      WHERE dispatch_id = $1 RETURNING doubled_count`,
    [dispatchId, sid],
  );
  return row?.doubled_count ?? 0;
}

/**
 * The provider will not do it: a 4xx with a code of its own. Only the attempt that holds the claim may say so, and
 * only while no call of the dispatch is known.
 * @returns false when the row did not change
 */
export function settleRefused(
  db: Db,
  dispatchId: string,
  attempt: number,
  error: { readonly code: string; readonly class: string },
): Promise<boolean> {
  return settleAttempt(db, 'refused', dispatchId, attempt, [error.code, error.class]);
}

/**
 * The answer was lost, or was none (408, 5xx, timeout, reset). The lease goes on until its end, then somebody may
 * look. An abandoned dispatch stays open, so that whoever awaits it reconciles it.
 * @returns false when the row did not change
 */
export async function settleUnknown(db: Db, dispatchId: string, attempt: number): Promise<boolean> {
  const changed = await execute(
    db,
    `UPDATE dispatches SET state = 'unknown' WHERE dispatch_id = $1 AND attempt = $2 AND state = 'attempting'`,
    [dispatchId, attempt],
  );
  return changed === 1;
}

/**
 * Nobody can ever know and it is not to be repeated (an ordinary SMS). Shown; the fallback channel follows.
 * @returns false when the row did not change
 */
export function markLost(db: Db, dispatchId: string, attempt: number): Promise<boolean> {
  return settleAttempt(db, 'lost', dispatchId, attempt, [null, null]);
}

async function settleAttempt(
  db: Db,
  state: 'refused' | 'lost',
  dispatchId: string,
  attempt: number,
  [errorCode, errorClass]: readonly [string | null, string | null],
): Promise<boolean> {
  // Of an abandoned dispatch the attempt is over too, but abandoned it stays.
  const changed = await execute(
    db,
    `UPDATE dispatches
        SET state = CASE WHEN state = 'abandoned' THEN state ELSE $3 END, settled_at = clock_timestamp(),
            error_code = $4, error_class = $5
      WHERE dispatch_id = $1 AND attempt = $2 AND sid IS NULL
        AND (state IN ('attempting', 'unknown') OR (state = 'abandoned' AND settled_at IS NULL))`,
    [dispatchId, attempt, state, errorCode, errorClass],
  );
  return changed === 1;
}

/**
 * The act is not wanted any more. An attempt that is under way is never cut off: while `settledAt` is null its
 * outcome is awaited, and what came out of it (`sid`) is ended. A dispatch that is accepted, refused or lost stays
 * as it is. May be repeated.
 * @returns the row as it is now, or null when there is none
 */
export async function abandon(db: Db, dispatchId: string): Promise<Dispatch | null> {
  await execute(
    db,
    `UPDATE dispatches
        SET state = 'abandoned', settled_at = CASE WHEN attempt_began_at IS NULL THEN clock_timestamp() END
      WHERE dispatch_id = $1 AND state IN ('ready', 'attempting', 'unknown')`,
    [dispatchId],
  );
  return await findDispatch(db, dispatchId);
}

/**
 * Reconciling has shown that nothing came out of an abandoned dispatch, or what came out has been ended.
 * @returns false when it was settled before or is not abandoned
 */
export async function closeAbandoned(db: Db, dispatchId: string): Promise<boolean> {
  const changed = await execute(
    db,
    `UPDATE dispatches SET settled_at = clock_timestamp()
      WHERE dispatch_id = $1 AND state = 'abandoned' AND settled_at IS NULL`,
    [dispatchId],
  );
  return changed === 1;
}

/** Acts of long ago no longer know whom they were for. One whose outcome is open does: it is what tells two acts apart. */
export function forgetOldRecipients(db: Db, rows: OldRows): Promise<OldPage> {
  const where = `t.recipient_token IS NOT NULL AND t.state NOT IN ('ready', 'attempting', 'unknown')`;
  const old = { table: 'dispatches', key: 'dispatch_id', time: 't.created_at', where };
  return stripOld(db, 'recipient_token = NULL', { ...old, heldWhere: heldByObject }, rows);
}
