import type { Request, Response } from 'express';
import type { z } from 'zod';
import {
  changeException,
  createException,
  deleteException,
  findException,
  type KnownException,
  listExceptions,
  replaceImported,
} from '../db/mentor-exceptions';
import type { Mentor } from '../db/mentors';
import { type CalendarRead, CalendarUnreadable, readCalendar } from '../domain/calendar';
import type { AvailabilityException } from '../domain/shifts';
import type { SignedIn } from './authentication';
import { checkedBody, checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { idempotentRequest, madeOnce } from './idempotency';
import { CALENDAR_BODY } from './limits';
import { ownMentor } from './mentor-self';
import {
  calendarImport,
  type exceptionPage,
  type exceptionShape,
  type importResult,
  newException,
} from './mentor-shifts-shapes';
import { checkZone, known } from './mentors';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { Problem } from './problems';
import type { Routes, SignedInHandler } from './routes';
import { listQuery } from './shared-shapes';

const DAY_MS = 24 * 3_600_000;
/** How far ahead a calendar is read. */
const IMPORTED_AHEAD_MS = 366 * DAY_MS;

/** Days away, single shifts and calendars: of any mentor by admins, of themselves by mentors. */
export function mentorShifts(routes: Routes, deps: ApiDeps): void {
  const of = (act: (req: Request, res: Response, caller: SignedIn, mentor: Mentor) => Promise<void>) => ({
    own: (async (req, res, caller) => act(req, res, caller, await ownMentor(deps, caller))) satisfies SignedInHandler,
    any: (async (req, res, caller) =>
      act(req, res, caller, await known(deps, checkedId(req, 'mentorId')))) satisfies SignedInHandler,
  });
  const [list, create, change, remove, bring] = [
    listed(deps),
    created(deps),
    changed(deps),
    removed(deps),
    imported(deps),
  ];
  const calendarBody = { jsonLimit: CALENDAR_BODY };

  routes.signedIn('GET /mentors/me/exceptions', of(list).own);
  routes.signedIn('POST /mentors/me/exceptions', of(create).own);
  routes.signedIn('PUT /mentors/me/exceptions/:exceptionId', of(change).own);
  routes.signedIn('DELETE /mentors/me/exceptions/:exceptionId', of(remove).own);
  routes.signedIn('POST /mentors/me/shifts/import', of(bring).own, calendarBody);
  routes.signedIn('GET /mentors/:mentorId/exceptions', of(list).any);
  routes.signedIn('POST /mentors/:mentorId/exceptions', of(create).any);
  routes.signedIn('PUT /mentors/:mentorId/exceptions/:exceptionId', of(change).any);
  routes.signedIn('DELETE /mentors/:mentorId/exceptions/:exceptionId', of(remove).any);
  routes.signedIn('POST /mentors/:mentorId/shifts/import', of(bring).any, calendarBody);
}

type Handler = (req: Request, res: Response, caller: SignedIn, mentor: Mentor) => Promise<void>;

function listed(deps: ApiDeps): Handler {
  return async (req, res, caller, { mentorId }) => {
    const { cursor, limit } = checkedQuery(listQuery, req);
    const scope: CursorScope = ['GET exceptions', caller.subjectId, mentorId];
    const page = await listExceptions(deps.pool, mentorId, limit, checkedCursor(deps.tokenizer, scope, cursor));
    const answer: z.input<typeof exceptionPage> = {
      exceptions: page.rows.map(shown),
      nextCursor: signedCursor(deps.tokenizer, scope, page.nextCursor),
    };
    res.json(answer);
  };
}

function created(deps: ApiDeps): Handler {
  return async (req, res, caller, { mentorId }) => {
    const exception = givenException(req);
    const request = idempotentRequest(deps.tokenizer, req, caller.subjectId, `POST exceptions ${mentorId}`);
    const exceptionId = await madeOnce(deps.pool, request, async (tx) => {
      const made = await createException(tx, mentorId, exception, caller.subjectId);
      if (made === null) throw new Problem('too-many-exceptions');
      return made;
    });
    res.status(201);
    await sendException(deps, res, mentorId, exceptionId, 'already-deleted');
  };
}

function changed(deps: ApiDeps): Handler {
  return async (req, res, caller, { mentorId }) => {
    const exceptionId = checkedId(req, 'exceptionId');
    const exception = givenException(req);
    if (!(await changeException(deps.pool, mentorId, exceptionId, exception, caller.subjectId))) {
      throw new Problem('not-found');
    }
    await sendException(deps, res, mentorId, exceptionId, 'not-found');
  };
}

function removed(deps: ApiDeps): Handler {
  return async (req, res, caller, { mentorId }) => {
    const exceptionId = checkedId(req, 'exceptionId');
    if (!(await deleteException(deps.pool, mentorId, exceptionId, caller.subjectId))) throw new Problem('not-found');
    res.status(204).end();
  };
}

function imported(deps: ApiDeps): Handler {
  return async (req, res, caller, { mentorId, zone }) => {
    const { calendar, isDryRun } = checkedBody(calendarImport, req);
    const between = { from: Date.now() - DAY_MS, until: Date.now() + IMPORTED_AHEAD_MS };
    const { shifts, events, skipped } = readable(() => readCalendar(calendar, zone, between));
    if (!isDryRun && (await replaceImported(deps.pool, mentorId, shifts, caller.subjectId)) === 'too-many') {
      throw new Problem('too-many-exceptions');
    }
    const until = new Date(between.until).toISOString();
    const answer: z.input<typeof importResult> = { isDryRun, events, skipped, shifts: [...shifts], until };
    res.json(answer);
  };
}

function readable(read: () => CalendarRead): CalendarRead {
  try {
    return read();
  } catch (error) {
    if (error instanceof CalendarUnreadable) throw new Problem('calendar-unreadable');
    throw error;
  }
}

function givenException(req: Request): AvailabilityException {
  const { kind, starts, ends, zone } = checkedBody(newException, req);
  if (zone !== undefined) checkZone(zone);
  return { kind, starts, ends, zone: zone ?? null };
}

async function sendException(
  deps: ApiDeps,
  res: Response,
  mentorId: string,
  exceptionId: string,
  gone: 'not-found' | 'already-deleted',
): Promise<void> {
  const exception = await findException(deps.pool, mentorId, exceptionId);
  if (exception === null) throw new Problem(gone);
  res.json(shown(exception));
}

function shown({ exceptionId, kind, starts, ends, zone, source }: KnownException): z.input<typeof exceptionShape> {
  return { exceptionId, kind, starts, ends, zone, source };
}
