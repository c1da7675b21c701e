import { createHmac } from 'node:crypto';

/**
 * `X-Twilio-Signature`: HMAC-SHA1 (base64) with the auth token over the full URL followed by each POST field's
 * name and value, names sorted. Written from Twilio's description, not with the `twilio` package, so that a
 * service that checks with the package is held against something independent.
 *
 * @param url without fragment; for GET its query already holds the parameters
 * @param fields the POST fields, null for GET
 * @see https://www.twilio.com/docs/usage/webhooks/webhooks-security
 */
export function signWebhook(authToken: string, url: string, fields: Readonly<Record<string, string>> | null): string {
  let text = url;
  for (const name of Object.keys(fields ?? {}).toSorted()) text += name + (fields?.[name] ?? '');
  return createHmac('sha1', authToken).update(text, 'utf8').digest('base64');
}

/** The form of a URL that is signed: Twilio's back ends disagree on whether the port belongs to it. */
export function urlToSign(url: string, port: 'as-given' | 'without' | 'with'): string {
  if (port === 'as-given') return url;
  const match = /^(https?):\/\/([^/?#:]+)(:\d+)?(.*)$/.exec(url);
  if (!match) return url;
  const [, scheme = '', host = '', given = '', rest = ''] = match;
  if (port === 'without') return `${scheme}://${host}${rest}`;
  return `${scheme}://${host}${given || (scheme === 'https' ? ':443' : ':80')}${rest}`;
}
