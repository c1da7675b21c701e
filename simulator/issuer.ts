import express from 'express';
import type { ErrorRequestHandler, RequestHandler, Router } from 'express';
import { SignJWT } from 'jose';
import { z } from 'zod';
import { openIssuerKey } from './issuer-key';
import { codeFlow } from './issuer-code-flow';
import { allowLoopbackPages, refuseStrangers } from './loopback';

/** Everybody the local issuer can sign in as. */
export const ROLES = ['user', 'mentor', 'staff', 'admin', 'service'] as const;
export type Role = (typeof ROLES)[number];

/**
 * Who you are when you name no subject: always the same person for a role, so that a call asked for with one token
 * can be looked at with the next.
 */
export const DEMO_SUBJECTS: Readonly<Record<Role, string>> = {
  user: '5b7d2a4e-0c1f-4f0e-9a51-d0e000000001',
  mentor: '5b7d2a4e-0c1f-4f0e-9a51-d0e000000002',
  staff: '5b7d2a4e-0c1f-4f0e-9a51-d0e000000003',
  admin: '5b7d2a4e-0c1f-4f0e-9a51-d0e000000004',
  service: '5b7d2a4e-0c1f-4f0e-9a51-d0e000000005',
};

/** What each of them does here, on the page where one chooses. */
const ABOUT: Readonly<Record<Role, string>> = {
  user: 'Asks for a mentor.',
  mentor: 'Is rung when somebody asks.',
  staff: 'Looks after calls and alerts.',
  admin: 'Keeps mentors, templates and switches.',
  service: 'Another program; has no page.',
};

/** Seconds. An hour is long enough to play; a day is the most, as nothing can take a token back. */
const DEFAULT_TTL = 3_600;
const LONGEST_TTL = 86_400;

const EXAMPLE_HINT = 'Send JSON such as {"role":"user"}, 4 kB at most.';
const SUBJECT_HINT = '"subject" is a text of 1 to 255 characters. Leave it out to be the demo person of the role.';
const TTL_HINT = `"ttl" is a whole number of seconds from 1 to ${LONGEST_TTL}. Left out, it is ${DEFAULT_TTL}.`;

/** Every message says what to send instead, and never what was sent. */
const TokenRequest = z.object(
  {
    role: z.enum(ROLES, `Send JSON such as {"role":"user"}; "role" is one of ${ROLES.join(', ')}.`),
    subject: z.string(SUBJECT_HINT).min(1, SUBJECT_HINT).max(255, SUBJECT_HINT).optional(),
    ttl: z.int(TTL_HINT).min(1, TTL_HINT).max(LONGEST_TTL, TTL_HINT).default(DEFAULT_TTL),
  },
  EXAMPLE_HINT,
);

export interface IssuerOptions {
  /** Address of the server the router is mounted on, e.g. `http://127.0.0.1:8055`; a function when the port is not known yet. */
  readonly publicUrl: string | (() => string);
  /** The `aud` of every token. */
  readonly audience: string;
  /** Where the key is kept over restarts; null or left out: in memory only. */
  readonly stateFile?: string | null;
}

export interface Issuer {
  /**
   * To be mounted at `/`: `GET /oidc/.well-known/openid-configuration`, `GET /oidc/jwks`, `POST /oidc/token`, and for
   * browsers `GET|POST /oidc/authorize` and `GET /oidc/sign-out`.
   */
  readonly router: Router;
  /** The `iss` of every token, and the value of `OIDC_ISSUER`. */
  readonly issuer: string;
  /**
   * An access token, signed with RS256.
   * @param subject any non-empty string, becomes `sub`; left out: the role's demo person
   * @param ttl seconds, 1 to 86400, default 3600
   */
  sign(role: Role, subject?: string, ttl?: number): Promise<string>;
}

/**
 * A local OpenID issuer: it gives a token for any role to anybody who asks. That is its purpose on a developer's machine,
 * and why its router answers nobody but the machine itself.
 *
 * @throws IssuerKeyError when the state file holds no usable key
 */
export async function createIssuer(options: IssuerOptions): Promise<Issuer> {
  const key = await openIssuerKey(options.stateFile ?? null);
  const issuer = (): string =>
    `${(typeof options.publicUrl === 'string' ? options.publicUrl : options.publicUrl()).replace(/\/+$/, '')}/oidc`;

  const sign = (role: Role, subject: string = DEMO_SUBJECTS[role], ttl: number = DEFAULT_TTL): Promise<string> =>
    new SignJWT({ roles: [role] })
      .setProtectedHeader({ alg: 'RS256', kid: key.keyId, typ: 'at+jwt' })
      .setIssuer(issuer())
      .setAudience(options.audience)
      .setSubject(subject)
      .setIssuedAt()
      .setExpirationTime(Math.floor(Date.now() / 1000) + ttl)
      .sign(key.privateKey);

  const signId = (role: string, subject: string, clientId: string, nonce: string | null): Promise<string> =>
    new SignJWT({ roles: [role], ...(nonce === null ? {} : { nonce }) })
      .setProtectedHeader({ alg: 'RS256', kid: key.keyId, typ: 'JWT' })
      .setIssuer(issuer())
      .setAudience(clientId)
      .setSubject(subject)
      .setIssuedAt()
      .setExpirationTime(Math.floor(Date.now() / 1000) + 300)
      .sign(key.privateKey);
  const byBrowser = codeFlow({
    issuer,
    choices: ROLES.map((role) => ({ role, about: ABOUT[role] })),
    demoSubject: (role) => (isRole(role) ? DEMO_SUBJECTS[role] : null),
    signAccess: (role, subject) => sign(z.enum(ROLES).parse(role), subject),
    signId,
    expiresIn: DEFAULT_TTL,
  });

  const router = express.Router();
  router.use('/oidc', refuseStrangers, allowLoopbackPages);
  router.get('/oidc/.well-known/openid-configuration', (_req, res) => {
    res.json({
      issuer: issuer(),
      jwks_uri: `${issuer()}/jwks`,
      authorization_endpoint: `${issuer()}/authorize`,
      token_endpoint: `${issuer()}/token`,
      end_session_endpoint: `${issuer()}/sign-out`,
      response_types_supported: ['code', 'token'],
      grant_types_supported: ['authorization_code'],
      scopes_supported: ['openid'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_post', 'client_secret_basic'],
      authorization_response_iss_parameter_supported: true,
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    });
  });
  router.get('/oidc/jwks', (_req, res) => {
    res.json({ keys: [key.publicJwk] });
  });
  router.use(byBrowser.router);
  const byScript = tokenRequest(sign);
  router.post(
    '/oidc/token',
    express.json({ limit: '4kb' }),
    express.urlencoded({ limit: '4kb', extended: false }),
    (req, res, next) => (req.is('application/x-www-form-urlencoded') ? byBrowser.exchange : byScript)(req, res, next),
  );
  router.use('/oidc', unreadableBody);

  return {
    router,
    get issuer() {
      return issuer();
    },
    sign,
  };
}

function isRole(word: string): word is Role {
  return ROLES.some((role) => role === word);
}

function tokenRequest(sign: Issuer['sign']): RequestHandler {
  return async (req, res) => {
    res.set('Cache-Control', 'no-store');
    const asked = TokenRequest.safeParse(req.body ?? {});
    if (!asked.success) {
      const description = asked.error.issues.map((issue) => issue.message).join(' ');
      res.status(400).json({ error: 'invalid_request', error_description: description });
      return;
    }
    const { role, subject = DEMO_SUBJECTS[role], ttl } = asked.data;
    const token = await sign(role, subject, ttl);
    res.json({ access_token: token, token_type: 'Bearer', expires_in: ttl, sub: subject, role });
  };
}

const unreadableBody: ErrorRequestHandler = (_error, _req, res, _next) => {
  res.status(400).json({ error: 'invalid_request', error_description: EXAMPLE_HINT });
};
