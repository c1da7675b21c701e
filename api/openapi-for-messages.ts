import {
  messageAccepted,
  messagePage,
  messageShape,
  messagesQuery,
  messageWithHistory,
  newMessage,
} from './messages-shapes';
import type { Operation } from './openapi-operations';

const MESSAGE_ID = '1c9c2e4a-7f10-4f52-9a0b-52f1b6f0d3a1';
const SUBJECT_ID = '7f1d9b64-2f41-4c6b-8c53-1f0e8f5a7b20';
const SID = 'SM0123456789abcdef0123456789abcdef';
const AT = '2026-11-21T15:04:05.678Z';
const MESSAGE = {
  messageId: MESSAGE_ID,
  batchId: null,
  state: 'delivered',
  reason: null,
  channel: 'sms',
  kind: 'reminder',
  messageClass: 'ordinary',
  priority: 'normal',
  requestedBy: '2b6f0c1e-94c5-4a37-8f0d-6a1f3c9b5e44',
  subjectId: SUBJECT_ID,
  country: 'US',
  language: 'en',
  template: { name: 'reminder', version: 1 },
  segments: 1,
  attempts: 1,
  errorCode: null,
  errorClass: null,
  sid: SID,
  fallback: null,
  fallbackAlertId: null,
  notBefore: null,
  notAfter: '2026-11-24T15:04:05.678Z',
  nextAttemptAt: null,
  requestedAt: AT,
  sentAt: AT,
  endedAt: AT,
};

/** Texts and e-mails to one person each. */
export const MESSAGE_OPERATIONS = {
  'POST /messages': {
    id: 'sendMessage',
    tag: 'Messages',
    summary: 'Sends a text or an e-mail to one person',
    description:
      'Sent once, at its time, outside the recipient’s quiet hours, and only if they want it. Users can send to themselves; staff, admins and services to anybody.',
    body: {
      schema: newMessage,
      examples: {
        'a text to a number': {
          recipient: { phoneNumber: '+14155550142' },
          text: 'Your appointment was moved to 3 pm.',
        },
        'a template, tried as a call in the end': {
          recipient: { subjectId: SUBJECT_ID },
          template: { name: 'reminder', variables: { what: 'Your appointment', at: '2026-11-24T15:00:00Z' } },
          kind: 'reminder',
          fallback: 'voice',
        },
      },
    },
    isRepeatable: true,
    answers: {
      202: {
        description: 'It will be sent. Repeated under the same Idempotency-Key: the same answer, no second message.',
        content: { 'application/json': messageAccepted },
        example: { success: true, messageId: MESSAGE_ID, state: 'accepted' },
        headers: ['Location'],
      },
    },
    problems: [
      'recipient-not-allowed',
      'number-unverified',
      'not-found',
      'zone-unknown',
      'phone-number-invalid',
      'phone-number-not-allowed',
      'country-not-allowed',
      'too-many-requests',
      'sms-disabled',
      'email-disabled',
    ],
  },
  'GET /messages': {
    id: 'listMessages',
    tag: 'Messages',
    summary: 'What one got and asked for, newest first; for staff and admins everybody’s',
    query: messagesQuery,
    answers: {
      200: {
        description: 'A page. Neither words nor numbers are shown.',
        content: { 'application/json': messagePage },
        example: { messages: [MESSAGE], nextCursor: null },
      },
    },
  },
  'GET /messages/:messageId': {
    id: 'getMessage',
    tag: 'Messages',
    summary: 'How a message goes, with every try and receipt',
    answers: {
      200: {
        description: 'Its state and its history. A message that is over does not change any more.',
        content: { 'application/json': messageWithHistory },
        example: {
          ...MESSAGE,
          tries: [
            { number: 1, state: 'accepted', sid: SID, errorCode: null, errorClass: null, startedAt: AT, settledAt: AT },
          ],
          receipts: [{ sid: SID, status: 'delivered', errorCode: null, receivedAt: AT, copies: 1 }],
        },
      },
    },
    problems: ['not-found'],
  },
  'DELETE /messages/:messageId': {
    id: 'cancelMessage',
    tag: 'Messages',
    summary: 'Cancels a message that was not sent yet',
    description: 'What the provider has cannot be taken back: the answer then says `sent`, and it is not tried again.',
    answers: {
      200: {
        description: 'Its state now.',
        content: { 'application/json': messageShape },
        example: { ...MESSAGE, state: 'cancelled', reason: 'cancelled', sid: null, sentAt: null, attempts: 0 },
      },
    },
    problems: ['not-found'],
  },
} as const satisfies Partial<Record<string, Operation>>;
