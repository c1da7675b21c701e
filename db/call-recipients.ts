/** Whom a leg of a call was for, as far as a log line may say it. */
import type { Pool } from 'pg';
import { z } from 'zod';
import type { Leg } from '../domain/mentor-call';
import { maybeOne } from './query';

export interface LegRecipient {
  /** As it is stored; null when there is no person, or the token was forgotten. */
  readonly recipientToken: Buffer | null;
  readonly country: string | null;
  /** Tries before the present one. */
  readonly retryCount: number;
}

/** When it cannot be looked up. */
export const NOBODY: LegRecipient = { recipientToken: null, country: null, retryCount: 0 };

const row = z.object({
  token: z.instanceof(Buffer).nullable(),
  country: z.string().nullable(),
  attempt: z.int().nullable(),
});

/**
 * The helpline's leg has no recipient of ours.
 *
 * @param leg `step` names the mentor, `dispatchId` the try
 */
export async function legRecipient(
  pool: Pool,
  leg: { readonly callId: string; readonly leg: Leg; readonly step: number | null; readonly dispatchId: string | null },
): Promise<LegRecipient> {
  const found = await maybeOne(
    pool,
    row,
    `SELECT CASE $2 WHEN 'user' THEN c.recipient_token WHEN 'mentor' THEN m.phone_token END AS token,
            CASE $2 WHEN 'mentor' THEN m.country ELSE c.country END AS country, d.attempt
       FROM call_logs c
       LEFT JOIN mentor_offers o ON o.call_id = c.call_id AND o.step = $3
       LEFT JOIN mentors m ON m.mentor_id = o.mentor_id
       LEFT JOIN dispatches d ON d.dispatch_id = $4
      WHERE c.call_id = $1`,
    [leg.callId, leg.leg, leg.step, leg.dispatchId],
  );
  return {
    recipientToken: found?.token ?? null,
    country: found?.country ?? null,
    retryCount: Math.max(0, (found?.attempt ?? 1) - 1),
  };
}
