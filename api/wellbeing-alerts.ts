import type { Response } from 'express';
import type { z } from 'zod';
import { appendAudit } from '../db/audit';
import { findProfile } from '../db/user-profiles';
import {
  findWellbeingAlert,
  listWellbeingAlerts,
  stepsOfAlert,
  type WellbeingAlert,
  type WellbeingStep,
} from '../db/wellbeing-alerts';
import { closeUnopenedAlert } from '../db/wellbeing-course';
import { buddyLanguage, type BuddyLanguage } from '../domain/buddies';
import type { CloseAlert, WellbeingEndReason } from '../domain/wellbeing-alert';
import { reasonInWords, stateInWords, stepInWords } from '../domain/wellbeing-words';
import type { Caller } from './authentication';
import { checkOwner, hasOneOf } from './authorisation';
import { checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { Problem } from './problems';
import type { Routes } from './routes';
import {
  type wellbeingAlertPage,
  type wellbeingAlertShape,
  wellbeingAlertsQuery,
  type wellbeingAlertWhole,
} from './wellbeing-shapes';

/** Wellbeing alerts: look how they go, close them, and the one decision that only a human takes. */
export function wellbeingAlerts(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('GET /api/wellbeing/alerts', async (req, res, caller) => {
    const { cursor, limit, standing } = checkedQuery(wellbeingAlertsQuery, req);
    const scope: CursorScope = ['GET /api/wellbeing/alerts', caller.subjectId, standing ?? ''];
    const isStaff = hasOneOf(caller, ['staff', 'admin']);
    // Staff look after everybody's; that they looked is kept.
    if (isStaff) await noteAlertsRead(deps, caller, 'all');
    const page = await listWellbeingAlerts(deps.pool, {
      userId: isStaff ? null : caller.subjectId,
      standing,
      limit,
      cursor: checkedCursor(deps.tokenizer, scope, cursor),
    });
    const answer: z.input<typeof wellbeingAlertPage> = {
      alerts: page.rows.map(shown),
      nextCursor: signedCursor(deps.tokenizer, scope, page.nextCursor),
    };
    res.json(answer);
  });

  routes.signedIn('GET /api/wellbeing/alerts/:alertId', async (req, res, caller) => {
    const alert = await findWellbeingAlert(deps.pool, checkedId(req, 'alertId'));
    checkOwner('GET /api/wellbeing/alerts/:alertId', caller, alert?.userId ?? null);
    if (alert === null) throw new Problem('not-found');
    if (alert.userId !== caller.subjectId) await noteAlertsRead(deps, caller, alert.alertId);
    await send(deps, res, alert);
  });

  routes.signedIn('POST /api/wellbeing/alerts/:alertId/close', async (req, res, caller) => {
    const alert = await findWellbeingAlert(deps.pool, checkedId(req, 'alertId'));
    checkOwner('POST /api/wellbeing/alerts/:alertId/close', caller, alert?.userId ?? null);
    if (alert === null) throw new Problem('not-found');
    if ((await closeAlert(deps, caller, alert)) === 'not-closed') throw new Problem('temporarily-unavailable');
    await send(deps, res, (await findWellbeingAlert(deps.pool, alert.alertId)) ?? alert);
  });

  routes.signedIn('POST /api/wellbeing/alerts/:alertId/confirm-emergency', async (req, res, caller) => {
    const alert = await findWellbeingAlert(deps.pool, checkedId(req, 'alertId'));
    if (alert === null) throw new Problem('not-found');
    if ((await confirmEmergency(deps, alert, caller)) !== 'confirmed') throw new Problem('emergency-not-waiting');
    await send(deps, res, (await findWellbeingAlert(deps.pool, alert.alertId)) ?? alert);
  });
}

/** `closed-before`: it was over, or another end came first. `not-closed`: it goes on, and has to be asked again. */
export type Closing = 'closed' | 'closed-before' | 'not-closed';

/** The ends that this closing gives; every other one came before it. */
const ENDS_BY: Readonly<Record<CloseAlert['by'], readonly WellbeingEndReason[]>> = {
  user: ['closed-by-user'],
  staff: ['closed-by-staff', 'taken-over'],
};

/**
 * By the user it is about, or by staff. What is over stays as it is, and what has not begun never does, also when
 * Temporal is down.
 * @throws TemporalNotInTime
 */
export async function closeAlert(
  { pool, wellbeing }: Pick<ApiDeps, 'pool' | 'wellbeing'>,
  { subjectId: actor }: Pick<Caller, 'subjectId'>,
  { alertId, userId, endedAt }: WellbeingAlert,
): Promise<Closing> {
  await appendAudit(pool, { actor, action: 'wellbeing-alert.close-asked', objectId: alertId, outcome: 'done' });
  if (endedAt !== null) return 'closed-before';
  const by = userId === actor ? 'user' : 'staff';
  if (await closeUnopenedAlert(pool, alertId, by)) return 'closed';
  await wellbeing.close(alertId, by);
  // A workflow that was lost is over too, while its row goes on until the sweep has found it.
  const endReason = (await findWellbeingAlert(pool, alertId))?.endReason;
  if (endReason === null) return 'not-closed';
  return endReason !== undefined && ENDS_BY[by].includes(endReason) ? 'closed' : 'closed-before';
}

/** The workflow keeps who confirmed it before anything rings. @returns anything but `confirmed`: it does not wait for it */
export async function confirmEmergency(
  { wellbeing }: Pick<ApiDeps, 'wellbeing'>,
  { alertId, endedAt }: WellbeingAlert,
  { subjectId }: Pick<Caller, 'subjectId'>,
): Promise<'confirmed' | 'over' | 'refused'> {
  return endedAt === null ? await wellbeing.confirmEmergency(alertId, subjectId) : 'over';
}

async function send(deps: ApiDeps, res: Response, alert: WellbeingAlert): Promise<void> {
  const [steps, profile] = await Promise.all([
    stepsOfAlert(deps.pool, alert.alertId),
    findProfile(deps.pool, alert.userId),
  ]);
  const language = buddyLanguage(profile?.language ?? 'en');
  const answer: z.input<typeof wellbeingAlertWhole> = {
    ...shown(alert),
    reasonText: reasonInWords(alert.reason, language),
    stateText: stateInWords(alert, language),
    steps: steps.map((step) => shownStep(step, language)),
  };
  res.json(answer);
}

function shown(alert: WellbeingAlert): z.input<typeof wellbeingAlertShape> {
  return { ...alert, dueAt: alert.dueAt.toISOString(), endedAt: alert.endedAt?.toISOString() ?? null };
}

function shownStep(step: WellbeingStep, language: BuddyLanguage): z.input<typeof wellbeingAlertWhole>['steps'][number] {
  return {
    ...step,
    text: stepInWords(step, language),
    buddies: step.buddies.map((asked) => ({ ...asked, respondedAt: asked.respondedAt?.toISOString() ?? null })),
    confirmedAt: step.confirmedAt?.toISOString() ?? null,
    begunAt: step.begunAt?.toISOString() ?? null,
    endedAt: step.endedAt?.toISOString() ?? null,
  };
}

/** @param objectId of one alert, or `all` */
export async function noteAlertsRead(
  { pool }: Pick<ApiDeps, 'pool'>,
  { subjectId }: Pick<Caller, 'subjectId'>,
  objectId: string,
): Promise<void> {
  await appendAudit(pool, { actor: subjectId, action: 'wellbeing-alert.read', objectId, outcome: 'done' });
}
