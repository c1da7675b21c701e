import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** E.164, or a short code such as 988. Helplines have lengths of their own, so nothing stricter is asked. */
export function isDiallable(number: string): boolean {
  return /^\+[1-9]\d{5,14}$/.test(number) || isShortCode(number);
}

export function isShortCode(number: string): boolean {
  return /^\d{3,6}$/.test(number);
}

/** `(415) 555-0100` for North America, E.164 elsewhere, as in the resource's `to_formatted`. */
export function formatForDisplay(number: string): string {
  const parsed = parsePhoneNumberFromString(number);
  return parsed?.countryCallingCode === '1' ? parsed.formatNational() : number;
}
