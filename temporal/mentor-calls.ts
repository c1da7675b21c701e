import {
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import {
  MENTOR_CALL,
  mentorCallWorkflowId,
  type CallPlan,
  type LegEnded,
  type MentorCallInput,
  type MentorCallResult,
  type TwimlQuestion,
} from '../domain/mentor-call';
import type { KindlineClient } from './connection';
import { ProcessIsOver } from './errors';
import { PRIORITY } from './priorities';
import { inTime, spoken, startedOnce } from './speaking';
import { KINDLINE_COUNTRY, KINDLINE_SINCE, KINDLINE_STATE, KINDLINE_SUBJECT } from './search-attributes';
import { askWithStart } from './update-with-start';

/** What the owner check and the check for another body under the same key need; encrypted like any payload. */
interface CallMemo extends Record<string, unknown> {
  readonly owner: string;
  readonly requestHash: string;
}

/** How long starting a call may take (ms). */
const START_WITHIN_MS = 5_000;
/** Cancelling waits for phones to be hung up (ms). */
const CANCEL_WITHIN_MS = 20_000;
const DESCRIBE_WITHIN_MS = 3_000;

/**
 * Starts the workflow of a call. A repeated request finds the running one; one that comes after its end starts
 * nothing (the namespace remembers ids for seven days).
 *
 * @returns `running`, or `over` when this call has been before and has ended
 * @throws TemporalNotInTime, or TemporalNotPrepared before the first start of a worker
 */
export async function startMentorCall(
  client: KindlineClient,
  input: MentorCallInput,
  withinMs: number = START_WITHIN_MS,
): Promise<'running' | 'over'> {
  return await startedOnce(client, withinMs, () =>
    client.workflow.start(MENTOR_CALL.workflow, startOptions(client, input)),
  );
}

function startOptions(client: KindlineClient, input: MentorCallInput) {
  const memo: CallMemo = { owner: input.userId, requestHash: input.requestHash };
  return {
    workflowId: mentorCallWorkflowId(input.callId),
    taskQueue: client.workflowQueue,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
    memo,
    staticSummary: 'A masked call between a user and a mentor',
    typedSearchAttributes: [
      { key: KINDLINE_STATE, value: 'running' },
      { key: KINDLINE_SINCE, value: new Date() },
      { key: KINDLINE_SUBJECT, value: client.subjectAttribute(input.userId) },
      { key: KINDLINE_COUNTRY, value: input.country },
    ],
    priority: PRIORITY.emergency,
  };
}

/**
 * Starts the workflow of a call from the app and asks its first question, in one request: whoever asks again finds the
 * call that was begun, and the same `updateId` gets the same answer.
 *
 * @throws as {@link askTwiml}; ProcessIsOver also for a call that has been before
 */
export async function beginMentorCall(
  client: KindlineClient,
  input: MentorCallInput,
  question: TwimlQuestion,
  updateId: string,
  deadlineMs: number,
): Promise<CallPlan> {
  const start = () => new WithStartWorkflowOperation(MENTOR_CALL.workflow, startOptions(client, input));
  const asked = { update: MENTOR_CALL.answerTwiml, updateId, args: [question] as [TwimlQuestion] };
  try {
    return await askWithStart<Workflow, CallPlan, [TwimlQuestion]>(client, start, asked, deadlineMs);
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) throw new ProcessIsOver();
    throw error;
  }
}

/**
 * Asks a call which TwiML comes next. The same `updateId` gets the same answer, however often Twilio asks.
 *
 * @throws ProcessIsOver, QuestionRefused, or TemporalNotInTime: in the last case the question may still be
 *   executed, which is why it carries `validUntil`
 */
export async function askTwiml(
  client: KindlineClient,
  callId: string,
  question: TwimlQuestion,
  updateId: string,
  deadlineMs: number,
): Promise<CallPlan> {
  const call = handle(client, callId);
  return spoken(client, deadlineMs, () =>
    call.executeUpdate<CallPlan, [TwimlQuestion]>(MENTOR_CALL.answerTwiml, { args: [question], updateId }),
  );
}

/** Tells a call that a leg has ended. */
export async function signalLegEnded(
  client: KindlineClient,
  callId: string,
  event: LegEnded,
  deadlineMs: number,
): Promise<'signalled' | 'closed'> {
  return orClosed(() => spoken(client, deadlineMs, () => handle(client, callId).signal(MENTOR_CALL.legEnded, event)));
}

/** Tells a call that waits that a mentor's place is kept for it now. `closed`: it is over, and waits no more. */
export async function signalPlaceOffered(
  client: KindlineClient,
  callId: string,
  deadlineMs: number,
): Promise<'signalled' | 'closed'> {
  return orClosed(() => spoken(client, deadlineMs, () => handle(client, callId).signal(MENTOR_CALL.placeOffered)));
}

/** A call that is over has nothing to learn any more: that is no error. */
async function orClosed(signal: () => Promise<void>): Promise<'signalled' | 'closed'> {
  try {
    await signal();
    return 'signalled';
  } catch (error) {
    if (error instanceof ProcessIsOver) return 'closed';
    throw error;
  }
}

/** Cancels or ends a call and waits until its phones are quiet. `not-found`: it is over or never was. */
export async function cancelMentorCall(
  client: KindlineClient,
  callId: string,
  withinMs: number = CANCEL_WITHIN_MS,
): Promise<MentorCallResult | 'not-found'> {
  try {
    return await spoken(client, withinMs, () =>
      handle(client, callId).executeUpdate<MentorCallResult, []>(MENTOR_CALL.cancel, { updateId: 'cancel' }),
    );
  } catch (error) {
    if (error instanceof ProcessIsOver) return 'not-found';
    throw error;
  }
}

export interface MentorCallDescription {
  /** Subject id of the user who asked for the call. */
  readonly owner: string;
  readonly requestHash: string;
  readonly running: boolean;
}

/** What Temporal knows of a call, also before its row exists; null when it knows nothing. */
export async function describeMentorCall(
  client: KindlineClient,
  callId: string,
  withinMs: number = DESCRIBE_WITHIN_MS,
): Promise<MentorCallDescription | null> {
  try {
    const described = await inTime(client, withinMs, () => handle(client, callId).describe());
    const { owner, requestHash } = (described.memo ?? {}) as Partial<CallMemo>;
    if (typeof owner !== 'string' || typeof requestHash !== 'string') return null;
    return { owner, requestHash, running: described.status.name === 'RUNNING' };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

function handle(client: KindlineClient, callId: string): WorkflowHandle {
  return client.workflow.getHandle(mentorCallWorkflowId(callId));
}
