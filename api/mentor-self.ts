import { findMentorOfAccount } from '../db/mentor-accounts';
import { getMentor, type Mentor, setAvailability } from '../db/mentors';
import type { Caller } from './authentication';
import { checkedBody } from './checked-input';
import type { ApiDeps } from './deps';
import { send } from './mentors';
import { newAvailability } from './mentors-shapes';
import { Problem } from './problems';
import type { Routes } from './routes';

/** What mentors see and set of themselves. */
export function mentorSelf(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('GET /mentors/me', async (_req, res, caller) => {
    await send(deps, res, caller, await ownMentor(deps, caller));
  });

  routes.signedIn('PUT /mentors/me/availability', async (req, res, caller) => {
    const { available } = checkedBody(newAvailability, req);
    const { mentorId } = await ownMentor(deps, caller);
    const mentor = await setAvailability(deps.pool, mentorId, available, caller.subjectId);
    if (mentor === null) throw new Problem('account-not-linked');
    await send(deps, res, caller, mentor);
  });
}

/** @throws {Problem} `account-not-linked` */
export async function ownMentor({ pool }: Pick<ApiDeps, 'pool'>, caller: Pick<Caller, 'subjectId'>): Promise<Mentor> {
  const mentorId = await findMentorOfAccount(pool, caller.subjectId);
  const mentor = mentorId === null ? null : await getMentor(pool, mentorId);
  if (mentor === null) throw new Problem('account-not-linked');
  return mentor;
}
