import {
  buddyChange,
  buddyHistoryPage,
  buddyList,
  buddyOrder,
  buddyShape,
  newBuddy,
  newProfile,
  profileShape,
  sendVerification,
  verificationBegun,
} from './buddies-shapes';
import type { Operation } from './openapi-operations';
import { listQuery } from './shared-shapes';

const USER_ID = '9d2f7c11-0f52-4b7a-8a7e-5c1de2a4b6f0';
const BUDDY = {
  buddyId: '2b1f0a52-7a0c-4f0e-9d0c-3f5b1f1a9c22',
  rank: 1,
  status: 'pending',
  name: 'Thessaly Brookwater',
  phoneNumber: '+14155550142',
  email: 'thessaly@example.org',
  relationship: 'sister',
  language: 'en',
  country: 'US',
  invitations: {
    sent: 1,
    left: 2,
    nextAt: '2026-11-21T16:04:05.678Z',
    lastSentAt: '2026-11-21T15:04:06.000Z',
    linkExpiresAt: '2026-11-28T15:04:05.678Z',
    renewalAskedAt: null,
  },
  canBeAsked: false,
  createdAt: '2026-11-21T15:00:00.000Z',
  verifiedAt: null,
} satisfies Record<keyof typeof buddyShape.shape, unknown>;
const ONE = { content: { 'application/json': buddyShape }, example: BUDDY } as const;
const ALL = {
  content: { 'application/json': buddyList },
  example: { userId: USER_ID, buddies: [BUDDY], most: 5 },
} as const;
const PROFILE = {
  content: { 'application/json': profileShape },
  example: {
    userId: USER_ID,
    firstName: 'Zephyrine',
    language: 'en',
    tellMeBy: 'app',
    timeZone: 'America/New_York',
    updatedAt: '2026-11-21T15:00:00.000Z',
  },
} as const;
const REACHING = [
  'phone-number-invalid',
  'phone-number-not-allowed',
  'country-not-allowed',
  'email-address-invalid',
  'buddy-is-oneself',
  'buddy-has-refused',
  'buddy-already-named',
] as const;
const PAGE = { description: 'A page for people.', content: { 'text/html': null } } as const;

/** Friends who have agreed to be asked how somebody is doing. */
export const BUDDY_OPERATIONS = {
  'GET /api/users/me/profile': {
    id: 'getProfile',
    tag: 'Buddies',
    summary: 'What you tell of yourself for your buddies',
    answers: { 200: { description: 'Your profile.', ...PROFILE } },
    problems: ['not-found'],
  },
  'PUT /api/users/me/profile': {
    id: 'putProfile',
    tag: 'Buddies',
    summary: 'Saves your first name, your language, and how you hear what buddies answer',
    description: 'The first name stands in every message to a buddy; nothing else of you does.',
    body: {
      schema: newProfile,
      examples: { 'told by e-mail': { firstName: 'Zephyrine', language: 'en', tellMeBy: 'email' } },
    },
    answers: { 200: { description: 'As it is now.', ...PROFILE } },
    problems: ['not-found'],
  },
  'POST /api/buddy': {
    id: 'addBuddy',
    tag: 'Buddies',
    summary: 'Names somebody as a buddy',
    description: 'They hear nothing until you ask them: POST /api/buddy/send-verification.',
    body: {
      schema: newBuddy,
      examples: {
        'a sister': {
          name: 'Thessaly Brookwater',
          phoneNumber: '+14155550142',
          email: 'thessaly@example.org',
          relationship: 'sister',
        },
      },
    },
    isRepeatable: true,
    answers: {
      201: {
        description: 'Named. Repeated under the same Idempotency-Key: the same entry.',
        ...ONE,
        headers: ['Location'],
      },
    },
    problems: [...REACHING, 'too-many-buddies', 'already-deleted', 'not-found'],
  },
  'GET /api/buddy': {
    id: 'listBuddies',
    tag: 'Buddies',
    summary: 'Your buddies, in the order in which they are asked',
    description: 'With their names and numbers; each look is audited.',
    answers: { 200: { description: 'All of them.', ...ALL } },
  },
  'PUT /api/buddy/order': {
    id: 'orderBuddies',
    tag: 'Buddies',
    summary: 'Puts your buddies in order',
    body: { schema: buddyOrder, examples: { 'the only one': { buddyIds: [BUDDY.buddyId] } } },
    answers: { 200: { description: 'In their new order.', ...ALL } },
    problems: ['buddy-order-incomplete'],
  },
  'POST /api/buddy/send-verification': {
    id: 'sendVerification',
    tag: 'Buddies',
    summary: 'Asks somebody by e-mail whether they will be your buddy',
    description:
      'One e-mail an hour and three in all, six where the number was asked at other addresses too, each with a link that can be answered for seven days; a new one replaces the link before it. GET /api/buddy/{buddyId} tells how it goes, and so do GET /events and the webhook.',
    body: {
      schema: sendVerification,
      examples: { 'a buddy of yours': { buddyContactId: BUDDY.buddyId, userId: USER_ID } },
    },
    isRepeatable: true,
    answers: {
      202: {
        description: 'On its way. Repeated under the same Idempotency-Key: the same answer, and no second e-mail.',
        content: { 'application/json': verificationBegun },
        example: { state: 'sending', buddyContactId: BUDDY.buddyId, expiresAt: '2026-11-28T15:04:05.678Z' },
        headers: ['Location'],
      },
    },
    problems: [
      'not-found',
      'profile-required',
      'buddy-already-verified',
      'buddy-has-refused',
      'buddy-asked-enough',
      'buddy-asked-lately',
      'too-many-invitations',
    ],
  },
  'GET /api/buddy/:buddyId': {
    id: 'getBuddy',
    tag: 'Buddies',
    summary: 'One buddy, with what may be done and when',
    answers: { 200: { description: 'The entry.', ...ONE } },
    problems: ['not-found'],
  },
  'PATCH /api/buddy/:buddyId': {
    id: 'changeBuddy',
    tag: 'Buddies',
    summary: 'Changes an entry',
    description: 'Number and address only before the first e-mail: later, remove the entry and add it anew.',
    body: { schema: buddyChange, examples: { 'asked first': { rank: 1 } } },
    answers: { 200: { description: 'As it is now.', ...ONE } },
    problems: ['not-found', ...REACHING, 'buddy-was-asked'],
  },
  'DELETE /api/buddy/:buddyId': {
    id: 'removeBuddy',
    tag: 'Buddies',
    summary: 'Takes somebody off your list',
    description: 'Whatever runs for them ends, and what is held of them is erased unless a legal hold keeps it.',
    answers: { 204: { description: 'They are not on your list any more.' } },
    problems: ['not-found'],
  },
  'GET /api/buddy/:buddyId/history': {
    id: 'getBuddyHistory',
    tag: 'Buddies',
    summary: 'How they came to agree, or not: newest first',
    query: listQuery,
    answers: {
      200: {
        description: 'A page of events.',
        content: { 'application/json': buddyHistoryPage },
        example: {
          events: [{ event: 'sent', at: '2026-11-21T15:04:06.000Z', linkVersion: 1 }],
          nextCursor: null,
        },
      },
    },
    problems: ['not-found'],
  },
  'GET /api/buddy/verify': {
    id: 'verifyPage',
    tag: 'Pages',
    summary: 'Asks somebody whether they will be a buddy: `token`, and `action`, which is `accept` or `decline`',
    description: 'The links of an invitation; opening one changes nothing.',
    answers: {
      200: PAGE,
      400: { ...PAGE, description: 'Something was changed on the way.' },
      404: { ...PAGE, description: 'Nobody’s link.' },
      410: { ...PAGE, description: 'It has run out, with a way to ask for a new one; or there is a newer one.' },
    },
  },
  'POST /api/buddy/verify': {
    id: 'answerInvitation',
    tag: 'Pages',
    summary: 'What the button of the page does: `token`, and `action`, which is `accept`, `decline` or `renew`',
    description: 'May be repeated. Address and browser are kept sealed with the answer.',
    answers: {
      200: PAGE,
      400: { ...PAGE, description: 'Something was changed on the way. Nothing was done.' },
      404: { ...PAGE, description: 'Nobody’s link.' },
      410: { ...PAGE, description: 'It has run out, or there is a newer one.' },
      503: { ...PAGE, description: 'Not now: pressing the button again helps.' },
    },
  },
} as const satisfies Partial<Record<string, Operation>>;
