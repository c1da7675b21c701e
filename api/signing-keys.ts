import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';

/** Thrown when the issuer cannot be asked for its keys: the token may well be good. */
export class SigningKeysUnavailable extends Error {
  override readonly name = 'SigningKeysUnavailable';

  constructor() {
    super('the issuer cannot be asked for its keys');
  }
}

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });

/**
 * The issuer's public keys, found through its discovery document when the first token comes, then cached by jose
 * (10 min; asked again for an unknown key id, at most every 30 s). The API starts without the issuer being up.
 *
 * @param issuer `OIDC_ISSUER`; the document's own `issuer` must be the same
 */
export function signingKeysOf(issuer: string): JWTVerifyGetKey {
  let keys: JWTVerifyGetKey | null = null;
  let finding: Promise<JWTVerifyGetKey> | null = null;
  const find = async (): Promise<JWTVerifyGetKey> => {
    const address = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`;
    const answer = await fetch(address, { redirect: 'error', signal: AbortSignal.timeout(5_000) });
    const document = discovery.parse(await answer.json());
    if (!answer.ok || document.issuer !== issuer) throw new SigningKeysUnavailable();
    keys = createRemoteJWKSet(new URL(document.jwks_uri));
    return keys;
  };
  return async (header, token) => {
    if (keys === null) {
      // One look-up for all who wait; a failed one is forgotten, so that the next token asks again.
      finding ??= find().finally(() => {
        finding = null;
      });
      try {
        await finding;
      } catch {
        throw new SigningKeysUnavailable();
      }
    }
    if (keys === null) throw new SigningKeysUnavailable();
    return keys(header, token);
  };
}
