/**
 * Phone numbers: from what a person types to E.164, and whether we may ring the result.
 * Uses the `max` metadata of libphonenumber: the smaller sets lack the patterns per type, and then a premium
 * number passes as a valid one.
 */
import { type CountryCode, isSupportedCountry, parsePhoneNumberWithError } from 'libphonenumber-js/max';
import { PhoneNumberError } from './errors';
import { SealedValue } from './sealed';

/** Types that matter to us; everything with a price or without a person behind it is `other`. */
export type PhoneType = 'mobile' | 'fixed' | 'fixed-or-mobile' | 'toll-free' | 'premium' | 'shared-cost' | 'other';

export interface PhoneNumber {
  readonly e164: SealedValue<'phone'>;
  /** ISO 3166-1 alpha-2, e.g. `US`. */
  readonly country: string;
  readonly type: PhoneType;
}

const typeNames: Readonly<Record<string, PhoneType>> = {
  MOBILE: 'mobile',
  FIXED_LINE: 'fixed',
  FIXED_LINE_OR_MOBILE: 'fixed-or-mobile',
  TOLL_FREE: 'toll-free',
  PREMIUM_RATE: 'premium',
  SHARED_COST: 'shared-cost',
};

/**
 * Reads a phone number in any usual spelling.
 * @param defaultCountry ISO country for numbers written without a country code
 * @throws {PhoneNumberError} when it cannot be a number that rings
 */
export function parsePhoneNumber(input: string, defaultCountry?: string): PhoneNumber {
  // Nobody writes a number longer than this; the parser would search a whole novel for one.
  if (input.length > 40) throw new PhoneNumberError('not-a-phone-number');
  let parsed: ReturnType<typeof parsePhoneNumberWithError>;
  try {
    const country = supportedCountry(defaultCountry);
    // `extract: false`: the whole text must be the number, "call me at …" is refused.
    parsed = parsePhoneNumberWithError(input.trim(), {
      extract: false,
      ...(country === undefined ? {} : { defaultCountry: country }),
    });
  } catch {
    // The library's error is dropped, not chained: nothing it says is needed, and it saw the value.
    throw new PhoneNumberError(/^\D*\d{2,6}\D*$/.test(input) ? 'short-number' : 'not-a-phone-number');
  }
  if (parsed.ext !== undefined) throw new PhoneNumberError('not-valid');
  if (!parsed.isValid()) throw new PhoneNumberError('not-valid');
  // International toll-free and satellite numbers belong to no country, so no rule of ours could allow them.
  if (parsed.country === undefined) throw new PhoneNumberError('no-country');
  return {
    e164: SealedValue.of('phone', parsed.number),
    country: parsed.country,
    type: typeNames[parsed.getType() ?? ''] ?? 'other',
  };
}

/**
 * Whether we may ring it (toll fraud, harassment): mobile and fixed numbers of the allowed countries, nothing else.
 * @returns null when we may, else why not
 */
export function refusalToRing(
  phone: PhoneNumber,
  allowedCountries: readonly string[],
): 'country-not-allowed' | 'type-not-allowed' | null {
  if (!allowedCountries.includes(phone.country)) return 'country-not-allowed';
  if (phone.type === 'mobile' || phone.type === 'fixed' || phone.type === 'fixed-or-mobile') return null;
  return 'type-not-allowed';
}

/**
 * The country of a number, or null when it has none; for our own numbers and for what Twilio sends as `To`.
 * More tolerant than {@link parsePhoneNumber}: ranges reserved for tests (+44 7700 900xxx) are valid nowhere, and
 * are counted to the main country of their calling code.
 */
export function countryOfNumber(number: string): string | null {
  if (number.length > 40) return null;
  try {
    const parsed = parsePhoneNumberWithError(number, { extract: false });
    return parsed.country ?? parsed.getPossibleCountries()[0] ?? null;
  } catch {
    return null;
  }
}

function supportedCountry(country: string | undefined): CountryCode | undefined {
  return country !== undefined && isSupportedCountry(country) ? country : undefined;
}
