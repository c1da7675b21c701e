import { inspect } from 'node:util';
import { callerIdFor } from '../../../domain/caller-id';
import { PhoneNumberError } from '../../../domain/errors';
import { countryOfNumber, parsePhoneNumber, refusalToRing } from '../../../domain/phone-number';

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('reading a phone number', () => {
  it.each([
    ['+14155550123', undefined],
    ['+1 (415) 555-0123', undefined],
    ['  +1 415.555.0123 ', undefined],
    ['(415) 555-0123', 'US'],
    ['415 555 0123', 'US'],
    ['1-415-555-0123', 'US'],
  ])('gives one E.164 number for %s', (text, country) => {
    const phone = parsePhoneNumber(text, country);
    expect(phone.e164.expose()).toBe('+14155550123');
    expect(phone.country).toBe('US');
  });

  it.each([
    ['nothing', '', 'not-a-phone-number'],
    ['words', 'call me maybe', 'not-a-phone-number'],
    ['a number within a sentence', 'please ring +1 415 555 0123 now', 'not-a-phone-number'],
    ['a national number without a country', '415 555 0123', 'not-a-phone-number'],
    ['a short number', '988', 'short-number'],
    ['an emergency number', '911', 'short-number'],
    ['an impossible number', '+1 111 111 1111', 'not-valid'],
    ['an extension', '+1 415 555 0123 ext. 7', 'not-valid'],
    ['a number of no country', '+800 1234 5678', 'no-country'],
    ['a very long text', `+1415555${'0'.repeat(5000)}`, 'not-a-phone-number'],
    ['digits of another script inside an injection', '+1415555012٣; DROP', 'not-a-phone-number'],
  ])('refuses %s', (_what, text, code) => {
    expect(() => parsePhoneNumber(text)).toThrow(expect.objectContaining({ name: 'PhoneNumberError', code }));
  });

  it('says nothing of the input in its error, not even in the cause', () => {
    const error = thrownBy(() => parsePhoneNumber('+44 20 7946 01'));
    expect(error).toBeInstanceOf(PhoneNumberError);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/7946/);
    expect(error).toHaveProperty('code', 'not-valid');
  });

  it('ignores a default country that does not exist', () => {
    expect(parsePhoneNumber('+14155550123', 'XX').country).toBe('US');
  });
});

describe('what may be rung', () => {
  it.each([
    ['a number of an allowed country', '+14155550123', null],
    ['a landline', '+442079460123', null],
    ['another country', '+33142685300', 'country-not-allowed'],
    ['a premium number', '+19005550123', 'type-not-allowed'],
    ['a toll-free number', '+18009444773', 'type-not-allowed'],
    ['a British premium number', '+449098790123', 'type-not-allowed'],
    ['a British personal number', '+447012345678', 'type-not-allowed'],
    ['a shared-cost number', '+448431234567', 'type-not-allowed'],
  ])('decides about %s', (_what, number, refusal) => {
    expect(refusalToRing(parsePhoneNumber(number), ['US', 'GB'])).toBe(refusal);
  });
});

describe('the caller id', () => {
  const ours = ['+14155550100', '+447700900100', '+14155550101'];

  it.each([
    ['US', '+14155550100'],
    ['GB', '+447700900100'],
    ['FR', '+14155550100'],
    ['ZZ', '+14155550100'],
  ])('for somebody in %s is our number there, else the first', (country, expected) => {
    expect(callerIdFor(ours, country)).toBe(expected);
  });

  it('cannot be chosen from no numbers', () => {
    expect(() => callerIdFor([], 'US')).toThrow(RangeError);
  });

  it('knows the country of test numbers that are valid nowhere', () => {
    expect(countryOfNumber('+447700900100')).toBe('GB');
    expect(countryOfNumber('anonymous')).toBeNull();
    expect(countryOfNumber('+80012345678')).toBeNull();
    expect(countryOfNumber('1'.repeat(10_000))).toBeNull();
  });
});
