import { type ProblemCode, PROBLEMS, Problem } from './problems';
import type { Routes } from './routes';

/** What the `type` of a problem leads to: the same words, for whoever follows the link. */
export function problemPages(routes: Routes, publicBaseUrl: string): void {
  routes.open('GET /problems/:code', (req, res) => {
    const code = req.params['code'];
    if (!isProblemCode(code)) throw new Problem('not-found');
    const [status, title, hint] = PROBLEMS[code];
    res.set('Cache-Control', 'public, max-age=3600');
    res.json({ type: `${publicBaseUrl}/problems/${code}`, code, status, title, hint });
  });
}

function isProblemCode(code: unknown): code is ProblemCode {
  return typeof code === 'string' && Object.hasOwn(PROBLEMS, code);
}
