import type { RequestHandler } from 'express';
import type { Logger } from '../vault/logger';
import { contextOf } from './request-context';

/** One line a request: the route's pattern, never the URL, whose ids and mistyped parts may be anything. */
export function requestLog(logger: Logger): RequestHandler {
  return (req, res, next) => {
    const context = contextOf(res);
    res.set('X-Request-Id', context.requestId);
    res.on('close', () => {
      logger.info(
        {
          requestId: context.requestId,
          method: req.method,
          route: context.route ?? '/unknown',
          httpStatus: res.statusCode,
          durationMs: Math.round(performance.now() - context.startedAt),
          ...(res.writableFinished ? {} : { outcome: 'cut' }),
        },
        'request',
      );
    });
    next();
  };
}
