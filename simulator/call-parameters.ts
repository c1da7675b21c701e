import { ApiError } from './api-errors';
import type { PlacedCall } from './engine';
import type { DocumentRequest } from './leg';
import { isDiallable, isShortCode } from './phone-numbers';

/** A form or query as it was sent: a repeated field is a list. */
export type Fields = Readonly<Record<string, string | readonly string[]>>;

const EVENTS = new Set(['initiated', 'ringing', 'answered', 'completed']);
/** Twilio's limit for TwiML in the request itself. */
const MOST_TWIML = 4_000;
const MOST_RING_SECONDS = 600;
const RING_SECONDS = 60;

/**
 * Checks the form of `POST Calls` in the order in which Twilio complains.
 * @param ownsNumber whether a caller id belongs to the account
 * @throws ApiError 400 with Twilio's code
 */
export function readPlacedCall(fields: Fields, ownsNumber: (number: string) => boolean): PlacedCall {
  const to = one(fields, 'To');
  const from = one(fields, 'From');
  if (!to) throw new ApiError(400, 21201, "No 'To' number is specified");
  if (!from) throw new ApiError(400, 21213, "Caller phone number ('From') is required");
  if (!isDiallable(to) || isShortCode(to))
    throw new ApiError(400, 21211, 'The phone number you are attempting to call is not valid.');
  if (!isDiallable(from)) throw new ApiError(400, 21212, "Invalid 'From' Phone Number");
  if (!ownsNumber(from)) {
    throw new ApiError(400, 21210, 'The source phone number provided is not yet verified for your account.');
  }
  const document = readDocument(fields);
  if (!document) throw new ApiError(400, 21205, 'Url parameter is required.');
  const timeLimit = whole(fields, 'TimeLimit', 21626);
  return {
    to,
    from,
    document,
    ringSeconds: Math.min(MOST_RING_SECONDS, whole(fields, 'Timeout', 21208) ?? RING_SECONDS),
    timeLimitSeconds: timeLimit,
    statusCallback: readStatusCallback(fields),
    fallback: readUrl(fields, 'FallbackUrl', 'FallbackMethod'),
    machineDetection: readMachineDetection(fields),
  };
}

/** `Url` or, without one, `Twiml`. @throws ApiError 400 */
export function readDocument(fields: Fields): DocumentRequest | null {
  const given = readUrl(fields, 'Url', 'Method');
  if (given) return { ...given, params: {} };
  const twiml = one(fields, 'Twiml');
  if (!twiml) return null;
  if (twiml.length > MOST_TWIML) throw new ApiError(400, 21624, `Twiml exceeds ${MOST_TWIML} characters`);
  return { url: '', method: 'POST', params: {}, twiml };
}

/** @throws ApiError 400 */
export function readStatusCallback(fields: Fields): PlacedCall['statusCallback'] {
  const given = readUrl(fields, 'StatusCallback', 'StatusCallbackMethod', 21609);
  if (!given) return null;
  const events = many(fields, 'StatusCallbackEvent').flatMap((event) => event.split(/[\s,]+/));
  const unknown = events.find((event) => !EVENTS.has(event));
  if (unknown !== undefined) throw new ApiError(400, 21626, 'Invalid StatusCallbackEvent');
  return { ...given, events: new Set(events.length > 0 ? events : ['completed']) };
}

function readMachineDetection(fields: Fields): PlacedCall['machineDetection'] {
  const mode = one(fields, 'MachineDetection');
  if (!mode) return null;
  const url = readUrl(fields, 'AsyncAmdStatusCallback', 'AsyncAmdStatusCallbackMethod');
  return { mode, asyncUrl: one(fields, 'AsyncAmd') === 'true' ? (url?.url ?? null) : null };
}

/** @throws ApiError 400 when it is no http or https URL, or the method is none of Twilio's */
export function readUrl(
  fields: Fields,
  name: string,
  methodName: string,
  code = 21205,
): { readonly url: string; readonly method: 'GET' | 'POST' } | null {
  const url = one(fields, name);
  if (!url) return null;
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) throw new ApiError(400, code, `${name} is not a valid URL`);
  const method = (one(fields, methodName) ?? 'POST').toUpperCase();
  if (method !== 'GET' && method !== 'POST') throw new ApiError(400, 21209, `${methodName} is not a valid method`);
  return { url, method };
}

function whole(fields: Fields, name: string, code: number): number | null {
  const text = one(fields, name);
  if (!text) return null;
  if (!/^\d+$/.test(text)) throw new ApiError(400, code, `Invalid ${name}`);
  return Number(text);
}

export function one(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' ? value : value?.[0];
}

export function many(fields: Fields, name: string): readonly string[] {
  const value = fields[name];
  return typeof value === 'string' ? [value] : (value ?? []);
}
