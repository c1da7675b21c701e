import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { invitationExpiry, inviteMentor, unlinkMentor } from '../db/mentor-accounts';
import { inTransaction } from '../db/pool';
import { INVITATION_BYTES, invitationCode } from '../domain/invitation-code';
import { checkedId } from './checked-input';
import type { ApiDeps } from './deps';
import { type IdempotentRequest, idempotentRequest, madeOnce } from './idempotency';
import { Problem } from './problems';
import type { Routes } from './routes';
import { time } from './shared-shapes';

export const invitationShape = z
  .strictObject({
    mentorId: z.uuid(),
    code: z.string().meta({ description: 'In this answer, and stored nowhere.', examples: ['K7QM-2XPD-9WTF'] }),
    joinUrl: z.url().meta({ description: 'Where the mentor signs in and enters it.' }),
    expiresAt: time,
  })
  .meta({ id: 'MentorInvitation' });
type Invitation = z.output<typeof invitationShape>;

const ROUTE = 'POST /mentors/:mentorId/invitation';

/** Which account a mentor signs in with: led to by a code of an admin, and taken away by one. */
export function mentorInvitations(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('POST /mentors/:mentorId/invitation', async (req, res, caller) => {
    const mentorId = checkedId(req, 'mentorId');
    const request = idempotentRequest(deps.tokenizer, req, caller.subjectId, `${ROUTE} ${mentorId}`);
    const answer: z.input<typeof invitationShape> = await invite(deps, mentorId, caller.subjectId, request);
    res.status(201).json(answer);
  });

  routes.signedIn('DELETE /mentors/:mentorId/account', async (req, res, caller) => {
    const mentorId = checkedId(req, 'mentorId');
    const unlinked = await inTransaction(deps.pool, (tx) => unlinkMentor(tx, mentorId, caller.subjectId));
    if (unlinked === null) throw new Problem('not-found');
    res.status(204).end();
  });
}

/**
 * Makes a new code, the only one that counts for this mentor.
 *
 * @param request under its key, repeated, it gets the same code; without one each makes another
 * @throws {Problem} `not-found`, or `already-deleted` when the code of a repeated request counts no more
 */
export async function invite(
  deps: ApiDeps,
  mentorId: string,
  actor: string,
  request: IdempotentRequest,
): Promise<Invitation> {
  const invitationId = await madeOnce(deps.pool, request, async (tx) => {
    const id = randomUUID();
    const isMade = await inviteMentor(
      tx,
      { invitationId: id, mentorId, codeHash: codeHash(deps, codeOf(deps, id)) },
      actor,
    );
    if (!isMade) throw new Problem('not-found');
    return id;
  });
  const expiresAt = await invitationExpiry(deps.pool, invitationId);
  if (expiresAt === null) throw new Problem('already-deleted');
  const joinUrl = `${deps.config.api.publicBaseUrl}/mentor/join`;
  return { mentorId, code: codeOf(deps, invitationId), joinUrl, expiresAt: expiresAt.toISOString() };
}

/** Made from the id by a key, so that a repeated request is answered alike; stored nowhere. */
function codeOf({ tokenizer }: ApiDeps, invitationId: string): string {
  return invitationCode(tokenizer.keyedHash('mentor-invitation-code', invitationId).subarray(0, INVITATION_BYTES));
}

/** Keyed: a copy of the database alone tries no codes. */
export function codeHash({ tokenizer }: Pick<ApiDeps, 'tokenizer'>, code: string): Buffer {
  return tokenizer.keyedHash('mentor-invitation', code);
}
