import type { Request, Response } from 'express';
import type { z } from 'zod';
import { appendAudit } from '../db/audit';
import { type CallRow, findCall, listCalls } from '../db/calls';
import { helplinesFor } from '../domain/helplines';
import type { MentorCallResult } from '../domain/mentor-call';
import { QuestionRefused } from '../temporal/errors';
import type { Caller } from './authentication';
import { checkOwner, hasOneOf } from './authorisation';
import { checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { isoTime } from './iso-time';
import { requestMentorCall } from './mentor-call-requests';
import type { mentorCallPage, mentorCallShape } from './mentor-calls-shapes';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { helplinesOfCaller, Problem, type ProblemSettings } from './problems';
import type { Routes } from './routes';
import { listQuery } from './shared-shapes';

/** The user's side of mentor calls: ask for one, look how it goes, cancel it. */
export function mentorCalls(routes: Routes, deps: ApiDeps, settings: ProblemSettings): void {
  routes.signedIn('POST /connect-mentor', (req, res, caller) => requestMentorCall(deps, req, res, caller));

  routes.signedIn('GET /mentor-calls', async (req, res, caller) => {
    const { cursor, limit } = checkedQuery(listQuery, req);
    const scope: CursorScope = ['GET /mentor-calls', caller.subjectId];
    const place = { cursor: checkedCursor(deps.tokenizer, scope, cursor), limit };
    // Staff look after everybody's calls; that they looked is kept.
    const isStaff = hasOneOf(caller, ['staff', 'admin']);
    if (isStaff) await noteRead(deps, caller, 'all');
    const page = await listCalls(deps.pool, isStaff ? place : { ...place, userId: caller.subjectId });
    const answer: z.input<typeof mentorCallPage> = {
      mentorCalls: page.rows.map((row) => shown(row, settings)),
      nextCursor: signedCursor(deps.tokenizer, scope, page.nextCursor),
    };
    res.json(answer);
  });

  routes.signedIn('GET /mentor-calls/:callId', async (req, res, caller) => {
    const callId = checkedId(req, 'callId');
    let row = await findCall(deps.pool, callId);
    // The workflow's first step writes the row; until then Temporal knows it.
    const started = row === null ? await deps.process.describe(callId) : null;
    const owner = row?.userId ?? started?.owner ?? null;
    checkOwner('GET /mentor-calls/:callId', caller, owner);
    if (owner !== caller.subjectId) await noteRead(deps, caller, callId);
    // A workflow that is over has written its row by now, or was stopped before it could.
    if (started?.running === false) row = await findCall(deps.pool, callId);
    if (row === null) {
      if (started?.running === false) return sendWithoutRow(req, res, { callId, status: 'failed' }, settings);
      const answer: Shown = { ...NOTHING_KNOWN_YET, callId };
      res.json(answer);
      return;
    }
    const winner = row.mergedInto === null ? null : await findCall(deps.pool, row.mergedInto);
    sendCall(res, winner ?? row, winner === null ? null : callId, settings);
  });

  routes.signedIn('DELETE /mentor-calls/:callId', async (req, res, caller) => {
    const callId = checkedId(req, 'callId');
    const row = await findCall(deps.pool, callId);
    const owner = row?.userId ?? (await deps.process.describe(callId))?.owner ?? null;
    checkOwner('DELETE /mentor-calls/:callId', caller, owner);
    // A second tap was merged into the first: what the user wants ended is the call that rings.
    const target = row?.mergedInto ?? callId;
    const before = target === callId ? row : await findCall(deps.pool, target);
    // What is over is told from its row, also when Temporal is down.
    const result = before === null || before.outcome === null ? await cancelled(deps, target) : 'not-found';
    const ended = await findCall(deps.pool, target);
    if (ended !== null) {
      return sendCall(res, ended, target === callId ? null : callId, settings);
    }
    if (result === 'not-found') throw new Problem('not-found');
    sendWithoutRow(req, res, { callId, status: result.status, endReason: result.endReason }, settings);
  });
}

/** A call that ends by itself at this very moment refuses to be cancelled: it is over all the same. */
async function cancelled(deps: ApiDeps, callId: string): Promise<MentorCallResult | 'not-found'> {
  try {
    return await deps.process.cancel(callId);
  } catch (error) {
    if (error instanceof QuestionRefused) return 'not-found';
    throw error;
  }
}

/** A call that ended before its row was written. */
function sendWithoutRow(
  req: Request,
  res: Response,
  end: Pick<CallRow, 'callId'> & Partial<MentorCallResult>,
  settings: ProblemSettings,
): void {
  const answer: Shown = { ...NOTHING_KNOWN_YET, ...end, helplines: helplinesOfCaller(req, res, settings) };
  res.json(answer);
}

function sendCall(res: Response, row: CallRow, askedFor: string | null, settings: ProblemSettings): void {
  const answer: Shown = { ...shown(row, settings), ...(askedFor === null ? {} : { mergedFrom: askedFor }) };
  res.json(answer);
}

type Shown = z.input<typeof mentorCallShape>;

/** A call as its user sees it, alone and in a list. */
function shown(row: CallRow, { crisisOverride }: ProblemSettings): Shown {
  const wish = row.requestedMentorId;
  return {
    callId: row.callId,
    status: row.status,
    endReason: row.endReason,
    callSid: row.callSid,
    organisationNumber: row.organisationNumber,
    country: row.country,
    language: row.language,
    mentorId: row.mentorId,
    ...(wish === null ? {} : { requestedMentor: requestedMentor(wish, row) }),
    ...(row.waiting === null ? {} : { waiting: shownPlace(row.waiting) }),
    requestedAt: isoTime(row.requestedAt),
    answeredAt: isoTime(row.answeredAt),
    bridgedAt: isoTime(row.bridgedAt),
    endedAt: isoTime(row.endedAt),
    durationSeconds: row.durationSeconds,
    // Whoever did not get to talk to a mentor is told who else is there.
    ...(row.outcome === null || row.outcome === 'completed' || row.outcome === 'merged'
      ? {}
      : { helplines: helplinesFor(row.country, crisisOverride) }),
  };
}

/** The same shape while Temporal alone knows of the call. */
const NOTHING_KNOWN_YET = {
  status: 'starting',
  endReason: null,
  callSid: null,
  organisationNumber: null,
  country: null,
  language: null,
  mentorId: null,
  requestedAt: null,
  answeredAt: null,
  bridgedAt: null,
  endedAt: null,
  durationSeconds: null,
} as const;

/** What became of `preferences.mentorId`. */
function requestedMentor(wish: string, row: CallRow): 'pending' | 'connected' | 'not-free' {
  if (row.mentorId === null) return row.outcome === null ? 'pending' : 'not-free';
  return row.mentorId === wish ? 'connected' : 'not-free';
}

function shownPlace({ position, since, until }: NonNullable<CallRow['waiting']>): Shown['waiting'] {
  return { position, since: since.toISOString(), until: until.toISOString() };
}

/** Staff may look at anybody's call; that they did is kept. */
async function noteRead(deps: ApiDeps, caller: Caller, objectId: string): Promise<void> {
  const entry = { actor: caller.subjectId, action: 'mentor-call.read', objectId, outcome: 'done' } as const;
  await appendAudit(deps.pool, entry);
}
