/**
 * Twilio's call states and their order. Callbacks arrive twice, late and out of order; a state is only ever
 * replaced by a later one, and a terminal state by none. Imported by workflows, therefore without packages.
 */
export type CallStatus =
  | 'queued'
  | 'initiated'
  | 'ringing'
  | 'in-progress'
  | 'completed'
  | 'busy'
  | 'no-answer'
  | 'failed'
  | 'canceled';

const ranks: Readonly<Record<CallStatus, number>> = {
  queued: 0,
  initiated: 1,
  ringing: 2,
  'in-progress': 3,
  completed: 4,
  busy: 4,
  'no-answer': 4,
  failed: 4,
  canceled: 4,
};

/** Whether Twilio's word is a state we know. Twilio spells the event `answered` as the state `in-progress`. */
export function isCallStatus(value: string): value is CallStatus {
  return Object.hasOwn(ranks, value);
}

/** Whether the leg is over. `completed` says nothing about a human having answered. */
export function isTerminal(status: string): boolean {
  return isCallStatus(status) && ranks[status] === 4;
}

/** The later of two states of one leg; of two terminal ones the first that was known stays. */
export function laterStatus(known: CallStatus | null, heard: CallStatus): CallStatus {
  return known === null || ranks[heard] > ranks[known] ? heard : known;
}
