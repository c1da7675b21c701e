import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  defineSignal,
  defineUpdate,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { MessageTurn } from '../activities/messages';
import {
  MESSAGE,
  MESSAGE_NEWS,
  messageDispatchKey,
  type MessageInput,
  type MessageNews,
  type MessageReason,
  type MessageReceipt,
  type MessageResult,
} from '../domain/message';
import { fallingBack, mailing, messageRecords, texting } from './activity-options';
import {
  type Ending,
  type FailedTry,
  failureOf,
  isPastBlock,
  mayFallBack,
  MessageCourse,
  resultOf,
  retryDelayMs,
  type SendResult,
} from './message-course';
import { reportTo } from './reporting';
import { tell, upsertState } from './visibility';

const receiptSignal = defineSignal<[MessageReceipt]>(MESSAGE.receipt);
const cancelUpdate = defineUpdate<MessageResult | 'too-late'>(MESSAGE.cancel);

/**
 * One message to one person, from the request to the last receipt: it waits for its time, the recipient's day and their
 * turn, is handed to the provider at most once a try, is tried again as the table of errors says, and where that was asked
 * for is said by a call in the end.
 */
export async function message(input: MessageInput): Promise<MessageResult> {
  const course = new MessageCourse(input);
  listen(course);
  // Cancelling from the Web UI must leave no open dispatch and no number, so nothing below is cancelled with it.
  CancellationScope.current().cancelRequested.catch(() => {
    course.stop ??= 'operator';
  });
  const result = await CancellationScope.nonCancellable(() => run(course));
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  if (course.stop === 'operator') throw new CancelledFailure('the message was stopped by an operator');
  return result;
}

function listen(course: MessageCourse): void {
  setHandler(receiptSignal, (receipt) => course.take(receipt));
  setHandler(cancelUpdate, async () => {
    // What the provider has cannot be taken back, but it is not tried again either.
    if (course.result === null) course.stop ??= 'user';
    await condition(() => course.result !== null || course.isWithProvider);
    return course.result ?? 'too-late';
  });
}

async function run(course: MessageCourse): Promise<MessageResult> {
  const opened = await messageRecords.openMessage(course.input);
  course.receiptPatienceMs = opened.receiptPatienceMs;
  course.goesByVoiceWhenBlocked = opened.goesByVoiceWhenBlocked;
  let turn = opened.turn;
  let isNoted = true;
  for (;;) {
    const held = await waitForTurn(course, turn, isNoted);
    if (held !== null) return close(course, held);
    const ending = await tryOnce(course);
    if (ending !== 'again') return close(course, ending);
    turn = await messageRecords.messageTurn(course.input);
    isNoted = false;
  }
}

/**
 * Waits until the message may go. Of a wait that ends too late the app is told at once.
 * @param isNoted whether the row says already that it waits for this turn, or that it is being sent
 */
async function waitForTurn(course: MessageCourse, first: MessageTurn, isNoted: boolean): Promise<Ending | null> {
  const { messageId } = course.input;
  let turn = first;
  let isInRow = isNoted;
  for (;;) {
    if (course.isOver()) return overAnyway(course);
    if (course.isTooLateIn(turn.waitMs)) return { outcome: 'expired', reason: 'too-late' };
    if (turn.waitMs <= 0) {
      if (!isInRow)
        await messageRecords.noteMessage({ messageId, state: 'sending', reason: null, nextAttemptAt: null });
      return null;
    }
    const { waitMs, reason } = turn;
    const nextAttemptAt = new Date(Date.now() + waitMs).toISOString();
    if (!isInRow) await messageRecords.noteMessage({ messageId, state: 'waiting', reason, nextAttemptAt });
    markWaiting(course, `Waits until ${nextAttemptAt} (${reason ?? 'its turn'}).`);
    await condition(() => course.isOver(), waitMs, { summary: `wait: ${reason ?? 'turn'}` });
    if (course.isOver()) return overAnyway(course);
    turn = await messageRecords.messageTurn(course.input);
    isInRow = false;
  }
}

/** One try, from its dispatch to the provider's last word on it. */
async function tryOnce(course: MessageCourse): Promise<Ending | 'again'> {
  course.tries += 1;
  tell(course.tries === 1 ? 'Being sent.' : `Being sent, try ${course.tries}.`);
  const sent = await send(course);
  course.failure = null;
  if ('withdrawn' in sent) return course.isOver() ? overAnyway(course) : { outcome: 'expired', reason: 'too-late' };
  if ('failed' in sent) return afterFailure(course, sent.failed);
  course.sid = sent.sid;
  course.sids.push(sent.sid);
  course.segments = sent.segments ?? course.segments;
  course.isWithProvider = true;
  const ending = await awaitReceipt(course, sent.sid);
  course.isWithProvider = false;
  return 'outcome' in ending && !('errorCode' in ending) ? ending : afterFailure(course, ending);
}

/** Hands it to the provider. One that is cancelled, or too late, is withdrawn; its outcome is awaited all the same. */
async function send(course: MessageCourse): Promise<SendResult> {
  const dispatchId = uuid4();
  let result: SendResult | null = null;
  const sending = handOver(course, dispatchId).then((done) => {
    result = done;
  });
  const isSettled = () => result !== null || course.isOver();
  const left = course.timeLeft();
  if (left === null) await condition(isSettled);
  else await condition(isSettled, Math.max(1, left), { summary: 'not after' });
  if (result === null) {
    const { isQuiet } = await messageRecords.abandonDispatch({ dispatchId });
    // It may wait for the line, the day or its turn for hours, and would be told so only then.
    if (isQuiet) return { withdrawn: true };
  }
  await sending;
  return result ?? { withdrawn: true };
}

/** Never rejects. */
async function handOver(course: MessageCourse, dispatchId: string): Promise<SendResult> {
  const { input, tries } = course;
  const { messageId, recordId, recipientToken, country, content, language, kind, messageClass, subjectId } = input;
  const { sender, urgency, zone, waitsForDay } = input;
  const asked = {
    dispatchId,
    businessKey: messageDispatchKey(messageId, tries),
    messageId,
    workflowId: workflowInfo().workflowId,
    recordId,
    recipientToken,
    country,
    content,
    language,
    kind,
    messageClass,
    subjectId,
  };
  try {
    if (input.channel === 'email') return { ...(await mailing.sendMail(asked)), segments: null };
    const unreachedBy = course.failure?.errorClass === 'other-sender' ? course.sid : null;
    const wakes = waitsForDay === undefined ? {} : { waitsForDay };
    return await texting.sendText({ ...asked, sender, urgency, zone, unreachedBy, ...wakes });
  } catch (error) {
    return resultOf(error);
  }
}

/** What the provider says in the end. Without any word for too long nobody knows whether it arrived. */
async function awaitReceipt(course: MessageCourse, sid: string): Promise<Ending | FailedTry> {
  const { messageId } = course.input;
  if (course.ended(sid) === null) {
    const { tries: attempts, segments, isMarkedWaiting: hasWaited } = course;
    const sent = { messageId, state: 'sent', reason: null, nextAttemptAt: null, hasWaited } as const;
    await messageRecords.noteMessage({ ...sent, sid, attempts, ...(segments === null ? {} : { segments }) });
    if (!course.hasToldSent) await report(course, 'sent', null);
    course.hasToldSent = true;
    tell('The provider has it.');
  }
  const isOver = () => course.ended(sid) !== null || course.arrived() !== null || course.stop === 'operator';
  await condition(isOver, course.receiptPatienceMs, { summary: 'net below: the receipt' });
  if (course.arrived() !== null) return overAnyway(course);
  const told = course.ended(sid);
  if (told !== null) return failureOf(told) ?? { outcome: 'delivered', reason: null };
  return { outcome: 'unconfirmed', reason: course.stop === 'operator' ? 'stopped-by-operator' : 'no-receipt' };
}

/** Again, or by a call, or over. */
async function afterFailure(course: MessageCourse, failed: FailedTry): Promise<Ending | 'again'> {
  if (course.arrived() !== null) return overAnyway(course);
  course.failure = failed;
  const { messageId } = course.input;
  const delayMs = retryDelayMs(course, failed);
  if (delayMs !== null) {
    const { errorClass, errorCode } = failed;
    const nextAttemptAt = new Date(Date.now() + delayMs).toISOString();
    await messageRecords.noteRetry({ messageId, attempt: course.tries, errorClass, errorCode, delayMs, nextAttemptAt });
    markWaiting(course, `Is tried again at ${nextAttemptAt} (${errorClass ?? 'unknown'}).`);
    if (delayMs > 0) await condition(() => course.isOver(), delayMs, { summary: 'wait: retry' });
    return course.isOver() ? overAnyway(course) : 'again';
  }
  if (mayFallBack(course, failed)) course.fallbackAlertId = await fallBack(course, failed);
  return { outcome: failed.outcome, reason: failed.reason };
}

/** @returns null when no call could be begun: the message ends as it would have without */
async function fallBack(course: MessageCourse, failed: FailedTry): Promise<string | null> {
  const alertId = uuid4();
  tell('Did not arrive: a call says it.');
  try {
    const overrides = isPastBlock(course, failed) ? 'blocked' : null;
    await fallingBack.startFallbackAlert({ message: course.input, alertId, overrides });
    return alertId;
  } catch {
    return null;
  }
}

/** What has arrived is delivered, also where it was stopped meanwhile; the error that said otherwise is forgotten. */
function overAnyway(course: MessageCourse): Ending {
  const arrived = course.arrived();
  if (arrived !== null) {
    course.sid = arrived;
    course.failure = null;
    return { outcome: 'delivered', reason: null };
  }
  return { outcome: 'cancelled', reason: course.stop === 'operator' ? 'stopped-by-operator' : 'cancelled' };
}

/** An upsert is a billed action: only the first wait of a message makes one. */
function markWaiting(course: MessageCourse, sentence: string): void {
  tell(sentence);
  if (!course.isMarkedWaiting) upsertState('waiting');
  course.isMarkedWaiting = true;
}

async function close(course: MessageCourse, ending: Ending): Promise<MessageResult> {
  const { input, sid, segments, tries, failure, fallbackAlertId } = course;
  await messageRecords.closeMessage({
    messageId: input.messageId,
    outcome: ending.outcome,
    reason: ending.reason,
    sid,
    segments,
    attempts: tries,
    errorCode: failure?.errorCode ?? null,
    errorClass: failure?.errorClass ?? null,
    fallbackAlertId,
    hasWaited: course.isMarkedWaiting,
    endedAt: new Date(Date.now()).toISOString(),
  });
  await report(course, ending.outcome, ending.reason);
  if (course.isMarkedWaiting) upsertState('ended');
  tell(`Over: ${ending.outcome}${ending.reason === null ? '' : ` (${ending.reason})`}.`);
  course.result = { state: ending.outcome, reason: ending.reason };
  return course.result;
}

async function report({ input }: MessageCourse, state: MessageNews['state'], reason: MessageReason | null) {
  const news: MessageNews = { messageId: input.messageId, state, reason, at: new Date(Date.now()).toISOString() };
  await reportTo(input.reportsTo, MESSAGE_NEWS, news);
}
