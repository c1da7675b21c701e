/** Why somebody's data must not leave: words of ours, because free text about a person would have to be sealed. */
export const LEGAL_HOLD_REASONS = ['court-order', 'authority', 'dispute', 'investigation', 'complaint'] as const;
export type LegalHoldReason = (typeof LEGAL_HOLD_REASONS)[number];
