import type { Request } from 'express';
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { Problem } from './problems';
import { SigningKeysUnavailable } from './signing-keys';

export const ROLES = ['user', 'mentor', 'staff', 'admin', 'service'] as const;
export type Role = (typeof ROLES)[number];

/** Who asks: a subject of ours and what they may do. */
export interface Caller {
  readonly subjectId: string;
  readonly roles: readonly Role[];
}

/** A caller by their own access token, and how long that is good for. */
export interface SignedIn extends Caller {
  readonly tokenExpiresAt: Date;
}

export interface AuthenticationParts {
  readonly issuer: string;
  readonly audience: string;
  /** Name of the claim with the roles; an array, or words separated by blanks. */
  readonly rolesClaim: string;
  readonly keys: JWTVerifyGetKey;
  /** The subject of an account, made on the first accepted token. */
  readonly subjectOf: (issuer: string, account: string) => Promise<string>;
}

export type Authenticate = (req: Request) => Promise<SignedIn>;
export type TokenCheck = (token: string) => Promise<SignedIn>;

/**
 * Checks the access token of a request.
 * @throws {Problem} `token-required`, and what {@link createTokenCheck} throws
 */
export function createAuthentication(parts: AuthenticationParts): Authenticate {
  const check = createTokenCheck(parts);
  return async (req) => await check(bearerToken(req));
}

/**
 * Checks an access token: RS256 and nothing else (a token cannot choose its own algorithm), issuer, audience, times, and
 * the roles.
 *
 * @throws {Problem} `token-invalid`, or `sign-in-unavailable` when the keys cannot be had
 */
export function createTokenCheck(parts: AuthenticationParts): TokenCheck {
  return async (token) => {
    const claims = await verified(token, parts);
    if (!isForUs(claims, parts)) throw new Problem('token-invalid');
    if (typeof claims.sub !== 'string' || claims.sub === '' || claims.sub.length > 255) {
      throw new Problem('token-invalid');
    }
    return {
      subjectId: await parts.subjectOf(parts.issuer, claims.sub),
      roles: rolesOf(claims[parts.rolesClaim]),
      // `verified` has seen to it that there is one.
      tokenExpiresAt: new Date((claims.exp ?? 0) * 1_000),
    };
  };
}

function bearerToken(req: Request): string {
  const header = req.headers.authorization;
  if (header === undefined) throw new Problem('token-required');
  const token = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(header)?.[1];
  if (token === undefined || token.length > 8_192) throw new Problem('token-invalid');
  return token;
}

async function verified(token: string, { issuer, keys }: AuthenticationParts): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ['RS256'],
      issuer,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: 5,
    });
    return payload;
  } catch (error) {
    const isOutage =
      error instanceof SigningKeysUnavailable ||
      error instanceof errors.JWKSTimeout ||
      !(error instanceof errors.JOSEError) ||
      // jose's word for an answer of the key endpoint that is not 200.
      error.code === 'ERR_JOSE_GENERIC';
    throw new Problem(isOutage ? 'sign-in-unavailable' : 'token-invalid');
  }
}

/** User pools of Amazon Cognito, whose tokens all say in `token_use` what they are for. */
const COGNITO = /^https:\/\/cognito-idp(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?\//;

/**
 * Cognito's access tokens have no `aud`: the client stands in `client_id`, and `token_use` tells them from id tokens,
 * whose `aud` is that same client. An id token says who somebody is to an app; it is no key to this API.
 */
function isForUs(claims: JWTPayload, { issuer, audience }: AuthenticationParts): boolean {
  const use = claims['token_use'];
  const mustSayUse = use !== undefined || claims.aud === undefined || COGNITO.test(issuer);
  if (mustSayUse && use !== 'access') return false;
  if (claims.aud === undefined) return claims['client_id'] === audience;
  return Array.isArray(claims.aud) ? claims.aud.includes(audience) : claims.aud === audience;
}

/** The roles of ours among what a claim says. */
export function rolesOf(claim: unknown): Role[] {
  const words: unknown[] = typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : [];
  return ROLES.filter((role) => words.includes(role));
}
