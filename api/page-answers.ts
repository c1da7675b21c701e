import type { Request, Response } from 'express';
import type { Page } from '../web/layout';
import { renderMessage } from '../web/message';
import { type Problem, type ProblemSettings, PROBLEMS } from './problems';
import { contextOf } from './request-context';

/** Before anything of a page is answered: what is on it is for one person, and never for a cache. */
export function beginPage(res: Response): void {
  contextOf(res).isPage = true;
  // Without a referrer browsers say `Origin: null` with a form, also to ourselves.
  res.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'same-origin' });
}

/** Of a page behind a link: nobody that it leads on to, or that it is opened from, learns the link. */
export function beginLinkPage(res: Response): void {
  beginPage(res);
  contextOf(res).isLinkPage = true;
  res.set('Referrer-Policy', 'no-referrer');
}

export function sendPage(res: Response, { html, contentSecurityPolicy }: Page, status = 200): void {
  res.status(status).set('Content-Security-Policy', contentSecurityPolicy).type('html').send(html);
}

/** What has just been done is shown by the page itself: a reload repeats nothing. */
export function seeOther(res: Response, path: string): void {
  // Not by `redirect`, whose body repeats the address.
  res.status(303).location(path).end();
}

/** A field of a form; empty when it is not there, or there twice. */
export function field(req: Request, name: string): string {
  const body: unknown = req.body;
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
  return typeof value === 'string' ? value : '';
}

/** The same words as `sendProblem`, for a person. */
export function sendProblemPage(res: Response, problem: Problem, settings: ProblemSettings): void {
  const [status, title, hint] = PROBLEMS[problem.code];
  const retryAfter = problem.retryAfterSeconds ?? (status === 503 ? 5 : null);
  if (retryAfter !== null) res.set('Retry-After', String(Math.max(1, Math.ceil(retryAfter))));
  const { requestId, formToken, isLinkPage } = contextOf(res);
  const page = renderMessage({
    title,
    text: hint,
    links: isLinkPage ? [] : pagesToGoTo(problem),
    requestId,
    formToken,
    privacyPolicyUrl: settings.privacyPolicyUrl ?? null,
  });
  sendPage(res, page, status);
}

function pagesToGoTo(problem: Problem): { href: string; text: string }[] {
  return [
    ...(problem.code === 'account-not-linked' ? [{ href: '/mentor/join', text: 'Enter an invitation code' }] : []),
    { href: '/circle', text: 'My circle' },
    { href: '/mentor', text: 'Mentor’s page' },
    { href: '/staff', text: 'Staff page' },
  ];
}
