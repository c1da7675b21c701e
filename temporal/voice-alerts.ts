import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import type { LegEnded } from '../domain/mentor-call';
import {
  type AlertPlan,
  type AlertQuestion,
  VOICE_ALERT,
  type VoiceAlertInput,
  type VoiceAlertResult,
  voiceAlertWorkflowId,
} from '../domain/voice-alert';
import type { KindlineClient } from './connection';
import { ProcessIsOver } from './errors';
import { PRIORITY } from './priorities';
import { KINDLINE_COUNTRY, KINDLINE_SINCE, KINDLINE_STATE, KINDLINE_SUBJECT } from './search-attributes';
import { inTime, spoken, startedOnce } from './speaking';

/** What the owner check and the check for another body under the same key need; encrypted like any payload. */
interface AlertMemo extends Record<string, unknown> {
  readonly owner: string;
  readonly requestHash: string;
}

const START_WITHIN_MS = 5_000;
/** Cancelling waits for phones to be hung up (ms). */
const CANCEL_WITHIN_MS = 20_000;
const DESCRIBE_WITHIN_MS = 3_000;

/**
 * Starts the workflow of an alert. A repeated request finds the running one; one that comes after its end starts
 * nothing.
 *
 * @returns `running`, or `over` when this alert has been before and has ended
 * @throws TemporalNotInTime, or TemporalNotPrepared before the first start of a worker
 */
export async function startVoiceAlert(
  client: KindlineClient,
  input: VoiceAlertInput,
  withinMs: number = START_WITHIN_MS,
): Promise<'running' | 'over'> {
  const memo: AlertMemo = { owner: input.requestedBy, requestHash: input.requestHash };
  const [first] = input.recipients;
  if (first === undefined) throw new TypeError('An alert without recipients rings nobody');
  return await startedOnce(client, withinMs, () =>
    client.workflow.start(VOICE_ALERT.workflow, {
      workflowId: voiceAlertWorkflowId(input.alertId),
      taskQueue: client.workflowQueue,
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      memo,
      staticSummary: 'A voice alert',
      typedSearchAttributes: [
        { key: KINDLINE_STATE, value: 'running' },
        { key: KINDLINE_SINCE, value: new Date() },
        { key: KINDLINE_SUBJECT, value: client.subjectAttribute(first.subjectId) },
        { key: KINDLINE_COUNTRY, value: first.country },
      ],
      priority: PRIORITY[input.urgency],
    }),
  );
}

/**
 * Asks an alert what its recipient is to hear next. The same `updateId` gets the same answer, however often Twilio asks.
 *
 * @throws ProcessIsOver, QuestionRefused, or TemporalNotInTime: in the last case the question may still be executed,
 *   which is why it carries `validUntil`
 */
export async function askAlert(
  client: KindlineClient,
  alertId: string,
  question: AlertQuestion,
  updateId: string,
  deadlineMs: number,
): Promise<AlertPlan> {
  return await spoken(client, deadlineMs, () =>
    handle(client, alertId).executeUpdate<AlertPlan, [AlertQuestion]>(VOICE_ALERT.answerTwiml, {
      args: [question],
      updateId,
    }),
  );
}

/** Tells an alert that a leg has ended. An alert that is over has nothing to learn any more: that is no error. */
export async function signalAlertLegEnded(
  client: KindlineClient,
  alertId: string,
  event: LegEnded,
  deadlineMs: number,
): Promise<'signalled' | 'closed'> {
  try {
    await spoken(client, deadlineMs, () => handle(client, alertId).signal(VOICE_ALERT.legEnded, event));
    return 'signalled';
  } catch (error) {
    if (error instanceof ProcessIsOver) return 'closed';
    throw error;
  }
}

/** Cancels an alert and waits until no phone rings for it any more. `not-found`: it is over or never was. */
export async function cancelVoiceAlert(
  client: KindlineClient,
  alertId: string,
  withinMs: number = CANCEL_WITHIN_MS,
): Promise<VoiceAlertResult | 'not-found'> {
  try {
    return await spoken(client, withinMs, () =>
      handle(client, alertId).executeUpdate<VoiceAlertResult, []>(VOICE_ALERT.cancel, { updateId: 'cancel' }),
    );
  } catch (error) {
    if (error instanceof ProcessIsOver) return 'not-found';
    throw error;
  }
}

export interface VoiceAlertDescription {
  /** Subject id of who asked for it. */
  readonly owner: string;
  readonly requestHash: string;
  readonly running: boolean;
}

/** What Temporal knows of an alert, also before its row exists; null when it knows nothing. */
export async function describeVoiceAlert(
  client: KindlineClient,
  alertId: string,
  withinMs: number = DESCRIBE_WITHIN_MS,
): Promise<VoiceAlertDescription | null> {
  try {
    const described = await inTime(client, withinMs, () => handle(client, alertId).describe());
    const { owner, requestHash } = (described.memo ?? {}) as Partial<AlertMemo>;
    if (typeof owner !== 'string' || typeof requestHash !== 'string') return null;
    return { owner, requestHash, running: described.status.name === 'RUNNING' };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

function handle(client: KindlineClient, alertId: string): WorkflowHandle {
  return client.workflow.getHandle(voiceAlertWorkflowId(alertId));
}
