/** Events of the app as rows: what the list shows, what a delivery or a stream says of one. */
import { z } from 'zod';
import { DELIVERIES, type Delivery } from '../domain/app-events';

/** What the app learns; the same in a delivery and in a stream. */
export interface AppEvent {
  readonly eventId: string;
  readonly subjectId: string;
  readonly type: string;
  readonly objectId: string;
  readonly state: string;
  readonly happenedAt: Date;
}

/** With what became of its delivery. */
export interface AppEventRow extends AppEvent {
  readonly delivery: Delivery;
  /** Since it was noted, or since it was last asked for again. */
  readonly attempts: number;
  /** Null when no other attempt will be made. */
  readonly nextAttemptAt: Date | null;
  readonly giveUpAt: Date;
  readonly deliveredAt: Date | null;
  /** A word of ours: why the last attempt failed. */
  readonly lastError: string | null;
}

export const EVENT_COLUMNS = 'event_id, subject_id, type, object_id, state, happened_at';
export const eventRow = z.object({
  event_id: z.uuid(),
  subject_id: z.uuid(),
  type: z.string(),
  object_id: z.uuid(),
  state: z.string(),
  happened_at: z.date(),
});

export function toAppEvent(row: z.output<typeof eventRow>): AppEvent {
  return {
    eventId: row.event_id,
    subjectId: row.subject_id,
    type: row.type,
    objectId: row.object_id,
    state: row.state,
    happenedAt: row.happened_at,
  };
}

export const DELIVERY_COLUMNS = `${EVENT_COLUMNS}, delivery, attempts, next_attempt_at, give_up_at, delivered_at, last_error`;
export const deliveryRow = eventRow.extend({
  delivery: z.enum(DELIVERIES),
  attempts: z.int(),
  next_attempt_at: z.date(),
  give_up_at: z.date(),
  delivered_at: z.date().nullable(),
  last_error: z.string().nullable(),
});

export function toAppEventRow(row: z.output<typeof deliveryRow>): AppEventRow {
  return {
    ...toAppEvent(row),
    delivery: row.delivery,
    attempts: row.attempts,
    nextAttemptAt: row.delivery === 'waiting' ? row.next_attempt_at : null,
    giveUpAt: row.give_up_at,
    deliveredAt: row.delivered_at,
    lastError: row.last_error,
  };
}
