/**
 * Claiming a dispatch: who holds the lease may try, everybody else waits. All clocks are the database's; the claim
 * is one statement that commits by itself, so a process that dies right after it has left a lease that ends.
 */
import type { Pool } from 'pg';
import { z } from 'zod';
import type { RecipientStep } from '../domain/recipient-limits';
import { SUPPRESSED_BECAUSE, type SuppressedBecause } from '../domain/message';
import { DISPATCH_COLUMNS, type Dispatch, type DispatchState, dispatchRow } from './dispatch-rows';
import { appendAudit } from './audit';
import { behindSql, cursorTime, type Place, type Placed, placeOfRow, placeValues } from './cursor';
import { guardValues, type SendingGuard, whyNotSql } from './may-send';
import { limitValues, lockPersonReached, personReachedElsewhere, recipientWaitSql } from './recipient-limits';
import { inTransaction } from './pool';
import { type Db, execute, many, maybeOne, sqlState, UNIQUE_VIOLATION } from './query';

export interface ClaimedDispatch {
  readonly dispatch: Dispatch;
  /** From the second on: reconcile before anything is sent. */
  readonly attempt: number;
  readonly leaseUntil: Date;
  /** How long the lease lasts from now; measure the rest by the monotonic clock. */
  readonly leaseMs: number;
  /** When the last attempt that may have sent something began; null when none can have. */
  readonly previousAttemptBeganAt: Date | null;
  /** How long ago that was, by the database clock: an empty list counts only after `DISPATCH_SETTLE`. */
  readonly previousAttemptAgeMs: number | null;
  /**
   * Why it must not be sent again, should nothing have come of the earlier attempts. A dispatch that nobody has
   * attempted yet is not claimed then.
   */
  readonly unwanted: SuppressedBecause | null;
  readonly closed: ClosedBecause | null;
}

/** Why nothing goes out on this channel now: the provider has closed our account, or we have switched it off. */
export const CLOSED_BECAUSE = ['line-stopped', 'switched-off'] as const;
export type ClosedBecause = (typeof CLOSED_BECAUSE)[number];

/** What the claiming statement asks besides whose turn it is. */
export interface ClaimTerms {
  /** Whose wish counts; null: nobody's. */
  readonly guard: SendingGuard | null;
  /** Whether the configuration lets the channel send at all. */
  readonly isConfigured: boolean;
  /** How often this recipient may be reached; null: as often as somebody asks. */
  readonly limits: readonly RecipientStep[] | null;
}

const NO_TERMS: ClaimTerms = { guard: null, isConfigured: true, limits: null };

/** Why the claim has to wait. */
export type BusyBecause = 'leased' | 'other-dispatch' | 'retry-after' | 'recipient-limit';

export type Claim =
  | { readonly claimed: ClaimedDispatch }
  | { readonly accepted: string }
  /** Milliseconds until it makes sense to ask again, at least 1. */
  /** Nobody has attempted it, and nobody may now. */
  | { readonly suppressed: SuppressedBecause }
  | { readonly closed: ClosedBecause }
  | { readonly busy: number; readonly because: BusyBecause }
  | {
      readonly final: Exclude<DispatchState, 'ready' | 'attempting' | 'unknown' | 'accepted'>;
      readonly dispatch: Dispatch;
    };

/** How long to wait when nothing says how long: somebody is just about to change the row. */
const SHORTLY_MS = 250;

const claimedRow = z.object({
  lease_until: z.date(),
  previous_attempt_began_at: z.date().nullable(),
  previous_age_ms: z.int().nullable(),
  unwanted: z.enum(SUPPRESSED_BECAUSE).nullable(),
  closed: z.enum(CLOSED_BECAUSE).nullable(),
});

/**
 * Takes the lease: from `ready`, or from `attempting` and `unknown` when the last lease is over.
 * What forbids to send is asked in the same statement: an opt-out that is committed before it is never too late.
 * @param leaseMs `DISPATCH_LEASE`
 * @throws {Error} when there is no such dispatch
 */
export async function claim(
  pool: Pool,
  dispatchId: string,
  leaseMs: number,
  terms: ClaimTerms = NO_TERMS,
): Promise<Claim> {
  const asked = [terms.isConfigured, ...guardValues(terms.guard), ...limitValues(terms.limits)];
  try {
    const rows = await claimedRows(pool, terms, [dispatchId, leaseMs, ...asked]);
    if (rows.length === 1) {
      const dispatch = dispatchRow.parse(rows[0]);
      const row = claimedRow.parse(rows[0]);
      return {
        claimed: {
          dispatch,
          attempt: dispatch.attempt,
          leaseUntil: row.lease_until,
          leaseMs: dispatch.leaseRemainingMs,
          previousAttemptBeganAt: row.previous_attempt_began_at,
          previousAttemptAgeMs: row.previous_age_ms,
          unwanted: row.unwanted,
          closed: row.closed,
        },
      };
    }
  } catch (error) {
    // Another dispatch to this recipient became `attempting` while our statement ran.
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error;
  }
  return await whyNot(pool, dispatchId, asked);
}

/** One statement; somebody with several numbers is counted by one claim after the other, whichever number it is for. */
async function claimedRows(pool: Pool, { limits }: ClaimTerms, values: readonly [string, ...unknown[]]) {
  const isLimited = limits !== null && limits.length > 0;
  const person = isLimited ? await personReachedElsewhere(pool, values[0]) : null;
  const run = async (db: Db): Promise<unknown[]> => (await db.query(CLAIM, [...values])).rows;
  if (person === null) return await run(pool);
  return await inTransaction(pool, async (tx) => {
    await lockPersonReached(tx, person);
    return await run(tx);
  });
}

/** Over `dispatches d`; the parameter says whether the channel is configured. */
const closedSql = (isConfigured: number) => `CASE
    WHEN NOT $${isConfigured}::boolean OR EXISTS (SELECT FROM switches s WHERE s.name = d.channel AND NOT s.is_on)
      THEN 'switched-off'
    WHEN EXISTS (
      SELECT FROM provider_lines l
       WHERE l.line = CASE d.channel WHEN 'email' THEN 'mail' ELSE 'twilio' END AND l.stopped_at IS NOT NULL)
      THEN 'line-stopped' END`;

// A dispatch that was abandoned during its attempt is in doubt until it is settled, not only until its lease ends: while
// it still looks for what came out of it, a new call to the same number could be taken for its own, and be ended.
const OTHERS_IN_DOUBT = `SELECT o.lease_until FROM dispatches o
  WHERE o.recipient_token = d.recipient_token AND o.channel = d.channel AND o.dispatch_id <> d.dispatch_id
    AND (o.state IN ('attempting', 'unknown')
         OR (o.state = 'abandoned' AND o.settled_at IS NULL AND o.attempt_began_at IS NOT NULL))`;

// Once something may have been sent, whoever claims must be able to find out what became of it, whatever forbids to send.
const CLAIM = `
  WITH forbidden AS (
    SELECT ${closedSql(3)} AS closed, ${whyNotSql(4)} AS unwanted, ${recipientWaitSql(8)} AS wait_ms
      FROM dispatches d WHERE d.dispatch_id = $1)
  UPDATE dispatches d
     SET state = 'attempting', attempt = attempt + 1, not_before = NULL,
         lease_until = clock_timestamp() + $2 * interval '1 millisecond',
         previous_attempt_began_at = attempt_began_at, attempt_began_at = clock_timestamp()
    FROM forbidden
   WHERE dispatch_id = $1 AND (not_before IS NULL OR not_before <= clock_timestamp())
     AND (state = 'ready' OR (state IN ('attempting', 'unknown') AND lease_until <= clock_timestamp()))
     AND (attempt_began_at IS NOT NULL OR (forbidden.closed IS NULL AND forbidden.unwanted IS NULL AND forbidden.wait_ms = 0))
     AND NOT EXISTS (${OTHERS_IN_DOUBT})
  RETURNING ${DISPATCH_COLUMNS}, lease_until, closed, unwanted, previous_attempt_began_at,
            round(extract(epoch FROM clock_timestamp() - previous_attempt_began_at) * 1000)::int AS previous_age_ms`;

const reasonRow = z.object({
  retry_after_ms: z.int(),
  others_remaining_ms: z.int().nullable(),
  is_untried: z.boolean(),
  limit_wait_ms: z.coerce.number(),
  unwanted: z.enum(SUPPRESSED_BECAUSE).nullable(),
  closed: z.enum(CLOSED_BECAUSE).nullable(),
});
const suppressedRow = z.enum(SUPPRESSED_BECAUSE);

async function whyNot(pool: Pool, dispatchId: string, asked: readonly unknown[]): Promise<Claim> {
  const { rows } = await pool.query(
    `SELECT ${DISPATCH_COLUMNS},
            coalesce(greatest(0, ceil(extract(epoch FROM not_before - clock_timestamp()) * 1000)), 0)::int
              AS retry_after_ms,
            (SELECT CASE WHEN count(*) > 0 THEN
                      greatest(0, ceil(extract(epoch FROM max(o.lease_until) - clock_timestamp()) * 1000))::int END
               FROM (${OTHERS_IN_DOUBT}) o) AS others_remaining_ms,
            attempt_began_at IS NULL AS is_untried, ${closedSql(2)} AS closed, ${whyNotSql(3)} AS unwanted,
            ${recipientWaitSql(7)} AS limit_wait_ms
       FROM dispatches d WHERE dispatch_id = $1`,
    [dispatchId, ...asked],
  );
  if (rows.length === 0) throw new Error('There is no such dispatch');
  const dispatch = dispatchRow.parse(rows[0]);
  const reason = reasonRow.parse(rows[0]);
  const { state, sid } = dispatch;
  if (state === 'accepted') return { accepted: sid ?? '' };
  if (state === 'abandoned' && dispatch.errorClass === SUPPRESSED) {
    return { suppressed: suppressedRow.parse(dispatch.errorCode) };
  }
  if (state === 'refused' || state === 'lost' || state === 'abandoned') return { final: state, dispatch };
  if (state === 'ready' && reason.is_untried && reason.unwanted !== null) {
    await suppress(pool, dispatchId, reason.unwanted);
    return { suppressed: reason.unwanted };
  }
  if (state === 'ready' && reason.is_untried && reason.closed !== null) return { closed: reason.closed };
  const wait = (ms: number, because: BusyBecause): Claim => ({ busy: ms > 0 ? ms : SHORTLY_MS, because });
  if (state !== 'ready' && dispatch.leaseRemainingMs > 0) return wait(dispatch.leaseRemainingMs, 'leased');
  if (reason.others_remaining_ms !== null) return wait(reason.others_remaining_ms, 'other-dispatch');
  if (reason.retry_after_ms > 0) return wait(reason.retry_after_ms, 'retry-after');
  if (reason.is_untried && reason.limit_wait_ms > 0) return wait(reason.limit_wait_ms, 'recipient-limit');
  return wait(SHORTLY_MS, 'leased');
}

const SUPPRESSED = 'suppressed';

/**
 * Ends a dispatch whose recipient does not want it, with an audit entry. What it may have sent before is not looked
 * for any more: what is found late belongs to no other dispatch either.
 */
export async function suppress(pool: Pool, dispatchId: string, because: SuppressedBecause): Promise<void> {
  await inTransaction(pool, async (tx) => {
    const settled = await execute(
      tx,
      `UPDATE dispatches SET state = 'abandoned', settled_at = clock_timestamp(), error_class = '${SUPPRESSED}', error_code = $2
        WHERE dispatch_id = $1 AND state IN ('ready', 'attempting')`,
      [dispatchId, because],
    );
    if (settled !== 1) return;
    await appendAudit(tx, {
      actor: 'system',
      action: 'dispatch.suppressed',
      objectId: dispatchId,
      purpose: because,
      outcome: 'refused',
    });
  });
}

/**
 * Whether a call has not been tried because it stands in our own queue, where it has no row yet, or because its line is
 * closed: what is the recipient's own (their limit, another call to them) is no such wait.
 */
export async function waitsForLine(db: Db, dispatchId: string, isConfigured: boolean): Promise<boolean> {
  const row = await maybeOne(
    db,
    z.object({ is_untried: z.boolean(), closed: z.string().nullable() }),
    `SELECT attempt_began_at IS NULL AND state = 'ready' AS is_untried, ${closedSql(2)} AS closed
       FROM dispatches d WHERE dispatch_id = $1`,
    [dispatchId, isConfigured],
  );
  return row === null || (row.is_untried && row.closed !== null);
}

/**
 * Gives the claim back: nothing was sent (lease too short, connection refused) or the provider said that it did not
 * look (429). The attempt then does not count as one that may have sent something. When an earlier attempt is still
 * in doubt the dispatch goes back to `unknown`, else to `ready`.
 * @param retryAfterMs nobody can claim it before
 * @returns false when the claim was not ours any more
 */
export async function giveBack(db: Db, dispatchId: string, attempt: number, retryAfterMs = 0): Promise<boolean> {
  const given = await execute(
    db,
    `UPDATE dispatches
        SET state = CASE WHEN state = 'abandoned' THEN state
                         WHEN previous_attempt_began_at IS NULL THEN 'ready' ELSE 'unknown' END,
            lease_until = clock_timestamp(),
            not_before = clock_timestamp() + $3 * interval '1 millisecond',
            attempt_began_at = previous_attempt_began_at,
            settled_at = CASE WHEN state = 'abandoned' AND previous_attempt_began_at IS NULL
                              THEN clock_timestamp() ELSE settled_at END
      WHERE dispatch_id = $1 AND attempt = $2 AND (state = 'attempting' OR (state = 'abandoned' AND settled_at IS NULL))`,
    [dispatchId, attempt, retryAfterMs],
  );
  return given === 1;
}

/**
 * Which of these SIDs belong to another dispatch than this one: they are never adopted. A callback that names the other
 * one is witness enough, also before that one knows its SID.
 */
export async function sidsOwnedByOthers(db: Db, dispatchId: string, sids: readonly string[]): Promise<Set<string>> {
  const rows = await many(
    db,
    z.object({ sid: z.string() }),
    `SELECT s.sid FROM unnest($2::text[]) AS s(sid)
      WHERE EXISTS (SELECT 1 FROM dispatches d WHERE d.dispatch_id <> $1 AND (d.sid = s.sid OR s.sid = ANY(d.other_sids)))
         OR EXISTS (SELECT 1 FROM webhook_events e WHERE e.sid = s.sid AND e.dispatch_id <> $1)`,
    [dispatchId, sids],
  );
  return new Set(rows.map(({ sid }) => sid));
}

/** What callbacks have said about a dispatch: the SID of the newest one, for reconciling before the list is asked. */
export async function latestEventFor(
  db: Db,
  dispatchId: string,
): Promise<{ sid: string; status: string | null } | null> {
  return await maybeOne(
    db,
    z.object({ sid: z.string(), status: z.string().nullable() }),
    `SELECT sid, status FROM webhook_events e
      WHERE dispatch_id = $1 AND sid IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM dispatches d WHERE d.dispatch_id = $1 AND e.sid = ANY(d.other_sids))
      ORDER BY received_at DESC LIMIT 1`,
    [dispatchId],
  );
}

/** Dispatches in doubt whose lease has been over for a while: their workflow may be gone, and they block others. */
export function overdueDispatches(
  db: Db,
  overdueMs: number,
  limit: number,
  after: Place | null = null,
): Promise<Placed<Dispatch>[]> {
  return many(
    db,
    dispatchRow.and(placeOfRow),
    `SELECT ${DISPATCH_COLUMNS}, ${cursorTime('lease_until')} AS cursor_at, dispatch_id AS cursor_id FROM dispatches
      WHERE (state IN ('attempting', 'unknown')
             OR (state = 'abandoned' AND settled_at IS NULL AND attempt_began_at IS NOT NULL))
        AND lease_until <= clock_timestamp() - $1 * interval '1 millisecond'
        AND ${behindSql('lease_until', 'dispatch_id', 3)}
      ORDER BY lease_until, dispatch_id LIMIT $2`,
    [overdueMs, limit, ...placeValues(after)],
  );
}
