import type { Operation } from './openapi-operations';
import { appConsentTextsShape, voiceTokenQuery, voiceTokenShape } from './voice-token-shapes';

const TOKEN = {
  token: 'eyJhbGciOiJIUzI1NiJ9.eyJncmFudHMiOnt9fQ.c2lnbmF0dXJl',
  identity: '4f9d0c3f5b1f1a9c110d7b2a527a0c4f0e9d0c3f5b1f1a9c110d7b2a527a0c4f',
  expiresAt: '2026-11-21T15:14:05.000Z',
};

/** Calls that users make in the app. */
export const VOICE_OPERATIONS = {
  'GET /consent-texts/app-call': {
    id: 'listAppConsentTexts',
    tag: 'Calls',
    summary: 'The texts one agrees to before a call from the app, by version and language',
    answers: {
      200: {
        description: 'Show one of them, and send its version and language with the token request or with the call.',
        content: { 'application/json': appConsentTextsShape },
        example: {
          job: 'app-call',
          texts: [{ textVersion: 'app-2026-11', language: 'en', text: 'We will connect this call …' }],
        },
      },
    },
  },
  'GET /voice-token': {
    id: 'getVoiceToken',
    tag: 'Calls',
    summary: 'Signs the user’s app in for calls from it',
    description:
      'A token for Twilio’s Voice SDK, which then calls `To=mentor-queue`. No phone number is needed. It counts for minutes and cannot be taken back: ask for a new one when the SDK says that it ends.',
    query: voiceTokenQuery,
    answers: {
      200: {
        description: 'The token, as a text or as JSON.',
        content: { 'text/plain': null, 'application/json': voiceTokenShape },
        example: TOKEN,
      },
    },
    problems: [
      'consent-required',
      'calls-not-open-to-you',
      'too-many-requests',
      'voice-disabled',
      'calls-unavailable',
      'app-calls-unavailable',
    ],
  },
  'DELETE /voice-token': {
    id: 'endVoiceToken',
    tag: 'Calls',
    summary: 'Signs the user’s apps out: no call of theirs is taken any more',
    description: 'Send it when the user signs out. A call that is going on stays.',
    answers: { 204: { description: 'Whatever tokens there are still, they count for nothing here.' } },
  },
} as const satisfies Partial<Record<string, Operation>>;
