import { feedbackShape, mentorSatisfactionShape, newFeedback, satisfactionShape } from './call-feedback-shapes';
import { monthsQuery } from './months';
import type { Operation } from './openapi-operations';

const FEEDBACK = {
  callId: '0d7b2a52-7a0c-4f0e-9d0c-3f5b1f1a9c11',
  rating: 5,
  words: 'It helped to be heard.',
  via: 'app',
  givenAt: '2026-11-21T15:40:05.678Z',
  changeableUntil: '2026-11-22T15:40:05.678Z',
};

/** How calls were. */
export const FEEDBACK_OPERATIONS = {
  'POST /mentor-calls/:callId/feedback': {
    id: 'rateMentorCall',
    tag: 'Calls',
    summary: 'Says how a call was',
    description:
      'Within seven days of its end, and changed within a day of the first answer, whether that came by key, by text or here. May be repeated.',
    body: {
      schema: newFeedback,
      examples: { 'a number': { rating: 4 }, 'with words': { rating: 5, words: FEEDBACK.words } },
    },
    answers: {
      200: { description: 'Kept.', content: { 'application/json': feedbackShape }, example: FEEDBACK },
    },
    problems: ['not-found', 'call-not-over', 'no-conversation', 'feedback-closed'],
  },
  'GET /mentor-calls/:callId/feedback': {
    id: 'getMentorCallFeedback',
    tag: 'Calls',
    summary: 'What one has said of a call',
    description: 'For its user alone. Words are kept for 90 days.',
    answers: {
      200: { description: 'The last answer.', content: { 'application/json': feedbackShape }, example: FEEDBACK },
    },
    problems: ['not-found'],
  },
  'GET /satisfaction': {
    id: 'getSatisfaction',
    tag: 'Calls',
    summary: 'How calls were, by month',
    description: 'Never by user. A month with fewer than five answers shows only how many there are.',
    query: monthsQuery,
    answers: {
      200: {
        description: 'Newest month first.',
        content: { 'application/json': satisfactionShape },
        example: { months: [{ month: '2026-11', answers: 41, mean: 4.3, ratings: [1, 2, 4, 11, 23] }] },
      },
    },
  },
  'GET /mentors/:mentorId/satisfaction': {
    id: 'getMentorSatisfaction',
    tag: 'Mentors',
    summary: 'How calls with one mentor were',
    description: 'For that mentor and for admins; nothing is shown of fewer than ten answers.',
    answers: {
      200: {
        description: 'Of the last year.',
        content: { 'application/json': mentorSatisfactionShape },
        example: { mentorId: '8c1f4f0e-3b6a-4d7e-9a55-7f2e1c0b9d33', answers: 17, mean: 4.6 },
      },
    },
    problems: ['not-found'],
  },
} as const satisfies Partial<Record<string, Operation>>;
