import type { Request, Response } from 'express';
import { type Buddy, findBuddy } from '../db/buddies';
import { type CheckIn, findCheckInByLink, noteLinkFetched } from '../db/check-ins';
import { findProfile } from '../db/user-profiles';
import { buddyLanguage, CHECK_IN_RESPONSES } from '../domain/buddies';
import { isDestroyed, SubjectErased } from '../domain/errors';
import { firstName } from '../domain/first-name';
import { helplinesFor } from '../domain/helplines';
import { ProcessIsOver, TemporalNotInTime } from '../temporal/errors';
import { renderGuidance, renderHelplines } from '../web/buddy-guidance';
import {
  type CheckInFault,
  type CheckInGone,
  type CheckInKind,
  type CheckInPageState,
  LONGEST_NOTE,
  renderCheckIn,
  renderCheckInGone,
} from '../web/check-in-page';
import { giveAnswer, type GivenAnswer } from './check-in-answers';
import type { ApiDeps } from './deps';
import { PRESS_WITHIN } from './limits';
import { hashOfLink, languageAsked, sealVisit } from './link-pages';
import { field, sendPage } from './page-answers';
import { Problem } from './problems';
import type { Routes } from './routes';

/** The pages that texts lead to, under the address in the text and under the API's own. */
const PAGES = [
  ['GET /api/buddy/checkin/:token', 'POST /api/buddy/checkin/:token', 'user'],
  ['GET /buddy/checkin/:token', 'POST /buddy/checkin/:token', 'user'],
  ['GET /api/buddy/alert/:token', 'POST /api/buddy/alert/:token', 'system'],
  ['GET /buddy/alert/:token', 'POST /buddy/alert/:token', 'system'],
] as const;

/**
 * Where a buddy answers. Opening the link shows one button and changes nothing but when the link was first followed:
 * previews and scanners do so too. The first press is what counts as opened by a person.
 */
export function checkInPages(routes: Routes, deps: ApiDeps): void {
  for (const [get, post, kind] of PAGES) {
    routes.link(get, async (req, res) => {
      const letter = await letterOf(deps, req, kind);
      if (letter !== null) await noteLinkFetched(deps.pool, letter.row.requestId);
      await show(deps, req, res, letter);
    });
    routes.link(post, async (req, res) => {
      const letter = await letterOf(deps, req, kind);
      if (letter === null || goneBecause(letter) !== null) await show(deps, req, res, letter);
      else await press(deps, req, res, letter);
    });
  }
}

/** What a link has led to. */
interface Letter {
  readonly row: CheckIn;
  readonly buddy: Buddy;
}

async function letterOf(deps: ApiDeps, req: Request, kind: CheckInKind): Promise<Letter | null> {
  const hash = hashOfLink(req);
  const row = hash === null ? null : await findCheckInByLink(deps.pool, hash, kind);
  const buddy = row === null ? null : await findBuddy(deps.pool, row.buddyId);
  return row === null || buddy === null ? null : { row, buddy };
}

function goneBecause({ row, buddy }: Letter): CheckInGone | null {
  if (!buddy.canBeAsked) return 'ended';
  // Whatever they press now changes nothing: the page must not look as if it did.
  if (row.alertEnd === 'by-this') return 'counted';
  if (row.alertEnd === 'by-others') return 'decided';
  // Nobody was in touch: whoever looks now may be the one.
  if (row.alertEnd === 'by-nobody') return row.response === null ? 'too-late' : 'over-answered';
  if (row.state === 'ended') return 'ended';
  if (row.closedAt === null) return null;
  return row.response === null ? 'over' : 'over-answered';
}

async function press(deps: ApiDeps, req: Request, res: Response, letter: Letter): Promise<void> {
  const step = field(req, 'step');
  if (step !== 'open' && step !== 'answer') return show(deps, req, res, letter, { fault: 'unknown-step' });
  const { row } = letter;
  const isNoted = row.linkOpenedAt !== null || (await noteOpened(deps, req, letter));
  if (!isNoted) return show(deps, req, res, await letterOf(deps, req, row.kind), { isOver: true });
  if (step === 'open') return show(deps, req, res, letter, { isOpened: true });
  const given = givenAnswer(req);
  if (typeof given === 'string') return show(deps, req, res, letter, { isOpened: true, fault: given });
  const taken = await giveAnswer(deps, row, given);
  const after = await letterOf(deps, req, row.kind);
  const isOpen = after !== null && goneBecause(after) === null;
  // Neither taken nor over: nobody knows, and the buddy is to try again.
  if (taken === 'refused' && isOpen && after.row.response === null) throw new Problem('temporarily-unavailable');
  const fault = taken === 'refused' && isOpen ? ({ fault: 'not-taken' } as const) : {};
  await show(deps, req, res, after, { isOpened: true, isTaken: taken !== 'refused', ...fault });
}

/** @returns false when it is over meanwhile */
async function noteOpened(deps: ApiDeps, req: Request, { row }: Letter): Promise<boolean> {
  const { requestId, buddySubjectId: subjectId } = row;
  try {
    const expiresAt = new Date(Date.now() + deps.config.retention.messageBody);
    const visit = await sealVisit(deps, req, { subjectId, expiresAt });
    await deps.checkIns.opened(requestId, visit, PRESS_WITHIN);
    return true;
  } catch (error) {
    if (error instanceof ProcessIsOver || error instanceof SubjectErased) return false;
    if (!(error instanceof TemporalNotInTime)) throw error;
    // The person who reads it matters more than the note that they do.
    deps.logger.warn({ route: '/buddy/checkin/:token', error }, 'an opened link could not be noted');
    return true;
  }
}

function givenAnswer(req: Request): GivenAnswer | CheckInFault {
  const chosen = field(req, 'response');
  const response = CHECK_IN_RESPONSES.find((each) => each === chosen);
  if (response === undefined) return 'no-answer';
  const note = field(req, 'note').replaceAll('\r\n', '\n').trim();
  return Array.from(note).length > LONGEST_NOTE ? 'note-too-long' : { response, note };
}

interface Shown {
  /** A person has pressed a button by now. */
  readonly isOpened?: boolean;
  /** Nobody waits for an answer, whatever the row says yet. */
  readonly isOver?: boolean;
  /** What was pressed is kept, also where it was the end of it. */
  readonly isTaken?: boolean;
  readonly fault?: CheckInFault;
}

async function show(
  deps: ApiDeps,
  req: Request,
  res: Response,
  letter: Letter | null,
  { isOpened = false, isOver = false, isTaken = false, fault }: Shown = {},
): Promise<void> {
  const { privacyPolicyUrl } = deps.config;
  if (letter === null) {
    return sendPage(res, renderCheckInGone('unknown', languageAsked(req), { rightsUrl: null, privacyPolicyUrl }), 404);
  }
  const language = buddyLanguage(letter.buddy.language);
  // Any link of a buddy's leads to what is held of them.
  const rightsUrl = `/api/buddy/rights/${String(req.params['token'])}`;
  const gone = goneBecause(letter) ?? (isOver ? 'ended' : null);
  const userName = gone === null ? await nameOf(deps, letter.row.userId) : null;
  const { kind, alertDays: days } = letter.row;
  const lines = helplinesFor(letter.buddy.country, deps.config.helplines.crisisOverride);
  if (userName === null) {
    const help = kind === 'system' ? [renderHelplines(language, lines)] : [];
    const page = renderCheckInGone(gone ?? 'ended', language, { rightsUrl, privacyPolicyUrl, help });
    // Whoever presses again because the first word did not come back is told the same.
    return sendPage(res, page, isTaken || gone === 'counted' ? 200 : 410);
  }
  const guidance = kind === 'system' ? renderGuidance({ language, userName, days, lines }) : [];
  const state = stateOf(letter.row, isOpened || fault !== undefined, fault ?? null);
  const page = renderCheckIn({ kind, language, state, userName, guidance, rightsUrl, privacyPolicyUrl });
  sendPage(res, page, fault === undefined ? 200 : 422);
}

function stateOf({ response, linkOpenedAt }: CheckIn, isOpened: boolean, fault: CheckInFault | null): CheckInPageState {
  if (!isOpened && linkOpenedAt === null && response === null) return { at: 'closed-letter' };
  return response === null ? { at: 'to-answer', fault } : { at: 'answered', response, fault };
}

/** @returns the user's first name; null when they were erased, and nobody waits for the answer */
async function nameOf({ pool, vault }: ApiDeps, userId: string): Promise<string | null> {
  const profile = await findProfile(pool, userId);
  if (profile === null) return null;
  try {
    const name = await vault.reveal({ recordId: profile.nameRecordId, purpose: 'send', actor: 'system' });
    return firstName(name.expose());
  } catch (error) {
    if (isDestroyed(error)) return null;
    throw error;
  }
}
