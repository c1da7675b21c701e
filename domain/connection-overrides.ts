/**
 * Connection overrides: the fragment that tells Twilio how to retry a request to us.
 * By default Twilio retries once, and only when it could not connect: an answer of 503 would never be asked again
 * (twilio.com/docs/usage/webhooks/webhooks-connection-overrides). Three retries, on 5xx, connect and read timeouts.
 */
const OVERRIDES = '#rc=3&rp=5xx,ct,rt';

/** The URL as it is given to Twilio. Any fragment it already had is replaced. */
export function withOverrides(url: string): string {
  return stripOverrides(url) + OVERRIDES;
}

/** The URL as Twilio signs it: the fragment never travels, and a signature over it does not verify. */
export function stripOverrides(url: string): string {
  const hash = url.indexOf('#');
  return hash === -1 ? url : url.slice(0, hash);
}
