import { type Finding, ok, type Patient, warn } from './finding';

const CHECK = 'escalation';

/** Whether an alert that no friend answers comes to anybody of the organisation. Names nobody's number. */
export function escalationCheck({ config }: Patient): readonly Finding[] {
  const { serviceEmail, servicePhone, onCallNumbers } = config.wellbeing.escalation;
  const hasService = serviceEmail !== null || servicePhone !== null;
  if (hasService && onCallNumbers.length > 0) {
    return [ok(CHECK, 'Wellbeing alerts that nobody answers come to the wellbeing service and to those on call.')];
  }
  const missing = [
    ...(hasService ? [] : ['ESCALATION_WELLBEING_EMAIL or ESCALATION_WELLBEING_PHONE']),
    ...(onCallNumbers.length > 0 ? [] : ['ESCALATION_ON_CALL_NUMBERS']),
  ];
  const says = 'Wellbeing alerts that nobody answers skip steps of the organisation: nobody is named for them.';
  return [warn(CHECK, says, `If scores are sent to this service: set ${missing.join(' and ')} (wellbeing.md).`)];
}
