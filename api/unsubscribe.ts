import type { Request, Response } from 'express';
import { appendAudit } from '../db/audit';
import { blockAddress, liftUnsubscribed, whyBlocked } from '../db/mail-blocks';
import { findUnsubscribeLink, type FoundLink, noteLinkUsed } from '../db/mail-links';
import { inTransaction } from '../db/pool';
import type { Db } from '../db/query';
import { linkHash } from '../vault/link-tokens';
import { renderUnsubscribe, UNSUBSCRIBE_LANGUAGES, type UnsubscribeState } from '../web/unsubscribe';
import type { ApiDeps } from './deps';
import { sendPage } from './page-answers';
import type { Routes } from './routes';

interface Opened {
  readonly hash: Buffer;
  readonly link: FoundLink;
}

/**
 * The link of `List-Unsubscribe`. A mail program posts to it when its reader presses "unsubscribe" (RFC 8058); a person
 * who opens it is asked first. Whoever has the link has the mail: nothing else is asked.
 */
export function unsubscribe(routes: Routes, deps: ApiDeps): void {
  routes.link('GET /unsubscribe/:token', async (req, res) => {
    const opened = await open(deps, req);
    if (opened === null) return send(deps, req, res, 'gone');
    const why = await whyBlocked(deps.pool, [opened.link.recipientToken]);
    send(deps, req, res, why === null ? 'ask' : why === 'unsubscribed' ? 'done' : 'blocked');
  });

  routes.link('POST /unsubscribe/:token', async (req, res) => {
    const opened = await open(deps, req);
    if (opened === null) return send(deps, req, res, 'gone');
    const { hash, link } = opened;
    if (req.query['undo'] === '1') {
      await inTransaction(deps.pool, async (tx) => {
        if (await liftUnsubscribed(tx, link.recipientToken)) await account(tx, 'opt-out.lifted', link);
      });
      const why = await whyBlocked(deps.pool, [link.recipientToken]);
      return send(deps, req, res, why === null ? 'ask' : 'blocked');
    }
    await inTransaction(deps.pool, async (tx) => {
      const isNew = await blockAddress(tx, link.recipientToken, deps.tokenizer.version, 'unsubscribed');
      if (isNew) await account(tx, 'opt-out.recorded', link);
      await noteLinkUsed(tx, hash);
    });
    send(deps, req, res, 'done');
  });
}

/** A press that changes nothing is no entry. The link proves the mailbox, and so speaks for the one it was written to. */
async function account(
  tx: Db,
  action: 'opt-out.recorded' | 'opt-out.lifted',
  { messageId, subjectId }: FoundLink,
): Promise<void> {
  await appendAudit(tx, {
    actor: subjectId ?? 'system',
    action,
    objectId: messageId,
    purpose: 'link',
    outcome: 'done',
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
  const wanted = req.acceptsLanguages(...UNSUBSCRIBE_LANGUAGES);
  const language = UNSUBSCRIBE_LANGUAGES.find((each) => each === wanted) ?? 'en';
  const page = renderUnsubscribe(state, language, config.privacyPolicyUrl);
  sendPage(res, page, state === 'gone' ? 404 : 200);
}
