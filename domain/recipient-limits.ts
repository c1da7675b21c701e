/**
 * How often one person may be reached, and how the turns are spaced: a sender that fires at one number is blocked by its
 * carrier, and nobody should be able to make us harass anybody. No import from a package: part of the workflow bundle.
 */
import type { MessageClass } from './message';

/** At most `count` within any stretch of `withinMs`. */
export interface RecipientStep {
  readonly count: number;
  readonly withinMs: number;
}

/** All steps of a class hold at once; the first is the spacing. */
export type RecipientLimits = Readonly<Record<MessageClass, readonly RecipientStep[]>>;

/**
 * A request that would have to wait no longer than this is taken, and sent in its turn; one further from its turn is
 * refused with the time to wait, because whoever asks can decide better than a queue whether it still matters then.
 */
export const SPACED_WITHIN_MS = 60_000;
