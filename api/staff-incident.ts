import { acknowledgeIncident, findIncident } from '../db/incidents';
import { renderIncident } from '../web/incident';
import { checkedId } from './checked-input';
import type { ApiDeps } from './deps';
import { asItIs } from './incidents';
import { seeOther, sendPage } from './page-answers';
import { Problem } from './problems';
import type { Routes } from './routes';

/** Where an alert's link leads: the incident of `GET /incidents/{incidentId}`, for whoever has clicked and signed in. */
export function staffIncident(routes: Routes, deps: ApiDeps): void {
  const { pool, config } = deps;

  routes.page('GET /staff/incidents/:incidentId', async (req, res, visitor) => {
    const incident = await asItIs(deps, visitor, await findIncident(pool, checkedId(req, 'incidentId')));
    const page = renderIncident({
      incidentId: incident.incidentId,
      summary: incident.summary,
      about: incident.about,
      raisedAt: new Date(incident.raisedAt),
      lastSeenAt: new Date(incident.lastSeenAt),
      closedAt: dateOrNull(incident.closedAt),
      acknowledgedAt: dateOrNull(incident.acknowledgedAt),
      formToken: visitor.formToken,
      privacyPolicyUrl: config.privacyPolicyUrl,
    });
    sendPage(res, page);
  });

  routes.page('POST /staff/incidents/:incidentId/acknowledge', async (req, res, visitor) => {
    const incident = await acknowledgeIncident(pool, checkedId(req, 'incidentId'), visitor.subjectId);
    if (incident === null) throw new Problem('not-found');
    seeOther(res, `/staff/incidents/${incident.incidentId}`);
  });
}

function dateOrNull(at: string | null): Date | null {
  return at === null ? null : new Date(at);
}
