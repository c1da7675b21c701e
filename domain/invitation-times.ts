/** What an invitation promises of times: as they are configured, in words, alike in the e-mail and on its page. */
import type { BuddyLanguage } from './buddies';

/** As configured, ms. */
export interface AskingTimes {
  readonly buddies: { readonly checkIn: { readonly spacingMs: number; readonly reminderAfterMs: number } };
  readonly wellbeing: { readonly alertSpacingMs: number };
  readonly retention: { readonly unverifiedBuddy: number };
}

/** By the names of the variables of the template `buddy.invitation`. */
export type InvitationTimes = Readonly<Record<'askedEvery' | 'alertedEvery' | 'remindedAfter' | 'keptFor', string>>;

export function invitationTimes(
  { buddies, wellbeing, retention }: AskingTimes,
  language: BuddyLanguage,
): InvitationTimes {
  return {
    askedEvery: durationInWords(buddies.checkIn.spacingMs, language),
    alertedEvery: durationInWords(wellbeing.alertSpacingMs, language),
    remindedAfter: durationInWords(buddies.checkIn.reminderAfterMs, language),
    keptFor: durationInWords(retention.unverifiedBuddy, language),
  };
}

const SECOND = { unit: 'second', ms: 1_000 } as const;
const LONGER_UNITS = [
  { unit: 'day', ms: 86_400_000 },
  { unit: 'hour', ms: 3_600_000 },
  { unit: 'minute', ms: 60_000 },
] as const;

/** `3 days`, `24 hours`, `90 minutes`: in the longest unit of which it is a whole number and more than one. */
export function durationInWords(durationMs: number, language: BuddyLanguage): string {
  const { unit, ms } = LONGER_UNITS.find((each) => durationMs % each.ms === 0 && durationMs > each.ms) ?? SECOND;
  const number = new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' });
  return number.format(Math.ceil(durationMs / ms));
}
