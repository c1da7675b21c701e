/** Which of the organisation's numbers a person sees. */
import { countryOfNumber } from './phone-number';

/**
 * Our number in the callee's country, else our first one: a domestic number is picked up more often, and only it
 * can ring a short number such as 988.
 * @param ourNumbers E.164, in the order of configuration
 * @param country ISO country of the callee
 */
export function callerIdFor(ourNumbers: readonly string[], country: string): string {
  const first = ourNumbers[0];
  if (first === undefined) throw new RangeError('The organisation has no number');
  return ourNumbers.find((number) => countryOfNumber(number) === country) ?? first;
}
