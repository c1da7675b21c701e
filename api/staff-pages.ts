import { listAlerts } from '../db/alerts';
import { appendAudit } from '../db/audit';
import { type CallRow, countLiveCalls, listCalls, liveCalls } from '../db/calls';
import { accountStates } from '../db/mentor-accounts';
import { markRingNoteSeen, unseenRingNotes } from '../db/mentor-rings';
import { getMentor, listMentors } from '../db/mentors';
import { mentorsScheduled } from '../db/mentors-on-shift';
import { isDestroyed } from '../domain/errors';
import { type CallLine, renderCalls, renderInvitation, renderMentors, renderOverview } from '../web/staff';
import type { Caller } from './authentication';
import { hasOneOf } from './authorisation';
import { checkedId } from './checked-input';
import type { ApiDeps } from './deps';
import { idempotentRequest } from './idempotency';
import { invite } from './mentor-invitations';
import { seeOther, sendPage } from './page-answers';
import type { Visitor } from './page-sessions';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { Problem } from './problems';
import type { Routes } from './routes';
import { attention, chosenZone, coverage } from './staff-overview';

/** Rows to a page; names are revealed one by one. */
const CALLS = 50;
const MENTORS = 25;
const NOTES = 20;
/** On the overview. */
const LIVE = 50;
const LATEST = 5;

/** What those who have the duty look at. No number is on any of it, and of people only mentors' names, each look audited. */
export function staffPages(routes: Routes, deps: ApiDeps): void {
  const { pool, tokenizer, config } = deps;
  const shared = (visitor: Visitor, zone: string) => ({
    zone,
    formToken: visitor.formToken,
    privacyPolicyUrl: config.privacyPolicyUrl,
  });

  routes.page('GET /staff', async (req, res, visitor) => {
    const zone = chosenZone(req.query['zone']);
    await noteRead(deps, visitor, 'mentor-call.read');
    await noteRead(deps, visitor, 'voice-alert.read');
    const { onShift, free, gaps, zones } = await coverage(deps, new Date());
    const live = await liveCalls(pool, 0, LIVE);
    const recent = (await listCalls(pool, { limit: LATEST, live: false })).rows;
    const page = renderOverview({
      ...shared(visitor, zone),
      zones: [...new Set(['UTC', zone, ...zones])],
      now: { onShift, free, live: await countLiveCalls(pool) },
      attention: await attention(deps, { onShift, free }),
      live: live.map((call) => callLine(deps, call)),
      recent: recent.map((call) => callLine(deps, call)),
      alerts: (await listAlerts(pool, { limit: LATEST })).rows.map((alert) => ({
        requestedAt: alert.requestedAt,
        kind: alert.kind,
        state: alert.state,
        live: alert.live,
        workflow: workflowUrl(deps, alert.workflowId),
      })),
      gaps,
      notes: await notes(deps, visitor),
    });
    sendPage(res, page);
  });

  routes.page('GET /staff/calls', async (req, res, visitor) => {
    const scope: CursorScope = ['GET /staff/calls', visitor.subjectId];
    const cursor = checkedCursor(tokenizer, scope, cursorOf(req.query['cursor']));
    await noteRead(deps, visitor, 'mentor-call.read');
    const { rows, nextCursor } = await listCalls(pool, { limit: CALLS, cursor });
    const page = renderCalls({
      ...shared(visitor, 'UTC'),
      calls: rows.map((call) => callLine(deps, call)),
      next: nextPage('/staff/calls', signedCursor(tokenizer, scope, nextCursor)),
    });
    sendPage(res, page);
  });

  routes.page('GET /staff/mentors', async (req, res, visitor) => {
    const scope: CursorScope = ['GET /staff/mentors', visitor.subjectId];
    const cursor = checkedCursor(tokenizer, scope, cursorOf(req.query['cursor']));
    const { rows, nextCursor } = await listMentors(pool, MENTORS, cursor);
    const accounts = await accountStates(
      pool,
      rows.map(({ mentorId }) => mentorId),
    );
    const onShift = new Set((await mentorsScheduled(pool, new Date())).map(({ mentorId }) => mentorId));
    const mentors = [];
    // One after another: each name is a transaction of its own with its audit entry.
    for (const mentor of rows) {
      const name = await nameOf(deps, visitor, mentor.nameRecordId);
      const account = accounts.get(mentor.mentorId) ?? ('none' as const);
      mentors.push({ ...mentor, name, onShift: onShift.has(mentor.mentorId), account });
    }
    const page = renderMentors({
      ...shared(visitor, 'UTC'),
      mentors,
      next: nextPage('/staff/mentors', signedCursor(tokenizer, scope, nextCursor)),
      mayInvite: hasOneOf(visitor, ['admin']),
    });
    sendPage(res, page);
  });

  routes.page('POST /staff/mentors/:mentorId/invitation', async (req, res, visitor) => {
    const id = checkedId(req, 'mentorId');
    const request = idempotentRequest(tokenizer, req, visitor.subjectId, 'POST /staff/mentors/:mentorId/invitation');
    const { mentorId, code, joinUrl, expiresAt } = await invite(deps, id, visitor.subjectId, request);
    const mentor = await getMentor(pool, mentorId);
    const name = mentor === null ? GONE : await nameOf(deps, visitor, mentor.nameRecordId);
    const invitation = { name, code, joinUrl, expiresAt: new Date(expiresAt) };
    sendPage(res, renderInvitation({ ...shared(visitor, 'UTC'), ...invitation }));
  });

  routes.page('POST /staff/ring-notes/:noteId/seen', async (req, res, visitor) => {
    const found = await markRingNoteSeen(pool, checkedId(req, 'noteId'), visitor.subjectId);
    if (!found) throw new Problem('not-found');
    seeOther(res, '/staff');
  });
}

function callLine(deps: ApiDeps, call: CallRow): CallLine {
  const { requestedAt, status, endReason, country, language, live, durationSeconds: seconds } = call;
  const workflow = workflowUrl(deps, call.workflowId);
  return { requestedAt, status, endReason, country, language, live, seconds, workflow };
}

/** Null where no Web UI is configured. */
function workflowUrl({ config }: ApiDeps, workflowId: string): string | null {
  const { uiUrl, namespace } = config.temporal;
  if (uiUrl === null) return null;
  return `${uiUrl}/${['namespaces', namespace, 'workflows', workflowId].map(encodeURIComponent).join('/')}`;
}

async function notes(deps: ApiDeps, visitor: Visitor) {
  const shown = [];
  for (const { noteId, nameRecordId, rungAt } of await unseenRingNotes(deps.pool, NOTES)) {
    shown.push({ noteId, rungAt, name: nameRecordId === null ? GONE : await nameOf(deps, visitor, nameRecordId) });
  }
  return shown;
}

const GONE = 'A mentor who has left';

/** A mentor's name, for somebody who may see it; the look leaves an entry. */
async function nameOf({ vault }: ApiDeps, { subjectId: actor }: Caller, recordId: string): Promise<string> {
  try {
    return (await vault.reveal({ recordId, purpose: 'staff-view', actor })).expose();
  } catch (error) {
    // Deleted, or given another name, since the row was read.
    if (isDestroyed(error)) return GONE;
    throw error;
  }
}

function cursorOf(asked: unknown): string | undefined {
  if (asked === undefined || typeof asked === 'string') return asked;
  throw new Problem('invalid-query');
}

function nextPage(path: string, cursor: string | null): string | null {
  return cursor === null ? null : `${path}?cursor=${encodeURIComponent(cursor)}`;
}

/** Staff look after everybody's; that they looked is kept. */
async function noteRead(
  { pool }: ApiDeps,
  { subjectId: actor }: Caller,
  action: 'mentor-call.read' | 'voice-alert.read',
): Promise<void> {
  await appendAudit(pool, { actor, action, objectId: 'all', outcome: 'done' });
}
