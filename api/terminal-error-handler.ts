import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { Logger } from '../vault/logger';
import { sendProblemPage } from './page-answers';
import { Problem, type ProblemCode, type ProblemSettings, sendProblem } from './problems';
import { contextOf } from './request-context';
import { isUnavailable } from './unavailable';

/** What body-parser calls its errors (`err.type`), in our words. */
const PARSER_PROBLEMS: Readonly<Record<string, ProblemCode>> = {
  'entity.too.large': 'body-too-large',
  'entity.parse.failed': 'malformed-json',
  'encoding.unsupported': 'unsupported-media-type',
  'charset.unsupported': 'unsupported-media-type',
  'request.aborted': 'malformed-request',
  'request.size.invalid': 'malformed-request',
};

/**
 * The last stop of every error. An error object is never logged or printed whole: body-parser's carries the raw
 * body (`err.body`), and Express's own last handler would print it. What may be said is reduced by the logger.
 */
export function terminalErrorHandler(settings: ProblemSettings, logger: Logger): ErrorRequestHandler {
  return (error: unknown, req, res, _next) => {
    const context = contextOf(res);
    const problem = asProblem(error);
    if (problem.code === 'internal-error' || problem.code === 'temporarily-unavailable') {
      const line = { requestId: context.requestId, route: context.route, error };
      if (problem.code === 'internal-error') logger.error(line, 'a request failed');
      else logger.warn(line, 'a request failed because something it needs is down');
    }
    // Half an answer cannot be taken back; a cut connection at least cannot be mistaken for a whole one.
    if (res.headersSent) {
      res.destroy();
      return;
    }
    if (context.isPage) sendProblemPage(res, problem, settings);
    else sendProblem(req, res, problem, settings);
  };
}

/** For addresses that no route answers. */
export function unknownAddress(): RequestHandler {
  return (_req, _res, next) => next(new Problem('not-found'));
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isUnavailable(error)) return new Problem('temporarily-unavailable');
  const type = property(error, 'type');
  const known = typeof type === 'string' && Object.hasOwn(PARSER_PROBLEMS, type) ? PARSER_PROBLEMS[type] : undefined;
  if (known !== undefined) return new Problem(known);
  const status = property(error, 'status');
  const isTheirs = typeof status === 'number' && status >= 400 && status < 500;
  return new Problem(isTheirs ? 'malformed-request' : 'internal-error');
}

function property(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}
