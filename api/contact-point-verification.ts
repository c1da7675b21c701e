import { randomInt, randomUUID, timingSafeEqual } from 'node:crypto';
import type { z } from 'zod';
import { CODE, noteCode, noteVerified, takeTry } from '../db/contact-point-codes';
import { type ContactPoint, findContactPoint } from '../db/contact-points';
import { inTransaction } from '../db/pool';
import { judgeAlert, sealAlert } from './alert-requests';
import { newVoiceAlert } from './alerts-shapes';
import type { Caller } from './authentication';
import { checkOwner } from './authorisation';
import { checkedBody, checkedId } from './checked-input';
import { shownContactPoint } from './contact-points';
import { type verificationSent, verification } from './contact-points-shapes';
import type { ApiDeps } from './deps';
import { judgeMessage, sealMessage } from './message-requests';
import { refuseWhereTooMany } from './messages';
import { newMessage } from './messages-shapes';
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
      res.status(202).json(await sendCode(deps, caller, point, asked));
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

/** A message or an alert like any other: what its recipient refused, and their limits, hold for it too. */
async function sendCode(deps: ApiDeps, caller: Caller, point: ContactPoint, asked: Asked): Promise<Sent> {
  const { contactPointId } = point;
  const channel = channelFor(point, asked);
  const id = randomUUID();
  const requestHash = deps.tokenizer.keyedHash('request', caller.subjectId, ROUTE, id).toString('hex');
  const code = String(randomInt(1_000_000)).padStart(6, '0');
  const given = {
    template: { name: 'verification', variables: { code, minutes: CODE.minutes } },
    language: asked.language,
    kind: 'verification',
  };
  if (channel === 'voice') {
    // Nobody who has not pressed a key hears the code, so that none is left on a voicemail.
    const alert = newVoiceAlert.parse({ ...given, recipients: [{ contactPointId }], acknowledge: false, attempts: 1 });
    const destinations = await judgeAlert(deps, caller, alert);
    const { expiresAt } = await newCode(deps, point, code);
    await deps.alerts.start(await sealAlert(deps, caller, alert, destinations, { alertId: id, requestHash }));
    return { contactPointId, channel, messageId: null, expiresAt };
  }
  await refuseWhenOff(deps, channel);
  // Later it would be a code that counts no more.
  const notAfter = new Date(Date.now() + CODE.minutes * 60_000).toISOString();
  const message = newMessage.parse({ ...given, channel, recipient: { contactPointId }, notAfter });
  const judged = await judgeMessage(deps, caller, message);
  await refuseWhereTooMany(deps, judged);
  const { expiresAt } = await newCode(deps, point, code);
  await deps.messages.start(await sealMessage(deps, caller, judged, { messageId: id, requestHash }));
  return { contactPointId, channel, messageId: id, expiresAt };
}

/** @throws {Problem} `invalid-body` when the channel does not lead there */
function channelFor({ kind }: ContactPoint, { channel }: Asked): Sent['channel'] {
  if (channel === undefined) return kind === 'phone' ? 'sms' : 'email';
  if ((channel === 'email') === (kind === 'email')) return channel;
  const detail = kind === 'phone' ? 'sms or voice is expected for a number.' : 'email is expected for an address.';
  throw new Problem('invalid-body', { errors: [{ pointer: '#/channel', detail }] });
}

/** @throws {Problem} `too-many-requests` */
async function newCode(deps: ApiDeps, point: ContactPoint, code: string): Promise<{ expiresAt: string }> {
  const noted = await inTransaction(deps.pool, (tx) => noteCode(tx, point, hashOf(deps, point, code)));
  if ('waitMs' in noted) throw new Problem('too-many-requests', { retryAfterSeconds: Math.ceil(noted.waitMs / 1_000) });
  return { expiresAt: noted.expiresAt.toISOString() };
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

/** Keyed, because a plain hash of six digits is read from a table of a million. */
function hashOf({ tokenizer }: ApiDeps, { contactPointId }: ContactPoint, code: string): Buffer {
  return tokenizer.keyedHash('contact-point-code', contactPointId, code);
}
