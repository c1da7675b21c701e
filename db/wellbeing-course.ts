/** What happens to a wellbeing alert, each fact in one transaction. All of it may be repeated. */
import type { Pool } from 'pg';
import { z } from 'zod';
import { CHECK_IN_RESPONSES } from '../domain/buddies';
import type { EscalationStep } from '../domain/escalation-policy';
import {
  type Ask,
  type BegunStep,
  type CloseAlert,
  type Decision,
  hasReached,
  type OpenedAlert,
  SKIP_REASONS,
  type SkipReason,
  STEP_STATES,
  type StepState,
  WELLBEING_END_REASONS,
  type WellbeingEndReason,
  WELLBEING_OUTCOMES,
  type WellbeingResult,
} from '../domain/wellbeing-alert';
import { appendAudit } from './audit';
import { noteAppEvent } from './app-events';
import { readPolicy } from './escalation-policies';
import { inTransaction } from './pool';
import { type Db, execute, maybeOne, one } from './query';
import { addresseesOf, isGone, type OrganisationParties } from './wellbeing-addressees';

/** Nothing was sent: the next score may begin another alert after this (ms), and not with every score until then. */
const TRIED_IN_VAIN_LASTS_MS = 6 * 3_600_000;

/** The first fact: which policy it keeps. @returns null for an alert that is over */
export async function openWellbeingAlert(pool: Pool, alertId: string): Promise<OpenedAlert | null> {
  return await inTransaction(pool, async (tx) => {
    const alert = await lockAlert(tx, alertId);
    if (alert === null || alert.isOver) return null;
    const { version, policy } = await readPolicy(tx, alert.policyVersion);
    if (alert.policyVersion !== null) return { policy, days: alert.days };
    await execute(
      tx,
      `UPDATE wellbeing_alerts SET state = 'running', policy_version = $2, opened_at = clock_timestamp(),
              started_at = coalesce(started_at, clock_timestamp()) WHERE alert_id = $1`,
      [alertId, version],
    );
    await execute(
      tx,
      `INSERT INTO wellbeing_alert_steps (alert_id, position, who, channel)
       SELECT $1, place, who, channel FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS step(who, channel, place)`,
      [alertId, policy.steps.map(({ who }) => who), policy.steps.map(({ channel }) => channel)],
    );
    await appendAudit(tx, { actor: 'system', action: 'wellbeing-alert.opened', objectId: alertId, outcome: 'done' });
    await tell(tx, alertId, alert.userId, 'running');
    return { policy, days: alert.days };
  });
}

export interface BeginStep {
  readonly alertId: string;
  readonly userId: string;
  /** From 1. */
  readonly position: number;
  readonly step: EscalationStep;
  /** Buddies who were asked in earlier steps. */
  readonly askedBuddyIds: readonly string[];
  /** As many as the step can need: what asks is found by them, also by a repeated attempt. */
  readonly askIds: readonly string[];
}

/** Chooses who is asked now, and keeps the choice: whoever repeats it gets the same. */
export async function beginWellbeingStep(
  pool: Pool,
  { alertId, userId, position, step, askedBuddyIds, askIds }: BeginStep,
  organisation: OrganisationParties,
): Promise<BegunStep> {
  return await inTransaction(pool, async (tx) => {
    await lockAlert(tx, alertId);
    const known = await findStep(tx, alertId, position);
    if (known.skippedBecause !== null) return { skipped: known.skippedBecause };
    if (known.state !== 'pending') return { asks: asksOf(step, known.askIds, known.buddyIds) };
    if (await isGone(tx, userId)) return { gone: true };
    const found = await addresseesOf(tx, userId, step, askedBuddyIds, organisation);
    if ('nobody' in found) {
      await skipStep(tx, alertId, position, found.nobody);
      return { skipped: found.nobody };
    }
    const buddyIds = 'buddies' in found ? found.buddies : [];
    // One call rings all numbers, one after the other; what waits for a human asks nobody yet.
    const used = askIds.slice(0, step.who === 'emergency' ? 0 : Math.max(1, buddyIds.length));
    const state: StepState = step.who === 'emergency' ? 'awaiting-human' : 'under-way';
    await execute(
      tx,
      `UPDATE wellbeing_alert_steps SET state = $3, ask_ids = $4, buddy_ids = $5, begun_at = clock_timestamp()
        WHERE alert_id = $1 AND position = $2`,
      [alertId, position, state, used, buddyIds],
    );
    if (state === 'awaiting-human') await tell(tx, alertId, userId, 'emergency-waiting');
    return { asks: asksOf(step, used, buddyIds) };
  });
}

function asksOf({ who, channel }: EscalationStep, askIds: readonly string[], buddyIds: readonly string[]): Ask[] {
  const by = who === 'buddies' ? 'check-in' : channel === 'voice' ? 'call' : 'message';
  return askIds.map((askId, index) => ({ askId, by, buddyId: buddyIds[index] ?? null }));
}

async function skipStep(tx: Db, alertId: string, position: number, because: SkipReason): Promise<void> {
  await execute(
    tx,
    `UPDATE wellbeing_alert_steps SET state = 'skipped', skipped_because = $3, ended_at = clock_timestamp()
      WHERE alert_id = $1 AND position = $2 AND ended_at IS NULL`,
    [alertId, position, because],
  );
}

export interface StepNote {
  readonly alertId: string;
  readonly position: number;
  readonly state: Extract<StepState, 'answered' | 'unanswered'>;
  /** Of the registered contact. */
  readonly response: Decision['response'];
}

/** How a step ended by itself, while the alert may go on; noted anew when somebody has corrected an answer. */
export async function noteWellbeingStep(db: Db, { alertId, position, state, response }: StepNote): Promise<void> {
  await execute(
    db,
    `UPDATE wellbeing_alert_steps SET state = $3, response = coalesce($4, response), ended_at = coalesce(ended_at, clock_timestamp())
      WHERE alert_id = $1 AND position = $2 AND (ended_at IS NULL OR state IN ('answered', 'unanswered'))`,
    [alertId, position, state, response],
  );
}

export interface EmergencyConfirmation {
  readonly alertId: string;
  readonly position: number;
  /** Subject id. */
  readonly actor: string;
  /** Of the call that it sets off. */
  readonly askId: string;
}

/** The human who set the emergency step off, kept with what it set off. */
export async function noteEmergencyConfirmed(pool: Pool, confirmed: EmergencyConfirmation): Promise<void> {
  const { alertId, position, actor, askId } = confirmed;
  await inTransaction(pool, async (tx) => {
    const noted = await execute(
      tx,
      `UPDATE wellbeing_alert_steps
          SET state = 'under-way', confirmed_by = $3, confirmed_at = clock_timestamp(), ask_ids = ARRAY[$4::uuid]
        WHERE alert_id = $1 AND position = $2 AND state = 'awaiting-human'`,
      [alertId, position, actor, askId],
    );
    if (noted === 0) return;
    const action = 'wellbeing-alert.emergency-confirmed';
    await appendAudit(tx, { actor, action, objectId: alertId, outcome: 'done' });
  });
}

/** Ends that come when nobody is known to have been in touch. */
const OF_ITSELF: readonly WellbeingEndReason[] = ['nobody-answered', 'handed-over'];

export interface AlertClosing extends WellbeingResult {
  readonly alertId: string;
  readonly decision: Decision | null;
  /** ISO 8601. */
  readonly endedAt: string;
}

export interface ClosedAlert extends WellbeingResult {
  /** False where it was over before. */
  readonly isNew: boolean;
}

/**
 * The last fact. An answer that was taken just before, and whose news has not reached the workflow, decides: whoever gave
 * it was thanked.
 * @returns how it has ended, also before; null when there is none
 */
export async function closeWellbeingAlert(pool: Pool, closing: AlertClosing): Promise<ClosedAlert | null> {
  const { alertId } = closing;
  return await inTransaction(pool, async (tx) => {
    const alert = await lockAlert(tx, alertId);
    if (alert === null) return null;
    if (alert.isOver) return { ...(await endOf(tx, alertId)), isNew: false };
    const late = OF_ITSELF.includes(closing.endReason) ? await answerUnheard(tx, alertId) : null;
    const { state, endReason } = await writeEnd(tx, alert.userId, { ...closing, ...late });
    return { state, endReason, isNew: true };
  });
}

/**
 * Before its workflow has opened it, also while that cannot be reached or was never begun: it finds the alert over then,
 * and asks nobody.
 * @returns false: it was opened, or is over
 */
export async function closeUnopenedAlert(pool: Pool, alertId: string, by: CloseAlert['by']): Promise<boolean> {
  return await inTransaction(pool, async (tx) => {
    const alert = await lockAlert(tx, alertId);
    if (alert === null || alert.isOver || alert.policyVersion !== null) return false;
    const endReason = by === 'user' ? 'closed-by-user' : 'closed-by-staff';
    const endedAt = new Date().toISOString();
    await writeEnd(tx, alert.userId, { alertId, state: 'closed', endReason, decision: null, endedAt });
    return true;
  });
}

async function writeEnd(tx: Db, userId: string, closing: AlertClosing): Promise<WellbeingResult> {
  const { alertId, state, endReason, decision, endedAt } = closing;
  await closeSteps(tx, alertId, decision);
  const asked = await askedAnybody(tx, alertId);
  await execute(
    tx,
    `UPDATE wellbeing_alerts SET state = $2, end_reason = $3, ended_at = $4, decided_by = $7,
            counts = counts AND ($5 OR $3 NOT IN ('workflow-failed', 'stopped-by-operator')),
            cooldown = CASE WHEN $3 = 'nobody-to-ask'
              THEN cooldown * tstzrange(NULL, clock_timestamp() + $6 * interval '1 millisecond') ELSE cooldown END
      WHERE alert_id = $1`,
    [alertId, state, endReason, endedAt, asked, TRIED_IN_VAIN_LASTS_MS, decision?.askId ?? null],
  );
  const audited = {
    action: 'wellbeing-alert.closed',
    objectId: alertId,
    purpose: endReason,
    outcome: 'done',
  } as const;
  await appendAudit(tx, { actor: 'system', ...audited });
  await tell(tx, alertId, userId, state);
  return { state, endReason };
}

function endOf(tx: Db, alertId: string): Promise<WellbeingResult> {
  return one(
    tx,
    z
      .object({ state: z.enum(WELLBEING_OUTCOMES), end_reason: z.enum(WELLBEING_END_REASONS) })
      .transform((row): WellbeingResult => ({ state: row.state, endReason: row.end_reason })),
    'SELECT state, end_reason FROM wellbeing_alerts WHERE alert_id = $1',
    [alertId],
  );
}

const unheardRow = z.object({
  request_id: z.uuid(),
  response: z.enum(CHECK_IN_RESPONSES),
  responded_at: z.date(),
  position: z.int(),
  newest: z.int(),
});

/** Of a buddy who was in touch; behind the lock of the alert, so that none comes after it. */
async function answerUnheard(tx: Db, alertId: string): Promise<Omit<AlertClosing, 'alertId' | 'endedAt'> | null> {
  const row = await maybeOne(
    tx,
    unheardRow,
    `SELECT r.request_id, r.response, r.responded_at, s.position,
            coalesce((SELECT max(n.position) FROM wellbeing_alert_steps n WHERE n.alert_id = $1 AND n.begun_at IS NOT NULL),
                     s.position) AS newest
       FROM buddy_check_in_requests r JOIN wellbeing_alert_steps s ON s.alert_id = $1 AND r.request_id = ANY (s.ask_ids)
      WHERE r.alert_id = $1 AND r.response = ANY ($2) ORDER BY r.responded_at LIMIT 1`,
    [alertId, CHECK_IN_RESPONSES.filter((response) => hasReached(response))],
  );
  if (row === null) return null;
  const { request_id: askId, response, responded_at: at, position, newest } = row;
  const decision: Decision = { askId, party: 'buddies', response, position, at: at.toISOString() };
  return { state: 'answered', endReason: position < newest ? 'answered-after-escalation' : 'answered', decision };
}

/** The step that decided is answered, also where everybody it asked had said that they cannot before. */
async function closeSteps(tx: Db, alertId: string, decision: Decision | null): Promise<void> {
  const { position, response } = decision ?? { position: 0, response: null };
  await execute(
    tx,
    `UPDATE wellbeing_alert_steps
        SET state = CASE WHEN position = $2 THEN 'answered' WHEN state IN ('pending', 'awaiting-human') THEN 'not-begun' ELSE 'ended' END,
            response = CASE WHEN position = $2 AND who = 'registered-contact' THEN $3 ELSE response END,
            ended_at = clock_timestamp()
      WHERE alert_id = $1 AND (ended_at IS NULL OR position = $2)`,
    [alertId, position, response],
  );
}

async function askedAnybody(tx: Db, alertId: string): Promise<boolean> {
  const { asked } = await one(
    tx,
    z.object({ asked: z.boolean() }),
    'SELECT EXISTS (SELECT FROM wellbeing_alert_steps WHERE alert_id = $1 AND begun_at IS NOT NULL) AS asked',
    [alertId],
  );
  return asked;
}

async function lockAlert(tx: Db, alertId: string) {
  return await maybeOne(
    tx,
    z
      .object({ user_id: z.uuid(), days: z.int().nullable(), policy_version: z.int().nullable(), is_over: z.boolean() })
      .transform((row) => ({
        userId: row.user_id,
        // Of somebody who was erased nobody is asked, and nobody is told of days.
        days: row.days ?? 1,
        policyVersion: row.policy_version,
        isOver: row.is_over,
      })),
    `SELECT user_id, days, policy_version, ended_at IS NOT NULL AS is_over FROM wellbeing_alerts
      WHERE alert_id = $1 FOR NO KEY UPDATE`,
    [alertId],
  );
}

function findStep(tx: Db, alertId: string, position: number) {
  return one(
    tx,
    z
      .object({
        state: z.enum(STEP_STATES),
        skipped_because: z.enum(SKIP_REASONS).nullable(),
        ask_ids: z.array(z.uuid()),
        buddy_ids: z.array(z.uuid()),
      })
      .transform((row) => ({
        state: row.state,
        skippedBecause: row.skipped_because,
        askIds: row.ask_ids,
        buddyIds: row.buddy_ids,
      })),
    `SELECT state, skipped_because, ask_ids, buddy_ids FROM wellbeing_alert_steps
      WHERE alert_id = $1 AND position = $2`,
    [alertId, position],
  );
}

async function tell(tx: Db, alertId: string, userId: string, state: string): Promise<void> {
  await noteAppEvent(tx, { subjectId: userId, type: `wellbeing-alert.${state}`, objectId: alertId, state });
}
