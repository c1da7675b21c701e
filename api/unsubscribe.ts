import type { Request, Response } from 'express';
import { blockAddress, liftUnsubscribed, whyBlocked } from '../db/mail-blocks';
import { findUnsubscribeLink, noteLinkUsed, type UnsubscribeLink } from '../db/mail-links';
import { inTransaction } from '../db/pool';
import { linkHash } from '../vault/link-tokens';
import { renderUnsubscribe, type UnsubscribeState } from '../web/unsubscribe';
import type { ApiDeps } from './deps';
import type { Routes } from './routes';

interface Opened {
  readonly hash: Buffer;
  readonly link: UnsubscribeLink;
}

/**
 * The link of `List-Unsubscribe`. A mail program posts to it when its reader presses "unsubscribe" (RFC 8058); a person
 * who opens it is asked first. Whoever has the link has the mail: nothing else is asked.
 */
export function unsubscribe(routes: Routes, deps: ApiDeps): void {
  routes.open('GET /unsubscribe/:token', async (req, res) => {
    const opened = await open(deps, req);
    if (opened === null) return send(deps, req, res, 'gone');
    const why = await whyBlocked(deps.pool, [opened.link.recipientToken]);
    send(deps, req, res, why === null ? 'ask' : why === 'unsubscribed' ? 'done' : 'blocked');
  });

  routes.open('POST /unsubscribe/:token', async (req, res) => {
    const opened = await open(deps, req);
    if (opened === null) return send(deps, req, res, 'gone');
    const { hash, link } = opened;
    if (req.query['undo'] === '1') {
      await liftUnsubscribed(deps.pool, link.recipientToken);
      const why = await whyBlocked(deps.pool, [link.recipientToken]);
      return send(deps, req, res, why === null ? 'ask' : 'blocked');
    }
    await inTransaction(deps.pool, async (tx) => {
      await blockAddress(tx, link.recipientToken, deps.tokenizer.version, 'unsubscribed');
      await noteLinkUsed(tx, hash);
    });
    send(deps, req, res, 'done');
  });
}

async function open(deps: ApiDeps, req: Request): Promise<Opened | null> {
  const token = req.params['token'];
  const hash = typeof token === 'string' ? linkHash(token) : null;
  if (hash === null) return null;
  const link = await findUnsubscribeLink(deps.pool, hash);
  return link === null ? null : { hash, link };
}

function send({ config }: ApiDeps, req: Request, res: Response, state: UnsubscribeState): void {
  const language = req.acceptsLanguages('en', 'es') === 'es' ? 'es' : 'en';
  const { html, contentSecurityPolicy } = renderUnsubscribe(state, language, config.privacyPolicyUrl);
  res
    .status(state === 'gone' ? 404 : 200)
    .set({ 'Content-Security-Policy': contentSecurityPolicy, 'Cache-Control': 'no-store' })
    .type('html')
    .send(html);
}
