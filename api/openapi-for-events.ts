import { appEventPage, appEventShape, appEventsQuery, ownEvents, ownEventsQuery } from './app-events-shapes';
import type { Operation } from './openapi-operations';
import { eventsQuery, replayShape, webhookEventPage } from './webhook-events-shapes';

const EVENT = {
  eventId: 'b3a1d9c2-6a5f-4f7b-8f3e-0a1b2c3d4e55',
  type: 'call-status',
  callId: '0d7b2a52-7a0c-4f0e-9d0c-3f5b1f1a9c11',
  messageId: null,
  alertId: null,
  dispatchId: null,
  sid: 'CA0123456789abcdef0123456789abcdef',
  leg: 'user',
  step: null,
  status: 'completed',
  sequence: 3,
  errorCode: null,
  payload: {},
  copies: 1,
  attempts: 0,
  lastError: null,
  receivedAt: '2026-11-21T15:04:05.678Z',
  handledAt: null,
};
const APP_EVENT = {
  eventId: '2f9a7c1e-5d3b-4c8a-9e6f-7b1d0c2a3e44',
  type: 'mentor-call.connected',
  subjectId: '6b0c9d7e-1f2a-4b3c-8d4e-5f6a7b8c9d00',
  objectId: '0d7b2a52-7a0c-4f0e-9d0c-3f5b1f1a9c11',
  state: 'connected',
  happenedAt: '2026-11-21T15:04:05.678Z',
  delivery: 'delivered',
  attempts: 1,
  nextAttemptAt: null,
  giveUpAt: '2026-11-22T15:04:05.678Z',
  deliveredAt: '2026-11-21T15:04:06.912Z',
  lastError: null,
};
const { eventId: id, type, happenedAt: timestamp, subjectId, objectId, state } = APP_EVENT;

/** What happened: told by Twilio to us, and by us to the app. */
export const EVENT_OPERATIONS = {
  'GET /events': {
    id: 'streamEvents',
    tag: 'Events',
    summary: 'New states of what one has asked for, as they happen',
    description:
      'With `Accept: text/event-stream` a stream of server-sent events: one’s own only, ids and states only, with a sign of life every 15 s. ' +
      '`Last-Event-ID` goes on after that event; without it the stream begins now. It closes when the access token expires: open it again with a new one. ' +
      'With any other `Accept` a list to poll, oldest first, of what is kept (30 days) or of what came after `Last-Event-ID`.',
    query: ownEventsQuery,
    answers: {
      200: {
        description: 'The stream, or the list.',
        content: { 'application/json': ownEvents, 'text/event-stream': null },
        example: { events: [{ id, type, timestamp, data: { subjectId, objectId, state } }], lastEventId: id },
      },
    },
  },
  'GET /app-events': {
    id: 'listAppEvents',
    tag: 'Events',
    summary: 'What the app was told, or could not be told yet, newest first',
    query: appEventsQuery,
    answers: {
      200: {
        description: 'A page.',
        content: { 'application/json': appEventPage },
        example: { appEvents: [APP_EVENT], nextCursor: null },
      },
    },
  },
  'POST /app-events/:eventId/resend': {
    id: 'resendAppEvent',
    tag: 'Events',
    summary: 'Tells the app of an event again',
    description: 'Under the same `webhook-id`, for another 24 hours; an app that knows it already drops it. Audited.',
    answers: {
      202: {
        description: 'It will be sent.',
        content: { 'application/json': appEventShape },
        example: { ...APP_EVENT, delivery: 'waiting', attempts: 0, deliveredAt: null },
      },
    },
    problems: ['not-found'],
  },
  'GET /webhook-events': {
    id: 'listWebhookEvents',
    tag: 'Events',
    summary: 'What Twilio told us: what nobody has handled first, then newest first',
    description: 'Ids, states and codes only; no number of anybody was ever stored with an event.',
    query: eventsQuery,
    answers: {
      200: {
        description: 'A page.',
        content: { 'application/json': webhookEventPage },
        example: { webhookEvents: [EVENT], nextCursor: null },
      },
    },
  },
  'POST /webhook-events/:eventId/replay': {
    id: 'replayWebhookEvent',
    tag: 'Events',
    summary: 'Hands a stored event to its handler again',
    description:
      'Skips only the check whether it was seen before. A workflow ignores what it was told before, so this may be repeated. Audited.',
    answers: {
      200: {
        description: 'Handed over.',
        content: { 'application/json': replayShape },
        example: { eventId: EVENT.eventId, result: 'signalled' },
      },
    },
    problems: ['not-found', 'event-not-replayable'],
  },
} as const satisfies Partial<Record<string, Operation>>;
