import twilio, { type Twilio } from 'twilio';
import { TwilioHttp } from './twilio-http';

/** How to sign in at Twilio, and where it is. */
export interface TwilioAccount {
  readonly accountSid: string;
  readonly authToken: string;
  readonly apiKey: string | null;
  readonly apiSecret: string | null;
  readonly apiBaseUrl: string | null;
}

/** `twilio`'s own client over our HTTP client; with an API key where there is one. Close `http` in the end. */
export function createTwilioClient(
  account: TwilioAccount,
  options: { httpTimeoutMs: number },
): { readonly client: Twilio; readonly http: TwilioHttp } {
  const http = new TwilioHttp({ timeoutMs: options.httpTimeoutMs, apiBaseUrl: account.apiBaseUrl });
  const { username, password } = credentialsOf(account);
  const client = twilio(username, password, { accountSid: account.accountSid, httpClient: http, autoRetry: false });
  return { client, http };
}

/** Of HTTP's basic authentication. */
export function credentialsOf(account: TwilioAccount): { readonly username: string; readonly password: string } {
  return account.apiKey && account.apiSecret
    ? { username: account.apiKey, password: account.apiSecret }
    : { username: account.accountSid, password: account.authToken };
}
