import { alertAccepted, alertPage, type alertShape, alertsQuery, alertWithCalls, newVoiceAlert } from './alerts-shapes';
import type { Operation } from './openapi-operations';

const ALERT = {
  alertId: '5a0c3a0e-8b1f-4c52-9d64-2f6f0c9b7a10',
  state: 'acknowledged',
  endReason: 'acknowledged-by-key',
  requestedBy: '9d2f7c11-0f52-4b7a-8a7e-5c1de2a4b6f0',
  messageId: null,
  kind: 'alert',
  urgency: 'emergency',
  acknowledge: true,
  position: 2,
  reached: { position: 2, at: '2026-11-21T15:05:31.204Z' },
  requestedAt: '2026-11-21T15:04:05.678Z',
  endedAt: '2026-11-21T15:05:31.204Z',
} satisfies Record<keyof typeof alertShape.shape, unknown>;
const CALL = {
  callId: '0d7b2a52-7a0c-4f0e-9d0c-3f5b1f1a9c11',
  position: 2,
  attempt: 1,
  status: 'acknowledged',
  callSid: 'CA0123456789abcdef0123456789abcdef',
  startedAt: '2026-11-21T15:05:02.010Z',
  answeredAt: '2026-11-21T15:05:19.400Z',
  endedAt: '2026-11-21T15:05:34.009Z',
};
const RECIPIENT = {
  position: 2,
  subjectId: '8c1f4f0e-3b6a-4d7e-9a55-7f2e1c0b9d33',
  country: 'US',
  language: 'en',
  lastOutcome: 'acknowledged',
  textMessageId: null,
};
const ONE_ALERT = {
  content: { 'application/json': alertWithCalls },
  example: { ...ALERT, recipients: [RECIPIENT], calls: [CALL] },
} as const;

/** Calls that tell something, to one after the other, until somebody says that they have heard it. */
export const ALERT_OPERATIONS = {
  'POST /alerts/voice': {
    id: 'createVoiceAlert',
    tag: 'Alerts',
    summary: 'Rings people in order until one acknowledges a message',
    description:
      'Each phone is rung again on busy, no answer, a failure or a voicemail, with growing pauses; then the next recipient is. A voicemail is no acknowledgement: only a key is.',
    body: {
      schema: newVoiceAlert,
      examples: {
        'two people in order': {
          recipients: [{ phoneNumber: '+14155550142' }, { phoneNumber: '+14155550143', language: 'es' }],
          text: 'The door of house four has been open for ten minutes.',
          urgency: 'emergency',
          attempts: 2,
          escalationDelaySeconds: 10,
          smsWhenExhausted: true,
        },
      },
    },
    isRepeatable: true,
    answers: {
      202: {
        description: 'Accepted. Repeated under the same Idempotency-Key: the same answer, and no phone rings twice.',
        content: { 'application/json': alertAccepted },
        example: { success: true, alertId: ALERT.alertId, state: 'starting' },
        headers: ['Location'],
      },
    },
    problems: [
      'not-found',
      'phone-number-invalid',
      'phone-number-not-allowed',
      'country-not-allowed',
      'recipient-not-allowed',
      'voice-disabled',
    ],
  },
  'GET /alerts/voice': {
    id: 'listVoiceAlerts',
    tag: 'Alerts',
    summary: 'Alerts, newest first',
    description: "A service sees its own; staff and admins everybody's, each look audited.",
    query: alertsQuery,
    answers: {
      200: {
        description: 'A page of alerts.',
        content: { 'application/json': alertPage },
        example: { voiceAlerts: [ALERT], nextCursor: null },
      },
    },
  },
  'GET /alerts/voice/:alertId': {
    id: 'getVoiceAlert',
    tag: 'Alerts',
    summary: 'How an alert goes, with every call it has placed',
    answers: { 200: { description: 'The alert.', ...ONE_ALERT } },
    problems: ['not-found'],
  },
  'DELETE /alerts/voice/:alertId': {
    id: 'cancelVoiceAlert',
    tag: 'Alerts',
    summary: 'Cancels an alert',
    description: 'Answers when no phone rings for it any more. One that is over stays as it is.',
    answers: { 200: { description: 'The alert as it is now.', ...ONE_ALERT } },
    problems: ['not-found'],
  },
} as const satisfies Partial<Record<string, Operation>>;
