import { findMentorOfAccount, takeInvitation } from '../db/mentor-accounts';
import { lastRings, NOTED_WITHIN_HOURS, noteRungWhileBusy } from '../db/mentor-rings';
import { getMentor, type Mentor, setAvailability } from '../db/mentors';
import { shiftsWithin } from '../db/mentors-on-shift';
import { inTransaction } from '../db/pool';
import { parseInvitationCode } from '../domain/invitation-code';
import { type JoinProblem, MENTOR_DONE, type MentorDone, renderJoin, renderMentor } from '../web/mentor';
import type { ApiDeps } from './deps';
import { codeHash } from './mentor-invitations';
import { ownMentor } from './mentor-self';
import { field, seeOther, sendPage } from './page-answers';
import type { Visitor } from './page-sessions';
import { Problem } from './problems';
import type { Routes } from './routes';

const SHIFT_DAYS = 7;
const RINGS = 20;

/** A mentor's own page: on and off, shifts, when they were rung. */
export function mentorPage(routes: Routes, deps: ApiDeps): void {
  const { pool, config } = deps;
  const { privacyPolicyUrl } = config;

  routes.page('GET /mentor', async (req, res, visitor) => {
    const mentor = await findMentor(deps, visitor);
    // Whoever is not a mentor yet is asked for the code that makes them one.
    if (mentor === null) return seeOther(res, '/mentor/join');
    const now = new Date();
    const until = new Date(now.getTime() + SHIFT_DAYS * 86_400_000);
    const shifts = await shiftsWithin(pool, { from: now, until, mentorId: mentor.mentorId });
    const rings = await lastRings(pool, mentor.mentorId, RINGS);
    const [last] = rings;
    const isLate = last === undefined || now.getTime() - last.rungAt.getTime() > NOTED_WITHIN_HOURS * 3_600_000;
    const page = renderMentor({
      available: mentor.available,
      zone: mentor.zone,
      now,
      shifts: shifts.map((shift) => ({ starts: new Date(shift.from), ends: new Date(shift.until) })),
      rings,
      canBeNoted: isLate || last.isNoted ? null : last,
      done: doneOf(req.query['done']),
      formToken: visitor.formToken,
      privacyPolicyUrl,
    });
    sendPage(res, page);
  });

  routes.page('POST /mentor/availability', async (req, res, visitor) => {
    const { mentorId } = await ownMentor(deps, visitor);
    const wanted = field(req, 'available');
    if (wanted !== 'on' && wanted !== 'off') throw new Problem('malformed-request');
    const changed = await setAvailability(pool, mentorId, wanted === 'on', visitor.subjectId);
    if (changed === null) throw new Problem('account-not-linked');
    seeOther(res, `/mentor?done=${wanted}`);
  });

  routes.page('POST /mentor/rung-while-busy', async (req, res, visitor) => {
    const { mentorId } = await ownMentor(deps, visitor);
    const rungAt = new Date(field(req, 'rungAt'));
    const isTime = !Number.isNaN(rungAt.valueOf());
    const isNoted = isTime && (await noteRungWhileBusy(pool, mentorId, rungAt));
    seeOther(res, `/mentor?done=${isNoted ? 'noted' : 'not-rung'}`);
  });

  routes.page('GET /mentor/join', async (_req, res, visitor) => {
    // Whoever has joined needs no code.
    if ((await findMentorOfAccount(pool, visitor.subjectId)) !== null) return seeOther(res, '/mentor');
    sendPage(res, renderJoin({ formToken: visitor.formToken, privacyPolicyUrl, problem: null }));
  });

  routes.page('POST /mentor/join', async (req, res, visitor) => {
    const code = parseInvitationCode(field(req, 'code'));
    const problem = code === null ? 'unknown' : await join(deps, code, visitor);
    if (problem === null) return seeOther(res, '/mentor?done=joined');
    sendPage(res, renderJoin({ formToken: visitor.formToken, privacyPolicyUrl, problem }), 422);
  });
}

/** @returns what is wrong; null: joined */
async function join(deps: ApiDeps, code: string, { subjectId }: Visitor): Promise<JoinProblem | null> {
  const taken = await inTransaction(deps.pool, (tx) => takeInvitation(tx, codeHash(deps, code), subjectId));
  return typeof taken === 'string' ? taken : null;
}

async function findMentor({ pool }: ApiDeps, { subjectId }: Visitor): Promise<Mentor | null> {
  const mentorId = await findMentorOfAccount(pool, subjectId);
  return mentorId === null ? null : await getMentor(pool, mentorId);
}

function doneOf(word: unknown): MentorDone | null {
  return isDone(word) ? word : null;
}

function isDone(word: unknown): word is MentorDone {
  return typeof word === 'string' && Object.hasOwn(MENTOR_DONE, word);
}
