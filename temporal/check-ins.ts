import { randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import {
  CHECK_IN,
  type CheckInAnswer,
  type CheckInInput,
  type CheckInOpened,
  type CheckInOpening,
  type CheckInTaken,
  checkInWorkflowId,
} from '../domain/buddies';
import type { TextedAnswer } from '../domain/check-in-answers';
import type { KindlineClient } from './connection';
import { ProcessIsOver } from './errors';
import { PRIORITY } from './priorities';
import { KINDLINE_COUNTRY, KINDLINE_SINCE, KINDLINE_STATE, KINDLINE_SUBJECT } from './search-attributes';
import { spoken, startedOnce } from './speaking';
import { askWithStart } from './update-with-start';

/** How long beginning one may take (ms): it looks whether the buddy may be asked. */
const BEGIN_WITHIN_MS = 5_000;
const START_WITHIN_MS = 5_000;

/**
 * Begins a check-in and asks whether it could be begun, in one request. One that runs is found; one that was refused may
 * be asked for again under the same id, and one that was begun is never begun twice: its row says so.
 *
 * @param country of the buddy's number, ISO 3166
 * @throws TemporalNotInTime, ProcessIsOver or QuestionRefused when it ended meanwhile, or TemporalNotPrepared
 */
export async function beginCheckIn(
  client: KindlineClient,
  input: CheckInInput,
  country: string,
  withinMs: number = BEGIN_WITHIN_MS,
): Promise<CheckInOpening> {
  const start = () =>
    new WithStartWorkflowOperation(CHECK_IN.workflow, {
      ...startOptions(client, input, country),
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    });
  // Another one each time: of a run that has ended the server repeats the answer to a question that it knows, and begins
  // no other run, also where the answer was to ask again.
  const asked = { update: CHECK_IN.opening, updateId: randomUUID(), args: [] as [] };
  return await askWithStart<Workflow, CheckInOpening, []>(client, start, asked, withinMs);
}

/**
 * Has a buddy asked for an alert. May be repeated: a check-in is begun once.
 *
 * @param country of the buddy's number, ISO 3166
 * @throws TemporalNotInTime, or TemporalNotPrepared before the first start of a worker
 */
export async function startSystemCheckIn(
  client: KindlineClient,
  input: CheckInInput,
  country: string,
): Promise<'running' | 'over'> {
  return await startedOnce(client, START_WITHIN_MS, () =>
    client.workflow.start(CHECK_IN.workflow, {
      ...startOptions(client, input, country),
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
    }),
  );
}

/** One that an alert asks for comes before what waits. */
function startOptions(client: KindlineClient, input: CheckInInput, country: string) {
  const args: [CheckInInput] = [input];
  return {
    workflowId: checkInWorkflowId(input.requestId),
    taskQueue: client.workflowQueue,
    args,
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    staticSummary: 'A buddy is asked to get in touch with somebody',
    typedSearchAttributes: [
      { key: KINDLINE_STATE, value: 'running' },
      { key: KINDLINE_SINCE, value: new Date() },
      { key: KINDLINE_SUBJECT, value: client.subjectAttribute(input.userId) },
      { key: KINDLINE_COUNTRY, value: country },
    ],
    priority: input.alert === null ? PRIORITY.normal : PRIORITY.emergency,
  };
}

/** Tells a check-in that its page was opened. @throws ProcessIsOver, TemporalNotInTime */
export async function signalOpened(
  client: KindlineClient,
  requestId: string,
  visit: CheckInOpened,
  deadlineMs: number,
): Promise<void> {
  await spoken(client, deadlineMs, () => handle(client, requestId).signal(CHECK_IN.opened, visit));
}

/**
 * Gives a check-in its answer. The same `updateId` gets the same word, however often it is asked.
 * @throws ProcessIsOver, QuestionRefused, or TemporalNotInTime: then it may still be taken, until its `validUntil`
 */
export async function answerCheckIn(
  client: KindlineClient,
  requestId: string,
  answer: CheckInAnswer,
  updateId: string,
  deadlineMs: number,
): Promise<CheckInTaken> {
  return await spoken(client, deadlineMs, () =>
    handle(client, requestId).executeUpdate<CheckInTaken, [CheckInAnswer]>(CHECK_IN.respond, {
      args: [answer],
      updateId,
    }),
  );
}

/** Tells a check-in what came by text. One that is over has nothing to learn any more: that is no error. */
export async function signalTexted(
  client: KindlineClient,
  { requestId, response }: TextedAnswer,
  deadlineMs: number,
): Promise<'signalled' | 'closed'> {
  try {
    await spoken(client, deadlineMs, () => handle(client, requestId).signal(CHECK_IN.texted, response));
    return 'signalled';
  } catch (error) {
    if (error instanceof ProcessIsOver) return 'closed';
    throw error;
  }
}

function handle(client: KindlineClient, requestId: string) {
  return client.workflow.getHandle(checkInWorkflowId(requestId));
}
