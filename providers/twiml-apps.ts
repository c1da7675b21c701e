import type { ApplicationInstance } from 'twilio/lib/rest/api/v2010/account/application';
import { ProviderError } from './provider-error';
import { translated } from './translated';
import { createTwilioClient, type TwilioAccount } from './twilio-client';
import { type NumberUrls, numberUrl } from './twilio-numbers';

/** Where Twilio asks what to do about a call from an app. */
export type AppUrls = Pick<NumberUrls, 'voice' | 'status' | 'fallback'>;

/** A TwiML app of the account. Every method throws a `ProviderError` and nothing else. */
export interface TwimlAppProvider {
  /** Null when the account does not have it. */
  find(sid: string): Promise<AppUrls | null>;
  /** Sets the URLs that are given and leaves the others. */
  setUrls(sid: string, urls: Partial<AppUrls>): Promise<AppUrls>;
  close(): void;
}

/** The TwiML apps of a Twilio account; with its API key, so that a wrong one shows here and not on a person's phone. */
export function createTwimlApps(account: TwilioAccount, options: { httpTimeoutMs: number }): TwimlAppProvider {
  const { client, http } = createTwilioClient(account, options);
  return {
    async find(sid) {
      try {
        return await translated('read-app', async () => urlsOf(await client.applications(sid).fetch()));
      } catch (error) {
        if (error instanceof ProviderError && error.status === 404) return null;
        throw error;
      }
    },

    setUrls: (sid, { voice, status, fallback }) =>
      translated('update-app', async () =>
        urlsOf(
          await client.applications(sid).update({
            ...(voice ? { voiceUrl: voice.url ?? '', voiceMethod: voice.method } : {}),
            ...(status ? { statusCallback: status.url ?? '', statusCallbackMethod: status.method } : {}),
            ...(fallback ? { voiceFallbackUrl: fallback.url ?? '', voiceFallbackMethod: fallback.method } : {}),
          }),
        ),
      ),

    close: () => http.close(),
  };
}

function urlsOf(app: ApplicationInstance): AppUrls {
  return {
    voice: numberUrl(app.voiceUrl, app.voiceMethod),
    status: numberUrl(app.statusCallback, app.statusCallbackMethod),
    fallback: numberUrl(app.voiceFallbackUrl, app.voiceFallbackMethod),
  };
}
