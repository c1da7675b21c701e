import express from 'express';
import type { Router } from 'express';
import { refuseStrangers } from '../loopback';
import type { Mailbox } from '../mail/mailbox';
import { readAsset } from './assets';
import { renderMailboxPage } from './mailbox-page';
import { renderPhonesPage } from './phones-page';
import type { PhonesPageOptions } from './phones-page';
import { renderPrivacyPage } from './privacy-page';

/** Only what this server gives, no inline code, no other site: a caption that held markup could do nothing. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * A mail's own HTML: its styles, nothing from elsewhere (a picture would tell its sender that it was read), no script,
 * no form, no link that leads anywhere. `sandbox` holds also where somebody opens the address by itself.
 */
const MAIL_POLICY = [
  'sandbox',
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

const ASSETS: Readonly<Record<string, string>> = {
  'phones.js': 'text/javascript',
  'phones.css': 'text/css',
  'mailbox.js': 'text/javascript',
  'mailbox.css': 'text/css',
};

export interface PagesOptions {
  /** Asked at each request: numbers may be added while the simulator runs. */
  readonly page: () => PhonesPageOptions;
  readonly mailbox: Mailbox;
}

/**
 * The phones page at `/`, the mailbox at `/mailbox`, and what they load from `/assets/`. Their data comes from the
 * control routes under `/simulator/`. A sample of a privacy policy at `/privacy`.
 */
export function createPagesRouter(options: PagesOptions): Router {
  const router = express.Router();
  const serve = (path: string, type: string, read: () => string, policy = CONTENT_SECURITY_POLICY) => {
    router.get(path, (_req, res) => {
      res.set({
        'Content-Security-Policy': policy,
        'X-Content-Type-Options': 'nosniff',
        'Referrer-Policy': 'no-referrer',
        'Cache-Control': 'no-store',
      });
      res.type(type).send(read());
    });
  };
  serve('/', 'html', () => renderPhonesPage(options.page()));
  serve('/mailbox', 'html', renderMailboxPage);
  serve('/privacy', 'html', renderPrivacyPage);
  for (const [name, type] of Object.entries(ASSETS)) {
    const asset = readAsset(name);
    serve(`/assets/${name}`, type, () => asset);
  }
  router.use('/mailbox/:id/html', refuseStrangers);
  router.get('/mailbox/:id/html', (req, res) => {
    const html = options.mailbox.find(req.params.id)?.html;
    res.set({
      'Content-Security-Policy': MAIL_POLICY,
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
    });
    if (html == null) res.status(404).type('text').send('There is no such mail.');
    else res.type('html').send(html);
  });
  return router;
}
