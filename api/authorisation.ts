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
  | {
      readonly access: 'signed-in';
      readonly roles: readonly Role[];
      /** Present when the route names an object that belongs to a subject; these roles may touch anybody's. */
      readonly owner?: { readonly exceptFor: readonly Role[] };
    };

const PUBLIC = { access: 'public' } as const satisfies Rule;
const PROBE = { access: 'public', isProbe: true } as const satisfies Rule;
const TWILIO = { access: 'twilio' } as const satisfies Rule;
const ADMINS = { access: 'signed-in', roles: ['admin'] } as const satisfies Rule;
/** About themselves. */
const ANYBODY = { access: 'signed-in', roles: ['user', 'mentor', 'staff', 'admin'] } as const satisfies Rule;
const OWN = { access: 'signed-in', roles: ['user', 'staff'], owner: { exceptFor: [] } } as const satisfies Rule;

/** Who sends to many; admins may look at, and stop, anybody's. */
const SENDERS = { access: 'signed-in', roles: ['staff', 'admin', 'service'] } as const satisfies Rule;
const OWN_BATCH = { ...SENDERS, owner: { exceptFor: ['admin'] } } as const satisfies Rule;

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

  'POST /connect-mentor': { access: 'signed-in', roles: ['user', 'staff'] },
  'GET /mentor-calls': { access: 'signed-in', roles: ['user', 'staff', 'admin'] },
  'GET /mentor-calls/:callId': {
    access: 'signed-in',
    roles: ['user', 'staff', 'admin'],
    owner: { exceptFor: ['staff', 'admin'] },
  },
  'DELETE /mentor-calls/:callId': OWN,

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

  'POST /mentors': ADMINS,
  'GET /mentors': ADMINS,
  'GET /mentors/:mentorId': ADMINS,
  'PATCH /mentors/:mentorId': ADMINS,
  'DELETE /mentors/:mentorId': ADMINS,
  'PUT /mentors/:mentorId/windows': ADMINS,

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
  'GET /app-events': ADMINS,
  'POST /app-events/:eventId/resend': { access: 'signed-in', roles: ['admin', 'service'] },

  'GET /costs': ADMINS,
  'GET /costs/budget': ADMINS,
  'PUT /costs/budget': ADMINS,

  'GET /webhook-events': ADMINS,
  'POST /webhook-events/:eventId/replay': { access: 'signed-in', roles: ['admin', 'service'] },

  'POST /twiml/connect-mentor': TWILIO,
  'POST /twiml/mentor-whisper': TWILIO,
  'POST /twiml/mentor-confirm': TWILIO,
  'POST /twiml/alert': TWILIO,
  'POST /twiml/inbound': TWILIO,
  'POST /twiml/inbound-text': TWILIO,
  'POST /call-status': TWILIO,

  'POST /mail-events': { access: 'sns' },
  'GET /unsubscribe/:token': PUBLIC,
  'POST /unsubscribe/:token': PUBLIC,
  'POST /message-status': TWILIO,
} as const satisfies Record<`${'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} /${string}`, Rule>;

export type RouteName = keyof typeof RULES;
/** The names of the routes with one kind of access. */
export type RoutesWith<Access extends Rule['access']> = {
  [Name in RouteName]: (typeof RULES)[Name] extends { access: Access } ? Name : never;
}[RouteName];

/** Whether requests are counted. What is signed by a provider is not: a call or a receipt must never be turned away. */
export function isCounted(rule: Rule): boolean {
  return rule.access === 'signed-in' || (rule.access === 'public' && rule.isProbe !== true);
}

/** @throws {Problem} `role-not-allowed` */
export function checkRole(rule: Rule, caller: Caller): void {
  if (rule.access === 'signed-in' && !hasOneOf(caller, rule.roles)) throw new Problem('role-not-allowed');
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
