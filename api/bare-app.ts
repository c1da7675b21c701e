import express, { type Express } from 'express';
import helmet from 'helmet';
import type { Logger } from '../vault/logger';
import { requestLog } from './request-log';

/**
 * What every HTTP application of ours begins with: nothing told about itself, one log line a request, and headers that
 * let a browser load nothing and frame nothing unless a page says otherwise.
 *
 * @param trustProxyHops the exact number: one too many, and a client could choose its own address
 */
export function bareApp(trustProxyHops: number, logger: Logger): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', trustProxyHops);
  app.set('query parser', 'simple');
  app.use(requestLog(logger));
  app.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
      referrerPolicy: { policy: 'no-referrer' },
    }),
  );
  return app;
}
