import type { Request } from 'express';
import type { SignedInAccount } from '../providers/sign-in';
import { renderMessage } from '../web/message';
import { type Role, rolesOf, type TokenCheck } from './authentication';
import type { ApiDeps } from './deps';
import { beginPage, seeOther, sendPage } from './page-answers';
import type { PageSessions } from './page-sessions';
import { Problem } from './problems';
import type { Routes } from './routes';

/** Pages that a sign-in may lead to: nothing that somebody puts into a link. */
const PAGES = [
  '/circle',
  '/mentor',
  '/mentor/join',
  '/staff',
  '/staff/alerts',
  '/staff/calls',
  '/staff/mentors',
] as const;
/** Where an alert leads to. */
const INCIDENT_PAGE = /^\/staff\/incidents\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface SignInParts {
  readonly sessions: PageSessions;
  readonly checkToken: TokenCheck;
  /** The subject of an account, made when it first signs in. */
  readonly subjectOf: (issuer: string, account: string) => Promise<string>;
}

/** The way in to the pages, by the organisation's own sign-in, and out again. */
export function signIn(routes: Routes, deps: ApiDeps, { sessions, checkToken, subjectOf }: SignInParts): void {
  const { oidc, privacyPolicyUrl } = deps.config;

  routes.open('GET /sign-in', async (req, res) => {
    beginPage(res);
    const begun = await configured(deps).begin();
    if (begun === 'unavailable') throw new Problem('sign-in-unavailable');
    const { url, pending } = begun;
    sessions.rememberSignIn(res, { ...pending, to: pageOf(req) });
    res.status(302).location(url).end();
  });

  routes.open('GET /sign-in/callback', async (req, res) => {
    beginPage(res);
    const provider = configured(deps);
    const pending = sessions.takeSignIn(req, res);
    if (pending === null) throw new Problem('sign-in-failed');
    const query = new URL(req.originalUrl, 'http://nobody.invalid').searchParams;
    const account = await provider.finish(query, pending);
    if (account === 'unavailable') throw new Problem('sign-in-unavailable');
    if (account === 'refused') throw new Problem('sign-in-failed');
    const subjectId = await subjectOf(oidc.issuer, account.account);
    const roles = await rolesOfAccount(account, subjectId, oidc.rolesClaim, checkToken);
    sessions.begin(res, subjectId, roles);
    seeOther(res, pending.to === '' ? startOf(roles) : pending.to);
  });

  routes.page('POST /sign-out', async (_req, res, visitor) => {
    await sessions.end(res, visitor);
    seeOther(res, '/signed-out');
  });

  routes.open('GET /signed-out', async (_req, res) => {
    beginPage(res);
    const elsewhere = (await deps.signIn?.signOutUrl()) ?? null;
    const page = renderMessage({
      title: 'You are signed out',
      text:
        elsewhere === null
          ? 'On a phone or computer that others use too, close the browser.'
          : 'On a phone or computer that others use too, sign out at the sign-in service as well: it may still know you.',
      links: [
        ...(elsewhere === null ? [] : [{ href: elsewhere, text: 'Sign out there too' }]),
        { href: '/circle', text: 'My circle' },
        { href: '/mentor', text: 'Mentor’s page' },
        { href: '/staff', text: 'Staff page' },
      ],
      requestId: null,
      privacyPolicyUrl,
    });
    sendPage(res, page);
  });
}

/** @throws {Problem} `sign-in-not-configured` */
function configured({ signIn: provider }: ApiDeps): NonNullable<ApiDeps['signIn']> {
  if (provider === null) throw new Problem('sign-in-not-configured');
  return provider;
}

/**
 * As the ID token says; where it has no such claim, as the access token does, if that is one with which this API can be
 * asked. An account without a role of ours is signed in and may do nothing.
 */
async function rolesOfAccount(
  { claims, accessToken }: SignedInAccount,
  subjectId: string,
  rolesClaim: string,
  checkToken: TokenCheck,
): Promise<readonly Role[]> {
  if (claims[rolesClaim] !== undefined) return rolesOf(claims[rolesClaim]);
  try {
    const token = await checkToken(accessToken);
    return token.subjectId === subjectId ? token.roles : [];
  } catch (error) {
    // Opaque, or made for somebody else: then nothing says what this account may do.
    if (error instanceof Problem && error.code === 'token-invalid') return [];
    throw error;
  }
}

/** Where somebody wanted to go; empty when nothing says so. */
function pageOf(req: Request): string {
  const { to } = req.query;
  if (typeof to === 'string' && INCIDENT_PAGE.test(to)) return to;
  return PAGES.find((page) => page === to) ?? '';
}

function startOf(roles: readonly Role[]): string {
  if (roles.includes('staff') || roles.includes('admin')) return '/staff';
  return roles.includes('user') ? '/circle' : '/mentor';
}
