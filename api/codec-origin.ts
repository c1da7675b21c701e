import type { RequestHandler } from 'express';
import { Problem } from './problems';

/** How long a browser may remember the answer to its question before the question (s). */
const REMEMBERED_FOR = 600;
/** Exactly what the Web UI sends (docs.temporal.io/production-deployment/data-encryption). */
const HEADERS = 'Authorization, Content-Type, X-Namespace';

/**
 * Answers one page and no other: the Web UI's. A browser names the page in `Origin` and no script can change it, so a
 * page that a signed-in operator happens to open, or one that rebinds its name to this machine, learns nothing. A
 * request without `Origin` is refused too.
 *
 * @throws {Problem} `origin-not-allowed`
 */
export function onlyFrom(origin: string): RequestHandler {
  return (req, res, next) => {
    res.set('Vary', 'Origin');
    if (req.headers.origin !== origin) throw new Problem('origin-not-allowed');
    // Errors carry it too, or the Web UI could not tell a refusal from a server that is down.
    res.set('Access-Control-Allow-Origin', origin).set('Access-Control-Expose-Headers', 'Retry-After, X-Request-Id');
    next();
  };
}

/** What a browser asks before it sends anything. */
export function preflight(method: 'POST'): RequestHandler {
  return (_req, res) => {
    res.set('Access-Control-Allow-Methods', method).set('Access-Control-Allow-Headers', HEADERS);
    res.set('Access-Control-Max-Age', String(REMEMBERED_FOR)).status(204).end();
  };
}
