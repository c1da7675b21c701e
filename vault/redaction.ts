/**
 * The net below the logger: a scan of the finished log line for anything shaped like a phone number or an e-mail
 * address. It should never find anything; what it finds is replaced and counted, and the count is an alarm.
 * Patterns are tuned to what our lines really hold: ISO times, UUIDs, Twilio SIDs and epoch times pass untouched.
 */

// Between two digits of a number: blanks, dots, dashes, brackets, slashes, plain or URL-encoded.
const gap = String.raw`(?:[ \u00a0.()/-]|%20|%28|%29|%2D|\+(?=\d)){0,3}`;

/** One id in some ten thousand begins like `00522900-7617-49a6-…`: it is masked only where it is no id. */
const notAnId = String.raw`(?![\da-f]{6}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\b)`;

/** `+1 415 555 0100`, `%2B14155550100`, `0014155550100`: a sign of an international number, then 7 to 15 digits. */
const international = new RegExp(
  String.raw`(?:\+|%2B|(?<![\w.-])00${notAnId})${gap}[1-9](?:${gap}\d){6,14}(?!\d)`,
  'gi',
);

/** `(415) 555-0100`, `415.555.0100`, `07700 900123`: groups with one separator each, not part of an id or a time. */
const national = new RegExp(
  [
    String.raw`(?<![\w.-]|\d:)\(?\d{2,5}\)?(?:[ .-]|%20){1,2}\d{3,4}(?:[ .-]|%20)\d{3,4}(?![\w:-])`,
    String.raw`(?<![\w.-]|\d:)\(?0\d{1,4}\)?(?:[ .-]|%20)\d{5,8}(?![\w:-])`,
  ].join('|'),
  'gi',
);

/** `14155550100`: a bare run of 10 to 15 digits. */
const bare = /(?<![A-Za-z0-9.-])\d{10,15}(?![A-Za-z0-9-])/g;

/** Addresses, also with the sign URL-encoded. Bounded, so that a long line costs linear time. */
const email = /[\p{L}\p{N}._%+'-]{1,64}(?:@|%40)(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}/giu;

export interface ScrubbedLine {
  readonly line: string;
  readonly found: boolean;
}

/** Replaces everything that looks like a phone number or an e-mail address. A line of JSON stays JSON. */
export function scrub(line: string): ScrubbedLine {
  let found = false;
  const replaceWith = (mask: string) => (): string => {
    found = true;
    return mask;
  };
  const scrubbed = line
    .replace(email, replaceWith('[email]'))
    .replace(international, replaceWith('[phone]'))
    .replace(national, replaceWith('[phone]'))
    .replace(bare, (digits: string, at: number, whole: string) => {
      if (isEpochTime(digits)) return digits;
      found = true;
      // Perhaps a JSON number, which only another number can replace.
      return /[:,[]/.test(whole[at - 1] ?? '') ? '0' : '[phone]';
    });
  return { line: scrubbed, found };
}

/**
 * Seconds (10 digits) and milliseconds (13) of our decades begin with 1, and no phone number of that length does:
 * after country code 1 there are always ten more digits, and no area code of that zone begins with 1.
 */
function isEpochTime(digits: string): boolean {
  return digits.startsWith('1') && (digits.length === 10 || digits.length === 13);
}
