import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { z } from 'zod';

/** What a Voice SDK may do with its token. */
export interface VoiceGrant {
  /** What its user is called: `client:<identity>`. */
  readonly identity: string;
  /** The TwiML app that its calls go through; null: it may place none. */
  readonly applicationSid: string | null;
  /** Sent to that app with every call, and not to be changed by the client. */
  readonly params: Readonly<Record<string, string>>;
  readonly mayBeCalled: boolean;
}

/** Thrown for a token that Twilio would not take, with its own code. */
export class VoiceTokenRefused extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(`${code}: ${message}`);
    this.name = 'VoiceTokenRefused';
  }
}

const grantsShape = z.object({
  identity: z.string().min(1).max(121),
  voice: z.object({
    incoming: z.object({ allow: z.boolean() }).optional(),
    outgoing: z.object({ application_sid: z.string(), params: z.record(z.string(), z.string()).optional() }).optional(),
  }),
});

/** Twilio takes no token for longer than a day, whatever it says. */
const LONGEST_SECONDS = 86_400;

/**
 * Checks a token as Twilio does when a device signs in: its form, whose key signed it, for which account, until when.
 * @param apiKeys SID → secret
 * @throws VoiceTokenRefused
 */
export async function checkVoiceToken(
  token: string,
  { accountSid, apiKeys }: { accountSid: string; apiKeys: Readonly<Record<string, string>> },
): Promise<VoiceGrant> {
  const { issuer, subject, contentType, lifetime } = readUnchecked(token);
  if (contentType !== 'twilio-fpa;v=1') throw new VoiceTokenRefused(20102, 'Invalid Access Token header');
  const secret = apiKeys[issuer];
  if (secret === undefined || subject !== accountSid) {
    throw new VoiceTokenRefused(20103, 'Invalid Access Token issuer/subject');
  }
  if (lifetime === null || lifetime > LONGEST_SECONDS) throw new VoiceTokenRefused(20104, 'The lifetime is too long');
  try {
    const { payload } = await jwtVerify(token, new TextEncoder().encode(secret), { algorithms: ['HS256'] });
    const grants = grantsShape.safeParse(payload['grants']);
    if (!grants.success) throw new VoiceTokenRefused(20106, 'Invalid Access Token grants');
    const { identity, voice } = grants.data;
    return {
      identity,
      applicationSid: voice.outgoing?.application_sid ?? null,
      params: voice.outgoing?.params ?? {},
      mayBeCalled: voice.incoming?.allow ?? false,
    };
  } catch (error) {
    throw refusalOf(error);
  }
}

function refusalOf(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return new VoiceTokenRefused(20104, 'Access Token expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new VoiceTokenRefused(20105, 'Access Token not yet valid');
  }
  if (error instanceof errors.JOSEError) return new VoiceTokenRefused(20107, 'Invalid Access Token signature');
  return error;
}

/** What the token says of itself: it names the key by which it is then checked. */
function readUnchecked(token: string) {
  try {
    const { iss, sub, exp, iat } = decodeJwt(token);
    const contentType = decodeProtectedHeader(token).cty;
    const lifetime = exp === undefined || iat === undefined ? null : exp - iat;
    return { issuer: iss ?? '', subject: sub, contentType, lifetime };
  } catch {
    throw new VoiceTokenRefused(20101, 'Invalid Access Token');
  }
}
