import type { Request, Response } from 'express';
import type { z } from 'zod';
import { findBuddy } from '../db/buddies';
import { findInvitation } from '../db/buddy-invitations';
import { findProfile } from '../db/user-profiles';
import type { InvitationRefusal } from '../domain/buddies';
import { ProcessIsOver, QuestionRefused, TemporalNotInTime } from '../temporal/errors';
import type { SignedIn } from './authentication';
import { sendVerification, type verificationBegun } from './buddies-shapes';
import { checkedBody } from './checked-input';
import type { ApiDeps } from './deps';
import { idempotentRequest } from './idempotency';
import { ANSWER_WITHIN } from './limits';
import { Problem, type ProblemCode } from './problems';
import type { Routes } from './routes';

const ROUTE = 'POST /api/buddy/send-verification';

/** The same for a limit of one's own and for one of the person: nobody learns here who else has named them. */
const PROBLEM_OF: Readonly<Record<InvitationRefusal, ProblemCode>> = {
  'not-found': 'not-found',
  'already-verified': 'buddy-already-verified',
  refused: 'buddy-has-refused',
  'used-up': 'buddy-asked-enough',
  'too-soon': 'buddy-asked-lately',
  'inviter-limit': 'too-many-invitations',
  'target-limit': 'buddy-asked-lately',
};

/** Asks somebody whether they want to be a buddy. */
export function buddyInvitations(routes: Routes, deps: ApiDeps): void {
  routes.signedIn(ROUTE, (req, res, caller) => invite(deps, req, res, caller));
}

async function invite(deps: ApiDeps, req: Request, res: Response, { subjectId }: SignedIn): Promise<void> {
  const { buddyContactId: asked, userId } = checkedBody(sendVerification, req);
  const buddyId = asked.toLowerCase();
  if (userId.toLowerCase() !== subjectId) throw new Problem('not-found');
  const { requestId: invitationId } = idempotentRequest(deps.tokenizer, req, subjectId, ROUTE);
  const expiresAt = await sendInvitation(deps, { userId: subjectId, buddyId, invitationId });
  const answer: z.input<typeof verificationBegun> = { state: 'sending', buddyContactId: buddyId, expiresAt };
  res.status(202).set('Location', `/api/buddy/${buddyId}`).json(answer);
}

export interface WantedInvitation {
  readonly userId: string;
  readonly buddyId: string;
  /** A repeat sends nothing. */
  readonly invitationId: string;
}

/**
 * Asks this buddy by e-mail.
 * @returns until when its link can be answered, ISO 8601
 * @throws {Problem} where they cannot be asked, or not now
 */
export async function sendInvitation(
  { pool, buddies }: Pick<ApiDeps, 'pool' | 'buddies'>,
  { userId: subjectId, buddyId, invitationId }: WantedInvitation,
): Promise<string> {
  const buddy = await findBuddy(pool, buddyId);
  if (buddy === null || buddy.userId !== subjectId || buddy.removedAt !== null) throw new Problem('not-found');
  const earlier = await findInvitation(pool, invitationId);
  if (earlier !== null) {
    if (earlier.buddyId !== buddyId) throw new Problem('idempotency-key-reused');
    return earlier.expiresAt.toISOString();
  }
  // The mail says who asks.
  if ((await findProfile(pool, subjectId)) === null) throw new Problem('profile-required');
  const begun = { buddyId, userId: subjectId, country: buddy.country ?? 'ZZ' };
  const answer = await buddies
    .invite(begun, { invitationId, validUntil: Date.now() + ANSWER_WITHIN }, ANSWER_WITHIN)
    .catch((error: unknown) => {
      // Twice at the end of a run, or too late: the same request may be sent again.
      throw isMissed(error) ? new TemporalNotInTime() : error;
    });
  if ('state' in answer) return answer.expiresAt;
  const { refused, retryAfterMs } = answer;
  const wait = retryAfterMs === null ? {} : { retryAfterSeconds: Math.ceil(retryAfterMs / 1000) };
  throw new Problem(PROBLEM_OF[refused], wait);
}

/** It met the end of the run that it was said to: the same may be asked again. */
export function isMissed(error: unknown): boolean {
  return error instanceof QuestionRefused || error instanceof ProcessIsOver;
}
