import { callMatches } from './call-matching-shapes';
import { accessPage, accessShape, newAccess } from './mentor-call-access-shapes';
import {
  calendarImport,
  coverageQuery,
  coverageShape,
  exceptionPage,
  exceptionShape,
  importResult,
  newException,
} from './mentor-shifts-shapes';
import { mentorShape, newAvailability } from './mentors-shapes';
import type { Operation } from './openapi-operations';
import { MENTOR } from './openapi-for-staff';
import { listQuery } from './shared-shapes';

const CALL_ID = '3d0d7c55-9a0e-4b1e-8a5e-0f4f1d2c3b4a';
const NEW_EXCEPTION = { kind: 'away', starts: '2026-12-24T00:00', ends: '2026-12-27T00:00' } as const;
const EXCEPTION = {
  exceptionId: '5a1d3c9e-1b7f-4c1e-9d0a-2f6b8e4c7a10',
  ...NEW_EXCEPTION,
  zone: null,
  source: 'entered',
} as const;
const ACCESS = { subjectId: '0b7f5c1e-2a4d-4e8b-9c3f-6d5a1e0f7b22', addedAt: '2026-11-21T15:04:05.678Z' };
const CALENDAR = {
  calendar:
    'BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;TZID=Europe/Madrid:20261201T180000\r\nDTEND;TZID=Europe/Madrid:20261201T200000\r\nRRULE:FREQ=WEEKLY;COUNT=1\r\nEND:VEVENT\r\nEND:VCALENDAR',
};
const REASON = { askedFor: false, currentCalls: 0, lastCalledAt: null };
const FEATURES = { languageRank: 1, specialties: 1, sameCountry: 1, rested: 1, load: 0 };
const MATCHES = {
  callId: CALL_ID,
  steps: [
    {
      step: 1,
      mentorId: MENTOR.mentorId,
      at: '2026-11-21T15:04:05.678Z',
      why: 'reserved',
      times: 1,
      result: 'completed',
      reasons: {
        scorer: { name: 'default', version: 0 },
        counts: { onShift: 2, free: 2, busy: 0, triedAlready: 0 },
        chosen: { ...REASON, score: 110, features: FEATURES, met: { languages: ['es'], specialties: ['sleep'] } },
        others: [
          {
            mentorId: '1f0e6b2a-7c3d-4f5e-8a9b-0c1d2e3f4a5b',
            why: 'lower-score',
            ...REASON,
            score: 0,
            features: { ...FEATURES, languageRank: 0, specialties: 0 },
          },
        ],
      },
    },
  ],
};
const COVERAGE = {
  month: '2026-12',
  zone: 'UTC',
  mentors: 1,
  gaps: [{ starts: '2026-12-01T01:00:00Z', ends: '2027-01-01T00:00:00Z', minutes: 44_580 }],
  gapMinutes: 44_580,
  hours: [{ starts: '2026-12-01T00:00:00Z', fewest: 1, most: 1 }],
};

const ONE_EXCEPTION = { content: { 'application/json': exceptionShape }, example: EXCEPTION } as const;
const list = (id: string, whose: string, ...problems: readonly ('not-found' | 'account-not-linked')[]) =>
  ({
    id,
    tag: 'Mentors',
    summary: `Days away and single shifts of ${whose}, by their start`,
    query: listQuery,
    answers: {
      200: {
        description: 'A page.',
        content: { 'application/json': exceptionPage },
        example: { exceptions: [EXCEPTION], nextCursor: null },
      },
    },
    problems,
  }) as const satisfies Operation;
const create = (id: string, whose: string, ...problems: readonly ('not-found' | 'account-not-linked')[]) =>
  ({
    id,
    tag: 'Mentors',
    summary: `Enters days away or a single shift of ${whose}`,
    description: 'Counts at once, for the next call that looks for a mentor. Whoever is in a call goes on.',
    body: {
      schema: newException,
      examples: {
        'days away': NEW_EXCEPTION,
        'a single shift': {
          kind: 'shift',
          starts: '2026-12-05T18:00',
          ends: '2026-12-05T22:00',
          zone: 'America/New_York',
        },
      },
    },
    isRepeatable: true,
    answers: { 201: { description: 'Entered.', ...ONE_EXCEPTION } },
    problems: [...problems, 'already-deleted', 'too-many-exceptions', 'zone-unknown'],
  }) as const satisfies Operation;
const change = (id: string, whose: string, ...problems: readonly ('not-found' | 'account-not-linked')[]) =>
  ({
    id,
    tag: 'Mentors',
    summary: `Replaces days away or a single shift of ${whose}`,
    description: 'One that was imported counts as entered from then on.',
    body: { schema: newException, examples: { 'days away': NEW_EXCEPTION } },
    answers: { 200: { description: 'As it is now.', ...ONE_EXCEPTION } },
    problems: [...problems, 'zone-unknown'],
  }) as const satisfies Operation;
const remove = (id: string, whose: string, ...problems: readonly ('not-found' | 'account-not-linked')[]) =>
  ({
    id,
    tag: 'Mentors',
    summary: `Removes days away or a single shift of ${whose}`,
    answers: { 204: { description: 'Gone.' } },
    problems,
  }) as const satisfies Operation;
const bring = (id: string, whose: string, ...problems: readonly ('not-found' | 'account-not-linked')[]) =>
  ({
    id,
    tag: 'Mentors',
    summary: `Takes the shifts of ${whose} from a calendar`,
    description:
      'Puts the shifts of the next year in the place of those that an earlier import has brought; what was entered by hand stays. Names, places and notes in the calendar are not read.',
    body: {
      schema: calendarImport,
      examples: { 'a look first': { ...CALENDAR, isDryRun: true }, 'an import': CALENDAR },
    },
    answers: {
      200: {
        description: 'What it brought, or would bring.',
        content: { 'application/json': importResult },
        example: {
          isDryRun: true,
          events: 1,
          skipped: {},
          shifts: [{ starts: '2026-12-01T18:00', ends: '2026-12-01T20:00', zone: 'Europe/Madrid' }],
          until: '2027-11-22T15:04:05.678Z',
        },
      },
    },
    problems: [...problems, 'calendar-unreadable', 'too-many-exceptions'],
  }) as const satisfies Operation;

/** Shifts, what mentors do themselves, and why a mentor was chosen. */
export const MENTOR_OPERATIONS = {
  'GET /mentors/me': {
    id: 'getOwnMentor',
    tag: 'Mentors',
    summary: 'Oneself as a mentor',
    answers: {
      200: {
        description: 'As it is now.',
        content: { 'application/json': mentorShape },
        example: MENTOR,
        headers: ['ETag'],
      },
    },
    problems: ['account-not-linked', 'not-found'],
  },
  'PUT /mentors/me/availability': {
    id: 'setOwnAvailability',
    tag: 'Mentors',
    summary: 'Switches oneself on or off',
    description: 'Counts for the next call that looks for a mentor, and ends none. Audited. May be repeated.',
    body: { schema: newAvailability, examples: { off: { available: false } } },
    answers: {
      200: {
        description: 'As it is now.',
        content: { 'application/json': mentorShape },
        example: MENTOR,
        headers: ['ETag'],
      },
    },
    problems: ['account-not-linked', 'not-found'],
  },
  'GET /mentors/me/exceptions': list('listOwnExceptions', 'oneself', 'account-not-linked'),
  'POST /mentors/me/exceptions': create('createOwnException', 'oneself', 'account-not-linked'),
  'PUT /mentors/me/exceptions/:exceptionId': change('changeOwnException', 'oneself', 'account-not-linked', 'not-found'),
  'DELETE /mentors/me/exceptions/:exceptionId': remove(
    'deleteOwnException',
    'oneself',
    'account-not-linked',
    'not-found',
  ),
  'POST /mentors/me/shifts/import': bring('importOwnShifts', 'oneself', 'account-not-linked'),
  'GET /mentors/:mentorId/exceptions': list('listExceptions', 'a mentor', 'not-found'),
  'POST /mentors/:mentorId/exceptions': create('createException', 'a mentor', 'not-found'),
  'PUT /mentors/:mentorId/exceptions/:exceptionId': change('changeException', 'a mentor', 'not-found'),
  'DELETE /mentors/:mentorId/exceptions/:exceptionId': remove('deleteException', 'a mentor', 'not-found'),
  'POST /mentors/:mentorId/shifts/import': bring('importShifts', 'a mentor', 'not-found'),
  'GET /coverage': {
    id: 'getCoverage',
    tag: 'Mentors',
    summary: 'Who is on shift when, a month at a time, with the gaps',
    description: 'From the hours and exceptions as they are now. Says how many, never who.',
    query: coverageQuery,
    answers: {
      200: {
        description: 'The month.',
        content: { 'application/json': coverageShape, 'text/csv': null },
        example: COVERAGE,
      },
    },
    problems: ['zone-unknown'],
  },
  'GET /mentor-calls/:callId/matching': {
    id: 'getMatching',
    tag: 'Calls',
    summary: 'Why this mentor was rung, and why not another',
    description: 'Every look is audited.',
    answers: {
      200: {
        description: 'The reasons, step by step.',
        content: { 'application/json': callMatches },
        example: MATCHES,
      },
    },
    problems: ['not-found'],
  },
  'GET /mentor-call-access': {
    id: 'listAccess',
    tag: 'Calls',
    summary: 'Who may ask for calls while they are not for everybody',
    query: listQuery,
    answers: {
      200: {
        description: 'A page.',
        content: { 'application/json': accessPage },
        example: { access: [ACCESS], nextCursor: null },
      },
    },
  },
  'POST /mentor-call-access': {
    id: 'giveAccess',
    tag: 'Calls',
    summary: 'Lets somebody ask for calls',
    description: 'Counts while MENTOR_CALLS_ACCESS is list. Audited. May be repeated.',
    body: {
      schema: newAccess,
      examples: {
        'by their account': { account: 'the-sub-of-their-tokens' },
        'by our id': { subjectId: ACCESS.subjectId },
      },
    },
    answers: {
      201: { description: 'On the list.', content: { 'application/json': accessShape }, example: ACCESS },
    },
    problems: ['not-found'],
  },
  'DELETE /mentor-call-access/:subjectId': {
    id: 'takeAccess',
    tag: 'Calls',
    summary: 'Takes somebody off the list',
    description: 'A call that is under way goes on. Audited.',
    answers: { 204: { description: 'Off the list.' } },
    problems: ['not-found'],
  },
} as const satisfies Partial<Record<string, Operation>>;
