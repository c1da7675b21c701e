import { appendAudit } from '../db/audit';
import { knowsSid, noteReceiptSid } from '../db/dispatches';
import { noteByReceipt } from '../db/may-send';
import { inTransaction } from '../db/pool';
import { storeEvent, markHandled, type WebhookEvent } from '../db/webhook-events';
import { changesTheCourse, isMessageStatus } from '../domain/message-status';
import type { ApiDeps } from './deps';
import type { EventHandler, Told } from './event-handlers';
import { SIGNAL_WITHIN, STORE_WITHIN } from './limits';
import type { Routes } from './routes';
import { storedInTime } from './stored-events';
import type { TwilioRequest } from './twilio-requests';
import { within } from './unavailable';
import { isMessageSid, isUuid } from './webhook-query';

/** A receipt, sanitised: nothing of `From`, `To`, `Body` or any other field of Twilio's. */
interface ReceiptEvent {
  /** One per state of a message: `RawDlrDoneDate` and the like are signed, but name no other event. */
  readonly seenKey: string;
  readonly messageId: string;
  readonly dispatchId: string | null;
  readonly sid: string;
  readonly status: string;
  readonly errorCode: string | null;
}

/**
 * `POST /message-status`: what became of a text. Stored first, once per event, then told to the workflow if it ends a try;
 * answered 204 as soon as it is stored, because the relay delivers what could not be told.
 */
export function messageStatus(routes: Routes, deps: ApiDeps): void {
  routes.twilio('POST /message-status', async (asked, res) => {
    const event = readEvent(asked);
    if (event === null) {
      res.status(204).end();
      return;
    }
    let stored: { readonly handledAt: Date | null };
    try {
      stored = await store(deps, event);
    } catch (error) {
      deps.logger.warn({ route: '/message-status', error }, 'an event could not be stored');
      res.status(503).end();
      return;
    }
    if (stored.handledAt === null) await deliver(deps, event);
    res.status(204).end();
  });
}

/** A last receipt of a text that nobody intended is how a double comes to light: nothing but counting can be done then. */
async function store(deps: ApiDeps, event: ReceiptEvent): Promise<{ readonly handledAt: Date | null }> {
  const isLast = changesTheCourse(event);
  // With what it says beyond its message, which may be over: an event that is known has had its consequences.
  const storing = inTransaction(deps.pool, async (tx) => {
    const stored = await storeEvent(tx, asStored(event), !isLast);
    if (isLast) await noteByReceipt(tx, event, { isNews: stored.isNew });
    return stored;
  });
  const stored = await storedInTime(deps.pool, event.seenKey, storing);
  const { dispatchId, sid } = event;
  if (isLast && dispatchId !== null && stored.handledAt === null) {
    await within(STORE_WITHIN, countDouble(deps, dispatchId, sid));
  }
  return stored;
}

async function countDouble(deps: ApiDeps, dispatchId: string, sid: string): Promise<void> {
  if (await knowsSid(deps.pool, dispatchId, sid)) return;
  const isDouble = await inTransaction(deps.pool, async (tx) => {
    if (!(await noteReceiptSid(tx, dispatchId, sid))) return false;
    await appendAudit(tx, { actor: 'system', action: 'dispatch.doubled', objectId: dispatchId, outcome: 'done' });
    return true;
  });
  if (isDouble) deps.logger.error({ dispatchId, callSid: sid }, 'dispatch-doubled');
}

/** Never throws: what is not delivered stays unhandled, and the relay takes it up. */
async function deliver(deps: ApiDeps, event: ReceiptEvent): Promise<void> {
  const { messageId, status, seenKey } = event;
  try {
    await tellReceipt(deps, event);
    await markHandled(deps.pool, seenKey);
  } catch (error) {
    deps.logger.warn({ messageId, status, error }, 'an event waits for the relay');
  }
}

/** A stored receipt once more: its workflow ignores what it was told before. */
export const handleMessageStatus: EventHandler = (deps, event) => {
  const { messageId, sid, status } = event;
  if (messageId === null || sid === null || status === null) return null;
  return () => tellReceipt(deps, { ...event, messageId, sid, status });
};

/** @throws when Temporal does not take it in time */
async function tellReceipt(
  { messages }: Pick<ApiDeps, 'messages'>,
  { messageId, seenKey, sid, status, errorCode }: Omit<ReceiptEvent, 'dispatchId'>,
): Promise<Told> {
  if (!changesTheCourse({ status })) return 'nothing-to-tell';
  // `closed` is as good: a message that is over has nothing to learn any more.
  return await within(SIGNAL_WITHIN, messages.receipt(messageId, { seenKey, sid, status, errorCode }, SIGNAL_WITHIN));
}

function asStored(event: ReceiptEvent): WebhookEvent {
  return { type: 'message-status', callId: null, leg: null, step: null, sequence: null, ...event };
}

function readEvent(asked: TwilioRequest): ReceiptEvent | null {
  const sid = asked.field('MessageSid') ?? '';
  const status = asked.field('MessageStatus') ?? '';
  const messageId = asked.query.get('message');
  if (!isMessageSid(sid) || !isMessageStatus(status) || !isUuid(messageId)) return null;
  const dispatchId = asked.query.get('dispatch');
  const errorCode = asked.field('ErrorCode') ?? '';
  return {
    seenKey: `message-status:${sid}:${status}`,
    messageId,
    dispatchId: isUuid(dispatchId) ? dispatchId : null,
    sid,
    status,
    errorCode: /^\d{4,6}$/.test(errorCode) ? errorCode : null,
  };
}
