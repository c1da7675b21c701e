import { z } from 'zod';
import { MESSAGE_CHANNELS, MESSAGE_KINDS } from '../domain/message';
import { BATCH_STATES, MOST_RECIPIENTS, ROW_PROBLEMS, ROW_STATES } from '../domain/message-batch';
import { KINDS_TO_ASK_FOR } from './messages-shapes';
import { languageCode, listQuery, nextCursor, time } from './shared-shapes';
import { templateName } from './templates-shapes';

const LONGEST_TEXT = 1_600;

const zone = z.string().max(64).optional();

/** What holds for all recipients of a batch, however they come. */
const common = {
  channel: z.enum(MESSAGE_CHANNELS).default('sms'),
  language: languageCode.default('en').meta({ description: 'Of recipients that name none.' }),
  kind: z.enum(KINDS_TO_ASK_FOR).default('update').meta({ description: 'What it is about: people can refuse kinds.' }),
  messageClass: z.enum(['ordinary', 'safety']).default('ordinary'),
  notBefore: time.optional().meta({ description: 'At most 7 days ahead.' }),
  notAfter: time.optional().meta({ description: 'What was not sent by then ends as expired. Default: in 7 days.' }),
  zone: zone.meta({
    description: 'For quiet hours: the IANA zone of recipients that name none and have told none themselves.',
  }),
  fallback: z.literal('voice').optional().meta({ description: 'A call that says it when the text does not arrive.' }),
};
const variables = z.record(z.string().max(60), z.union([z.string().max(LONGEST_TEXT), z.number()]));

/** One recipient; exactly one of phone, subjectId and email. What is wrong with one is told row by row. */
const recipient = z
  .strictObject({
    phone: z.string().max(64).optional(),
    subjectId: z.string().max(64).optional().meta({ description: 'Somebody who saved a contact point.' }),
    email: z.string().max(254).optional(),
    language: z.string().max(10).optional(),
    zone: zone.meta({
      description: 'The IANA zone of this recipient, for quiet hours.',
      examples: ['America/Chicago'],
    }),
    variables: variables.optional().meta({ description: 'Of the template, beside or instead of those for all.' }),
  })
  .meta({ description: 'Exactly one of phone, subjectId and email. Used for this batch, then destroyed.' });

export const newMessageBatch = z
  .strictObject({
    ...common,
    text: z.string().min(1).max(LONGEST_TEXT).optional().meta({ description: 'The same words for all.' }),
    template: z
      .strictObject({
        name: templateName,
        version: z.int().positive().optional(),
        variables: variables.default({}).meta({ description: 'The same for all.' }),
      })
      .optional(),
    start: z.boolean().default(false).meta({ description: 'Begin at once when no recipient has a problem.' }),
    recipients: z.array(recipient).min(1).max(MOST_RECIPIENTS),
  })
  .meta({
    id: 'NewMessageBatch',
    description: 'Exactly one of `text` and `template`.',
    oneOf: [{ required: ['text'] }, { required: ['template'] }],
  });

/** For a CSV, whose words come from a template: a text in an address would stand in every log on the way. */
export const csvQuery = z.strictObject({
  ...common,
  template: templateName.optional().meta({ description: 'For `text/csv`: the name of the template; required.' }),
  version: z.coerce.number().int().positive().optional().meta({ description: 'Default: the newest one.' }),
  start: z.enum(['true', 'false']).default('false').meta({ description: 'As `start` of the JSON body.' }),
});

export type GivenRecipient = z.output<typeof recipient>;

const count = z.int().min(0);
export const messageBatchShape = z
  .strictObject({
    batchId: z.uuid(),
    state: z.enum(BATCH_STATES).meta({
      description: 'checked: waits for POST …/start. sending, paused. Then it stays: completed, cancelled.',
    }),
    requestedBy: z.uuid(),
    channel: z.enum(MESSAGE_CHANNELS),
    kind: z.enum(MESSAGE_KINDS),
    messageClass: z.enum(['ordinary', 'safety']),
    language: languageCode,
    recipients: z.strictObject({ total: count, ready: count, duplicate: count, invalid: count }).meta({
      description: 'What the check found: only the ready ones are sent. GET …/rows tells which and why.',
    }),
    problems: z.partialRecord(z.enum(ROW_PROBLEMS), count).meta({ description: 'Rows by what is wrong with them.' }),
    notStarted: count.meta({ description: 'Ready ones whose message was not begun.' }),
    messages: z.record(z.string(), count).meta({ description: 'Begun ones, by the state of their message.' }),
    estimatedEndAt: time.nullable().meta({ description: 'By how fast it went so far; null when nothing can be said.' }),
    receivedAt: time,
    startedAt: time.nullable(),
    endedAt: time.nullable(),
  })
  .meta({ id: 'MessageBatch' });

/** In a list without what has to be counted. */
const listedBatch = messageBatchShape
  .omit({ problems: true, notStarted: true, messages: true, estimatedEndAt: true })
  .meta({ id: 'ListedMessageBatch' });
export const messageBatchPage = z
  .strictObject({ messageBatches: z.array(listedBatch), nextCursor })
  .meta({ id: 'MessageBatchPage' });

export const rowsQuery = listQuery.extend({
  state: z.enum(ROW_STATES).optional().meta({ description: 'Only rows in this state; duplicate and invalid are two.' }),
});
export const batchRowPage = z
  .strictObject({
    rows: z.array(
      z.strictObject({
        row: z.int().meta({ description: 'Its place in what was sent; the first recipient is 1.' }),
        state: z.enum(ROW_STATES),
        problem: z.enum(ROW_PROBLEMS).nullable(),
        duplicateOf: z.int().nullable().meta({ description: 'The earlier row with the same recipient.' }),
        messageId: z.uuid().nullable().meta({ description: 'Null until it was begun.' }),
      }),
    ),
    nextCursor,
  })
  .meta({ id: 'MessageBatchRowPage' });
