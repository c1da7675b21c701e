import { BUILT_IN_POLICY } from '../domain/escalation-policy';
import { escalationDocument } from '../domain/escalation-document';
import type { Operation } from './openapi-operations';
import {
  dryRun,
  dryRunResult,
  policyShape,
  scoreEvents,
  scoresTaken,
  wellbeingAlertPage,
  type wellbeingAlertShape,
  wellbeingAlertsQuery,
  wellbeingAlertWhole,
} from './wellbeing-shapes';

const USER = '9d2f7c11-0f52-4b7a-8a7e-5c1de2a4b6f0';
const ALERT = {
  alertId: '5a0c3a0e-8b1f-4c52-9d64-2f6f0c9b7a10',
  userId: USER,
  state: 'answered',
  endReason: 'answered',
  reason: 'low-in-a-row',
  days: 3,
  policyVersion: 0,
  dueAt: '2026-11-21T15:04:05.678Z',
  endedAt: '2026-11-21T15:31:02.010Z',
} satisfies Record<keyof typeof wellbeingAlertShape.shape, unknown>;
const STEP = {
  position: 1,
  who: 'buddies',
  channel: 'sms',
  state: 'answered',
  skippedBecause: null,
  text: 'Your buddies: answered.',
  response: null,
  buddies: [
    {
      buddyId: '8c1f4f0e-3b6a-4d7e-9a55-7f2e1c0b9d33',
      state: 'answered',
      response: 'called',
      respondedAt: '2026-11-21T15:31:01.400Z',
    },
  ],
  confirmedAt: null,
  begunAt: '2026-11-21T15:04:06.001Z',
  endedAt: '2026-11-21T15:31:02.010Z',
};
const ONE_ALERT = {
  description: 'The alert as it is now.',
  content: { 'application/json': wellbeingAlertWhole },
  example: {
    ...ALERT,
    reasonText: 'Your results have been low several times in a row.',
    stateText: 'Somebody you chose has been in touch.',
    steps: [STEP],
  },
} as const;
const POLICY = {
  description: 'The policy of now.',
  content: { 'application/json': policyShape },
  example: { ...BUILT_IN_POLICY, version: 0, setAt: null },
  headers: ['ETag'],
} as const;

/** Scores, the alerts that they begin, and who is asked then. */
export const WELLBEING_OPERATIONS = {
  'POST /api/wellbeing/scores': {
    id: 'sendWellbeingScores',
    tag: 'Wellbeing',
    summary: 'Takes scores, and begins the alerts that are due',
    description:
      'Each event is taken once, by its id. Where one of them is wrong, none is kept. Order is `measuredAt`: a late score is judged in its place. One alert of a user in WELLBEING_ALERT_SPACING.',
    body: {
      schema: scoreEvents,
      examples: {
        'one score': {
          events: [
            {
              eventId: '0d7b2a52-7a0c-4f0e-9d0c-3f5b1f1a9c11',
              userId: USER,
              score: 36,
              risk: 'medium',
              measuredAt: '2026-11-21T15:00:00.000Z',
            },
          ],
        },
      },
    },
    answers: {
      200: {
        description: 'How many were new. Nothing is said of what they led to.',
        content: { 'application/json': scoresTaken },
        example: { taken: 1, repeated: 0, tooOld: 0, ofUnknownUsers: 0 },
      },
    },
  },
  'GET /api/wellbeing/alerts': {
    id: 'listWellbeingAlerts',
    tag: 'Wellbeing',
    summary: 'Alerts, newest first',
    description:
      "Users see their own; staff and admins everybody's, each look audited. `standing=awaiting-human` are those that need somebody of the organisation now.",
    query: wellbeingAlertsQuery,
    answers: {
      200: {
        description: 'A page of alerts.',
        content: { 'application/json': wellbeingAlertPage },
        example: { alerts: [ALERT], nextCursor: null },
      },
    },
  },
  'GET /api/wellbeing/alerts/:alertId': {
    id: 'getWellbeingAlert',
    tag: 'Wellbeing',
    summary: 'Why an alert began, and what each step came to',
    answers: { 200: ONE_ALERT },
    problems: ['not-found'],
  },
  'POST /api/wellbeing/alerts/:alertId/close': {
    id: 'closeWellbeingAlert',
    tag: 'Wellbeing',
    summary: 'Ends an alert',
    description:
      'By the user it is about, or by staff: theirs says that they see to it when the organisation has been asked. Buddies who had been asked see on their page that it is over, the contact and the wellbeing service are written to; one that has not begun asks nobody any more. One that is over stays as it is. While it goes on all the same the answer is a 503: ask again.',
    answers: { 200: ONE_ALERT },
    problems: ['not-found'],
  },
  'POST /api/wellbeing/alerts/:alertId/confirm-emergency': {
    id: 'confirmEmergency',
    tag: 'Wellbeing',
    summary: 'Sets the emergency step off',
    description: 'The one way to do so: those on call are rung at once. Twice changes nothing.',
    answers: { 200: ONE_ALERT },
    problems: ['not-found', 'emergency-not-waiting'],
  },
  'GET /api/escalation-policy': {
    id: 'getEscalationPolicy',
    tag: 'Wellbeing',
    summary: 'Who is asked in an alert',
    answers: { 200: POLICY },
  },
  'PUT /api/escalation-policy': {
    id: 'setEscalationPolicy',
    tag: 'Wellbeing',
    summary: 'Sets who is asked',
    description: 'For alerts that begin from now on: a running one keeps the version it began with.',
    body: { schema: escalationDocument, examples: { 'as it is built in': BUILT_IN_POLICY } },
    isEdit: true,
    answers: { 200: POLICY },
    problems: ['policy-invalid'],
  },
  'POST /api/escalation-policy/dry-run': {
    id: 'tryEscalationPolicy',
    tag: 'Wellbeing',
    summary: 'What a policy would come to for somebody now',
    description: 'Nobody is asked. Counts only: nothing says who.',
    body: { schema: dryRun, examples: { 'the policy of now': { userId: USER } } },
    answers: {
      200: {
        description: 'When which step would begin if nobody answered.',
        content: { 'application/json': dryRunResult },
        example: {
          timeline: [
            { position: 1, who: 'buddies', channel: 'sms', atMinutes: 0, addressees: 2, skippedBecause: null },
            {
              position: 2,
              who: 'registered-contact',
              channel: 'sms',
              atMinutes: null,
              addressees: 0,
              skippedBecause: 'no-contact',
            },
          ],
          closesAtMinutes: 1440,
        },
      },
    },
    problems: ['not-found', 'policy-invalid'],
  },
} as const satisfies Partial<Record<string, Operation>>;
