/** What an audit entry can say was done, and for what a sealed value can be revealed: closed lists both. */

export const AUDIT_ACTIONS = [
  'subject.created',
  'subject.erased',
  'record.revealed',
  'record.destroyed',
  'contact-point.created',
  'contact-point.deleted',
  'call.opened',
  'call.merged',
  'call.limited',
  'call.cancelled',
  'call.closed',
  'call.read',
  'dispatch.accepted',
  'dispatch.doubled',
  'dispatch.abandoned',
  'mentor.created',
  'mentor.changed',
  'mentor.deleted',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** `dial`: the number goes to Twilio. `own-view`: to the person it is about. `staff-view`: to staff who may see it. */
export const REVEAL_PURPOSES = ['dial', 'reconcile', 'own-view', 'staff-view', 'own-export'] as const;
export type RevealPurpose = (typeof REVEAL_PURPOSES)[number];

export const AUDIT_OUTCOMES = ['done', 'refused', 'failed'] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];
