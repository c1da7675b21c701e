/** What an audit entry can say was done, and for what a sealed value can be revealed: closed lists both. */

/** Every entry says these; none of them can hold a value. */
const EVERY_ENTRY = ['action', 'actor', 'at', 'entry_id', 'object_id', 'outcome'] as const;

/** What an entry of each action may say besides. An action or a key that is not here is never written. */
const ALSO_SAYS = {
  'subject.created': [],
  'subject.erased': [],
  'record.revealed': ['purpose'],
  'record.destroyed': ['purpose'],
  'contact-point.created': [],
  'contact-point.deleted': [],
  'contact-point.verification-sent': [],
  'contact-point.verified': [],
  'mentor-call.requested': ['purpose'],
  'mentor-call.merged': ['purpose'],
  'mentor-call.limited': ['purpose'],
  'mentor-call.cancelled': ['purpose'],
  'mentor-call.closed': ['purpose'],
  'mentor-call.read': [],
  'mentor-call.rated': ['purpose'],
  'call-recording.agreed': ['purpose'],
  'call-recording.read': [],
  'call-recording.link-made': [],
  'call-recording.opened': [],
  'call-recording.deleted': ['purpose'],
  'message.requested': ['purpose'],
  'message.closed': ['purpose'],
  'message.cancelled': ['purpose'],
  'message.cancel-asked': [],
  'message.read': [],
  'voice-alert.requested': ['purpose'],
  'voice-alert.rang': ['purpose'],
  'voice-alert.reached': ['purpose'],
  'voice-alert.closed': ['purpose'],
  'voice-alert.cancelled': ['purpose'],
  'voice-alert.cancel-asked': [],
  'voice-alert.read': [],
  'message-batch.checked': [],
  'message-batch.start-asked': [],
  'message-batch.pause-asked': [],
  'message-batch.resume-asked': [],
  'message-batch.cancel-asked': [],
  'message-batch.sending': [],
  'message-batch.paused': [],
  'message-batch.cancelled': [],
  'message-batch.completed': [],
  'message-batch.read': [],
  'dispatch.accepted': [],
  'dispatch.doubled': [],
  'dispatch.abandoned': [],
  'dispatch.lost': [],
  'dispatch.suppressed': ['purpose'],
  'line.stopped': ['purpose'],
  'line.resumed': [],
  'switch.changed': ['purpose'],
  'mentor.created': [],
  'mentor.changed': [],
  'mentor.deleted': [],
  'mentor.satisfaction-read': [],
  'mentor.availability-changed': ['purpose'],
  'mentor.shifts-changed': [],
  'mentor-call.matching-read': [],
  'mentor-call-access.given': [],
  'mentor-call-access.taken': [],
  'mentor.invited': [],
  'mentor.joined': [],
  'mentor.unlinked': [],
  'profile.changed': [],
  'buddy.created': [],
  'buddy.changed': [],
  'buddy.removed': [],
  'buddy.invited': ['purpose'],
  'buddy.renewal-asked': ['purpose'],
  'buddy.accepted': [],
  'buddy.declined': [],
  'buddy.expired': [],
  'buddy.withdrawn': ['purpose'],
  'buddy.blocked': ['purpose'],
  'buddy.opted-in': ['purpose'],
  'check-in.requested': ['purpose'],
  'check-in.opened': [],
  'check-in.answered': [],
  'check-in.corrected': [],
  'check-in.closed': ['purpose'],
  'registered-contact.named': [],
  'registered-contact.changed': [],
  'registered-contact.agreed': [],
  'registered-contact.refused': [],
  'registered-contact.removed': [],
  'registered-contact.opted-out': ['purpose'],
  'registered-contact.opted-in': ['purpose'],
  'wellbeing-alert.opened': [],
  'wellbeing-alert.read': [],
  'wellbeing-alert.close-asked': [],
  'wellbeing-alert.emergency-confirmed': [],
  'wellbeing-alert.closed': ['purpose'],
  'escalation-policy.changed': [],
  'escalation-policy.tried': [],
  'template.created': [],
  'template.changed': [],
  'template.deleted': [],
  'opt-out.recorded': ['purpose'],
  'opt-out.lifted': ['purpose'],
  'opt-out.overridden': ['purpose'],
  'preferences.changed': [],
  'policy.changed': ['purpose'],
  'legal-hold.placed': ['purpose'],
  'legal-hold.lifted': ['purpose'],
  'payload.decoded': ['purpose'],
  'webhook-event.replayed': ['purpose'],
  'app-event.resent': ['purpose'],
  'cost-budget.changed': [],
  'incident.acknowledged': [],
  'audit-trail.continued': [],
} as const satisfies Record<string, readonly 'purpose'[]>;
export type AuditAction = keyof typeof ALSO_SAYS;
export const AUDIT_ACTIONS: readonly string[] = Object.keys(ALSO_SAYS);

const keysByAction: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(ALSO_SAYS).map(([action, also]) => [action, new Set([...EVERY_ENTRY, ...also])]),
);

/** Which keys an entry of this action may have; null when there is no such action. */
export function allowedAuditKeys(action: string): ReadonlySet<string> | null {
  return keysByAction.get(action) ?? null;
}

/**
 * `dial`: the number goes to Twilio. `send`: so do a number or address and what is said to it. `own-view`: to the person
 * it is about. `staff-view`: to staff who may see it. `route`: to us, who look what a text to our number was about.
 */
export const REVEAL_PURPOSES = [
  'dial',
  'send',
  'route',
  'reconcile',
  'hand-over',
  'own-view',
  'staff-view',
  'own-export',
] as const;
export type RevealPurpose = (typeof REVEAL_PURPOSES)[number];

export const AUDIT_OUTCOMES = ['done', 'refused', 'failed'] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];
