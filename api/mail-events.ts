import { blockAddress, findSentMail } from '../db/mail-blocks';
import { inTransaction } from '../db/pool';
import { markHandled, storeEvent, type WebhookEvent } from '../db/webhook-events';
import { type MailEvent, readMailEvent } from '../domain/mail-events';
import type { ApiDeps } from './deps';
import type { EventHandler, Told } from './event-handlers';
import { SIGNAL_WITHIN, STORE_WITHIN } from './limits';
import type { Routes } from './routes';
import { within } from './unavailable';
import { isUuid } from './webhook-query';

/**
 * `POST /mail-events`: what became of an e-mail, by SES through SNS. As with a call: stored first, once per event, an
 * address that must not be written to any more noted with it; then the message is told, or the relay does it.
 */
export function mailEvents(routes: Routes, deps: ApiDeps): void {
  routes.sns('POST /mail-events', async ({ type, message, confirm }, res) => {
    if (confirm !== null) {
      await confirm();
      deps.logger.info({ route: '/mail-events' }, 'a topic of ours may tell us of our mail from now on');
    } else if (type === 'UnsubscribeConfirmation') {
      deps.logger.error({ route: '/mail-events' }, 'a topic of ours tells us of our mail no longer');
    }
    const told = type === 'Notification' ? readMailEvent(message) : null;
    if (told !== null) await take(deps, told);
    res.status(204).end();
  });
}

/** @throws when it cannot be stored: SNS comes again */
async function take(deps: ApiDeps, told: MailEvent): Promise<void> {
  const named = isUuid(told.dispatch) ? told.dispatch : null;
  const mail = await within(STORE_WITHIN, findSentMail(deps.pool, named, told.sid));
  // Of another service that shares the account, or of a mail that was swept long ago.
  if (mail === null) return;
  const changesTheCourse = told.receipt !== null && mail.messageId !== null;
  const event: WebhookEvent = {
    seenKey: `mail-event:${told.sid}:${told.type}`,
    type: 'mail-event',
    sid: told.sid,
    dispatchId: mail.dispatchId,
    callId: null,
    leg: null,
    step: null,
    status: told.receipt ?? told.type,
    sequence: null,
    errorCode: told.code,
    messageId: mail.messageId,
    payload: { event: told.type, detail: told.detail },
  };
  const stored = await within(
    STORE_WITHIN,
    inTransaction(deps.pool, async (tx) => {
      if (told.blocks !== null && mail.recipientToken !== null) {
        await blockAddress(tx, mail.recipientToken, deps.tokenizer.version, told.blocks);
      }
      return await storeEvent(tx, event, !changesTheCourse);
    }),
  );
  if (stored.handledAt !== null) return;
  const { messageId } = mail;
  try {
    await tellMessage(deps, { ...event, messageId });
    await markHandled(deps.pool, event.seenKey);
  } catch (error) {
    deps.logger.warn({ dispatchId: mail.dispatchId, status: told.type, error }, 'an event waits for the relay');
  }
}

/** A stored event once more: the message ignores what it was told before. */
export const handleMailEvent: EventHandler = (deps, event) => () => tellMessage(deps, event);

async function tellMessage(
  { messages }: Pick<ApiDeps, 'messages'>,
  event: Pick<WebhookEvent, 'seenKey' | 'sid' | 'status' | 'errorCode'> & { readonly messageId: string | null },
): Promise<Told> {
  const { seenKey, sid, status, errorCode, messageId } = event;
  if (messageId === null || sid === null || status === null) return 'nothing-to-tell';
  if (status !== 'delivered' && status !== 'undelivered' && status !== 'failed') return 'nothing-to-tell';
  return await within(SIGNAL_WITHIN, messages.receipt(messageId, { seenKey, sid, status, errorCode }, SIGNAL_WITHIN));
}
