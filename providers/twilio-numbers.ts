import type { IncomingPhoneNumberInstance } from 'twilio/lib/rest/api/v2010/account/incomingPhoneNumber';
import { translated } from './translated';
import { createTwilioClient, type TwilioAccount } from './twilio-client';

/** Where Twilio asks what to do about a number of ours, and how. An empty URL is null. */
export interface NumberUrls {
  readonly voice: NumberUrl;
  readonly text: NumberUrl;
  readonly status: NumberUrl;
  readonly fallback: NumberUrl;
}

export interface NumberUrl {
  readonly url: string | null;
  readonly method: 'GET' | 'POST';
}

/** One of the account's numbers. */
export interface OwnedNumber {
  readonly sid: string;
  /** E.164; ours, not a person's. */
  readonly number: string;
  readonly urls: NumberUrls;
  /** An application or trunk that Twilio follows instead of the voice URLs; null: it follows the URLs. */
  readonly handledBy: 'application' | 'trunk' | null;
  readonly hasVoice: boolean;
}

/** The account's own numbers. Every method throws a `ProviderError` and nothing else. */
export interface NumberProvider {
  /** Null when the account does not have it. */
  find(number: string): Promise<OwnedNumber | null>;
  /** Sets the URLs that are given and leaves the others. */
  setUrls(sid: string, urls: Partial<NumberUrls>): Promise<OwnedNumber>;
  close(): void;
}

/** The numbers of a Twilio account; see `ProviderError` for what it throws. */
export function createTwilioNumbers(account: TwilioAccount, options: { httpTimeoutMs: number }): NumberProvider {
  const { client, http } = createTwilioClient(account, options);
  return {
    find: (number) =>
      translated('list-numbers', async () => {
        // Twilio's filter also finds numbers that only contain this one.
        const found = await client.incomingPhoneNumbers.list({ phoneNumber: number, limit: 20 });
        const own = found.find(({ phoneNumber }) => phoneNumber === number);
        return own === undefined ? null : asOwnedNumber(own);
      }),

    setUrls: (sid, { voice, text, status, fallback }) =>
      translated('update-number', async () =>
        asOwnedNumber(
          await client.incomingPhoneNumbers(sid).update({
            ...(voice ? { voiceUrl: voice.url ?? '', voiceMethod: voice.method } : {}),
            ...(text ? { smsUrl: text.url ?? '', smsMethod: text.method } : {}),
            ...(status ? { statusCallback: status.url ?? '', statusCallbackMethod: status.method } : {}),
            ...(fallback ? { voiceFallbackUrl: fallback.url ?? '', voiceFallbackMethod: fallback.method } : {}),
          }),
        ),
      ),

    close: () => http.close(),
  };
}

function asOwnedNumber(own: IncomingPhoneNumberInstance): OwnedNumber {
  return {
    sid: own.sid,
    number: own.phoneNumber,
    urls: {
      voice: numberUrl(own.voiceUrl, own.voiceMethod),
      text: numberUrl(own.smsUrl, own.smsMethod),
      status: numberUrl(own.statusCallback, own.statusCallbackMethod),
      fallback: numberUrl(own.voiceFallbackUrl, own.voiceFallbackMethod),
    },
    handledBy: own.voiceApplicationSid ? 'application' : own.trunkSid ? 'trunk' : null,
    // Not told is not denied.
    hasVoice: own.capabilities?.voice ?? true,
  };
}

/** As Twilio says it: an address that is none is empty. */
export function numberUrl(address: string | null, method: string | null): NumberUrl {
  return { url: address || null, method: method === 'GET' ? 'GET' : 'POST' };
}
