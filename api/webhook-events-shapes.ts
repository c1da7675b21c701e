import { z } from 'zod';
import { listQuery, nextCursor, time } from './shared-shapes';

export const eventsQuery = listQuery.extend({
  handled: z.enum(['true', 'false']).optional().meta({ description: 'Only those that were, or were not, handled.' }),
  failed: z
    .literal('true')
    .optional()
    .meta({ description: 'Only those that were handed over in vain and wait to be again.' }),
  type: z
    .string()
    .regex(/^[a-z]+(-[a-z]+)*$/, 'A kind of callback is expected here, as message-status.')
    .max(60)
    .optional()
    .meta({ description: 'Only those of one kind of callback.', examples: ['message-status'] }),
  callId: z.uuid().optional().meta({ description: 'Only those of one call.' }),
  messageId: z.uuid().optional().meta({ description: 'Only those of one message.' }),
  alertId: z.uuid().optional().meta({ description: 'Only those of one voice alert.' }),
  sid: z
    .string()
    .regex(/^[\w.:@<>-]{1,200}$/, 'An id of Twilio’s or of the carrier of mails is expected here.')
    .optional()
    .meta({ description: 'Only those of one call or message, by its id at Twilio or the carrier of mails.' }),
  from: time.optional().meta({ description: 'Only those that arrived then or later.' }),
  until: time.optional().meta({ description: 'Only those that arrived then or earlier.' }),
});

/** What Twilio told us, as it is stored: ids, states and codes. */
export const webhookEventShape = z
  .strictObject({
    eventId: z.uuid(),
    type: z.string(),
    callId: z.uuid().nullable(),
    messageId: z.uuid().nullable(),
    alertId: z.uuid().nullable(),
    dispatchId: z.uuid().nullable(),
    sid: z.string().nullable().meta({ description: 'Of the call or message at Twilio.' }),
    leg: z.string().nullable(),
    step: z.int().nullable(),
    status: z.string().nullable(),
    sequence: z.int().nullable(),
    errorCode: z.string().nullable(),
    payload: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
      .meta({ description: 'What else Twilio said: codes, counts and ids of sealed records.' }),
    copies: z.int().meta({ description: 'How often it arrived.' }),
    attempts: z.int().meta({ description: 'How often it was handed to its handler.' }),
    lastError: z.string().nullable().meta({ description: 'The name of the last failure; null after a success.' }),
    receivedAt: time,
    handledAt: time.nullable().meta({ description: 'Null: nobody has handled it yet; the relay tries again.' }),
  })
  .meta({ id: 'WebhookEvent' });

export const webhookEventPage = z
  .strictObject({ webhookEvents: z.array(webhookEventShape), nextCursor })
  .meta({ id: 'WebhookEventPage' });

export const replayShape = z
  .strictObject({
    eventId: z.uuid(),
    result: z.enum(['signalled', 'closed', 'nothing-to-tell', 'handled']).meta({
      description:
        'Whether the workflow was told, is over, or has nothing to learn from this event; handled where no workflow is asked. What was done before is not done twice.',
    }),
  })
  .meta({ id: 'Replay' });
