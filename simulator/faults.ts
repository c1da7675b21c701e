import type { Fault, FaultPlace } from './types';

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
