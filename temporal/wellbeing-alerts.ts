import { CHECK_IN, checkInWorkflowId } from '../domain/buddies';
import {
  type CloseAlert,
  type ConfirmEmergency,
  CONTACT_HAS_ANSWERED,
  type ContactAnswer,
  type ContactAsked,
  QUESTION_TOO_LATE,
  WELLBEING_ALERT,
  type WellbeingAlertInput,
  wellbeingAlertWorkflowId,
  type WellbeingResult,
} from '../domain/wellbeing-alert';
import type { KindlineClient } from './connection';
import { ProcessIsOver, QuestionRefused, TemporalNotInTime } from './errors';
import { cancelMessage } from './messages';
import { PRIORITY } from './priorities';
import { KINDLINE_SINCE, KINDLINE_STATE, KINDLINE_SUBJECT } from './search-attributes';
import { spoken, startedOnce } from './speaking';

const START_WITHIN_MS = 5_000;
/** Closing waits until whoever is asked was told. */
const TELL_WITHIN_MS = 10_000;

/**
 * Begins an alert that was noted as due. May be repeated; one that is over does not begin again.
 * @throws TemporalNotInTime, or TemporalNotPrepared before the first start of a worker
 */
export async function startWellbeingAlert(
  client: KindlineClient,
  input: WellbeingAlertInput,
  withinMs: number = START_WITHIN_MS,
): Promise<'running' | 'over'> {
  return await startedOnce(client, withinMs, () =>
    client.workflow.start(WELLBEING_ALERT.workflow, {
      workflowId: wellbeingAlertWorkflowId(input.alertId),
      taskQueue: client.workflowQueue,
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: 'Others are asked to look after somebody',
      typedSearchAttributes: [
        { key: KINDLINE_STATE, value: 'running' },
        { key: KINDLINE_SINCE, value: new Date() },
        { key: KINDLINE_SUBJECT, value: client.subjectAttribute(input.userId) },
      ],
      priority: PRIORITY.emergency,
    }),
  );
}

/**
 * Tells a check-in that the alert it belongs to is over; one that has ended has nothing to learn.
 * @param isInVain whether its answer was waited for to the end
 */
export async function tellCheckInOver(
  client: KindlineClient,
  requestId: string,
  withinMs: number,
  isInVain = false,
): Promise<void> {
  const as: ['unanswered'?] = isInVain ? ['unanswered'] : [];
  try {
    await spoken(client, withinMs, () =>
      client.workflow.getHandle(checkInWorkflowId(requestId)).signal<['unanswered'?]>(CHECK_IN.ended, ...as),
    );
  } catch (error) {
    if (!(error instanceof ProcessIsOver)) throw error;
  }
}

/** Ends an alert. `over`: it was before. @throws TemporalNotInTime */
export function closeWellbeingAlert(
  client: KindlineClient,
  alertId: string,
  by: CloseAlert['by'],
  withinMs: number = TELL_WITHIN_MS,
): Promise<WellbeingResult | 'over'> {
  return asked(client, alertId, withinMs, WELLBEING_ALERT.close, { by, validUntil: Date.now() + withinMs });
}

/** @returns `over` for an alert that has ended, `refused` for one whose emergency step does not wait for anybody */
export async function confirmEmergency(
  client: KindlineClient,
  alertId: string,
  actor: string,
  withinMs: number = TELL_WITHIN_MS,
): Promise<'confirmed' | 'over' | 'refused'> {
  const confirmed: ConfirmEmergency = { actor, validUntil: Date.now() + withinMs };
  try {
    return await spoken(client, withinMs, () =>
      handle(client, alertId).executeUpdate<'confirmed', [ConfirmEmergency]>(WELLBEING_ALERT.confirmEmergency, {
        args: [confirmed],
      }),
    );
  } catch (error) {
    if (error instanceof ProcessIsOver) return 'over';
    if (error instanceof QuestionRefused && error.why === QUESTION_TOO_LATE) throw new TemporalNotInTime();
    if (error instanceof QuestionRefused) return 'refused';
    throw error;
  }
}

/**
 * What the registered contact says. A text that has not left yet asks nothing more, and is cancelled.
 * @returns `over`: nobody waits for the answer any more; `kept`: what they said before stays
 * @throws TemporalNotInTime
 */
export async function tellContactAnswer(
  client: KindlineClient,
  { alertId, messageId }: ContactAsked,
  response: ContactAnswer['response'],
  withinMs: number = TELL_WITHIN_MS,
): Promise<'noted' | 'kept' | 'over'> {
  const answer: ContactAnswer = { response, validUntil: Date.now() + withinMs };
  const said = await asked<'noted'>(client, alertId, withinMs, WELLBEING_ALERT.contactAnswers, answer).catch(
    (error: unknown) => {
      if (hasAnswered(error)) return 'kept' as const;
      throw error;
    },
  );
  if (messageId !== null) {
    await cancelMessage(client, messageId, withinMs).catch((error: unknown) => {
      // Who does not want it must not get it: told again. Another answer is noted, whatever becomes of the text.
      if (response === 'unavailable') throw error;
    });
  }
  return said;
}

function hasAnswered(error: unknown): boolean {
  return error instanceof QuestionRefused && error.why === CONTACT_HAS_ANSWERED;
}

/** An alert that ends by itself at this very moment refuses: it is over all the same. One that we reached too late goes on. */
async function asked<T>(
  client: KindlineClient,
  alertId: string,
  withinMs: number,
  update: string,
  argument: CloseAlert | ContactAnswer,
): Promise<T | 'over'> {
  try {
    return await spoken(client, withinMs, () =>
      handle(client, alertId).executeUpdate<T, [CloseAlert | ContactAnswer]>(update, { args: [argument] }),
    );
  } catch (error) {
    if (error instanceof QuestionRefused && error.why === QUESTION_TOO_LATE) throw new TemporalNotInTime();
    if (hasAnswered(error)) throw error;
    if (error instanceof ProcessIsOver || error instanceof QuestionRefused) return 'over';
    throw error;
  }
}

function handle(client: KindlineClient, alertId: string) {
  return client.workflow.getHandle(wellbeingAlertWorkflowId(alertId));
}
