import type { Operation } from './openapi-operations';
import {
  legalHoldPage,
  legalHoldShape,
  legalHoldsQuery,
  newLegalHold,
  statisticsQuery,
  statisticsShape,
} from './retention-shapes';

const HOLD = {
  holdId: '5b0e6d0c-6f0e-4c65-9d55-2f6d4f0f7a10',
  subjectId: '8c1f4f0e-3b6a-4d7e-9a55-7f2e1c0b9d33',
  reason: 'court-order',
  placedBy: '0f9a3b52-1a34-4a7e-8f8c-0d6f3f6f2c11',
  placedAt: '2026-11-21T15:04:05.678Z',
  liftedBy: null,
  liftedAt: null,
} as const;
const LIFTED = { ...HOLD, liftedBy: HOLD.placedBy, liftedAt: '2026-11-28T09:00:00.000Z' } as const;
const MONTH = {
  month: '2026-11',
  country: 'US',
  calls: 412,
  completed: 311,
  helpline: 44,
  cancelled: 12,
  noAnswer: 41,
  failed: 4,
  secondsToAnswer: 11,
  secondsToMentor: 38,
  conversationSeconds: 905,
  conversationSecondsInAll: 301_557,
  mentorsRung: 520,
} as const;

/** What is kept, for how long, and what stays of it. */
export const RETENTION_OPERATIONS = {
  'POST /legal-holds': {
    id: 'placeLegalHold',
    tag: 'Retention',
    summary: 'Keeps the data of one person from leaving',
    description:
      'While it stands, no sweep and no erasure takes what is held of them. Audited. One that stands for the same reason is that hold, and answered with 200.',
    body: {
      schema: newLegalHold,
      examples: { 'a court has asked': { subjectId: HOLD.subjectId, reason: HOLD.reason } },
    },
    isRepeatable: true,
    answers: {
      200: { description: 'It stood already.', content: { 'application/json': legalHoldShape }, example: HOLD },
      201: {
        description: 'Placed; repeated under the same Idempotency-Key: the hold as it is now.',
        content: { 'application/json': legalHoldShape },
        example: HOLD,
      },
    },
    problems: ['not-found'],
  },
  'GET /legal-holds': {
    id: 'listLegalHolds',
    tag: 'Retention',
    summary: 'Whose data is kept from leaving, and why',
    query: legalHoldsQuery,
    answers: {
      200: {
        description: 'A page, newest first.',
        content: { 'application/json': legalHoldPage },
        example: { legalHolds: [HOLD], nextCursor: null },
      },
    },
  },
  'DELETE /legal-holds/:holdId': {
    id: 'liftLegalHold',
    tag: 'Retention',
    summary: 'Lifts a hold',
    description:
      'The next sweep takes what has been kept for its time. The hold stays in the list. Audited; may be repeated.',
    answers: {
      200: { description: 'As it is now.', content: { 'application/json': legalHoldShape }, example: LIFTED },
    },
    problems: ['not-found'],
  },
  'GET /call-statistics': {
    id: 'getCallStatistics',
    tag: 'Retention',
    summary: 'How mentor calls went, by month and country',
    description: 'Calls that are over. Says the same of a month before and after its calls were anonymised.',
    query: statisticsQuery,
    answers: {
      200: {
        description: 'Newest month first.',
        content: { 'application/json': statisticsShape },
        example: { months: [MONTH] },
      },
    },
  },
} as const satisfies Partial<Record<string, Operation>>;
