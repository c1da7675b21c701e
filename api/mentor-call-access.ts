import type { z } from 'zod';
import { type Access, giveAccess, hasAccess, listAccess, takeAccess } from '../db/mentor-call-access';
import { subjectOfAccounts } from './accounts';
import type { Caller } from './authentication';
import { checkedBody, checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { type accessPage, type accessShape, newAccess } from './mentor-call-access-shapes';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { Problem } from './problems';
import type { Routes } from './routes';
import { listQuery } from './shared-shapes';

/** The list of those who may ask for calls, kept by admins; it counts while `MENTOR_CALLS_ACCESS` is `list`. */
export function mentorCallAccess(routes: Routes, deps: ApiDeps): void {
  const subjectOf = subjectOfAccounts(deps.pool, deps.tokenizer);

  routes.signedIn('GET /mentor-call-access', async (req, res, caller) => {
    const { cursor, limit } = checkedQuery(listQuery, req);
    const scope: CursorScope = ['GET /mentor-call-access', caller.subjectId];
    const page = await listAccess(deps.pool, limit, checkedCursor(deps.tokenizer, scope, cursor));
    const answer: z.input<typeof accessPage> = {
      access: page.rows.map(shown),
      nextCursor: signedCursor(deps.tokenizer, scope, page.nextCursor),
    };
    res.json(answer);
  });

  routes.signedIn('POST /mentor-call-access', async (req, res, caller) => {
    const given = checkedBody(newAccess, req);
    // An organisation knows its people by the name that its issuer gives them; only a keyed hash of it is kept.
    const subjectId =
      'account' in given ? await subjectOf(deps.config.oidc.issuer, given.account) : given.subjectId.toLowerCase();
    const access = await giveAccess(deps.pool, subjectId, caller.subjectId);
    if (access === null) throw new Problem('not-found');
    res.status(201).json(shown(access));
  });

  routes.signedIn('DELETE /mentor-call-access/:subjectId', async (req, res, caller) => {
    if (!(await takeAccess(deps.pool, checkedId(req, 'subjectId'), caller.subjectId))) throw new Problem('not-found');
    res.status(204).end();
  });
}

/** Asked wherever a call is asked for. @throws {Problem} `calls-not-open-to-you` */
export async function refuseUnlisted(deps: Pick<ApiDeps, 'config' | 'pool'>, caller: Caller): Promise<void> {
  if (!(await areCallsOpenTo(deps, caller.subjectId))) throw new Problem('calls-not-open-to-you');
}

/** For who is on the line already, whom no problem would reach. */
export async function areCallsOpenTo(
  { config, pool }: Pick<ApiDeps, 'config' | 'pool'>,
  subjectId: string,
): Promise<boolean> {
  return config.mentorCall.access !== 'list' || (await hasAccess(pool, subjectId));
}

function shown({ subjectId, addedAt }: Access): z.input<typeof accessShape> {
  return { subjectId, addedAt: addedAt.toISOString() };
}
