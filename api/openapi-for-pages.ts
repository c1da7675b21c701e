import type { Operation } from './openapi-operations';
import { invitationShape } from './mentor-invitations';

const PAGE = { description: 'A page for people.', content: { 'text/html': null } } as const;
const THERE = { description: 'To the page that shows it, or to the sign-in.' } as const;
const SIGN_IN = { description: 'To the sign-in first.' } as const;
const NO_PAGE = { ...PAGE, description: 'There is no such thing.' } as const;
const WRONG = { ...PAGE, description: 'The page says what was wrong. Nothing was changed.' } as const;

const page = (id: string, summary: string, more: Partial<Operation> = {}) =>
  ({ id, tag: 'Pages', summary, answers: { 200: PAGE, 303: SIGN_IN }, ...more }) as const satisfies Operation;
const form = (id: string, summary: string, more: Operation['answers'] = {}) =>
  ({ id, tag: 'Pages', summary, answers: { 303: THERE, ...more } }) as const satisfies Operation;

/** Pages of people who are signed in, and how they come there. For browsers: apps use the routes above. */
export const PAGE_OPERATIONS = {
  'GET /sign-in': {
    id: 'signIn',
    tag: 'Pages',
    summary: 'To the issuer of the organisation, and back to the page named in `to`',
    answers: { 302: { description: 'To the issuer.' }, 503: { ...PAGE, description: 'Not configured, or not up.' } },
  },
  'GET /sign-in/callback': {
    id: 'signInCallback',
    tag: 'Pages',
    summary: 'Where the issuer sends people back to',
    answers: {
      303: { description: 'To the page.' },
      400: { ...PAGE, description: 'The issuer said no, or this is no sign-in that began in this browser.' },
      503: { ...PAGE, description: 'Not configured, or not up.' },
    },
  },
  'GET /signed-out': { id: 'signedOut', tag: 'Pages', summary: 'Says that one is signed out', answers: { 200: PAGE } },
  'POST /sign-out': form('signOut', 'Ends the session, whoever holds a copy of its cookie'),
  'GET /mentor': page('mentorPage', 'A mentor’s own page: on and off, shifts, when they were rung'),
  'GET /mentor/join': page('joinPage', 'Where a mentor enters an invitation code'),
  'POST /mentor/join': form('join', 'Links the account with a mentor, by a `code`', { 422: WRONG }),
  'POST /mentor/availability': form('switchMentor', 'Switches the mentor `on` or `off`, by `available`', {
    400: WRONG,
  }),
  'POST /mentor/rung-while-busy': form('noteRing', 'Tells staff that the last ring came at a bad time'),
  'GET /circle': page('circlePage', 'A user’s own page: their buddies, and what came of asking them'),
  'POST /circle/profile': form(
    'saveProfileFromPage',
    'The `firstName` that buddies read, the `language`, `tellMeBy`, `timeZone`',
  ),
  'POST /circle/buddies': form('addBuddyFromPage', 'Names a buddy, by `name`, `phoneNumber`, `email`, `relationship`'),
  'POST /circle/buddies/:buddyId/send': form('inviteBuddyFromPage', 'Sends the e-mail that asks them'),
  'POST /circle/buddies/:buddyId/check-in': form('askBuddyFromPage', 'Sends the text that asks them to get in touch'),
  'POST /circle/buddies/:buddyId/up': form('askBuddyEarlier', 'One place earlier in the order'),
  'POST /circle/buddies/:buddyId/down': form('askBuddyLater', 'One place later in the order'),
  'GET /circle/buddies/:buddyId/remove': page('removeBuddyPage', 'Asks once more', {
    answers: { 200: PAGE, 303: SIGN_IN, 404: NO_PAGE },
  }),
  'POST /circle/buddies/:buddyId/remove': form(
    'removeBuddyFromPage',
    'Takes them off the list, and erases what is held',
  ),
  'POST /circle/contact': form('nameContactFromPage', 'Names the contact, by `name`, `phoneNumber`, `language`'),
  'GET /circle/contact/remove': page('removeContactPage', 'Asks once more'),
  'POST /circle/contact/remove': form('removeContactFromPage', 'Takes them off the page, and destroys what is held'),
  'POST /circle/alerts/:alertId/close': form('closeAlertFromPage', 'Ends an alert: the user is well'),
  'GET /staff': page('staffPage', 'How things stand, for staff'),
  'GET /staff/calls': page('staffCallsPage', 'All calls, with links into the Temporal Web UI', {
    answers: { 200: PAGE, 303: SIGN_IN, 400: WRONG },
  }),
  'GET /staff/alerts': page('staffAlertsPage', 'Wellbeing alerts that need somebody of the organisation', {
    answers: { 200: PAGE, 303: SIGN_IN, 400: WRONG },
  }),
  'POST /staff/alerts/:alertId/confirm-emergency': form(
    'confirmEmergencyFromPage',
    'Sets the emergency step off: those on call are rung',
    { 404: NO_PAGE },
  ),
  'POST /staff/alerts/:alertId/close': form('closeAlertForStaff', 'Ends an alert: staff see to it', { 404: NO_PAGE }),
  'GET /staff/mentors': page('staffMentorsPage', 'The mentors by name, each look audited', {
    answers: { 200: PAGE, 303: SIGN_IN, 400: WRONG },
  }),
  'GET /staff/incidents/:incidentId': page('staffIncidentPage', 'An incident, as alerts link it', {
    answers: { 200: PAGE, 303: SIGN_IN, 404: NO_PAGE },
  }),
  'POST /staff/incidents/:incidentId/acknowledge': form('acknowledgeFromPage', 'Says that somebody looks after it', {
    404: NO_PAGE,
  }),
  'POST /staff/ring-notes/:noteId/seen': form('seeRingNote', 'Notes that staff have seen it', { 404: NO_PAGE }),
  'POST /staff/mentors/:mentorId/invitation': {
    id: 'inviteFromPage',
    tag: 'Pages',
    summary: 'Makes an invitation code, and shows it this once',
    answers: { 200: PAGE, 404: NO_PAGE },
  },
} as const satisfies Partial<Record<string, Operation>>;

const INVITATION = {
  mentorId: '8c1f4f0e-3b6a-4d7e-9a55-7f2e1c0b9d33',
  code: 'K7QM-2XPD-9WTF',
  joinUrl: 'https://api.example.org/mentor/join',
  expiresAt: '2026-11-28T15:04:05.678Z',
};

export const INVITATION_OPERATIONS = {
  'POST /mentors/:mentorId/invitation': {
    id: 'inviteMentor',
    tag: 'Mentors',
    summary: 'Makes the code by which a mentor links their account with this entry',
    description:
      'The code is in this answer and stored nowhere; it counts once, for seven days. A new one makes the one before count no more.',
    isRepeatable: true,
    answers: {
      201: {
        description: 'Made. Repeated under the same Idempotency-Key: the same code.',
        content: { 'application/json': invitationShape },
        example: INVITATION,
      },
    },
    problems: ['not-found', 'already-deleted'],
  },
  'DELETE /mentors/:mentorId/account': {
    id: 'unlinkMentor',
    tag: 'Mentors',
    summary: 'Takes the account away from a mentor, and an invitation that is still open',
    description: 'May be repeated. The mentor goes on being rung; their page is closed to them.',
    answers: { 204: { description: 'No account leads to this mentor.' } },
    problems: ['not-found'],
  },
} as const satisfies Partial<Record<string, Operation>>;
