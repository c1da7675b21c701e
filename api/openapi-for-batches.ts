import {
  batchRowPage,
  csvQuery,
  messageBatchPage,
  messageBatchShape,
  newMessageBatch,
  rowsQuery,
} from './message-batches-shapes';
import type { Operation } from './openapi-operations';
import { listQuery } from './shared-shapes';

const BATCH = {
  batchId: '6f2c0b8e-1d4f-4c1a-9a53-0e7d5b2c8f10',
  state: 'sending',
  requestedBy: '5b8d5a7e-2f0c-4a6e-8d19-3c4b2a1f0e9d',
  channel: 'sms',
  kind: 'reminder',
  messageClass: 'ordinary',
  language: 'en',
  recipients: { total: 3, ready: 2, duplicate: 1, invalid: 0 },
  receivedAt: '2026-11-21T15:04:05.678Z',
  startedAt: '2026-11-21T15:05:00.000Z',
  endedAt: null,
} as const;
const WHOLE = {
  ...BATCH,
  problems: { duplicate: 1 },
  notStarted: 0,
  messages: { delivered: 1, sent: 1 },
  estimatedEndAt: '2026-11-21T15:06:00.000Z',
} as const;
const ONE_BATCH = { content: { 'application/json': messageBatchShape }, example: WHOLE } as const;
const REMINDER = { name: 'reminder', variables: { what: 'your appointment', at: '2026-11-23T09:00:00-05:00' } };

/** Messages to many. */
export const BATCH_OPERATIONS = {
  'POST /messages/bulk': {
    id: 'createMessageBatch',
    tag: 'Batches',
    summary: 'Takes up to 10,000 recipients, checks them, and sends nothing yet',
    description:
      'Duplicates and numbers that cannot be used are counted in the answer and named at GET …/rows. Sending begins with POST …/start, or at once with `start` when no recipient has a problem. The query is for `text/csv`.',
    query: csvQuery,
    body: {
      schema: newMessageBatch,
      examples: {
        'a text': {
          text: 'The group meets at six today.',
          recipients: [{ phone: '+1 415 555 0123' }, { phone: '+1 415 555 0124', language: 'es' }],
        },
        'a template': { template: REMINDER, recipients: [{ phone: '+1 415 555 0123' }], start: true },
      },
      csv: {
        description:
          'UTF-8 with a first line of names: phone, subject_id or email, language, zone, and variables of the template. Read as it arrives and never stored.',
        example: 'phone,language,what,at\n+1 415 555 0123,en,your appointment,2026-11-23T09:00:00-05:00\n',
      },
    },
    isRepeatable: true,
    answers: {
      201: {
        description: 'Checked. Repeated under the same key: the batch as it is now.',
        ...ONE_BATCH,
        headers: ['Location'],
      },
    },
    problems: [
      ...(['template-unknown', 'zone-unknown', 'csv-unreadable', 'too-many-recipients', 'nothing-to-send'] as const),
      ...(['sms-disabled', 'email-disabled'] as const),
    ],
  },
  'GET /messages/bulk': {
    id: 'listMessageBatches',
    tag: 'Batches',
    summary: 'One’s own batches, newest first; those of all for admins',
    query: listQuery,
    answers: {
      200: {
        description: 'A page.',
        content: { 'application/json': messageBatchPage },
        example: { messageBatches: [BATCH], nextCursor: null },
      },
    },
  },
  'GET /messages/bulk/:batchId': {
    id: 'getMessageBatch',
    tag: 'Batches',
    summary: 'How far a batch is: counts by state, and when it may end',
    answers: { 200: { description: 'The batch, counted now.', ...ONE_BATCH } },
    problems: ['not-found'],
  },
  'GET /messages/bulk/:batchId/rows': {
    id: 'listMessageBatchRows',
    tag: 'Batches',
    summary: 'Its recipients, in the order in which they were given',
    description: 'Never a number: `row` is the place in what was sent.',
    query: rowsQuery,
    answers: {
      200: {
        description: 'A page.',
        content: { 'application/json': batchRowPage },
        example: {
          rows: [{ row: 3, state: 'duplicate', problem: 'duplicate', duplicateOf: 1, messageId: null }],
          nextCursor: null,
        },
      },
    },
    problems: ['not-found'],
  },
  'POST /messages/bulk/:batchId/start': {
    id: 'startMessageBatch',
    tag: 'Batches',
    summary: 'Begins to send to the recipients that are ready',
    description: 'May be repeated.',
    answers: { 202: { description: 'It has begun.', ...ONE_BATCH } },
    problems: ['not-found', 'batch-over', 'nothing-to-send', 'sms-disabled', 'email-disabled'],
  },
  'POST /messages/bulk/:batchId/pause': {
    id: 'pauseMessageBatch',
    tag: 'Batches',
    summary: 'Begins no more messages; those under way go on',
    answers: { 202: { description: 'Paused.', ...ONE_BATCH } },
    problems: ['not-found', 'batch-over'],
  },
  'POST /messages/bulk/:batchId/resume': {
    id: 'resumeMessageBatch',
    tag: 'Batches',
    summary: 'Goes on after a pause',
    answers: { 202: { description: 'It goes on.', ...ONE_BATCH } },
    problems: ['not-found', 'batch-over'],
  },
  'POST /messages/bulk/:batchId/cancel': {
    id: 'cancelMessageBatch',
    tag: 'Batches',
    summary: 'Sends nothing more, for good',
    description: 'What the provider has goes on to its end. What was given for the others is destroyed.',
    answers: { 202: { description: 'Cancelled.', ...ONE_BATCH } },
    problems: ['not-found', 'batch-over'],
  },
} as const satisfies Partial<Record<string, Operation>>;
