/**
 * Twilio's call states. Callbacks arrive twice, late and out of order; what ends a leg is the first terminal state.
 * No packages here: a workflow may need it.
 */
type CallStatus =
  | 'queued'
  | 'initiated'
  | 'ringing'
  | 'in-progress'
  | 'completed'
  | 'busy'
  | 'no-answer'
  | 'failed'
  | 'canceled';

const isOver: Readonly<Record<CallStatus, boolean>> = {
  queued: false,
  initiated: false,
  ringing: false,
  'in-progress': false,
  completed: true,
  busy: true,
  'no-answer': true,
  failed: true,
  canceled: true,
};

/** Whether Twilio's word is a state we know. Twilio spells the event `answered` as the state `in-progress`. */
export function isCallStatus(value: string): value is CallStatus {
  return Object.hasOwn(isOver, value);
}

/** States in which a leg is over. */
export const TERMINAL_STATUSES: readonly string[] = Object.entries(isOver).flatMap(([status, over]) =>
  over ? [status] : [],
);

/** Whether the leg is over. `completed` says nothing about a human having answered. */
export function isTerminal(status: string): boolean {
  return isCallStatus(status) && isOver[status];
}

/**
 * Whether an event changes the course of a call or an alert: only the end of the leg we have rung ourselves does.
 * Everything else Twilio tells by a TwiML question, or not at all until that leg is over.
 */
export function changesTheCourse(event: { readonly leg: string | null; readonly status: string | null }): boolean {
  return (event.leg === 'user' || event.leg === 'recipient') && event.status !== null && isTerminal(event.status);
}
