import { randomUUID } from 'node:crypto';
import type { Response } from 'express';
import type { z } from 'zod';
import { appendAudit } from '../db/audit';
import { type Buddy, findBuddy, insertBuddy, listBuddies, lockBuddiesOf, rankBuddies } from '../db/buddies';
import { buddyHistory } from '../db/buddy-history';
import { invitationOutlooks } from '../db/buddy-invitations';
import { inTransaction } from '../db/pool';
import type { Db } from '../db/query';
import { createSubject } from '../db/subjects';
import { SealedValue } from '../domain/sealed';
import type { SignedIn } from './authentication';
import { checkOwner, type RouteName } from './authorisation';
import { type buddyHistoryPage, type buddyList, buddyOrder, newBuddy } from './buddies-shapes';
import { checkNotOneself, checkNotRefused, checkNotTwice, type Reachable, reachable } from './buddy-checks';
import { checkedBody, checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { idempotentRequest, madeOnce } from './idempotency';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { Problem } from './problems';
import type { Routes } from './routes';
import { listQuery } from './shared-shapes';
import { type ShownBuddy, shownBuddy } from './shown-buddies';

/** Whom a user has named as buddies, in their order: added, looked at, put in order. */
export function buddies(routes: Routes, deps: ApiDeps): void {
  const { pool, tokenizer } = deps;

  routes.signedIn('POST /api/buddy', async (req, res, caller) => {
    const body = checkedBody(newBuddy, req);
    const to = reachable(deps, body);
    const request = idempotentRequest(tokenizer, req, caller.subjectId, 'POST /api/buddy');
    const buddyId = await madeOnce(pool, request, (tx) => addBuddy(deps, tx, caller.subjectId, body, to));
    const buddy = await findBuddy(pool, buddyId);
    if (buddy === null || buddy.removedAt !== null) throw new Problem('already-deleted');
    await sendBuddy(deps, res.status(201).set('Location', `/api/buddy/${buddyId}`), buddy);
  });

  // All of them: there are never more than twenty.
  routes.signedIn('GET /api/buddy', async (_req, res, caller) => {
    await sendList(deps, res, caller);
  });

  routes.signedIn('PUT /api/buddy/order', async (req, res, caller) => {
    const { buddyIds } = checkedBody(buddyOrder, req);
    await inTransaction(pool, async (tx) => {
      await lockBuddiesOf(tx, caller.subjectId);
      const known = (await listBuddies(tx, caller.subjectId)).map(({ buddyId }) => buddyId);
      const wanted = buddyIds.map((id) => id.toLowerCase());
      const isWhole = wanted.length === known.length && known.every((id) => wanted.includes(id));
      if (!isWhole) throw new Problem('buddy-order-incomplete', { errors: [{ pointer: '#/buddyIds', detail: ALL }] });
      await rankBuddies(tx, caller.subjectId, wanted);
    });
    await sendList(deps, res, caller);
  });

  routes.signedIn('GET /api/buddy/:buddyId', async (req, res, caller) => {
    const buddy = await ownBuddy(deps, 'GET /api/buddy/:buddyId', caller, checkedId(req, 'buddyId'));
    await sendBuddy(deps, res, buddy);
  });

  routes.signedIn('GET /api/buddy/:buddyId/history', async (req, res, caller) => {
    const buddyId = checkedId(req, 'buddyId');
    await ownBuddy(deps, 'GET /api/buddy/:buddyId/history', caller, buddyId);
    const { cursor, limit } = checkedQuery(listQuery, req);
    const scope: CursorScope = ['GET /api/buddy/:buddyId/history', caller.subjectId, buddyId];
    const page = await buddyHistory(pool, { buddyId, limit, cursor: checkedCursor(tokenizer, scope, cursor) });
    const answer: z.input<typeof buddyHistoryPage> = {
      events: page.rows.map(({ event, at, linkVersion }) => ({ event, at: at.toISOString(), linkVersion })),
      nextCursor: signedCursor(tokenizer, scope, page.nextCursor),
    };
    res.json(answer);
  });
}

async function sendList(deps: ApiDeps, res: Response, { subjectId: userId }: SignedIn): Promise<void> {
  const buddies = await shownBuddies(deps, userId);
  const answer: z.input<typeof buddyList> = { userId, buddies, most: deps.config.buddies.most };
  res.json(answer);
}

/** A user's buddies in their order, as the user sees them. */
export async function shownBuddies(deps: Pick<ApiDeps, 'pool' | 'vault'>, userId: string): Promise<ShownBuddy[]> {
  const { pool } = deps;
  const [all, outlooks] = await Promise.all([listBuddies(pool, userId), invitationOutlooks(pool, userId)]);
  const shown = await Promise.all(all.map((buddy) => shownBuddy(deps, buddy, outlooks.get(buddy.buddyId))));
  return shown.filter((one) => one !== null);
}

const ALL = 'Each buddy of yours is expected here, once.';

/** One of the caller's own that is still on their list. @throws {Problem} `not-found` */
export async function ownBuddy(
  { pool }: Pick<ApiDeps, 'pool'>,
  route: RouteName,
  caller: SignedIn,
  buddyId: string,
): Promise<Buddy> {
  const buddy = await findBuddy(pool, buddyId);
  checkOwner(route, caller, buddy === null || buddy.removedAt !== null ? null : buddy.userId);
  if (buddy === null) throw new Problem('not-found');
  return buddy;
}

export async function sendBuddy(deps: ApiDeps, res: Response, buddy: Buddy): Promise<void> {
  const outlooks = await invitationOutlooks(deps.pool, buddy.userId);
  const shown = await shownBuddy(deps, buddy, outlooks.get(buddy.buddyId));
  if (shown === null) throw new Problem('not-found');
  res.json(shown);
}

/**
 * Each buddy is a person of their own: what is held of them is sealed under their key, and theirs to erase. Run it in a
 * transaction.
 * @returns the new entry's id
 */
export async function addBuddy(
  { config, vault, tokenizer }: ApiDeps,
  tx: Db,
  userId: string,
  { name, relationship, language, rank }: z.output<typeof newBuddy>,
  { phone, address, country }: Reachable,
): Promise<string> {
  await lockBuddiesOf(tx, userId);
  const tokens = [...tokenizer.candidates(phone), ...tokenizer.candidates(address)];
  await checkNotOneself(tx, userId, tokens);
  await checkNotRefused(tx, userId, tokens);
  const others = await listBuddies(tx, userId);
  checkNotTwice(others, tokens);
  if (others.length >= config.buddies.most) throw new Problem('too-many-buddies');
  const subjectId = await createSubject(tx, userId);
  const seal = (kind: 'name' | 'text', text: string) =>
    vault.seal({ subjectId, kind, value: SealedValue.of(kind, text) }, tx);
  const buddyId = randomUUID();
  await insertBuddy(tx, {
    buddyId,
    userId,
    subjectId,
    rank: (others.at(-1)?.rank ?? 0) + 1,
    nameRecordId: await seal('name', name),
    emailRecordId: await vault.seal({ subjectId, kind: 'email', value: address }, tx),
    phoneRecordId: await vault.seal({ subjectId, kind: 'phone', value: phone }, tx),
    relationshipRecordId: relationship === undefined ? null : await seal('text', relationship),
    emailToken: tokenizer.token(address),
    phoneToken: tokenizer.token(phone),
    tokenVersion: tokenizer.version,
    country,
    language,
  });
  const order = others.map((one) => one.buddyId);
  order.splice((rank ?? order.length + 1) - 1, 0, buddyId);
  await rankBuddies(tx, userId, order);
  await appendAudit(tx, { actor: userId, action: 'buddy.created', objectId: buddyId, outcome: 'done' });
  return buddyId;
}
