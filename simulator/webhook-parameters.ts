import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { Leg } from './leg';

/** The parameters that every voice webhook has. */
export function callParameters(leg: Leg, accountSid: string): Record<string, string> {
  const fromCountry = countryOf(leg.from);
  const toCountry = countryOf(leg.to);
  return {
    AccountSid: accountSid,
    ApiVersion: '2010-04-01',
    CallSid: leg.sid,
    CallStatus: leg.status,
    Called: leg.to,
    CalledCountry: toCountry,
    Caller: leg.from,
    CallerCountry: fromCountry,
    Direction: leg.direction,
    From: leg.from,
    FromCountry: fromCountry,
    To: leg.to,
    ToCountry: toCountry,
    ...(leg.parent ? { ParentCallSid: leg.parent.sid } : {}),
    // An asynchronous detection is told to its own URL only.
    ...(leg.answeredBy && leg.machineDetection?.asyncUrl === null ? { AnsweredBy: leg.answeredBy } : {}),
  };
}

function countryOf(number: string): string {
  return parsePhoneNumberFromString(number)?.country ?? '';
}

/** `Sat, 21 Nov 2026 12:00:00 +0000`: dates in Twilio's API and callbacks have no fraction and an offset. */
export function rfc2822(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000');
}
