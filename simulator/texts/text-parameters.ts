import { ApiError } from '../api-errors';
import { type Fields, one, readUrl } from '../call-parameters';
import { isDiallable, isShortCode } from '../phone-numbers';

/** A message as `POST Messages` asks for it, its form checked. */
export interface PlacedText {
  readonly to: string;
  readonly from: string | null;
  readonly serviceSid: string | null;
  readonly body: string;
  readonly statusCallback: string | null;
  readonly validitySeconds: number;
}

const MOST_CHARACTERS = 1_600;
/** Ten hours, Twilio's default and its most. */
export const MOST_VALIDITY_SECONDS = 36_000;
/** Sent as something other than plain text: refused loudly, because a test must not believe that it happened. */
const NOT_SIMULATED = [
  'MediaUrl',
  'ContentSid',
  'SendAt',
  'ScheduleType',
  'ApplicationSid',
  'PersistentAction',
] as const;

/**
 * Checks the form of `POST Messages` in the order in which Twilio complains.
 * @throws ApiError 400 with Twilio's code
 */
export function readPlacedText(fields: Fields): PlacedText {
  const [to, from, serviceSid, body] = [
    one(fields, 'To'),
    one(fields, 'From'),
    one(fields, 'MessagingServiceSid'),
    one(fields, 'Body'),
  ];
  const unknown = NOT_SIMULATED.find((name) => fields[name] !== undefined);
  if (unknown !== undefined) throw new ApiError(400, 20001, `${unknown} is not simulated`);
  if (!to) throw new ApiError(400, 21604, "A 'To' phone number is required.");
  if (!from && !serviceSid) throw new ApiError(400, 21603, "A 'From' phone number is required.");
  if (!body) throw new ApiError(400, 21602, 'Message body is required.');
  if (!isDiallable(to) || isShortCode(to)) throw new ApiError(400, 21211, "Invalid 'To' Phone Number");
  if (from && !isDiallable(from)) throw new ApiError(400, 21212, "Invalid 'From' Phone Number");
  if (to === from) throw new ApiError(400, 21266, "'To' and 'From' number cannot be the same");
  if (serviceSid && !/^MG[0-9a-fA-F]{32}$/.test(serviceSid)) {
    throw new ApiError(400, 21705, 'The Messaging Service Sid is invalid');
  }
  if (body.length > MOST_CHARACTERS) {
    throw new ApiError(400, 21617, `The concatenated message body exceeds the ${MOST_CHARACTERS} character limit.`);
  }
  const callback = readUrl(fields, 'StatusCallback', 'StatusCallbackMethod', 21609);
  return {
    to,
    from: from || null,
    serviceSid: serviceSid || null,
    body,
    statusCallback: callback?.url ?? null,
    validitySeconds: readValidity(fields),
  };
}

function readValidity(fields: Fields): number {
  const text = one(fields, 'ValidityPeriod');
  if (text === undefined) return MOST_VALIDITY_SECONDS;
  const seconds = /^\d+$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > MOST_VALIDITY_SECONDS) {
    throw new ApiError(400, 21623, `ValidityPeriod must be from 1 to ${MOST_VALIDITY_SECONDS}`);
  }
  return seconds;
}
