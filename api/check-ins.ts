import type { z } from 'zod';
import { findBuddy } from '../db/buddies';
import { type CheckIn, findCheckIn, listCheckIns } from '../db/check-ins';
import type { CheckInOpening, CheckInState } from '../domain/buddies';
import { isDestroyed } from '../domain/errors';
import { ProcessIsOver, QuestionRefused } from '../temporal/errors';
import type { Caller } from './authentication';
import { checkOwner } from './authorisation';
import { checkedBody, checkedId, checkedQuery } from './checked-input';
import {
  type checkInAccepted,
  type checkInPage,
  type checkInShape,
  checkInsQuery,
  type checkInWithNote,
  newCheckIn,
} from './check-ins-shapes';
import type { ApiDeps } from './deps';
import { idempotentRequest } from './idempotency';
import { isoTime } from './iso-time';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { Problem } from './problems';
import type { Routes } from './routes';
import { refuseWhenOff } from './switches';

const ROUTE = 'POST /api/buddy/send-checkin';

/** What a user asks of their buddies, and what has become of it. */
export function checkIns(routes: Routes, deps: ApiDeps): void {
  routes.signedIn(ROUTE, async (req, res, caller) => {
    const given = checkedBody(newCheckIn, req);
    if (given.userId.toLowerCase() !== caller.subjectId) throw new Problem('not-found');
    const { requestId, isRepeatable } = idempotentRequest(deps.tokenizer, req, caller.subjectId, ROUTE);
    const buddyId = given.buddyContactId.toLowerCase();
    // Answered from its row, whatever has changed since.
    const before = isRepeatable ? await startedBefore(deps, requestId, buddyId) : null;
    const state = before ?? (await askCheckIn(deps, caller, { requestId, buddyId }));
    const answer: z.input<typeof checkInAccepted> = { requestId, state };
    res.status(202).set('Location', `/api/buddy/check-ins/${requestId}`).json(answer);
  });

  routes.signedIn('GET /api/buddy/check-ins', async (req, res, caller) => {
    const { cursor, limit, buddyContactId } = checkedQuery(checkInsQuery, req);
    const scope: CursorScope = ['GET /api/buddy/check-ins', caller.subjectId, buddyContactId ?? ''];
    const page = await listCheckIns(deps.pool, {
      userId: caller.subjectId,
      buddyId: buddyContactId,
      limit,
      cursor: checkedCursor(deps.tokenizer, scope, cursor),
    });
    const answer: z.input<typeof checkInPage> = {
      checkIns: page.rows.map(shown),
      nextCursor: signedCursor(deps.tokenizer, scope, page.nextCursor),
    };
    res.json(answer);
  });

  routes.signedIn('GET /api/buddy/check-ins/:requestId', async (req, res, caller) => {
    const row = await findCheckIn(deps.pool, checkedId(req, 'requestId'));
    checkOwner('GET /api/buddy/check-ins/:requestId', caller, row?.userId ?? null);
    if (row === null) throw new Problem('not-found');
    const answer: z.input<typeof checkInWithNote> = { ...shown(row), note: await noteOf(deps, caller, row) };
    res.json(answer);
  });
}

interface Asked {
  readonly requestId: string;
  readonly buddyId: string;
}

/** @throws {Problem} `idempotency-key-reused` when it was asked of another buddy */
async function startedBefore(deps: ApiDeps, requestId: string, buddyId: string): Promise<CheckInState | null> {
  const row = await findCheckIn(deps.pool, requestId);
  if (row !== null && row.buddyId !== buddyId) throw new Problem('idempotency-key-reused');
  return row?.state ?? null;
}

/** @throws {Problem} where the buddy cannot be asked, or not yet */
export async function askCheckIn(
  deps: ApiDeps,
  { subjectId: userId }: Caller,
  { requestId, buddyId }: Asked,
): Promise<CheckInState> {
  const buddy = await findBuddy(deps.pool, buddyId);
  if (buddy === null || buddy.userId !== userId || buddy.removedAt !== null) throw new Problem('not-found');
  await refuseWhenOff(deps, 'sms');
  const { reminderAfterMs, closesAfterMs } = deps.config.buddies.checkIn;
  const input = { requestId, buddyId, userId, alert: null, reminderAfterMs, closesAfterMs, reportsTo: null };
  const opening = await heard(() => deps.checkIns.begin(input, buddy.country ?? 'ZZ'));
  if ('refused' in opening) throw refusal(opening);
  // Two requests under one key at the same time: this one found the other's workflow, perhaps for another buddy.
  return (await startedBefore(deps, requestId, buddyId)) ?? opening.state;
}

/** It may end in the very moment in which it is asked: then it has not been answered, and may be asked again. */
async function heard(begin: () => Promise<CheckInOpening>): Promise<CheckInOpening> {
  try {
    return await begin();
  } catch (error) {
    if (error instanceof ProcessIsOver || error instanceof QuestionRefused) {
      throw new Problem('temporarily-unavailable');
    }
    throw error;
  }
}

function refusal({ refused, retryAfterMs }: Extract<CheckInOpening, { refused: string }>): Problem {
  switch (refused) {
    case 'not-found':
      return new Problem('not-found');
    case 'cannot-be-asked':
      return new Problem('buddy-cannot-be-asked');
    case 'no-profile':
      return new Problem('profile-required');
    case 'too-late':
      return new Problem('temporarily-unavailable');
    case 'too-soon':
    case 'target-limit':
      // The same words for both: how often others ask this person is nobody's business.
      return new Problem('too-many-requests', { retryAfterSeconds: Math.ceil((retryAfterMs ?? 0) / 1_000) });
  }
}

/** What the buddy wrote is for the user; that it was read is kept. */
export async function noteOf({ vault }: ApiDeps, { subjectId: actor }: Caller, { noteRecordId: recordId }: CheckIn) {
  if (recordId === null) return null;
  try {
    return (await vault.reveal({ recordId, purpose: 'own-view', actor })).expose();
  } catch (error) {
    // Kept for its time, or for as long as the buddy was.
    if (isDestroyed(error)) return null;
    throw error;
  }
}

function shown(row: CheckIn): z.input<typeof checkInShape> {
  return {
    requestId: row.requestId,
    buddyContactId: row.buddyId,
    kind: row.kind,
    state: row.state,
    requestedAt: row.requestedAt.toISOString(),
    sentAt: isoTime(row.sentAt),
    deliveredAt: isoTime(row.deliveredAt),
    remindedAt: isoTime(row.remindedAt),
    linkOpenedAt: isoTime(row.linkOpenedAt),
    respondedAt: isoTime(row.respondedAt),
    response: row.response,
    closesAt: row.closesAt.toISOString(),
    closedAt: isoTime(row.closedAt),
  };
}
