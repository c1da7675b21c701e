import type { z } from 'zod';
import { type AlertRow, callsOfAlert, findAlert, listAlerts, recipientsOfAlert } from '../db/alerts';
import { appendAudit } from '../db/audit';
import type { VoiceAlertResult } from '../domain/voice-alert';
import { QuestionRefused } from '../temporal/errors';
import { requestVoiceAlert } from './alert-requests';
import { type alertPage, type alertShape, alertsQuery, type alertWithCalls } from './alerts-shapes';
import type { Caller } from './authentication';
import { checkOwner, hasOneOf } from './authorisation';
import { checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { Problem } from './problems';
import type { Routes } from './routes';

type Shown = z.input<typeof alertShape>;
type ShownWhole = z.input<typeof alertWithCalls>;

/** Voice alerts: ask for one, look who was reached, cancel it. */
export function alerts(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('POST /alerts/voice', (req, res, caller) => requestVoiceAlert(deps, req, res, caller));

  routes.signedIn('GET /alerts/voice', async (req, res, caller) => {
    const { cursor, limit, state } = checkedQuery(alertsQuery, req);
    const scope: CursorScope = ['GET /alerts/voice', caller.subjectId, state ?? ''];
    const isStaff = hasOneOf(caller, ['staff', 'admin']);
    // Staff look after everybody's; that they looked is kept.
    if (isStaff) await noteRead(deps, caller, 'all');
    const page = await listAlerts(deps.pool, {
      ...(isStaff ? {} : { requestedBy: caller.subjectId }),
      state,
      limit,
      cursor: checkedCursor(deps.tokenizer, scope, cursor),
    });
    const answer: z.input<typeof alertPage> = {
      voiceAlerts: page.rows.map(shown),
      nextCursor: signedCursor(deps.tokenizer, scope, page.nextCursor),
    };
    res.json(answer);
  });

  routes.signedIn('GET /alerts/voice/:alertId', async (req, res, caller) => {
    const alertId = checkedId(req, 'alertId');
    const row = await findAlert(deps.pool, alertId);
    // The workflow's first step writes the row; until then Temporal knows it.
    const started = row === null ? await deps.alerts.describe(alertId) : null;
    const owner = row?.requestedBy ?? started?.owner ?? null;
    checkOwner('GET /alerts/voice/:alertId', caller, owner);
    if (owner !== caller.subjectId) await noteRead(deps, caller, alertId);
    if (row !== null || owner === null) {
      res.json(await whole(deps, row));
      return;
    }
    // A workflow that is over has written its row by now, or was stopped before it could.
    const late = started?.running === false ? await findAlert(deps.pool, alertId) : null;
    const state = started?.running === false ? 'failed' : 'starting';
    res.json(late === null ? withoutRow(alertId, owner, { state }) : await whole(deps, late));
  });

  routes.signedIn('DELETE /alerts/voice/:alertId', async (req, res, caller) => {
    const alertId = checkedId(req, 'alertId');
    const row = await findAlert(deps.pool, alertId);
    const owner = row?.requestedBy ?? (await deps.alerts.describe(alertId))?.owner ?? null;
    checkOwner('DELETE /alerts/voice/:alertId', caller, owner);
    // What is over is told from its row, also when Temporal is down.
    const result = row === null || row.live ? await cancelled(deps, alertId, caller) : 'not-found';
    const ended = await findAlert(deps.pool, alertId);
    if (ended !== null) {
      res.json(await whole(deps, ended));
      return;
    }
    if (result === 'not-found' || owner === null) throw new Problem('not-found');
    res.json(withoutRow(alertId, owner, result));
  });
}

/** An alert that ends by itself at this very moment refuses to be cancelled: it is over all the same. */
async function cancelled(
  deps: ApiDeps,
  alertId: string,
  { subjectId: actor }: Caller,
): Promise<VoiceAlertResult | 'not-found'> {
  await appendAudit(deps.pool, { actor, action: 'voice-alert.cancel-asked', objectId: alertId, outcome: 'done' });
  try {
    return await deps.alerts.cancel(alertId);
  } catch (error) {
    if (error instanceof QuestionRefused) return 'not-found';
    throw error;
  }
}

async function whole(deps: ApiDeps, row: AlertRow | null): Promise<ShownWhole> {
  if (row === null) throw new Problem('not-found');
  const recipients = await recipientsOfAlert(deps.pool, row.alertId);
  const calls = await callsOfAlert(deps.pool, row.alertId);
  return {
    ...shown(row),
    recipients,
    calls: calls.map((call) => ({
      ...call,
      startedAt: call.startedAt.toISOString(),
      answeredAt: call.answeredAt?.toISOString() ?? null,
      endedAt: call.endedAt?.toISOString() ?? null,
    })),
  };
}

/** The same shape while, or because, Temporal alone knows of the alert. */
function withoutRow(
  alertId: string,
  requestedBy: string,
  { state, endReason = null }: { state: Shown['state']; endReason?: Shown['endReason'] },
): ShownWhole {
  const nothing = { messageId: null, kind: null, urgency: null, acknowledge: null, position: null, reached: null };
  const times = { requestedAt: null, endedAt: null };
  return { alertId, state, endReason, requestedBy, ...nothing, ...times, recipients: [], calls: [] };
}

function shown(row: AlertRow): Shown {
  return {
    alertId: row.alertId,
    state: row.state,
    endReason: row.endReason,
    requestedBy: row.requestedBy,
    messageId: row.messageId,
    kind: row.kind,
    urgency: row.urgency,
    acknowledge: row.acknowledge,
    position: row.position,
    reached:
      row.reachedPosition === null || row.reachedAt === null
        ? null
        : { position: row.reachedPosition, at: row.reachedAt.toISOString() },
    requestedAt: row.requestedAt.toISOString(),
    endedAt: row.endedAt?.toISOString() ?? null,
  };
}

/** Staff may look at anybody's alert; that they did is kept. */
async function noteRead(deps: ApiDeps, caller: Caller, objectId: string): Promise<void> {
  await appendAudit(deps.pool, { actor: caller.subjectId, action: 'voice-alert.read', objectId, outcome: 'done' });
}
