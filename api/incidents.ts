import type { z } from 'zod';
import { noticesOf, type ToldNotice } from '../db/incident-notices';
import { acknowledgeIncident, findIncident, type Incident, listIncidents } from '../db/incidents';
import { sentenceOf } from '../domain/incident-words';
import type { IncidentKind } from '../domain/watchdog-rules';
import type { Caller } from './authentication';
import { hasOneOf } from './authorisation';
import { checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { type incidentPage, type incidentShape, incidentsQuery } from './incidents-shapes';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { Problem } from './problems';
import type { Routes } from './routes';

type Shown = z.input<typeof incidentShape>;

/** What a kind's key names; null where there is one incident for all. */
const ABOUT: Readonly<Record<IncidentKind, NonNullable<Shown['about']>['what'] | null>> = {
  'nobody-available': null,
  'failure-rate': null,
  'user-calls': 'user',
  'short-calls': 'mentor',
  'accounts-to-one-number': 'call',
  'accounts-to-one-buddy': 'buddy',
  'provider-errors': 'error-class',
  'line-stopped': 'line',
  'alert-awaits-human': 'alert',
  'alert-reached-nobody': 'alert',
  'retention-stale': null,
};
/** Lead to a person whom staff may not see otherwise; everybody's alerts they may. */
const PERSONAL: readonly string[] = ['user', 'mentor', 'call', 'buddy'];

/** What the watchdog has found, for staff; whom it is about, for admins. */
export function incidents(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('GET /incidents', async (req, res, caller) => {
    const { cursor, limit, state } = checkedQuery(incidentsQuery, req);
    const scope: CursorScope = ['GET /incidents', caller.subjectId, state ?? ''];
    const place = { limit, cursor: checkedCursor(deps.tokenizer, scope, cursor) };
    const page = await listIncidents(deps.pool, {
      isOpen: state === undefined ? undefined : state === 'open',
      ...place,
    });
    const told = await noticesOf(
      deps.pool,
      page.rows.map(({ incidentId }) => incidentId),
    );
    const answer: z.input<typeof incidentPage> = {
      incidents: page.rows.map((incident) => shown(incident, told.get(incident.incidentId) ?? [], caller)),
      nextCursor: signedCursor(deps.tokenizer, scope, page.nextCursor),
    };
    res.json(answer);
  });

  routes.signedIn('GET /incidents/:incidentId', async (req, res, caller) => {
    res.json(await asItIs(deps, caller, await findIncident(deps.pool, checkedId(req, 'incidentId'))));
  });

  routes.signedIn('POST /incidents/:incidentId/acknowledge', async (req, res, caller) => {
    const incidentId = checkedId(req, 'incidentId');
    res.json(await asItIs(deps, caller, await acknowledgeIncident(deps.pool, incidentId, caller.subjectId)));
  });
}

/** As far as this caller may know it. @throws {Problem} `not-found` */
export async function asItIs(deps: ApiDeps, caller: Caller, incident: Incident | null): Promise<Shown> {
  if (incident === null) throw new Problem('not-found');
  const told = await noticesOf(deps.pool, [incident.incidentId]);
  return shown(incident, told.get(incident.incidentId) ?? [], caller);
}

function shown(incident: Incident, notices: readonly ToldNotice[], caller: Caller): Shown {
  const { incidentId, kind, key, counts, raisedAt, lastSeenAt, closedAt, acknowledgedAt } = incident;
  const what = ABOUT[kind];
  const mayKnow = what !== null && (!PERSONAL.includes(what) || hasOneOf(caller, ['admin']));
  return {
    incidentId,
    kind,
    state: closedAt === null ? 'open' : 'over',
    summary: sentenceOf(incident),
    counts,
    about: mayKnow ? { what, id: key } : null,
    raisedAt: raisedAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    closedAt: closedAt?.toISOString() ?? null,
    acknowledgedAt: acknowledgedAt?.toISOString() ?? null,
    notices: [...notices],
  };
}
