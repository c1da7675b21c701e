import type { z } from 'zod';
import { duration, optional, parseRates, whole } from './variables';

const rates = (fallback: string) =>
  optional('a number and a time such as 3/7d, or several', parseRates(fallback) ?? [], parseRates);

/** The variables of buddies and check-ins. */
export const buddyVariables = {
  BUDDY_MOST: optional('a number from 1 to 20', 5, whole(1, 20)),
  BUDDY_LINK_LIFETIME: duration('7d'),
  BUDDY_INVITATION_SPACING: duration('1h'),
  BUDDY_INVITATION_LIMITS: rates('10/24h,30/30d'),
  BUDDY_TARGET_LIMITS: rates('3/7d,5/30d'),
  BUDDY_CHECK_IN_SPACING: duration('24h'),
  BUDDY_CHECK_IN_REMINDER: duration('2h'),
  BUDDY_CHECK_IN_CLOSES: duration('24h'),
  BUDDY_CHECK_IN_TARGET_LIMITS: rates('4/24h,10/7d'),
};

type Variables = z.output<z.ZodObject<typeof buddyVariables>>;

export function arrangeBuddies(v: Variables) {
  return {
    /** Of one user at a time. */
    most: v.BUDDY_MOST,
    linkLifetimeMs: v.BUDDY_LINK_LIFETIME,
    invitationSpacingMs: v.BUDDY_INVITATION_SPACING,
    /** Invitations of one user, to whomever. */
    inviterLimits: v.BUDDY_INVITATION_LIMITS,
    /** Invitations to one address, over all users. */
    targetLimits: v.BUDDY_TARGET_LIMITS,
    checkIn: {
      spacingMs: v.BUDDY_CHECK_IN_SPACING,
      reminderAfterMs: v.BUDDY_CHECK_IN_REMINDER,
      closesAfterMs: v.BUDDY_CHECK_IN_CLOSES,
      /** Texts to one number, over all users. */
      targetLimits: v.BUDDY_CHECK_IN_TARGET_LIMITS,
    },
  } as const;
}
