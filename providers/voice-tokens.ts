import AccessToken from 'twilio/lib/jwt/AccessToken';
import type { TwilioAccount } from './twilio-client';

/** Signs in a Voice SDK as one person. Class secret: only ever in the answer to whom it is for. */
export interface VoiceToken {
  /** JWT, HS256. */
  readonly token: string;
  readonly expiresAt: Date;
}

export interface VoiceTokens {
  /** @param identity what Twilio is to call its bearer; it may call our TwiML app, and be called */
  issue(identity: string): VoiceToken;
}

export interface VoiceTokenAccount extends Pick<TwilioAccount, 'accountSid' | 'apiKey' | 'apiSecret'> {
  readonly twimlAppSid: string | null;
  readonly voiceTokenTtlMs: number;
}

/** Null where the API key or the TwiML app is not configured. Asks nobody: Twilio has the same key. */
export function createVoiceTokens(account: VoiceTokenAccount): VoiceTokens | null {
  const { accountSid, apiKey, apiSecret, twimlAppSid, voiceTokenTtlMs } = account;
  if (apiKey === null || apiSecret === null || twimlAppSid === null) return null;
  const ttl = Math.floor(voiceTokenTtlMs / 1000);
  return {
    issue(identity) {
      const token = new AccessToken(accountSid, apiKey, apiSecret, { identity, ttl });
      token.addGrant(new AccessToken.VoiceGrant({ outgoingApplicationSid: twimlAppSid, incomingAllow: true }));
      const jwt = token.toJwt();
      return { token: jwt, expiresAt: new Date(expiryOf(jwt) * 1000) };
    },
  };
}

/** Read from the token itself: a second counted anew could be the next one. */
function expiryOf(jwt: string): number {
  const claims: unknown = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'));
  const exp: unknown = Reflect.get(Object(claims), 'exp');
  if (typeof exp !== 'number') throw new TypeError('A token of ours has no expiry');
  return exp;
}
