import { checkInAccepted, checkInPage, checkInsQuery, checkInWithNote, newCheckIn } from './check-ins-shapes';
import type { Operation } from './openapi-operations';

const PAGE = { description: 'A page for people.', content: { 'text/html': null } } as const;
const NOT_ANY_MORE = { ...PAGE, description: 'There is no such link, or not any more.' } as const;
const CLOSED = { ...PAGE, description: 'It is over; the page says so.' } as const;
const WRONG = { ...PAGE, description: 'The page says what was wrong. Nothing was changed.' } as const;

const page = (id: string, about: string) =>
  ({
    id,
    tag: 'Pages',
    summary: `Where the link in a text about ${about} leads`,
    description:
      'Shows one button. What only follows links, such as a preview or a scanner, leaves no more than when that was first.',
    answers: { 200: PAGE, 404: NOT_ANY_MORE, 410: CLOSED },
  }) as const satisfies Operation;
const press = (id: string, about: string) =>
  ({
    id,
    tag: 'Pages',
    summary: `What the buttons of a page about ${about} do: \`step=open\`, \`step=answer\``,
    description:
      'An answer is `response` (called, messaged, cannot-reach, unavailable) and may have a `note` of 500 characters. Until it closes it may be corrected.',
    answers: { 200: PAGE, 404: NOT_ANY_MORE, 410: CLOSED, 422: WRONG },
  }) as const satisfies Operation;

const REQUEST_ID = '8f14e45f-ceea-467f-a834-9bd1f4c3a001';
const BUDDY_ID = '0f3ad5e2-7c53-4e0e-8a53-2f4f5bb8d002';
const CHECK_IN = {
  requestId: REQUEST_ID,
  buddyContactId: BUDDY_ID,
  kind: 'user',
  state: 'answered',
  requestedAt: '2026-11-21T15:04:05.678Z',
  sentAt: '2026-11-21T15:04:06.100Z',
  deliveredAt: '2026-11-21T15:04:08.200Z',
  remindedAt: null,
  linkOpenedAt: '2026-11-21T15:20:00.000Z',
  respondedAt: '2026-11-21T15:41:10.000Z',
  response: 'called',
  closesAt: '2026-11-22T15:04:05.678Z',
  closedAt: null,
} as const;

/** What users ask of their buddies, and the pages on which buddies answer. */
export const CHECK_IN_OPERATIONS = {
  'POST /api/buddy/send-checkin': {
    id: 'sendCheckIn',
    tag: 'Buddies',
    summary: 'Asks a buddy by text to get in touch',
    description:
      'A buddy is asked once in 24 hours (BUDDY_CHECK_IN_SPACING), and one person only so often by all users together. A text of which nothing was sent does not count. A request that was refused may be repeated under its key.',
    isRepeatable: true,
    body: {
      schema: newCheckIn,
      examples: { ask: { buddyContactId: BUDDY_ID, userId: '7a1c9f0e-2b6a-4d7e-9a55-7f2e1c0b9d33' } },
    },
    answers: {
      202: {
        description: 'The text is under way. Repeated under the same Idempotency-Key: the same request as it is now.',
        content: { 'application/json': checkInAccepted },
        example: { requestId: REQUEST_ID, state: 'pending' },
        headers: ['Location'],
      },
    },
    problems: [
      'not-found',
      'buddy-cannot-be-asked',
      'profile-required',
      'idempotency-key-reused',
      'too-many-requests',
      'sms-disabled',
      'temporarily-unavailable',
    ],
  },
  'GET /api/buddy/check-ins': {
    id: 'listCheckIns',
    tag: 'Buddies',
    summary: 'What one’s buddies were asked, newest first',
    query: checkInsQuery,
    answers: {
      200: {
        description: 'A page of them, without notes.',
        content: { 'application/json': checkInPage },
        example: { checkIns: [CHECK_IN], nextCursor: null },
      },
    },
  },
  'GET /api/buddy/check-ins/:requestId': {
    id: 'getCheckIn',
    tag: 'Buddies',
    summary: 'How one of them went, with what the buddy wrote',
    answers: {
      200: {
        description: 'As it is now.',
        content: { 'application/json': checkInWithNote },
        example: { ...CHECK_IN, note: 'We talked for an hour.' },
      },
    },
    problems: ['not-found'],
  },
  'GET /api/buddy/checkin/:token': page('checkInPage', 'a check-in'),
  'POST /api/buddy/checkin/:token': press('pressOnCheckIn', 'a check-in'),
  'GET /buddy/checkin/:token': page('checkInLink', 'a check-in'),
  'POST /buddy/checkin/:token': press('pressOnCheckInLink', 'a check-in'),
  'GET /api/buddy/alert/:token': page('buddyAlertPage', 'somebody who may need help'),
  'POST /api/buddy/alert/:token': press('pressOnBuddyAlert', 'somebody who may need help'),
  'GET /buddy/alert/:token': page('buddyAlertLink', 'somebody who may need help'),
  'POST /buddy/alert/:token': press('pressOnBuddyAlertLink', 'somebody who may need help'),
} as const satisfies Partial<Record<string, Operation>>;
