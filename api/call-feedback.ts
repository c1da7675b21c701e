import type { Request } from 'express';
import type { z } from 'zod';
import { appendAudit } from '../db/audit';
import { type CallFeedback, feedbackOf, takeFeedback } from '../db/call-feedback';
import { type CallRow, findCall } from '../db/calls';
import { findMentorOfAccount } from '../db/mentor-accounts';
import { getMentor } from '../db/mentors';
import { inTransaction } from '../db/pool';
import { satisfactionByMonth, satisfactionWithMentor } from '../db/satisfaction';
import { isDestroyed } from '../domain/errors';
import { FEEDBACK_CHANGEABLE, FEEDBACK_WITHIN } from '../domain/feedback';
import type { Caller } from './authentication';
import { checkOwner, type RouteName } from './authorisation';
import {
  type feedbackShape,
  type mentorSatisfactionShape,
  newFeedback,
  type satisfactionShape,
} from './call-feedback-shapes';
import { checkedBody, checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { monthsOf, monthsQuery } from './months';
import { Problem } from './problems';
import type { Routes } from './routes';

/** How calls were: said by who was called, and read by others as means that hide every single answer. */
export function callFeedback(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('POST /mentor-calls/:callId/feedback', async (req, res, caller) => {
    const call = await ownCall(deps, req, caller, 'POST /mentor-calls/:callId/feedback');
    const { rating, words = null } = checkedBody(newFeedback, req);
    if (call.outcome === null || call.endedAt === null) throw new Problem('call-not-over');
    if (call.bridgedAt === null) throw new Problem('no-conversation');
    const { callId } = call;
    const isLate = Date.now() - call.endedAt.valueOf() > FEEDBACK_WITHIN;
    // What was said in time may be changed for its day.
    if (isLate && (await feedbackOf(deps.pool, callId)) === null) throw new Problem('feedback-closed');
    const given = { callId, rating, words, via: 'app' } as const;
    const taken = await inTransaction(deps.pool, (tx) =>
      takeFeedback(tx, { vault: deps.vault, retention: deps.config.retention }, given),
    );
    if (taken === 'settled') throw new Problem('feedback-closed');
    if (taken === 'no-conversation') throw new Problem('no-conversation');
    res.json(shown(callId, taken, words));
  });

  routes.signedIn('GET /mentor-calls/:callId/feedback', async (req, res, caller) => {
    const { callId } = await ownCall(deps, req, caller, 'GET /mentor-calls/:callId/feedback');
    const feedback = await feedbackOf(deps.pool, callId);
    if (feedback === null) throw new Problem('not-found');
    res.json(shown(callId, feedback, await wordsOf(deps, feedback, caller)));
  });

  routes.signedIn('GET /satisfaction', async (req, res) => {
    const months = monthsOf(checkedQuery(monthsQuery, req));
    const found = await satisfactionByMonth(deps.pool, months);
    const answer: z.input<typeof satisfactionShape> = {
      months: found.map(({ ratings, ...rest }) => ({ ...rest, ratings: ratings === null ? null : [...ratings] })),
    };
    res.json(answer);
  });

  routes.signedIn('GET /mentors/:mentorId/satisfaction', async (req, res, caller) => {
    const mentorId = checkedId(req, 'mentorId');
    const mentor = await getMentor(deps.pool, mentorId);
    const isOwn = mentor !== null && (await findMentorOfAccount(deps.pool, caller.subjectId)) === mentorId;
    checkOwner('GET /mentors/:mentorId/satisfaction', caller, isOwn ? caller.subjectId : (mentor?.subjectId ?? null));
    // Admins may look at anybody's; that they did is kept.
    if (!isOwn) await noteRead(deps, caller, mentorId);
    const answer: z.input<typeof mentorSatisfactionShape> = {
      mentorId,
      ...(await satisfactionWithMentor(deps.pool, mentorId)),
    };
    res.json(answer);
  });
}

/** A second tap was merged into the first: there was one conversation. */
async function ownCall(deps: ApiDeps, req: Request, caller: Caller, route: RouteName): Promise<CallRow> {
  const asked = await findCall(deps.pool, checkedId(req, 'callId'));
  checkOwner(route, caller, asked?.userId ?? null);
  const call = asked?.mergedInto ? await findCall(deps.pool, asked.mergedInto) : asked;
  if (call === null) throw new Problem('not-found');
  return call;
}

/** Words that are gone, by their time or by erasure, are none. */
async function wordsOf(deps: ApiDeps, { wordRecordId }: CallFeedback, caller: Caller): Promise<string | null> {
  if (wordRecordId === null) return null;
  try {
    const why = { purpose: 'own-view', actor: caller.subjectId } as const;
    return (await deps.vault.reveal({ recordId: wordRecordId, ...why })).expose();
  } catch (error) {
    if (isDestroyed(error)) return null;
    throw error;
  }
}

function shown(
  callId: string,
  { rating, via, givenAt }: CallFeedback,
  words: string | null,
): z.input<typeof feedbackShape> {
  const changeableUntil = new Date(givenAt.valueOf() + FEEDBACK_CHANGEABLE).toISOString();
  return { callId, rating, words, via, givenAt: givenAt.toISOString(), changeableUntil };
}

async function noteRead(deps: ApiDeps, caller: Caller, objectId: string): Promise<void> {
  const entry = { actor: caller.subjectId, action: 'mentor.satisfaction-read', objectId, outcome: 'done' } as const;
  await appendAudit(deps.pool, entry);
}
