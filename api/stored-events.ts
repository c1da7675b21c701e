import type { Pool } from 'pg';
import { findHandling } from '../db/webhook-events';
import { LOOK_UP_WITHIN, STORE_WITHIN } from './limits';
import { within } from './unavailable';

/**
 * The outcome of storing an event, in time. Should that fail or take too long, one more question: a copy that waits for the
 * row of the first one, or a write that came through at the last moment, is stored all the same. Twilio has to come again
 * (503; it does: `rp=5xx` in the URL it was given) for what is not stored, and for nothing else.
 *
 * @throws what storing threw, or DeadlineExceeded, when nobody knows the event to be stored
 */
export async function storedInTime<T extends { readonly handledAt: Date | null }>(
  pool: Pool,
  seenKey: string,
  storing: Promise<T>,
): Promise<T | { readonly handledAt: Date | null }> {
  try {
    return await within(STORE_WITHIN, storing);
  } catch (error) {
    const known = await within(LOOK_UP_WITHIN, findHandling(pool, seenKey)).catch(() => null);
    if (known === null) throw error;
    return known;
  }
}
