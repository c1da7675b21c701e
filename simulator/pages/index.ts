import express from 'express';
import type { Router } from 'express';
import { readAsset } from './assets';
import { renderPhonesPage } from './phones-page';
import type { PhonesPageOptions } from './phones-page';

/** Only what this server gives, no inline code, no other site: a caption that held markup could do nothing. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export interface PagesOptions {
  /** Asked at each request: numbers may be added while the simulator runs. */
  readonly page: () => PhonesPageOptions;
}

/** The phones page at `/` and what it loads from `/assets/`. Its data comes from the control routes under `/simulator/`. */
export function createPagesRouter(options: PagesOptions): Router {
  const script = readAsset('phones.js');
  const style = readAsset('phones.css');
  const router = express.Router();
  router.get(['/', '/assets/phones.js', '/assets/phones.css'], (_req, res, next) => {
    res.set({
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store',
    });
    next();
  });
  router.get('/', (_req, res) => {
    res.type('html').send(renderPhonesPage(options.page()));
  });
  router.get('/assets/phones.js', (_req, res) => {
    res.type('text/javascript').send(script);
  });
  router.get('/assets/phones.css', (_req, res) => {
    res.type('text/css').send(style);
  });
  return router;
}
