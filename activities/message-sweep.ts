import { abandon, type Dispatch } from '../db/dispatches';
import { closeMessage, type MessageEnd, messageReceipts } from '../db/messages';
import { endUnbegunMessages } from './batch-sweep';
import { dispatchesOfMessage, type OpenMessage, takeOpenMessages } from '../db/open-messages';
import { messageWorkflowId } from '../domain/message';
import { afterReceipt, outcomeOf, type ReceiptState } from '../domain/message-status';
import { classOfCode } from '../domain/twilio-errors';
import { ownerState, type OwnerState } from '../temporal/owners';
import { begunFallback } from './begun-fallback';
import type { ActivityDependencies } from './dependencies';
import { countMessageEnd } from './outcome-metrics';
import { countWhere, SWEEP_BATCH } from './sweep-part';

type Deps = Pick<ActivityDependencies, 'pool' | 'temporal'>;

/** Nearly every message is over by then (ms). */
const SETTLED_AFTER = 60_000;

/**
 * Messages whose rows say that they live while their workflow is gone (terminated, failed): closed as far as they had
 * come, with a number that was given for them. A batch would wait for them for ever; and for those of its rows whose
 * message never wrote a row.
 * @returns how many were mended
 */
export async function closeDeadMessages(deps: Deps): Promise<number> {
  const owner = (workflowId: string): Promise<OwnerState> => ownerState(deps.temporal, workflowId);
  const open = await takeOpenMessages(deps.pool, SETTLED_AFTER, SWEEP_BATCH);
  const closed = await countWhere(open, async (message) => {
    const state = await owner(messageWorkflowId(message.message_id));
    if (state === 'running') return false;
    return await close(deps, message, state, await begunFallback(deps, message.fallback_alert_id, owner));
  });
  return closed + (await endUnbegunMessages(deps, owner, SETTLED_AFTER));
}

/** @returns false when an attempt of it is still in doubt: that is settled first, and the message closed another time */
async function close(
  { pool }: Deps,
  message: OpenMessage,
  owner: OwnerState,
  fallbackAlertId: string | null,
): Promise<boolean> {
  let last: Dispatch | null = null;
  for (const dispatchId of await dispatchesOfMessage(pool, message.message_id)) {
    // Its activity may still wait for a turn; nothing may leave after the message is closed.
    const dispatch = await abandon(pool, dispatchId);
    if (dispatch !== null && dispatch.settledAt === null) return false;
    last ??= dispatch;
  }
  const sid = last?.sid ?? message.sid;
  const common = { messageId: message.message_id, sid, segments: null, attempts: message.attempts };
  const told = sid === null ? null : await lastWord(pool, message.message_id, sid);
  const end = told === null ? withoutWord(message, sid, owner) : byTheWord(told);
  const closed = await closeMessage(pool, { ...common, ...end, fallbackAlertId, endedAt: new Date() });
  if (closed === null) return false;
  countMessageEnd(closed.channel, end.outcome);
  return true;
}

type How = Pick<MessageEnd, 'outcome' | 'reason' | 'errorCode' | 'errorClass'>;

/** What the provider has told of a try, by the same table as the workflow's. */
async function lastWord(pool: Deps['pool'], messageId: string, sid: string): Promise<ReceiptState | null> {
  let told: ReceiptState | null = null;
  for (const { sid: of, status, error_code: errorCode } of await messageReceipts(pool, messageId)) {
    if (of === sid && status !== null) told = afterReceipt(told, { status, errorCode });
  }
  return told !== null && outcomeOf(told.status) !== null ? told : null;
}

function byTheWord({ status, errorCode }: ReceiptState): How {
  const errorClass = errorCode === null ? null : classOfCode(Number(errorCode));
  const error = { errorCode, errorClass };
  if (errorClass === 'opted-out') return { ...error, outcome: 'suppressed', reason: 'blocked' };
  const outcome = outcomeOf(status) ?? 'failed';
  return { ...error, outcome, reason: outcome === 'delivered' ? null : 'not-delivered' };
}

function withoutWord(message: OpenMessage, sid: string | null, owner: OwnerState): How {
  const error = { errorCode: message.error_code, errorClass: message.error_class };
  const reason = owner === 'stopped' ? 'stopped-by-operator' : 'workflow-failed';
  if (sid !== null) return { ...error, outcome: 'unconfirmed', reason };
  return { ...error, outcome: owner === 'stopped' ? 'cancelled' : 'failed', reason };
}
