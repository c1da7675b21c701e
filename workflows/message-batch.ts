import {
  allHandlersFinished,
  CancelledFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineUpdate,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import {
  type BatchState,
  MESSAGE_BATCH,
  type MessageBatchInput,
  type MessageBatchResult,
} from '../domain/message-batch';
import { batches, batchRecords } from './activity-options';
import { tell } from './visibility';

const pauseUpdate = defineUpdate<BatchState>(MESSAGE_BATCH.pause);
const resumeUpdate = defineUpdate<BatchState>(MESSAGE_BATCH.resume);
const cancelUpdate = defineUpdate<BatchState>(MESSAGE_BATCH.cancel);

/** How long it waits for places to become free, ms: at first, and at most when nothing has moved for a while. */
const SOON = 1_000;
const AT_MOST = 60_000;

/** A history of some hundred events is read quickly by a worker that takes the batch over. */
const MOST_ROUNDS = 100;

/** What was wished last, and what is so. */
interface Course {
  wish: 'send' | 'pause' | 'cancel';
  state: BatchState;
  /** Cancelled from the Web UI. */
  byOperator: boolean;
}

/**
 * Sends a batch: a page of recipients at a time, so many that wait to be sent and no more, whatever its length. What it does
 * not know by heart it asks Postgres, so its own history stays short; it continues as new.
 */
export async function messageBatch(input: MessageBatchInput): Promise<MessageBatchResult> {
  const course = beginning(input);
  listen(course);
  // Cancelling from the Web UI leaves nothing half cancelled: it goes the way of the API's cancel.
  CancellationScope.current().cancelRequested.catch(() => {
    course.wish = 'cancel';
    course.byOperator = true;
  });
  const result = await CancellationScope.nonCancellable(() => run(input, course));
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  if (result === 'continue') {
    return await continueAsNew<typeof messageBatch>({ ...input, isPaused: course.state === 'paused' });
  }
  if (course.byOperator) throw new CancelledFailure('the batch was stopped by an operator');
  return result;
}

function beginning({ isPaused, isCancelled }: MessageBatchInput): Course {
  if (isCancelled === true) return { wish: 'cancel', state: 'checked', byOperator: false };
  if (isPaused === true) return { wish: 'pause', state: 'paused', byOperator: false };
  return { wish: 'send', state: 'checked', byOperator: false };
}

function listen(course: Course): void {
  const isOver = () => course.state === 'completed' || course.state === 'cancelled';
  const wish = (wanted: Course['wish'], state: BatchState) => async (): Promise<BatchState> => {
    // A cancel is for good.
    if (course.wish !== 'cancel') course.wish = wanted;
    // Somebody who wished something else meanwhile has taken it back: whoever waits on would keep this run from its end.
    await condition(() => course.state === state || course.wish !== wanted || isOver());
    return course.state;
  };
  setHandler(pauseUpdate, wish('pause', 'paused'));
  setHandler(resumeUpdate, wish('send', 'sending'));
  setHandler(cancelUpdate, wish('cancel', 'cancelled'));
}

async function run(input: MessageBatchInput, course: Course): Promise<MessageBatchResult | 'continue'> {
  const { batchId } = input;
  let pauseMs = SOON;
  let openBefore = 0;
  for (let round = 1; ; round += 1) {
    if (course.wish === 'cancel') return await cancel(input, course);
    if (course.wish === 'pause') {
      await enter(input, course, 'paused');
      await condition(() => course.wish !== 'pause');
      continue;
    }
    await enter(input, course, 'sending');
    const page = await batches.startMessagePage({ batchId });
    if (page.left === 0 && page.open === 0) {
      await enter(input, course, 'completed');
      return { state: 'completed' };
    }
    tell(`${page.open} messages under way, ${page.left} recipients to come.`);
    const isLong = round >= MOST_ROUNDS || workflowInfo().continueAsNewSuggested;
    // Whoever waits for a pause or a cancel is answered by this run.
    if (isLong && course.wish === 'send') return 'continue';
    const hasMoved = page.started > 0 || page.open !== openBefore;
    pauseMs = hasMoved ? SOON : Math.min(pauseMs * 2, AT_MOST);
    openBefore = page.open;
    // With places left the next page follows at once.
    if (page.isFull || page.left === 0) {
      const wished = course.wish;
      await condition(() => course.wish !== wished, pauseMs, { summary: 'until messages under way are over' });
    }
  }
}

/** What the provider has goes on to its end, and says so in its own row; nothing else is sent. */
async function cancel(input: MessageBatchInput, course: Course): Promise<MessageBatchResult> {
  const { batchId } = input;
  tell('Cancelling what was not sent.');
  let afterRow: number | null = 0;
  while (afterRow !== null) afterRow = await batches.cancelMessagePage({ batchId, afterRow });
  while ((await batches.destroyGivenPage({ batchId })) > 0);
  await enter(input, course, 'cancelled');
  return { state: 'cancelled' };
}

async function enter({ batchId }: MessageBatchInput, course: Course, state: BatchState): Promise<void> {
  if (course.state === state) return;
  course.state = await batchRecords.noteBatchState({ batchId, state });
}
