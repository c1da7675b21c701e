import { disclosuresQuery, disclosuresShape } from './disclosures-shapes';
import {
  contactPointList,
  contactPointShape,
  newContactPoint,
  verification,
  verificationSent,
} from './contact-points-shapes';
import {
  callAccepted,
  connectMentorRequest,
  consentTextsQuery,
  consentTextsShape,
  mentorCallPage,
  mentorCallShape,
} from './mentor-calls-shapes';
import type { Operation } from './openapi-operations';
import { listQuery } from './shared-shapes';

const CALL_ID = '0d7b2a52-7a0c-4f0e-9d0c-3f5b1f1a9c11';
const CONTACT_POINT_ID = '5f4f0c4e-5a9d-4a34-8a53-2d4b7f6c8e22';
const CONSENT = { textVersion: '2026-11', language: 'en' };
const CALL = {
  callId: CALL_ID,
  status: 'ringing-user',
  endReason: null,
  callSid: 'CA0123456789abcdef0123456789abcdef',
  organisationNumber: '+14155550100',
  country: 'US',
  language: 'en',
  mentorId: null,
  requestedAt: '2026-11-21T15:04:05.678Z',
  answeredAt: null,
  bridgedAt: null,
  endedAt: null,
  durationSeconds: null,
};
const CONTACT_POINT = {
  contactPointId: CONTACT_POINT_ID,
  kind: 'phone',
  country: 'US',
  createdAt: '2026-11-21T15:04:05.678Z',
  verifiedAt: null,
  unreachable: null,
};

/** What an app does for its user. */
export const APP_OPERATIONS = {
  'GET /consent-texts/mentor-call': {
    id: 'listConsentTexts',
    tag: 'Calls',
    summary: 'The texts one agrees to before a call, by version and language',
    query: consentTextsQuery,
    answers: {
      200: {
        description: 'Show one of them, and send its version and language with the request for a call.',
        content: { 'application/json': consentTextsShape },
        example: { job: 'mentor-call', texts: [{ ...CONSENT, text: 'We will call the number you give us …' }] },
      },
    },
  },
  'GET /disclosures': {
    id: 'listDisclosures',
    tag: 'Calls',
    summary: 'What people are told before a call: recording, limits, deletion, emergencies',
    query: disclosuresQuery,
    answers: {
      200: {
        description: 'Show them beside the text that is agreed to.',
        content: { 'application/json': disclosuresShape },
        example: {
          languages: [
            {
              language: 'en',
              disclosures: [{ kind: 'emergency', text: 'In an emergency, call 911.', isSpoken: false }],
            },
          ],
          privacyPolicyUrl: 'https://app.example.org/privacy',
        },
      },
    },
    problems: ['invalid-query'],
  },
  'POST /connect-mentor': {
    id: 'connectMentor',
    tag: 'Calls',
    summary: 'Asks for a call with a mentor',
    description:
      'The phone rings, neutral words ask for key 1, a mentor is found and both are connected; each sees only a number of the organisation. When all mentors are talking, a helpline takes the call; with `mayWait` the user is asked whether they would rather be rung again, and waits with the status `waiting`. A user has one live call: a second request is merged into it.',
    body: {
      schema: connectMentorRequest,
      examples: {
        'a number for this call only': { userPhoneNumber: '+14155550142', consent: CONSENT },
        'a saved number': {
          contactPointId: CONTACT_POINT_ID,
          consent: CONSENT,
          preferences: { languages: ['es', 'en'], specialties: ['sleep'] },
          mayCallBack: true,
          mayWait: true,
        },
      },
    },
    isRepeatable: true,
    answers: {
      202: {
        description:
          'The call will be placed. Repeated under the same Idempotency-Key: the same answer, no second call.',
        content: { 'application/json': callAccepted },
        example: { success: true, callId: CALL_ID, status: 'starting', callSid: null },
        headers: ['Location'],
      },
    },
    problems: [
      'calls-not-open-to-you',
      'mentor-not-allowed',
      'number-unverified',
      'not-found',
      'consent-required',
      'recording-off',
      'phone-number-invalid',
      'phone-number-not-allowed',
      'country-not-allowed',
      'too-many-requests',
      'voice-disabled',
      'calls-unavailable',
    ],
  },
  'GET /mentor-calls': {
    id: 'listMentorCalls',
    tag: 'Calls',
    summary: 'One’s own calls, newest first; for staff and admins everybody’s',
    query: listQuery,
    answers: {
      200: {
        description: 'A page. Calls that led to no mentor carry helplines.',
        content: { 'application/json': mentorCallPage },
        example: { mentorCalls: [CALL], nextCursor: null },
      },
    },
  },
  'GET /mentor-calls/:callId': {
    id: 'getMentorCall',
    tag: 'Calls',
    summary: 'How a call goes',
    description:
      'Ask every second or two while it lives. A call that is over does not change any more. One that waits says at which position: 1 is next.',
    answers: {
      200: {
        description: 'Its state. A call that led to no mentor carries helplines: show them.',
        content: { 'application/json': mentorCallShape },
        example: CALL,
      },
    },
    problems: ['not-found'],
  },
  'DELETE /mentor-calls/:callId': {
    id: 'cancelMentorCall',
    tag: 'Calls',
    summary: 'Cancels a call, leaves the queue, or ends the conversation',
    description: 'May be repeated: a call that is over is answered as it ended.',
    answers: {
      200: {
        description: 'How it ended.',
        content: { 'application/json': mentorCallShape },
        example: {
          ...CALL,
          status: 'completed',
          endReason: 'ended-by-user',
          endedAt: CALL.requestedAt,
          durationSeconds: 61,
        },
      },
    },
    problems: ['not-found'],
  },
  'POST /contact-points': {
    id: 'saveContactPoint',
    tag: 'Contact points',
    summary: 'Saves a number or an address, so that it need not be given with each request',
    description: 'The same one saved again is the same contact point. No answer ever holds a number or an address.',
    body: {
      schema: newContactPoint,
      examples: { 'a phone': { phoneNumber: '+14155550142' }, 'a mailbox': { emailAddress: 'somebody@example.org' } },
    },
    isRepeatable: true,
    answers: {
      201: {
        description: 'Saved, now or before.',
        content: { 'application/json': contactPointShape },
        example: CONTACT_POINT,
        headers: ['Location'],
      },
    },
    problems: [
      'too-many-contact-points',
      'already-deleted',
      'email-address-invalid',
      'phone-number-invalid',
      'phone-number-not-allowed',
      'country-not-allowed',
    ],
  },
  'GET /contact-points': {
    id: 'listContactPoints',
    tag: 'Contact points',
    summary: 'The numbers and addresses one has saved, oldest first',
    answers: {
      200: {
        description: 'All of them: there are never more than ten.',
        content: { 'application/json': contactPointList },
        example: { contactPoints: [CONTACT_POINT], nextCursor: null },
      },
    },
  },
  'DELETE /contact-points/:contactPointId': {
    id: 'deleteContactPoint',
    tag: 'Contact points',
    summary: 'Destroys a saved number or address',
    answers: { 204: { description: 'It is gone, and cannot be read any more by anybody.' } },
    problems: ['not-found'],
  },
  'POST /contact-points/:contactPointId/verify': {
    id: 'verifyContactPoint',
    tag: 'Contact points',
    summary: 'Sends a code to a saved number or address, or takes it back',
    description:
      'A code has six digits, counts for ten minutes and can be tried five times; there are five an hour for one person and one number. What is verified stays so. An Idempotency-Key is for requests that send one.',
    body: {
      schema: verification,
      examples: {
        'send a code': {},
        'say it in a call': { channel: 'voice', language: 'es' },
        'the code that came': { code: '123456' },
      },
    },
    isRepeatable: true,
    answers: {
      200: {
        description: 'Verified, now or before.',
        content: { 'application/json': contactPointShape },
        example: { ...CONTACT_POINT, verifiedAt: '2026-11-21T15:06:07.890Z' },
      },
      202: {
        description: 'A code is sent; no earlier one counts any more.',
        content: { 'application/json': verificationSent },
        example: {
          contactPointId: CONTACT_POINT_ID,
          channel: 'sms',
          messageId: CALL_ID,
          expiresAt: '2026-11-21T15:14:05.678Z',
        },
      },
    },
    problems: [
      'not-found',
      'already-deleted',
      'code-wrong',
      'code-expired',
      'code-used-up',
      'country-not-allowed',
      'too-many-requests',
      'sms-disabled',
      'voice-disabled',
      'email-disabled',
    ],
  },
} as const satisfies Partial<Record<string, Operation>>;
