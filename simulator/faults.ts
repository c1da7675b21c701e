import type { Fault, FaultKind, FaultPlace } from './types';

const OF_REQUESTS: readonly FaultKind[] = [
  'drop-response',
  'error-500-before',
  'error-500-after',
  'rate-limit',
  'unauthorized',
  'hang',
  'late',
  'reset',
];

/** What can go wrong where. A plan with anything else is refused: a fault that never happens proves nothing. */
export const FAULTS_AT: Readonly<Record<FaultPlace, readonly FaultKind[]>> = {
  create: OF_REQUESTS,
  read: OF_REQUESTS,
  list: OF_REQUESTS,
  update: OF_REQUESTS,
  callback: ['duplicate', 'duplicate-new-token', 'reorder', 'late', 'lost', 'drop-response', 'reset'],
  twiml: ['duplicate', 'late', 'lost', 'drop-response', 'reset'],
  'create-message': OF_REQUESTS,
  'read-message': OF_REQUESTS,
  'list-messages': OF_REQUESTS,
  'update-message': OF_REQUESTS,
  'message-callback': ['duplicate', 'duplicate-new-token', 'reorder', 'late', 'lost', 'drop-response', 'reset'],
  'create-recording': OF_REQUESTS,
  'read-recording': OF_REQUESTS,
  'list-recordings': OF_REQUESTS,
  'update-recording': OF_REQUESTS,
  'recording-callback': ['duplicate', 'duplicate-new-token', 'reorder', 'late', 'lost', 'drop-response', 'reset'],
  recording: ['absent'],
  media: ['error-500-before', 'late', 'hang', 'reset', 'drop-response'],
  'mail-recipient': ['refused', 'busy'],
  mail: ['refused', 'busy', 'reset', 'drop-response', 'lost', 'late'],
  'inbound-message': ['duplicate', 'late', 'lost', 'drop-response', 'reset'],
};

/** The plan of things that go wrong, and how often each has matched so far. */
export class FaultPlan {
  private plan: { readonly fault: Fault; seen: number }[] = [];

  set(faults: readonly Fault[]): void {
    this.plan = faults.map((fault) => ({ fault, seen: 0 }));
  }

  /**
   * @returns the fault for this request, if the plan has one. Every entry that fits counts the request, so that
   * `nth` means the same whatever stands before it.
   */
  take(place: FaultPlace, facts: { readonly to?: string; readonly event?: string }): Fault | null {
    let taken: Fault | null = null;
    for (const entry of this.plan) {
      const { fault } = entry;
      if (fault.on !== place) continue;
      if (fault.to !== undefined && fault.to !== facts.to) continue;
      if (fault.event !== undefined && fault.event !== facts.event) continue;
      entry.seen += 1;
      const applies = fault.nth === undefined ? entry.seen <= (fault.times ?? 1) : entry.seen === fault.nth;
      if (applies) taken ??= fault;
    }
    return taken;
  }
}
