/** The last facts of a mentor call, in one transaction, so that no crash leaves a live row, a place or a number. */
import type { Pool } from 'pg';
import { z } from 'zod';
import type { EndReason, Outcome } from '../domain/mentor-call';
import { noteAppEvent } from './app-events';
import { appendAudit } from './audit';
import { forgetTokens } from './erasure';
import { leaveQueue } from './mentor-queue';
import { releaseAllSlots } from './mentor-slots';
import { inTransaction } from './pool';
import { type Db, maybeOne } from './query';
import { destroyRecord } from './vault-rows';

export interface CallEnd {
  readonly callId: string;
  readonly outcome: Outcome;
  readonly endReason: EndReason;
  readonly mergedInto?: string | undefined;
  readonly endedAt: Date | string;
  /** Of the bridge. */
  readonly durationSeconds: number;
  /** Of the last turn, where its mentor talked: whoever rings when a call ends after a conversation has not. */
  readonly connectedStep?: number | undefined;
  /** How long that conversation was; left out in runs that began before it was told. */
  readonly connectedSeconds?: number | undefined;
  /** Keeps a number given for this call only until the ring-back window is over; `destroyCallNumber` ends it. */
  readonly keepNumber?: boolean | undefined;
  /** Who ended it: a subject id, or `system`. */
  readonly actor?: string | undefined;
}

/**
 * Closes a call: final row, places given back, offers finished, number destroyed, audit entry. May be repeated: the
 * first end stays, and what was left undone is done.
 * @returns whether the row was live until now
 */
export async function closeCall(pool: Pool, end: CallEnd): Promise<boolean> {
  return await inTransaction(pool, async (tx) => {
    const closed = await maybeOne(
      tx,
      z.object({ user_id: z.uuid() }),
      `UPDATE call_logs SET status = $2, outcome = $2, end_reason = $3, merged_into = $4, live = false, ended_at = $5,
              duration_seconds = $6
        WHERE call_id = $1 AND live RETURNING user_id`,
      [end.callId, end.outcome, end.endReason, end.mergedInto ?? null, end.endedAt, end.durationSeconds],
    );
    const { connectedStep: step, connectedSeconds: talkedSeconds = null } = end;
    await releaseAllSlots(tx, end.callId, step === undefined ? null : { step, talkedSeconds });
    await leaveQueue(tx, end.callId);
    if (end.keepNumber !== true) await destroyNumber(tx, end.callId);
    if (closed === null) return false;
    await forgetIfErased(tx, end.callId);
    const { callId: objectId, outcome: state } = end;
    await noteAppEvent(tx, { subjectId: closed.user_id, type: `mentor-call.${state}`, objectId, state });
    await appendAudit(tx, {
      actor: end.actor ?? 'system',
      action: end.outcome === 'cancelled' ? 'mentor-call.cancelled' : 'mentor-call.closed',
      objectId: end.callId,
      purpose: end.endReason,
      outcome: end.outcome === 'failed' ? 'failed' : 'done',
    });
    return true;
  });
}

/** The user was erased while the call was running: now nothing needs the tokens any more. */
async function forgetIfErased(tx: Db, callId: string): Promise<void> {
  const erased = await maybeOne(
    tx,
    z.object({ user_id: z.uuid() }),
    `SELECT c.user_id FROM call_logs c JOIN subjects s ON s.subject_id = c.user_id
      WHERE c.call_id = $1 AND s.erased_at IS NOT NULL`,
    [callId],
  );
  if (erased !== null) await forgetTokens(tx, erased.user_id);
}

/**
 * Destroys the number of a call if it was given for that call only. May be repeated.
 * @returns whether something was destroyed now
 */
export async function destroyCallNumber(pool: Pool, callId: string): Promise<boolean> {
  return await inTransaction(pool, (tx) => destroyNumber(tx, callId));
}

async function destroyNumber(tx: Db, callId: string): Promise<boolean> {
  const call = await maybeOne(
    tx,
    z.object({ record_id: z.uuid() }),
    'SELECT record_id FROM call_logs WHERE call_id = $1 AND number_is_for_this_call_only AND NOT live',
    [callId],
  );
  if (call === null) return false;
  return await destroyRecord(tx, call.record_id, { reason: 'call-over', actor: 'system' });
}
