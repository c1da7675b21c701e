import type { Request } from 'express';
import { z } from 'zod';
import { findWellbeingAlert, listWellbeingAlerts, type WellbeingAlert } from '../db/wellbeing-alerts';
import { type AlertProgress, progressOf } from '../db/wellbeing-standings';
import { ALERT_STANDINGS, type AlertStanding } from '../domain/wellbeing-alert';
import { ALERT_DONE, type AlertDone, renderStaffAlerts, type WellbeingLine } from '../web/staff-alerts';
import { checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { seeOther, sendPage } from './page-answers';
import type { Visitor } from './page-sessions';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { Problem } from './problems';
import type { Routes } from './routes';
import { listQuery } from './shared-shapes';
import { closeAlert, confirmEmergency, noteAlertsRead } from './wellbeing-alerts';

/** Rows of one standing to a page. */
const ALERTS = 25;

const pageQuery = z.strictObject({
  standing: z.enum(ALERT_STANDINGS).optional(),
  cursor: listQuery.shape.cursor,
  done: z.enum(ALERT_DONE).optional(),
});

/** Where somebody of the organisation finds the alerts that need them, and decides: what the API offers, as a page. */
export function staffAlerts(routes: Routes, deps: ApiDeps): void {
  routes.page('GET /staff/alerts', async (req, res, visitor) => {
    const { standing, cursor, done } = checkedQuery(pageQuery, req);
    // A cursor is of one list.
    if (cursor !== undefined && standing === undefined) throw new Problem('invalid-query');
    await noteAlertsRead(deps, visitor, 'all');
    const lists = [];
    for (const one of standing === undefined ? ALERT_STANDINGS : [standing]) {
      lists.push({ standing: one, ...(await listOf(deps, visitor, one, cursor)) });
    }
    const { formToken } = visitor;
    sendPage(res, renderStaffAlerts({ lists, done, formToken, privacyPolicyUrl: deps.config.privacyPolicyUrl }));
  });

  routes.page('POST /staff/alerts/:alertId/confirm-emergency', async (req, res, visitor) => {
    const said = await confirmEmergency(deps, await alertOf(deps, req), visitor);
    seeOther(res, pathOf({ done: said === 'confirmed' ? 'confirmed' : 'not-waiting' }));
  });

  routes.page('POST /staff/alerts/:alertId/close', async (req, res, visitor) => {
    const done = await closeAlert(deps, visitor, await alertOf(deps, req));
    seeOther(res, pathOf({ done }));
  });
}

async function listOf(deps: ApiDeps, visitor: Visitor, standing: AlertStanding, cursor: string | undefined) {
  const { pool, tokenizer } = deps;
  const scope: CursorScope = ['GET /staff/alerts', visitor.subjectId, standing];
  const page = await listWellbeingAlerts(pool, {
    userId: null,
    standing,
    limit: ALERTS,
    cursor: checkedCursor(tokenizer, scope, cursor),
  });
  const progress = await progressOf(
    pool,
    page.rows.map(({ alertId }) => alertId),
  );
  const next = signedCursor(tokenizer, scope, page.nextCursor);
  return {
    alerts: page.rows.map((alert) => lineOf(alert, standing, progress.get(alert.alertId))),
    next: next === null ? null : pathOf({ standing, cursor: next }),
  };
}

function lineOf(alert: WellbeingAlert, standing: AlertStanding, progress: AlertProgress | undefined): WellbeingLine {
  const { alertId, endReason, dueAt, endedAt } = alert;
  const newest = progress?.newest ?? null;
  return {
    alertId,
    standing,
    endReason,
    since: endedAt ?? (standing === 'awaiting-human' ? (newest?.begunAt ?? dueAt) : dueAt),
    step: newest === null ? null : { position: newest.position, who: newest.who, of: progress?.steps ?? 0 },
    asked: progress?.asked ?? 0,
  };
}

async function alertOf({ pool }: ApiDeps, req: Request): Promise<WellbeingAlert> {
  const alert = await findWellbeingAlert(pool, checkedId(req, 'alertId'));
  if (alert === null) throw new Problem('not-found');
  return alert;
}

function pathOf(
  query: { readonly done: AlertDone } | { readonly standing: AlertStanding; readonly cursor: string },
): string {
  return `/staff/alerts?${new URLSearchParams({ ...query }).toString()}`;
}
