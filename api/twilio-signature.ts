import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** A request as Twilio signed it. */
export interface SignedRequest {
  /** The configured public base, then path and query exactly as they came; see {@link publicUrl}. */
  readonly url: string;
  /** The raw body. */
  readonly body: Buffer;
  /** Without parameters such as `charset`. */
  readonly contentType: string;
  /** `X-Twilio-Signature`. */
  readonly signature: string | undefined;
}

/**
 * The URL that Twilio asked for. Its base is configuration: `Host` and `X-Forwarded-*` are the sender's own words, and
 * a signature over them would prove nothing.
 *
 * @param target path and query as in the request line, e.g. `req.originalUrl`
 */
export function publicUrl(base: string, target: string): string {
  return base.replace(/\/+$/, '') + target;
}

/**
 * Whether one of the tokens signed the request: HMAC-SHA1 over URL and sorted form fields, or for a JSON body over
 * the URL with `bodySHA256` in its query (twilio.com/docs/usage/webhooks/webhooks-security). During a rotation both
 * tokens are tried. Twilio signs sometimes with and sometimes without the port, so both spellings of *our* port are
 * accepted, and no other port.
 */
export function isSignedByTwilio(request: SignedRequest, authTokens: readonly string[]): boolean {
  const given = signatureBytes(request.signature);
  const fields = signedFields(request);
  if (given === null || fields === null) return false;
  let found = false;
  // Every candidate is computed and compared, so that time tells nothing about which one came close.
  for (const url of portSpellings(request.url)) {
    for (const token of authTokens) {
      if (token !== '' && timingSafeEqual(signatureOf(token, url, fields), given)) found = true;
    }
  }
  return found;
}

/** The signature Twilio would send, 20 bytes. A repeated field counts once per distinct value, sorted. */
export function signatureOf(authToken: string, url: string, fields: URLSearchParams): Buffer {
  const hmac = createHmac('sha1', authToken).update(url);
  for (const name of [...new Set(fields.keys())].toSorted()) {
    for (const value of [...new Set(fields.getAll(name))].toSorted()) hmac.update(name + value);
  }
  return hmac.digest();
}

function signatureBytes(signature: string | undefined): Buffer | null {
  if (signature === undefined || !/^[A-Za-z0-9+/]{27}=$/.test(signature)) return null;
  return Buffer.from(signature, 'base64');
}

/** What is signed beside the URL; null when the body is not the one the URL speaks of. */
function signedFields({ url, body, contentType }: SignedRequest): URLSearchParams | null {
  if (contentType === 'application/x-www-form-urlencoded') return new URLSearchParams(body.toString('utf8'));
  if (contentType !== 'application/json') return body.length === 0 ? new URLSearchParams() : null;
  const declared = URL.canParse(url) ? new URL(url).searchParams.get('bodySHA256') : null;
  if (declared === null || !/^[0-9a-f]{64}$/i.test(declared)) return null;
  const actual = createHash('sha256').update(body).digest();
  return timingSafeEqual(actual, Buffer.from(declared, 'hex')) ? new URLSearchParams() : null;
}

/** The URL without and with its port written out. Nothing else of it is touched: re-encoding would change bytes. */
function portSpellings(url: string): string[] {
  const parts = /^(https?):\/\/([^/:?#]+|\[[^\]]+\])(?::(\d+))?(.*)$/s.exec(url);
  if (parts === null) return [];
  const [, protocol, host, port, rest] = parts;
  const standard = protocol === 'https' ? '443' : '80';
  return [`${protocol}://${host}${rest}`, `${protocol}://${host}:${port ?? standard}${rest}`];
}
