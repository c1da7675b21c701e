import { timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import { isSignedByTwilio, publicUrl } from './twilio-signature';

/** What is needed to know Twilio from everybody else. */
export interface TwilioVerifier {
  /** `TWILIO_WEBHOOK_BASE_URL`. */
  readonly baseUrl: string;
  readonly accountSid: string;
  /** The current one, and during a rotation also the other. */
  readonly authTokens: readonly string[];
}

/** A request that Twilio has signed for our account. */
export interface TwilioRequest {
  /** Ours, from the URL we gave to Twilio; ids and small words only. */
  readonly query: URLSearchParams;
  /** A field of Twilio's, or null. Holds sealed data (`From`, `To`): read only what is used, store none of it. */
  readonly field: (name: string) => string | null;
  /** Names this request also when Twilio repeats it; not covered by the signature. */
  readonly idempotencyToken: string | null;
}

/** The request, when signature and account are right; null otherwise, without a reason. */
export function readWebhook(req: Request, verifier: TwilioVerifier): TwilioRequest | null {
  const body = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
  const contentType = (req.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const url = publicUrl(verifier.baseUrl, req.originalUrl);
  const signature = req.get('X-Twilio-Signature');
  if (!isSignedByTwilio({ url, body, contentType, signature }, verifier.authTokens)) return null;
  const field = contentType === 'application/json' ? jsonFields(body) : formFields(body);
  // A sub-account shares no token with us, but a token that was once another account's must not speak for ours.
  if (!sameText(field('AccountSid') ?? '', verifier.accountSid)) return null;
  const token = req.get('I-Twilio-Idempotency-Token') ?? '';
  return {
    query: new URL(url).searchParams,
    field,
    idempotencyToken: /^[\w-]{8,100}$/.test(token) ? token : null,
  };
}

function formFields(body: Buffer): (name: string) => string | null {
  const fields = new URLSearchParams(body.toString('utf8'));
  return (name) => fields.get(name);
}

function jsonFields(body: Buffer): (name: string) => string | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    parsed = null;
  }
  return (name) => {
    if (typeof parsed !== 'object' || parsed === null || !Object.hasOwn(parsed, name)) return null;
    const value: unknown = Reflect.get(parsed, name);
    return typeof value === 'string' ? value : null;
  };
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
