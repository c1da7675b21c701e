import type { z } from 'zod';
import { appendAudit } from '../db/audit';
import { findMessage, listMessages, messageReceipts, type MessageRow, messageTries } from '../db/messages';
import { recipientWaitMs } from '../db/recipient-limits';
import type { MessageResult } from '../domain/message';
import { SPACED_WITHIN_MS } from '../domain/recipient-limits';
import type { Caller } from './authentication';
import { checkOwner, hasOneOf } from './authorisation';
import { checkedBody, checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { idempotentRequest } from './idempotency';
import { isoTime } from './iso-time';
import { type JudgedMessage, judgeMessage, MAY_REACH_ANYBODY, sealMessage, tokensOf } from './message-requests';
import {
  type messageAccepted,
  type messagePage,
  type messageShape,
  messagesQuery,
  type messageWithHistory,
  newMessage,
} from './messages-shapes';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { Problem } from './problems';
import type { Routes } from './routes';
import { refuseWhenOff } from './switches';
import { mustBeVerified } from './unverified-numbers';

const ROUTE = 'POST /messages';

/** Texts and e-mails to one person each: ask for one, look how it goes, cancel it. */
export function messages(routes: Routes, deps: ApiDeps): void {
  routes.signedIn(ROUTE, async (req, res, caller) => {
    const given = checkedBody(newMessage, req);
    const request = idempotentRequest(deps.tokenizer, req, caller.subjectId, ROUTE);
    const { requestId: messageId, requestHash, isRepeatable } = request;
    const answer: z.input<typeof messageAccepted> = { success: true, messageId, state: 'accepted' };
    const accepted = () => res.status(202).set('Location', `/messages/${messageId}`).json(answer);
    // Before anything that may have changed since: a contact point deleted meanwhile does not change the first answer.
    if (isRepeatable && (await wasAskedBefore(deps, messageId, requestHash))) return void accepted();
    await refuseWhenOff(deps, given.channel);
    if (given.channel === 'email' && deps.config.mail === null) throw new Problem('email-disabled');
    const judged = await judgeMessage(deps, caller, given);
    if (!hasOneOf(caller, MAY_REACH_ANYBODY)) {
      await mustBeVerified(deps, caller, tokensOf(deps, judged.destination), '#/recipient');
    }
    await refuseWhereTooMany(deps, judged);
    await deps.messages.start(await sealMessage(deps, caller, judged, { messageId, requestHash }));
    // Two requests under one key at the same time: the start found the other's workflow, perhaps with another body.
    if (isRepeatable) await wasAskedBefore(deps, messageId, requestHash);
    accepted();
  });

  routes.signedIn('GET /messages', async (req, res, caller) => {
    const { cursor, ...filter } = checkedQuery(messagesQuery, req);
    const { limit, ...shown } = filter;
    const scope: CursorScope = ['GET /messages', caller.subjectId, JSON.stringify(shown)];
    const isStaff = hasOneOf(caller, LOOK_AFTER_ALL);
    // Staff look after everybody's; that they looked is kept.
    if (isStaff) await noteRead(deps, caller, filter.subjectId ?? 'all');
    const page = await listMessages(deps.pool, {
      ...filter,
      ...(isStaff ? {} : { of: caller.subjectId }),
      limit,
      cursor: checkedCursor(deps.tokenizer, scope, cursor),
    });
    const answer: z.input<typeof messagePage> = {
      messages: page.rows.map(asShown),
      nextCursor: signedCursor(deps.tokenizer, scope, page.nextCursor),
    };
    res.json(answer);
  });

  routes.signedIn('GET /messages/:messageId', async (req, res, caller) => {
    const messageId = checkedId(req, 'messageId');
    const row = await readable(deps, caller, 'GET /messages/:messageId', messageId);
    if (!isParty(caller, row)) await noteRead(deps, caller, messageId);
    const [tries, receipts] = await Promise.all([
      messageTries(deps.pool, messageId),
      messageReceipts(deps.pool, messageId),
    ]);
    const answer: z.input<typeof messageWithHistory> = {
      ...('messageId' in row ? { ...NOTHING_KNOWN_YET, ...row } : asShown(row)),
      tries: tries.map((one, index) => ({
        number: index + 1,
        state: one.state,
        sid: one.sid,
        errorCode: one.error_code,
        errorClass: one.error_class,
        startedAt: one.created_at.toISOString(),
        settledAt: isoTime(one.settled_at),
      })),
      receipts: receipts.map((one) => ({
        sid: one.sid,
        status: one.status,
        errorCode: one.error_code,
        receivedAt: one.received_at.toISOString(),
        copies: one.copies,
      })),
    };
    res.json(answer);
  });

  routes.signedIn('DELETE /messages/:messageId', async (req, res, caller) => {
    const messageId = checkedId(req, 'messageId');
    const before = await readable(deps, caller, 'DELETE /messages/:messageId', messageId);
    if (!isParty(caller, before)) await noteRead(deps, caller, messageId);
    // What is over is told from its row, also when Temporal is down.
    const isOver = 'live' in before && !before.live;
    const actor = caller.subjectId;
    if (!isOver) {
      const entry = { actor, action: 'message.cancel-asked', objectId: messageId, outcome: 'done' } as const;
      await appendAudit(deps.pool, entry);
    }
    const result = isOver ? 'not-found' : await deps.messages.cancel(messageId);
    const row = await findMessage(deps.pool, messageId);
    const answer: Shown =
      row === null ? { ...NOTHING_KNOWN_YET, ...known(before), ...(isResult(result) ? result : {}) } : asShown(row);
    res.json(answer);
  });
}

/**
 * One that would be the recipient's turn soon is taken and waits for it; the workflow asks again in any case.
 * @throws {Problem} `too-many-requests`
 */
export async function refuseWhereTooMany(deps: ApiDeps, { given, times, destination }: JudgedMessage): Promise<void> {
  if (times.notBefore !== null) return;
  const tokens = tokensOf(deps, destination);
  const { channel, messageClass } = given;
  const turn = { tokenHexes: tokens.map((token) => token.toString('hex')), channel, messageClass };
  const waitMs = await recipientWaitMs(deps.pool, turn, deps.config.limits.recipient);
  if (waitMs <= SPACED_WITHIN_MS) return;
  throw new Problem('too-many-requests', { retryAfterSeconds: Math.ceil(waitMs / 1_000) });
}

const LOOK_AFTER_ALL = ['staff', 'admin'] as const;

type Shown = z.input<typeof messageShape>;
/** What Temporal alone knows, until the workflow's first step has written the row. */
type Known = Pick<Shown, 'messageId' | 'requestedBy' | 'subjectId'>;

/** @throws {Problem} `idempotency-key-reused` when it was asked with another body */
async function wasAskedBefore(deps: ApiDeps, messageId: string, requestHash: string): Promise<boolean> {
  const row = await findMessage(deps.pool, messageId);
  const before = row === null ? (await deps.messages.describe(messageId))?.requestHash : row.request_hash;
  if (before === undefined) return false;
  if (before !== requestHash) throw new Problem('idempotency-key-reused');
  return true;
}

/**
 * The message, for who asked for it, who is to get it, and staff.
 * @throws {Problem} `not-found`
 */
async function readable(
  deps: ApiDeps,
  caller: Caller,
  route: 'GET /messages/:messageId' | 'DELETE /messages/:messageId',
  messageId: string,
): Promise<MessageRow | Known> {
  const row = await findMessage(deps.pool, messageId);
  const found = row ?? (await startedOnly(deps, messageId));
  if (found === null) throw new Problem('not-found');
  const { requestedBy, subjectId } = known(found);
  // Whoever gets it may look at it; it is not theirs to cancel.
  const mayAct = route.startsWith('GET') && subjectId === caller.subjectId ? subjectId : requestedBy;
  checkOwner(route, caller, mayAct);
  return found;
}

async function startedOnly(deps: ApiDeps, messageId: string): Promise<Known | null> {
  const started = await deps.messages.describe(messageId);
  return started === null ? null : { messageId, requestedBy: started.requestedBy, subjectId: started.subjectId };
}

function known(found: MessageRow | Known): Known {
  if ('messageId' in found) return found;
  return { messageId: found.message_id, requestedBy: found.requested_by, subjectId: found.subject_id };
}

function isParty(caller: Caller, found: MessageRow | Known): boolean {
  const { requestedBy, subjectId } = known(found);
  return caller.subjectId === requestedBy || caller.subjectId === subjectId;
}

function isResult(result: MessageResult | 'too-late' | 'not-found'): result is MessageResult {
  return typeof result === 'object';
}

async function noteRead(deps: ApiDeps, caller: Caller, objectId: string): Promise<void> {
  await appendAudit(deps.pool, { actor: caller.subjectId, action: 'message.read', objectId, outcome: 'done' });
}

const NOTHING_KNOWN_YET = {
  batchId: null,
  state: 'accepted',
  reason: null,
  channel: 'sms',
  kind: 'update',
  messageClass: 'ordinary',
  priority: 'normal',
  country: 'ZZ',
  language: 'en',
  template: null,
  segments: null,
  attempts: 0,
  errorCode: null,
  errorClass: null,
  sid: null,
  fallback: null,
  fallbackAlertId: null,
  notBefore: null,
  notAfter: null,
  nextAttemptAt: null,
  requestedAt: null,
  sentAt: null,
  endedAt: null,
} as const satisfies Omit<Shown, keyof Known>;

function asShown(row: MessageRow): Shown {
  return {
    messageId: row.message_id,
    batchId: row.batch_id,
    state: row.state,
    reason: row.reason,
    channel: row.channel,
    kind: row.kind,
    messageClass: row.message_class,
    priority: row.urgency,
    requestedBy: row.requested_by,
    subjectId: row.subject_id,
    country: row.country,
    language: row.language,
    template: row.template_version === null ? null : { name: row.template_name ?? '', version: row.template_version },
    segments: row.segments,
    attempts: row.attempts,
    errorCode: row.error_code,
    errorClass: row.error_class,
    sid: row.sid,
    fallback: row.fallback,
    fallbackAlertId: row.fallback_alert_id,
    notBefore: isoTime(row.not_before),
    notAfter: isoTime(row.not_after),
    nextAttemptAt: isoTime(row.next_attempt_at),
    requestedAt: row.requested_at.toISOString(),
    sentAt: isoTime(row.sent_at),
    endedAt: isoTime(row.ended_at),
  };
}
