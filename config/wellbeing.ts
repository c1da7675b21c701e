import type { z } from 'zod';
import { addressList, duration, E164, listOf, optional, whole } from './variables';

const oneAddress = (value: string): string | null => {
  const addresses = addressList(value);
  return addresses?.length === 1 ? (addresses[0] ?? null) : null;
};

/** The variables of wellbeing alerts, and of whom they end at. */
export const wellbeingVariables = {
  WELLBEING_LOW: optional('a number from 0 to 100', 40, whole(0, 100)),
  WELLBEING_LOW_IN_A_ROW: optional('a number from 2 to 20', 3, whole(2, 20)),
  WELLBEING_DROP: optional('a number from 1 to 100', 20, whole(1, 100)),
  WELLBEING_ALERT_SPACING: duration('72h'),
  ESCALATION_WELLBEING_EMAIL: optional('an e-mail address', null, oneAddress),
  ESCALATION_WELLBEING_PHONE: optional('a number in E.164', null, (v) => (E164.test(v) ? v : null)),
  ESCALATION_ON_CALL_NUMBERS: optional(
    'one or more numbers in E.164, separated by commas',
    [] as readonly string[],
    listOf(E164),
  ),
};

type Variables = z.output<z.ZodObject<typeof wellbeingVariables>>;

export function arrangeWellbeing(v: Variables) {
  return {
    triggers: { low: v.WELLBEING_LOW, lowInARow: v.WELLBEING_LOW_IN_A_ROW, drop: v.WELLBEING_DROP },
    /** From one alert of a user to the next. */
    alertSpacingMs: v.WELLBEING_ALERT_SPACING,
    escalation: {
      /** Null: such a step is skipped. */
      serviceEmail: v.ESCALATION_WELLBEING_EMAIL,
      servicePhone: v.ESCALATION_WELLBEING_PHONE,
      /** Rung in this order; none: such a step is skipped. */
      onCallNumbers: v.ESCALATION_ON_CALL_NUMBERS,
    },
  } as const;
}
