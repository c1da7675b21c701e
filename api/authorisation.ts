import type { Caller, Role } from './authentication';
import { Problem } from './problems';

/**
 * Who may do what: every route with its rule, in one table. The application is built from it (`routes.ts`), so a
 * route without a rule cannot be mounted and a rule without a route stops the start.
 */
export type Rule =
  /** Anybody; says nothing about anyone. Counted by address, but for what balancers and monitors ask all day. */
  | { readonly access: 'public'; readonly isProbe?: true }
  /** Twilio alone, proven by its signature. */
  | { readonly access: 'twilio' }
  /** AWS SNS alone, proven by its signature. */
  | { readonly access: 'sns' }
  /** Whoever has a link that a message of ours carries: nothing else is asked of them. Counted by address. */
  | { readonly access: 'link' }
  /** Somebody who is signed in to the pages, by the cookie of their session; what changes something by a form of ours. */
  | { readonly access: 'page'; readonly roles: readonly Role[] }
  | {
      readonly access: 'signed-in';
      readonly roles: readonly Role[];
      /** Present when the route names an object that belongs to a subject; these roles may touch anybody's. */
      readonly owner?: { readonly exceptFor: readonly Role[] };
    };

const PUBLIC = { access: 'public' } as const satisfies Rule;
const PROBE = { access: 'public', isProbe: true } as const satisfies Rule;
const LINK = { access: 'link' } as const satisfies Rule;
const TWILIO = { access: 'twilio' } as const satisfies Rule;
const ADMINS = { access: 'signed-in', roles: ['admin'] } as const satisfies Rule;
/** About themselves. */
const ANYBODY = { access: 'signed-in', roles: ['user', 'mentor', 'staff', 'admin'] } as const satisfies Rule;
const OWN = { access: 'signed-in', roles: ['user', 'staff'], owner: { exceptFor: [] } } as const satisfies Rule;

const USERS = { access: 'signed-in', roles: ['user'] } as const satisfies Rule;
const MENTORS = { access: 'signed-in', roles: ['mentor'] } as const satisfies Rule;
const STAFF = { access: 'signed-in', roles: ['staff', 'admin'] } as const satisfies Rule;

/** Who sends to many; admins may look at, and stop, anybody's. */
const SENDERS = { access: 'signed-in', roles: ['staff', 'admin', 'service'] } as const satisfies Rule;
const OWN_BATCH = { ...SENDERS, owner: { exceptFor: ['admin'] } } as const satisfies Rule;

const OWN_BUDDY = { ...USERS, owner: { exceptFor: [] } } as const satisfies Rule;

const MENTORS_PAGE = { access: 'page', roles: ['mentor'] } as const satisfies Rule;
const USERS_PAGE = { access: 'page', roles: ['user'] } as const satisfies Rule;
const STAFF_PAGE = { access: 'page', roles: ['staff', 'admin'] } as const satisfies Rule;

export const RULES = {
  'GET /': PUBLIC,
  'GET /health': PROBE,
  'GET /health/ready': PROBE,
  'GET /problems': PUBLIC,
  'GET /problems/:code': PUBLIC,
  'GET /openapi.json': PUBLIC,
  'GET /docs': PUBLIC,
  'GET /docs/:asset': PUBLIC,
  'GET /consent-texts/mentor-call': PUBLIC,
  'GET /consent-texts/app-call': PUBLIC,
  'GET /disclosures': PUBLIC,

  'POST /connect-mentor': { access: 'signed-in', roles: ['user', 'staff'] },
  'GET /mentor-calls': { access: 'signed-in', roles: ['user', 'staff', 'admin'] },
  'GET /mentor-calls/:callId': {
    access: 'signed-in',
    roles: ['user', 'staff', 'admin'],
    owner: { exceptFor: ['staff', 'admin'] },
  },
  'GET /mentor-calls/:callId/quality': ADMINS,
  'DELETE /mentor-calls/:callId': OWN,
  'GET /mentor-calls/:callId/feedback': OWN,
  'POST /mentor-calls/:callId/feedback': OWN,
  'GET /satisfaction': { access: 'signed-in', roles: ['staff', 'admin'] },

  'GET /mentor-calls/:callId/recordings': ADMINS,
  'POST /mentor-calls/:callId/recordings/:recordingId/link': ADMINS,
  'GET /recordings/:token': PUBLIC,

  'GET /voice-token': { access: 'signed-in', roles: ['user'] },
  'DELETE /voice-token': { access: 'signed-in', roles: ['user'] },

  'POST /messages/bulk': SENDERS,
  'GET /messages/bulk': SENDERS,
  'GET /messages/bulk/:batchId': OWN_BATCH,
  'GET /messages/bulk/:batchId/rows': OWN_BATCH,
  'POST /messages/bulk/:batchId/start': OWN_BATCH,
  'POST /messages/bulk/:batchId/pause': OWN_BATCH,
  'POST /messages/bulk/:batchId/resume': OWN_BATCH,
  'POST /messages/bulk/:batchId/cancel': OWN_BATCH,
  'POST /alerts/voice': { access: 'signed-in', roles: ['staff', 'admin', 'service'] },
  'GET /alerts/voice': { access: 'signed-in', roles: ['staff', 'admin', 'service'] },
  'GET /alerts/voice/:alertId': {
    access: 'signed-in',
    roles: ['staff', 'admin', 'service'],
    owner: { exceptFor: ['staff', 'admin'] },
  },
  'DELETE /alerts/voice/:alertId': {
    access: 'signed-in',
    roles: ['staff', 'admin', 'service'],
    owner: { exceptFor: ['staff', 'admin'] },
  },

  'POST /api/buddy/send-checkin': { access: 'signed-in', roles: ['user'] },
  'GET /api/buddy/check-ins': { access: 'signed-in', roles: ['user'] },
  'GET /api/buddy/check-ins/:requestId': { access: 'signed-in', roles: ['user'], owner: { exceptFor: [] } },
  'GET /api/buddy/checkin/:token': LINK,
  'POST /api/buddy/checkin/:token': LINK,
  'GET /buddy/checkin/:token': LINK,
  'POST /buddy/checkin/:token': LINK,
  'GET /api/buddy/alert/:token': LINK,
  'POST /api/buddy/alert/:token': LINK,
  'GET /buddy/alert/:token': LINK,
  'POST /buddy/alert/:token': LINK,
  'POST /api/wellbeing/scores': { access: 'signed-in', roles: ['service'] },
  'GET /api/wellbeing/alerts': { access: 'signed-in', roles: ['user', 'staff', 'admin'] },
  'GET /api/wellbeing/alerts/:alertId': {
    access: 'signed-in',
    roles: ['user', 'staff', 'admin'],
    owner: { exceptFor: ['staff', 'admin'] },
  },
  'POST /api/wellbeing/alerts/:alertId/close': {
    access: 'signed-in',
    roles: ['user', 'staff', 'admin'],
    owner: { exceptFor: ['staff', 'admin'] },
  },
  'POST /api/wellbeing/alerts/:alertId/confirm-emergency': STAFF,
  'GET /api/escalation-policy': ADMINS,
  'PUT /api/escalation-policy': ADMINS,
  'POST /api/escalation-policy/dry-run': ADMINS,
  'GET /api/users/me/registered-contact': USERS,
  'PUT /api/users/me/registered-contact': USERS,
  'DELETE /api/users/me/registered-contact': USERS,
  'GET /contact/:token': LINK,
  'POST /contact/:token': LINK,

  'POST /contact-points': { access: 'signed-in', roles: ['user', 'staff'] },
  'GET /contact-points': { access: 'signed-in', roles: ['user', 'staff'] },
  'DELETE /contact-points/:contactPointId': OWN,
  'POST /contact-points/:contactPointId/verify': OWN,

  'POST /messages': { access: 'signed-in', roles: ['user', 'staff', 'admin', 'service'] },
  'GET /messages': { access: 'signed-in', roles: ['user', 'staff', 'admin', 'service'] },
  'GET /messages/:messageId': {
    access: 'signed-in',
    roles: ['user', 'staff', 'admin', 'service'],
    owner: { exceptFor: ['staff', 'admin'] },
  },
  'DELETE /messages/:messageId': {
    access: 'signed-in',
    roles: ['user', 'staff', 'admin', 'service'],
    owner: { exceptFor: ['staff', 'admin'] },
  },

  'GET /mentor-calls/:callId/matching': ADMINS,
  'GET /mentor-call-access': ADMINS,
  'POST /mentor-call-access': ADMINS,
  'DELETE /mentor-call-access/:subjectId': ADMINS,

  'GET /mentors/me': MENTORS,
  'PUT /mentors/me/availability': MENTORS,
  'GET /mentors/me/exceptions': MENTORS,
  'POST /mentors/me/exceptions': MENTORS,
  'PUT /mentors/me/exceptions/:exceptionId': MENTORS,
  'DELETE /mentors/me/exceptions/:exceptionId': MENTORS,
  'POST /mentors/me/shifts/import': MENTORS,
  'GET /mentors/:mentorId/exceptions': ADMINS,
  'POST /mentors/:mentorId/exceptions': ADMINS,
  'PUT /mentors/:mentorId/exceptions/:exceptionId': ADMINS,
  'DELETE /mentors/:mentorId/exceptions/:exceptionId': ADMINS,
  'POST /mentors/:mentorId/shifts/import': ADMINS,
  'GET /coverage': STAFF,

  'POST /mentors': ADMINS,
  'GET /mentors': ADMINS,
  'GET /mentors/:mentorId': ADMINS,
  'PATCH /mentors/:mentorId': ADMINS,
  'DELETE /mentors/:mentorId': ADMINS,
  'PUT /mentors/:mentorId/windows': ADMINS,
  'GET /mentors/:mentorId/satisfaction': {
    access: 'signed-in',
    roles: ['mentor', 'admin'],
    owner: { exceptFor: ['admin'] },
  },
  'POST /mentors/:mentorId/invitation': ADMINS,
  'DELETE /mentors/:mentorId/account': ADMINS,

  'POST /templates': ADMINS,
  'GET /templates': SENDERS,
  'GET /templates/:templateId': SENDERS,
  'PUT /templates/:templateId': ADMINS,
  'DELETE /templates/:templateId': ADMINS,
  'POST /templates/preview': SENDERS,
  'GET /preferences': ANYBODY,
  'PUT /preferences': ANYBODY,
  'GET /policies': ADMINS,
  'PUT /policies/:name': ADMINS,

  'GET /switches': ADMINS,
  'PUT /switches/:name': ADMINS,

  'GET /events': { access: 'signed-in', roles: ['user', 'staff', 'admin', 'service'] },
  'GET /app-events': { access: 'signed-in', roles: ['admin', 'service'] },
  'POST /app-events/:eventId/resend': { access: 'signed-in', roles: ['admin', 'service'] },

  'GET /incidents': { access: 'signed-in', roles: ['staff', 'admin'] },
  'GET /incidents/:incidentId': { access: 'signed-in', roles: ['staff', 'admin'] },
  'POST /incidents/:incidentId/acknowledge': { access: 'signed-in', roles: ['staff', 'admin'] },

  'GET /costs': ADMINS,
  'GET /costs/budget': ADMINS,
  'PUT /costs/budget': ADMINS,

  'POST /legal-holds': ADMINS,
  'GET /legal-holds': ADMINS,
  'DELETE /legal-holds/:holdId': ADMINS,
  'GET /call-statistics': { access: 'signed-in', roles: ['staff', 'admin'] },

  'GET /webhook-events': ADMINS,
  'POST /webhook-events/:eventId/replay': { access: 'signed-in', roles: ['admin', 'service'] },

  'POST /twiml/connect-mentor': TWILIO,
  'POST /twiml/voice-app': TWILIO,
  'POST /twiml/mentor-whisper': TWILIO,
  'POST /twiml/mentor-confirm': TWILIO,
  'POST /twiml/alert': TWILIO,
  'POST /twiml/inbound': TWILIO,
  'POST /twiml/inbound-text': TWILIO,
  'POST /call-status': TWILIO,
  'POST /recording-status': TWILIO,

  'GET /api/users/me/profile': USERS,
  'PUT /api/users/me/profile': USERS,
  'POST /api/buddy': USERS,
  'GET /api/buddy': USERS,
  'PUT /api/buddy/order': USERS,
  'POST /api/buddy/send-verification': USERS,
  'GET /api/buddy/verify': LINK,
  'POST /api/buddy/verify': LINK,
  'GET /api/buddy/:buddyId': OWN_BUDDY,
  'PATCH /api/buddy/:buddyId': OWN_BUDDY,
  'DELETE /api/buddy/:buddyId': OWN_BUDDY,
  'GET /api/buddy/:buddyId/history': OWN_BUDDY,

  'POST /mail-events': { access: 'sns' },
  'GET /unsubscribe/:token': LINK,
  'POST /unsubscribe/:token': LINK,
  'GET /api/buddy/rights/:token': LINK,
  'POST /api/buddy/rights/:token': LINK,
  'POST /message-status': TWILIO,

  'GET /sign-in': PUBLIC,
  'GET /sign-in/callback': PUBLIC,
  'GET /signed-out': PUBLIC,
  'POST /sign-out': { access: 'page', roles: ['user', 'mentor', 'staff', 'admin', 'service'] },
  'GET /mentor': MENTORS_PAGE,
  'GET /mentor/join': MENTORS_PAGE,
  'POST /mentor/join': MENTORS_PAGE,
  'POST /mentor/availability': MENTORS_PAGE,
  'POST /mentor/rung-while-busy': MENTORS_PAGE,
  'GET /circle': USERS_PAGE,
  'POST /circle/profile': USERS_PAGE,
  'POST /circle/buddies': USERS_PAGE,
  'POST /circle/buddies/:buddyId/send': USERS_PAGE,
  'POST /circle/buddies/:buddyId/check-in': USERS_PAGE,
  'POST /circle/buddies/:buddyId/up': USERS_PAGE,
  'POST /circle/buddies/:buddyId/down': USERS_PAGE,
  'GET /circle/buddies/:buddyId/remove': USERS_PAGE,
  'POST /circle/buddies/:buddyId/remove': USERS_PAGE,
  'POST /circle/contact': USERS_PAGE,
  'GET /circle/contact/remove': USERS_PAGE,
  'POST /circle/contact/remove': USERS_PAGE,
  'POST /circle/alerts/:alertId/close': USERS_PAGE,
  'GET /staff': STAFF_PAGE,
  'GET /staff/calls': STAFF_PAGE,
  'GET /staff/mentors': STAFF_PAGE,
  'GET /staff/alerts': STAFF_PAGE,
  'POST /staff/alerts/:alertId/confirm-emergency': STAFF_PAGE,
  'POST /staff/alerts/:alertId/close': STAFF_PAGE,
  'GET /staff/incidents/:incidentId': STAFF_PAGE,
  'POST /staff/incidents/:incidentId/acknowledge': STAFF_PAGE,
  'POST /staff/ring-notes/:noteId/seen': STAFF_PAGE,
  'POST /staff/mentors/:mentorId/invitation': { access: 'page', roles: ['admin'] },
} as const satisfies Record<`${'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} /${string}`, Rule>;

export type RouteName = keyof typeof RULES;
/** The names of the routes with one kind of access. */
export type RoutesWith<Access extends Rule['access']> = {
  [Name in RouteName]: (typeof RULES)[Name] extends { access: Access } ? Name : never;
}[RouteName];

/** Whether requests are counted. What is signed by a provider is not: a call or a receipt must never be turned away. */
export function isCounted(rule: Rule): boolean {
  const isByCaller = rule.access === 'signed-in' || rule.access === 'page';
  return isByCaller || rule.access === 'link' || (rule.access === 'public' && rule.isProbe !== true);
}

/** @throws {Problem} `role-not-allowed` */
export function checkRole(rule: Rule, caller: Caller): void {
  const isByRole = rule.access === 'signed-in' || rule.access === 'page';
  if (isByRole && !hasOneOf(caller, rule.roles)) throw new Problem('role-not-allowed');
}

/**
 * @param ownerId subject the object belongs to; null when there is no such object
 * @throws {Problem} `not-found`, the same for what is not there and for what is somebody else's
 */
export function checkOwner(route: RouteName, caller: Caller, ownerId: string | null): void {
  if (ownerId === null) throw new Problem('not-found');
  if (ownerId === caller.subjectId) return;
  const rule: Rule = RULES[route];
  if (rule.access !== 'signed-in' || !hasOneOf(caller, rule.owner?.exceptFor ?? [])) throw new Problem('not-found');
}

export function hasOneOf(caller: Caller, roles: readonly Role[]): boolean {
  return roles.some((role) => caller.roles.includes(role));
}
