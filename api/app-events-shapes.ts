import { z } from 'zod';
import { DELIVERIES } from '../domain/app-events';
import { listQuery, nextCursor, time } from './shared-shapes';

const eventType = z
  .string()
  .regex(/^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/, 'A type is expected here, as mentor-call.connected.')
  .max(80)
  .meta({ description: 'What it is about and its new state.', examples: ['mentor-call.connected'] });

export const appEventsQuery = listQuery.extend({
  delivery: z.enum(DELIVERIES).optional().meta({ description: 'Only those the app was told, or was not.' }),
  type: eventType.optional(),
  subjectId: z.uuid().optional().meta({ description: 'Only those of one person.' }),
  objectId: z.uuid().optional().meta({ description: 'Only those of one call, message, alert or batch.' }),
  from: time.optional(),
  until: time.optional(),
});

/** An event with what became of its delivery. */
export const appEventShape = z
  .strictObject({
    eventId: z.uuid().meta({ description: '`webhook-id` of every delivery.' }),
    type: z.string(),
    subjectId: z.uuid().meta({ description: 'Who asked for the object, and sees the event at `GET /events`.' }),
    objectId: z.uuid().meta({ description: 'The call, message, alert or batch.' }),
    state: z.string(),
    happenedAt: time,
    delivery: z.enum(DELIVERIES),
    attempts: z.int().meta({ description: 'Since it was noted, or last asked for again.' }),
    nextAttemptAt: time.nullable(),
    giveUpAt: time,
    deliveredAt: time.nullable(),
    lastError: z
      .string()
      .nullable()
      .meta({ description: 'Why the last attempt failed, in a word.', examples: ['http-503'] }),
  })
  .meta({ id: 'AppEvent' });

export const appEventPage = z
  .strictObject({ appEvents: z.array(appEventShape), nextCursor })
  .meta({ id: 'AppEventPage' });

export const ownEventsQuery = z.strictObject({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(100)
    .default(50)
    .meta({ description: 'How many at most, without a stream.' }),
});

/** One's own events, where they are not streamed. */
export const ownEvents = z
  .strictObject({
    events: z.array(
      z
        .strictObject({
          id: z.uuid(),
          type: z.string(),
          timestamp: time,
          data: z.strictObject({ subjectId: z.uuid(), objectId: z.uuid(), state: z.string() }),
        })
        .meta({ id: 'OwnEvent' }),
    ),
    lastEventId: z
      .uuid()
      .nullable()
      .meta({ description: 'Send it as `Last-Event-ID` to go on from here; null when there was nothing.' }),
  })
  .meta({ id: 'OwnEvents' });
