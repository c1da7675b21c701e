import { parseEmailAddress } from '../domain/email-address';
import { PhoneNumberError } from '../domain/errors';
import { parsePhoneNumber, type PhoneNumber, refusalToRing } from '../domain/phone-number';
import type { SealedValue } from '../domain/sealed';
import { Problem } from './problems';

/** As the configuration has it: which countries are served, and which numbers, E.164, are our own. */
export interface RingingRules {
  readonly limits: { readonly allowedCountries: readonly string[] };
  readonly twilio: { readonly phoneNumbers: readonly string[] };
}

/**
 * A number somebody typed, if we may ring it: a mobile or fixed number of a country that is served, and not one of our
 * own, at which we would talk to ourselves.
 *
 * @param pointer where in the body it stood
 * @throws {Problem} `phone-number-invalid`, `phone-number-not-allowed` or `country-not-allowed`
 */
export function numberToRing(text: string, pointer: string, { limits, twilio }: RingingRules): PhoneNumber {
  const { allowedCountries } = limits;
  let number: PhoneNumber;
  try {
    number = parsePhoneNumber(text);
  } catch (error) {
    if (!(error instanceof PhoneNumberError)) throw error;
    if (error.code === 'short-number') throw notAllowed(pointer);
    const detail = 'A phone number with country code is expected here.';
    throw new Problem('phone-number-invalid', { errors: [{ pointer, detail }] });
  }
  const refusal = refusalToRing(number, allowedCountries);
  if (refusal === 'country-not-allowed') {
    throw new Problem('country-not-allowed', {
      errors: [{ pointer, detail: `Numbers of these countries are called: ${allowedCountries.join(', ')}.` }],
    });
  }
  if (refusal !== null) throw notAllowed(pointer);
  if (twilio.phoneNumbers.includes(number.e164.expose())) {
    throw notAllowed(pointer, 'A number of somebody else is expected here: this one is ours.');
  }
  return number;
}

/**
 * An e-mail address somebody typed, in its one spelling.
 * @throws {Problem} `email-address-invalid`
 */
export function addressToWriteTo(text: string, pointer: string): SealedValue<'email'> {
  const address = parseEmailAddress(text);
  if (address !== null) return address;
  const detail = 'One e-mail address is expected here.';
  throw new Problem('email-address-invalid', { errors: [{ pointer, detail }] });
}

function notAllowed(pointer: string, detail = 'A mobile or fixed number is expected here.'): Problem {
  return new Problem('phone-number-not-allowed', { errors: [{ pointer, detail }] });
}
