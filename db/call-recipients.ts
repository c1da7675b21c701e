/** Whom a leg of a call was for, as far as a log line may say it. */
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Leg } from '../domain/mentor-call';
import { type Db, maybeOne, one } from './query';
import { eventValues, INSERT_EVENT, storedRow, type WebhookEvent } from './webhook-events';

export interface LegRecipient {
  /** As it is stored; null when there is no person, or the token was forgotten. */
  readonly recipientToken: Buffer | null;
  readonly country: string | null;
  /** Tries before the present one. */
  readonly retryCount: number;
}

const row = z.object({
  token: z.instanceof(Buffer).nullable(),
  country: z.string().nullable(),
  attempt: z.int().nullable(),
});

/** @param of names of the parameters, as SQL */
function recipientSql(of: { callId: string; leg: string; step: string; dispatchId: string }): string {
  return `SELECT CASE WHEN ${of.leg} IN ('user', 'recipient') THEN c.recipient_token
                 WHEN ${of.leg} = 'mentor' THEN m.phone_token END AS token,
            CASE ${of.leg} WHEN 'mentor' THEN m.country ELSE c.country END AS country, d.attempt
       FROM call_logs c
       LEFT JOIN mentor_offers o ON o.call_id = c.call_id AND o.step = ${of.step}
       LEFT JOIN mentors m ON m.mentor_id = o.mentor_id
       LEFT JOIN dispatches d ON d.dispatch_id = ${of.dispatchId}
      WHERE c.call_id = ${of.callId}`;
}

const RECIPIENT = recipientSql({ callId: '$1::uuid', leg: '$2::text', step: '$3::int', dispatchId: '$4::uuid' });
/** The parameters are those of the event that is stored. */
const STORE_AND_NAME = `WITH stored AS (${INSERT_EVENT})
  SELECT stored.is_new, stored.handled_at, r.token, r.country, r.attempt
    FROM stored LEFT JOIN (${recipientSql({
      callId: '$5::uuid',
      leg: '$6::text',
      step: '$7::int',
      dispatchId: '$4::uuid',
    })}) r ON true`;

/**
 * The helpline's leg has no recipient of ours.
 *
 * @param leg `step` names the mentor, `dispatchId` the try
 */
export async function legRecipient(
  pool: Pool,
  leg: { readonly callId: string; readonly leg: Leg; readonly step: number | null; readonly dispatchId: string | null },
): Promise<LegRecipient> {
  return toRecipient(await maybeOne(pool, row, RECIPIENT, [leg.callId, leg.leg, leg.step, leg.dispatchId]));
}

/**
 * Stores an event of a leg as `storeEvent` does, and finds whom the leg was for, in one statement: this is the most
 * frequent request there is, and a second round trip for a log line costs it a third.
 * @param isHandled true for one that changes nothing
 */
export async function storeLegEvent(
  db: Db,
  event: WebhookEvent,
  isHandled: boolean,
): Promise<{ handledAt: Date | null; recipient: LegRecipient }> {
  const stored = await one(db, storedRow.extend(row.shape), STORE_AND_NAME, eventValues(event, isHandled));
  return { handledAt: stored.handled_at, recipient: toRecipient(stored) };
}

function toRecipient(found: z.output<typeof row> | null): LegRecipient {
  return {
    recipientToken: found?.token ?? null,
    country: found?.country ?? null,
    retryCount: Math.max(0, (found?.attempt ?? 1) - 1),
  };
}
