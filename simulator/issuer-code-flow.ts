import { createHash, randomBytes } from 'node:crypto';
import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import { z } from 'zod';
import { isLoopbackUrl } from './loopback';
import { renderSignInPage, type SignInChoice } from './pages/sign-in-page';

/** How long a code can be exchanged (ms): browsers come back at once. */
const CODE_LIFETIME = 60_000;

const CHALLENGE = /^[\w-]{43}$/;

/** RFC 6749 4.1.1, with the PKCE that RFC 7636 leaves to the client and we do not. */
const AuthorizationRequest = z.object({
  response_type: z.literal('code', '"response_type" is "code".'),
  client_id: z.string('"client_id" is missing.').min(1, '"client_id" is missing.').max(255),
  redirect_uri: z
    .string('"redirect_uri" is missing.')
    .refine(isLoopbackUrl, '"redirect_uri" is an address of this machine.'),
  code_challenge: z.string('"code_challenge" is missing.').regex(CHALLENGE, '"code_challenge" is an S256 challenge.'),
  code_challenge_method: z.literal('S256', '"code_challenge_method" is "S256".'),
  scope: z.string().max(255).default('openid'),
  state: z.string().max(1_000).optional(),
  nonce: z.string().max(1_000).optional(),
});
type AuthorizationRequest = z.output<typeof AuthorizationRequest>;

const TokenExchange = z.object({
  grant_type: z.literal('authorization_code'),
  code: z.string(),
  redirect_uri: z.string(),
  code_verifier: z.string(),
  client_id: z.string().optional(),
});

interface Granted {
  readonly request: AuthorizationRequest;
  readonly role: string;
  readonly subject: string;
  readonly until: number;
}

export interface CodeFlowOptions {
  readonly issuer: () => string;
  readonly choices: readonly SignInChoice[];
  /** Who somebody of a role is when they name nobody; null for what is no role. */
  readonly demoSubject: (role: string) => string | null;
  readonly signAccess: (role: string, subject: string) => Promise<string>;
  /** @param nonce null: none was sent */
  readonly signId: (role: string, subject: string, clientId: string, nonce: string | null) => Promise<string>;
  readonly expiresIn: number;
}

/** Signing in by a browser: a page with a button for each role, and the exchange of what it gives for tokens. */
export function codeFlow(options: CodeFlowOptions): { readonly router: Router; readonly exchange: RequestHandler } {
  const granted = new Map<string, Granted>();
  const router = express.Router();

  router.get('/oidc/authorize', (req, res) => {
    const request = asked(req.query, res);
    if (request !== null) sendPage(res, options, request);
  });

  router.post('/oidc/authorize', express.urlencoded({ extended: false, limit: '8kb' }), (req, res) => {
    const request = asked(bodyOf(req), res);
    if (request === null) return;
    const { role, subject } = z
      .object({ role: z.string(), subject: z.string().max(255).default('') })
      .parse(bodyOf(req));
    const demo = options.demoSubject(role);
    if (demo === null) return refuse(res, 'invalid_request', '"role" is no role.');
    for (const [code, { until }] of granted) if (until <= Date.now()) granted.delete(code);
    const code = randomBytes(24).toString('base64url');
    const person = subject.trim() === '' ? demo : subject.trim();
    granted.set(code, { request, role, subject: person, until: Date.now() + CODE_LIFETIME });
    const back = new URL(request.redirect_uri);
    back.searchParams.set('code', code);
    back.searchParams.set('iss', options.issuer());
    if (request.state !== undefined) back.searchParams.set('state', request.state);
    res.redirect(303, back.href);
  });

  // Nobody stays signed in here: there is nothing to end.
  router.get('/oidc/sign-out', (req, res) => {
    const to = req.query['post_logout_redirect_uri'];
    if (typeof to === 'string' && isLoopbackUrl(to)) res.redirect(303, to);
    else res.type('text').send('You are signed out.');
  });

  const exchange: RequestHandler = async (req, res) => {
    res.set('Cache-Control', 'no-store');
    const wanted = TokenExchange.safeParse(bodyOf(req));
    if (!wanted.success)
      return refuse(res, 'invalid_request', 'Send grant_type, code, redirect_uri and code_verifier.');
    const { code, redirect_uri: redirectUri, code_verifier: verifier } = wanted.data;
    const grant = granted.get(code);
    // Once, whatever comes of it.
    granted.delete(code);
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const fits =
      grant !== undefined &&
      grant.until > Date.now() &&
      grant.request.redirect_uri === redirectUri &&
      grant.request.code_challenge === challenge &&
      grant.request.client_id === clientOf(req, wanted.data.client_id);
    if (!fits) return refuse(res, 'invalid_grant', 'This code is unknown, used, too old, or another client’s.');
    const { role, subject, request } = grant;
    res.json({
      access_token: await options.signAccess(role, subject),
      id_token: await options.signId(role, subject, request.client_id, request.nonce ?? null),
      token_type: 'Bearer',
      expires_in: options.expiresIn,
      scope: 'openid',
    });
  };
  return { router, exchange };
}

/** What a client asks with; answered when it is not as it must be: nobody is sent to an address that was not checked. */
function asked(from: unknown, res: Response): AuthorizationRequest | null {
  res.set('Cache-Control', 'no-store');
  const request = AuthorizationRequest.safeParse(from);
  if (request.success) return request.data;
  refuse(res, 'invalid_request', request.error.issues.map(({ message }) => message).join(' '));
  return null;
}

function sendPage(res: Response, { choices }: CodeFlowOptions, request: AuthorizationRequest): void {
  const nonce = randomBytes(16).toString('base64');
  const policy = [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    'img-src data:',
    "base-uri 'none'",
    // Browsers hold a form's redirect against this list too.
    `form-action 'self' ${new URL(request.redirect_uri).origin}`,
    "frame-ancestors 'none'",
  ];
  // Without a referrer the form's own Origin would be null.
  res.set({ 'Content-Security-Policy': policy.join('; '), 'Referrer-Policy': 'same-origin' });
  const given = Object.entries(request).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  res.type('html').send(renderSignInPage({ choices, request: Object.fromEntries(given), nonce }));
}

/** By the body, or by a header: a secret, where there is one, is believed like everything here. */
function clientOf(req: Request, inBody: string | undefined): string | undefined {
  const basic = /^Basic (.+)$/i.exec(req.headers.authorization ?? '')?.[1];
  if (basic === undefined) return inBody;
  return decodeURIComponent(Buffer.from(basic, 'base64').toString('utf8').split(':')[0] ?? '');
}

function bodyOf(req: Request): unknown {
  const body: unknown = req.body;
  return body ?? {};
}

function refuse(res: Response, error: string, description: string): void {
  res.status(400).json({ error, error_description: description });
}
