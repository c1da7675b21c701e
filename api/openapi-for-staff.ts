import { callQualityShape } from './call-quality-shapes';
import { mentorChange, mentorPage, mentorShape, newMentor, newWindows } from './mentors-shapes';
import type { Operation } from './openapi-operations';
import { listQuery } from './shared-shapes';
import { switchChange, switchList, switchShape } from './switches-shapes';

const WINDOWS = [{ weekday: 1, starts: '09:00', ends: '17:00' }];
const NEW_MENTOR = {
  name: 'Example Mentor',
  phoneNumber: '+14155550176',
  specialties: ['sleep'],
  languages: ['en', 'es'],
  zone: 'America/New_York',
  windows: WINDOWS,
};
/** An example. */
export const MENTOR = {
  mentorId: '8c1f4f0e-3b6a-4d7e-9a55-7f2e1c0b9d33',
  name: NEW_MENTOR.name,
  country: 'US',
  specialties: NEW_MENTOR.specialties,
  languages: NEW_MENTOR.languages,
  zone: NEW_MENTOR.zone,
  available: true,
  maxConcurrentCalls: 1,
  currentCalls: 0,
  windows: WINDOWS,
};
const SWITCH = { name: 'sms', isOn: false, isConfigured: true, changedAt: '2026-11-21T15:04:05.678Z' };
const ONE_MENTOR = { content: { 'application/json': mentorShape }, example: MENTOR, headers: ['ETag'] } as const;
const NUMBER_PROBLEMS = [
  'phone-number-invalid',
  'phone-number-not-allowed',
  'country-not-allowed',
  'zone-unknown',
] as const;

const QUALITY = {
  endedAt: '2026-11-21T15:31:05.678Z',
  msToAnswer: 6_000,
  msToMentor: 14_000,
  mentorsRung: 1,
  bridgeSeconds: 1_440,
  reconnections: 0,
  ringBacks: 0,
  linesLost: 0,
  endedFirst: 'mentor',
  userPostDialDelayMs: 2_000,
  mentorPostDialDelayMs: 3_000,
  userSipCode: 200,
  mentorSipCode: 200,
  insights: { user: null, mentor: null },
  insightsDueAt: null,
};

/** What the organisation's own people and programs do. */
export const STAFF_OPERATIONS = {
  'GET /mentor-calls/:callId/quality': {
    id: 'getCallQuality',
    tag: 'Calls',
    summary: 'How a call went, in figures',
    description: 'There a minute or two after the end of the call. Each look is audited.',
    answers: {
      200: {
        description: 'The figures; null until they are noted.',
        content: { 'application/json': callQualityShape },
        example: { callId: '8c1f4f0e-3b6a-4d7e-9a55-7f2e1c0b9d33', quality: QUALITY },
      },
    },
    problems: ['not-found'],
  },
  'POST /mentors': {
    id: 'createMentor',
    tag: 'Mentors',
    summary: 'Enters a mentor',
    description: 'Name and number are sealed. The name is shown to admins, each look audited; the number never.',
    body: { schema: newMentor, examples: { 'a mentor': NEW_MENTOR } },
    isRepeatable: true,
    answers: {
      201: {
        description: 'Entered. Repeated under the same Idempotency-Key: the mentor as it is now, and no second one.',
        content: { 'application/json': mentorShape },
        example: MENTOR,
        headers: ['Location', 'ETag'],
      },
    },
    problems: ['already-deleted', ...NUMBER_PROBLEMS],
  },
  'GET /mentors': {
    id: 'listMentors',
    tag: 'Mentors',
    summary: 'All mentors, oldest first',
    query: listQuery,
    answers: {
      200: {
        description: 'A page.',
        content: { 'application/json': mentorPage },
        example: { mentors: [MENTOR], nextCursor: null },
      },
    },
  },
  'GET /mentors/:mentorId': {
    id: 'getMentor',
    tag: 'Mentors',
    summary: 'One mentor',
    answers: { 200: { description: 'The mentor; ETag names this version of it.', ...ONE_MENTOR } },
    problems: ['not-found'],
  },
  'PATCH /mentors/:mentorId': {
    id: 'changeMentor',
    tag: 'Mentors',
    summary: 'Changes a mentor',
    description: 'What is left out stays. A replaced name or number is destroyed.',
    body: { schema: mentorChange, examples: { 'on leave': { available: false } } },
    isEdit: true,
    answers: { 200: { description: 'Changed; ETag names the new version.', ...ONE_MENTOR } },
    problems: ['not-found', ...NUMBER_PROBLEMS],
  },
  'PUT /mentors/:mentorId/windows': {
    id: 'replaceWindows',
    tag: 'Mentors',
    summary: 'Replaces the hours of a mentor',
    body: { schema: newWindows, examples: { 'office hours on Mondays': { windows: WINDOWS } } },
    isEdit: true,
    answers: { 200: { description: 'Changed; ETag names the new version.', ...ONE_MENTOR } },
    problems: ['not-found'],
  },
  'DELETE /mentors/:mentorId': {
    id: 'deleteMentor',
    tag: 'Mentors',
    summary: 'Takes a mentor off the list and destroys name and number',
    isEdit: true,
    answers: { 204: { description: 'Gone. A call that is running goes on to its end.' } },
    problems: ['not-found', 'subject-held'],
  },
  'GET /switches': {
    id: 'listSwitches',
    tag: 'Switches',
    summary: 'Whether calls, texts and e-mail are switched on',
    answers: {
      200: {
        description: 'All of them.',
        content: { 'application/json': switchList },
        example: { switches: [SWITCH] },
      },
    },
  },
  'PUT /switches/:name': {
    id: 'setSwitch',
    tag: 'Switches',
    summary: 'Switches calls, texts or e-mail off or on',
    description:
      'New requests are refused while it is off; what is under way waits, or ends, as configured. Audited. May be repeated.',
    body: { schema: switchChange, examples: { off: { isOn: false } } },
    answers: {
      200: { description: 'As it is now.', content: { 'application/json': switchShape }, example: SWITCH },
    },
    problems: ['not-found'],
  },
} as const satisfies Partial<Record<string, Operation>>;
