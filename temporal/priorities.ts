import type { Priority } from '@temporalio/common';

/**
 * Which work goes first when there is more than a queue takes (1 goes before 5). Set when a workflow starts; its
 * activities and children inherit it. Servers need `matching.useNewMatcher=true`, or it is ignored without a word.
 */
export const PRIORITY = {
  /** Somebody waits at their phone, or may come to harm. */
  emergency: { priorityKey: 1 },
  normal: { priorityKey: 3 },
  /** One of thousands. */
  bulk: { priorityKey: 5 },
} as const satisfies Record<string, Priority>;

export type Urgency = keyof typeof PRIORITY;
