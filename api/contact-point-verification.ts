import { randomUUID, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';
import type { z } from 'zod';
import { CODE, codeExpiry, noteCode, noteVerified, takeTry } from '../db/contact-point-codes';
import { type ContactPoint, findContactPoint } from '../db/contact-points';
import { findCreation } from '../db/idempotent-creations';
import { inTransaction } from '../db/pool';
import { judgeAlert, sealAlert } from './alert-requests';
import { verificationAlert } from './alerts-shapes';
import type { Caller } from './authentication';
import { checkOwner } from './authorisation';
import { checkedBody, checkedId } from './checked-input';
import { shownContactPoint } from './contact-points';
import { type verificationSent, verification } from './contact-points-shapes';
import type { ApiDeps } from './deps';
import { type IdempotentRequest, idempotentRequest, madeOnce } from './idempotency';
import { judgeMessage, sealMessage } from './message-requests';
import { refuseWhereTooMany } from './messages';
import { verificationMessage } from './messages-shapes';
import { Problem } from './problems';
import type { Routes } from './routes';
import { refuseWhenOff } from './switches';

const ROUTE = 'POST /contact-points/:contactPointId/verify';
type Asked = z.output<typeof verification>;
type Sent = z.input<typeof verificationSent>;

/** Whether a number or address is its saver's: a code goes there, and comes back. What is verified stays so. */
export function contactPointVerification(routes: Routes, deps: ApiDeps): void {
  routes.signedIn(ROUTE, async (req, res, caller) => {
    const contactPointId = checkedId(req, 'contactPointId');
    const point = await ownPoint(deps, caller, contactPointId);
    const asked = checkedBody(verification, req);
    if (point.verifiedAt === null && asked.code === undefined) {
      res.status(202).json(await sendCode(deps, req, caller, point, asked));
      return;
    }
    if (point.verifiedAt === null && asked.code !== undefined) await checkCode(deps, point, asked.code);
    res.json(shownContactPoint(await ownPoint(deps, caller, contactPointId)));
  });
}

async function ownPoint(deps: ApiDeps, caller: Caller, contactPointId: string): Promise<ContactPoint> {
  const point = await findContactPoint(deps.pool, caller.subjectId, contactPointId);
  checkOwner(ROUTE, caller, point?.subjectId ?? null);
  if (point === null) throw new Problem('not-found');
  return point;
}

/** @throws {Problem} */
async function sendCode(deps: ApiDeps, req: Request, caller: Caller, point: ContactPoint, asked: Asked): Promise<Sent> {
  const { contactPointId } = point;
  const channel = channelFor(point, asked);
  const request = idempotentRequest(deps.tokenizer, req, caller.subjectId, `${ROUTE} ${contactPointId}`);
  const earlier = request.isRepeatable ? await findCreation(deps.pool, request.requestId) : null;
  const codeId = earlier?.objectId ?? randomUUID();
  const process = channel === 'voice' ? deps.alerts : deps.messages;
  // A repeat starts what the first request had no time to start: the code is the same one.
  const isStarted = earlier !== null && (await process.describe(codeId)) !== null;
  const send = isStarted ? null : await prepared(deps, caller, { ...asked, channel, contactPointId }, codeId, request);
  const madeId = await madeOnce(deps.pool, request, async (tx) => {
    const waitMs = await noteCode(tx, point, { codeId, hash: hashOf(deps, point, codeOf(deps, codeId)) });
    if (waitMs > 0) throw new Problem('too-many-requests', { retryAfterSeconds: Math.ceil(waitMs / 1_000) });
    return codeId;
  });
  // Another id: the same request came twice at once, and the other one sends.
  if (madeId === codeId) await send?.();
  const expiresAt = await codeExpiry(deps.pool, madeId);
  if (expiresAt === null) throw new Problem('already-deleted');
  return {
    contactPointId,
    channel,
    messageId: channel === 'voice' ? null : madeId,
    expiresAt: expiresAt.toISOString(),
  };
}

/**
 * A message or an alert like any other: what its recipient refused, and their limits, hold for it too.
 * @returns what seals and starts it; nothing is written before
 * @throws {Problem} when it may not be sent
 */
async function prepared(
  deps: ApiDeps,
  caller: Caller,
  { channel, contactPointId, language }: Asked & Pick<Sent, 'channel' | 'contactPointId'>,
  id: string,
  { requestHash }: IdempotentRequest,
): Promise<() => Promise<unknown>> {
  const variables = { code: codeOf(deps, id), minutes: CODE.minutes };
  const given = { template: { name: 'verification', variables }, language, kind: 'verification' };
  if (channel === 'voice') {
    // Nobody who has not pressed a key hears the code, so that none is left on a voicemail.
    const alert = verificationAlert.parse({
      ...given,
      recipients: [{ contactPointId }],
      acknowledge: false,
      attempts: 1,
    });
    const destinations = await judgeAlert(deps, caller, alert);
    const ids = { alertId: id, requestHash };
    return async () => deps.alerts.start(await sealAlert(deps, caller, alert, destinations, ids));
  }
  await refuseWhenOff(deps, channel);
  // Later it would be a code that counts no more.
  const notAfter = new Date(Date.now() + CODE.minutes * 60_000).toISOString();
  const message = verificationMessage.parse({ ...given, channel, recipient: { contactPointId }, notAfter });
  const judged = await judgeMessage(deps, caller, message);
  await refuseWhereTooMany(deps, judged);
  return async () => deps.messages.start(await sealMessage(deps, caller, judged, { messageId: id, requestHash }));
}

/** @throws {Problem} `invalid-body` when the channel does not lead there */
function channelFor({ kind }: ContactPoint, { channel }: Asked): Sent['channel'] {
  if (channel === undefined) return kind === 'phone' ? 'sms' : 'email';
  if ((channel === 'email') === (kind === 'email')) return channel;
  const detail = kind === 'phone' ? 'sms or voice is expected for a number.' : 'email is expected for an address.';
  throw new Problem('invalid-body', { errors: [{ pointer: '#/channel', detail }] });
}

/** @throws {Problem} `code-wrong`, `code-expired` or `code-used-up` */
async function checkCode(deps: ApiDeps, point: ContactPoint, code: string): Promise<void> {
  const expected = await takeTry(deps.pool, point.contactPointId);
  if (typeof expected === 'string') {
    // Two right codes at once: the other one has just taken this one along.
    const now = await findContactPoint(deps.pool, point.subjectId, point.contactPointId);
    if (now !== null && now.verifiedAt !== null) return;
    throw new Problem(expected === 'used-up' ? 'code-used-up' : 'code-expired');
  }
  if (!timingSafeEqual(expected, hashOf(deps, point, code))) throw new Problem('code-wrong');
  await inTransaction(deps.pool, (tx) => noteVerified(tx, point));
}

/** Six digits made from the id by a key, so that a repeated request sends the code that is counted; stored nowhere. */
function codeOf({ tokenizer }: ApiDeps, codeId: string): string {
  const number = tokenizer.keyedHash('contact-point-code', codeId).readUIntBE(0, 6);
  return String(number % 1_000_000).padStart(6, '0');
}

/** Keyed, because a plain hash of six digits is read from a table of a million. */
function hashOf({ tokenizer }: ApiDeps, { contactPointId }: ContactPoint, code: string): Buffer {
  return tokenizer.keyedHash('contact-point-code-check', contactPointId, code);
}
