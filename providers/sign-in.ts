/** Signing people in to the pages: authorization code flow with PKCE against the issuer, by `openid-client`. */
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  calculatePKCECodeChallenge,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  discovery,
  enableNonRepudiationChecks,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import type { Config } from '../config/config';

/** Seconds that one request to the issuer may take. */
const ISSUER_PATIENCE = 5;

/** What a sign-in that is under way must come back with. Kept by the browser, sealed. */
export interface PendingSignIn {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE: whoever reads the code on its way cannot use it. */
  readonly verifier: string;
}

/** Whom the issuer has signed in. */
export interface SignedInAccount {
  /** The issuer's `sub`. */
  readonly account: string;
  /** Of the ID token, which was checked. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly accessToken: string;
}

export interface SignIn {
  /** Where to send the browser, and what it must come back with; `unavailable`: the issuer does not answer. */
  begin(): Promise<{ readonly url: string; readonly pending: PendingSignIn } | 'unavailable'>;
  /**
   * @param query of the callback, as it came
   * @returns `refused` when the issuer, or what came back from it, says no; what it said is not kept: it may name the
   *   account
   */
  finish(query: URLSearchParams, pending: PendingSignIn): Promise<SignedInAccount | 'refused' | 'unavailable'>;
  /** Where one signs out at the issuer too; null when it has no such page, or cannot be asked now. */
  signOutUrl(): Promise<string | null>;
}

/** What an issuer is asked for; roles come as a claim of its tokens. */
const SCOPE = 'openid';

/**
 * @param publicBaseUrl of the API; the issuer must know `<publicBaseUrl>/sign-in/callback` as an address of this client
 * @returns null when no client is configured: then nobody signs in to the pages
 */
export function createSignIn(oidc: Config['oidc'], publicBaseUrl: string): SignIn | null {
  const { clientId, clientSecret, issuer } = oidc;
  if (clientId === null) return null;
  const redirectUri = `${publicBaseUrl}/sign-in/callback`;
  const client = found(issuer, clientId, clientSecret);

  return {
    async begin() {
      const configuration = await client();
      if (configuration === null) return 'unavailable';
      const pending = { state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier() };
      const url = buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: SCOPE,
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: await calculatePKCECodeChallenge(pending.verifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, pending };
    },

    async finish(query, { state, nonce, verifier }) {
      const configuration = await client();
      if (configuration === null) return 'unavailable';
      // The address as the issuer knows it, whatever a proxy has made of it.
      const callback = new URL(redirectUri);
      callback.search = query.toString();
      const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier };
      try {
        const tokens = await authorizationCodeGrant(configuration, callback, checks);
        const claims = tokens.claims();
        if (claims === undefined) return 'refused';
        return { account: claims.sub, claims, accessToken: tokens.access_token };
      } catch (error) {
        return isOutage(error) ? 'unavailable' : 'refused';
      }
    },

    async signOutUrl() {
      const configuration = await client();
      if (configuration?.serverMetadata().end_session_endpoint === undefined) return null;
      return buildEndSessionUrl(configuration, { post_logout_redirect_uri: `${publicBaseUrl}/signed-out` }).href;
    },
  };
}

/**
 * Found when the first person signs in, and then kept: the API starts without the issuer being up. Null while it does
 * not answer.
 */
function found(issuer: string, clientId: string, secret: string | null): () => Promise<Configuration | null> {
  let finding: Promise<Configuration> | null = null;
  // Outside production an issuer on this machine may speak http; what it signs is checked all the same.
  const execute = [enableNonRepudiationChecks, ...(issuer.startsWith('http:') ? [allowInsecureRequests] : [])];
  return async () => {
    finding ??= discovery(new URL(issuer), clientId, undefined, clientAuth(secret), {
      execute,
      timeout: ISSUER_PATIENCE,
    });
    try {
      return await finding;
    } catch {
      // Forgotten, so that the next one asks again.
      finding = null;
      return null;
    }
  };
}

/** As the issuer takes it; one that does not say takes the secret in a header. */
function clientAuth(secret: string | null): ClientAuth {
  if (secret === null) return None();
  const [inBody, inHeader] = [ClientSecretPost(secret), ClientSecretBasic(secret)];
  return (server, ...rest) => {
    const takesBody = server.token_endpoint_auth_methods_supported?.includes('client_secret_post') === true;
    (takesBody ? inBody : inHeader)(server, ...rest);
  };
}

/** No answer, or one of a server that is not well; everything else is a no. */
function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { cause } = error;
  if (cause instanceof Response) return cause.status >= 500;
  // A connection that failed has no other sign than this text; a time that ran out has the library's own code.
  return error.message === 'fetch failed' || Reflect.get(error, 'code') === 'OAUTH_TIMEOUT';
}
