import type { Request, Response } from 'express';
import type { z } from 'zod';
import { type ProblemEntry, renderProblems } from '../web/problems';
import type { problemCatalogue, problemEntry } from './problem-shapes';
import { type ProblemCode, PROBLEMS, Problem } from './problems';
import type { Routes } from './routes';

/** What the `type` of a problem leads to: the same words, for programs as JSON and for people as a page. */
export function problemPages(routes: Routes, publicBaseUrl: string, privacyPolicyUrl: string | null): void {
  const entry = (code: ProblemCode): ProblemEntry => {
    const [status, title, hint] = PROBLEMS[code];
    return { type: `${publicBaseUrl}/problems/${code}`, code, status, title, hint };
  };

  routes.open('GET /problems', (req, res) => {
    const problems = Object.keys(PROBLEMS).filter(isProblemCode).map(entry);
    const answer: z.input<typeof problemCatalogue> = { problems };
    send(req, res, { problems, privacyPolicyUrl }, answer);
  });
  routes.open('GET /problems/:code', (req, res) => {
    const code = req.params['code'];
    if (!isProblemCode(code)) throw new Problem('not-found');
    const answer: z.input<typeof problemEntry> = entry(code);
    send(req, res, { problems: [entry(code)], privacyPolicyUrl }, answer);
  });
}

interface Shown {
  readonly problems: readonly ProblemEntry[];
  readonly privacyPolicyUrl: string | null;
}

function send(req: Request, res: Response, { problems, privacyPolicyUrl }: Shown, json: object): void {
  res.set('Cache-Control', 'public, max-age=3600').vary('Accept');
  if (req.accepts(['json', 'html']) !== 'html') {
    res.json(json);
    return;
  }
  const { html, contentSecurityPolicy } = renderProblems(problems, privacyPolicyUrl);
  res.set('Content-Security-Policy', contentSecurityPolicy).type('html').send(html);
}

function isProblemCode(code: unknown): code is ProblemCode {
  return typeof code === 'string' && Object.hasOwn(PROBLEMS, code);
}
