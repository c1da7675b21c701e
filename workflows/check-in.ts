import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  defineSignal,
  defineUpdate,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import {
  CHECK_IN,
  CHECK_IN_NEWS,
  type CheckInAnswer,
  type CheckInInput,
  type CheckInNews,
  type CheckInOpened,
  type CheckInOpening,
  type CheckInResponse,
  type CheckInResult,
  type CheckInState,
  type CheckInTaken,
} from '../domain/buddies';
import type { BuddyNews } from '../domain/buddy-news';
import { MESSAGE_NEWS, type MessageNews } from '../domain/message';
import { checkInNews, checkInRecords, checkInTexting } from './activity-options';
import { CheckInCourse, type GivenAnswer } from './check-in-course';
import { reportTo } from './reporting';
import { tell } from './visibility';

const openingUpdate = defineUpdate<CheckInOpening>(CHECK_IN.opening);
const respondUpdate = defineUpdate<CheckInTaken, [CheckInAnswer]>(CHECK_IN.respond);
const openedSignal = defineSignal<[CheckInOpened]>(CHECK_IN.opened);
const textedSignal = defineSignal<[CheckInResponse]>(CHECK_IN.texted);
const endedSignal = defineSignal<['unanswered'?]>(CHECK_IN.ended);
const newsSignal = defineSignal<[MessageNews]>(MESSAGE_NEWS);

/** Longer than the request waits for it: then nobody is to be texted for a user who was told that it failed (ms). */
const BEGUN_WITHIN = 6_000;

type Ending = {
  readonly state: Extract<CheckInState, 'answered' | 'unanswered' | 'undeliverable' | 'ended'>;
  /** False when nothing was sent. */
  readonly counts: boolean;
};

/**
 * One text that asks a buddy to look after somebody, until it closes: whether it may be sent at all, what becomes of it,
 * what the buddy answers on its page or by text, and one reminder. An answer may be corrected until then; the newest counts.
 */
export async function checkIn(input: CheckInInput): Promise<CheckInResult> {
  const course = new CheckInCourse(input, Date.now());
  listen(course);
  // Cancelling from the Web UI must leave no text that is still to go, so nothing below is cancelled with it.
  CancellationScope.current().cancelRequested.catch(() => {
    course.stop ??= 'operator';
  });
  const result = await CancellationScope.nonCancellable(() => run(course));
  await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  if (course.stop === 'operator') throw new CancelledFailure('the check-in was stopped by an operator');
  return result;
}

function listen(course: CheckInCourse): void {
  setHandler(openingUpdate, async () => {
    await condition(() => course.opening !== null);
    return course.opening ?? { state: course.state };
  });
  setHandler(respondUpdate, (answer) => respond(course, answer), {
    // An answer nobody waits for any more is refused: its page has said that it failed.
    validator: ({ validUntil }) => {
      if (Date.now() > validUntil || course.isOver || !course.mayStillBeCorrected()) throw tooLate();
    },
  });
  setHandler(openedSignal, (visit) => {
    if (!course.hasOpened) course.visit = visit;
    course.hasOpened = true;
  });
  setHandler(textedSignal, (response) => {
    // The question counts once, and may be handed over twice.
    if (!course.hasTexted) course.answers.push({ response, noteRecordId: null, taken: null });
    course.hasTexted = true;
  });
  setHandler(endedSignal, (as) => {
    course.stop ??= as ?? 'ended';
  });
  setHandler(newsSignal, (news) => {
    if (news.messageId === course.messageId) course.news.push(news);
  });
}

async function respond(course: CheckInCourse, { response, noteRecordId }: CheckInAnswer): Promise<CheckInTaken> {
  const given: GivenAnswer = { response, noteRecordId, taken: null };
  course.answers.push(given);
  await condition(() => given.taken !== null || course.isOver);
  if (given.taken === null) throw tooLate();
  return given.taken;
}

function tooLate(): ApplicationFailure {
  return ApplicationFailure.nonRetryable('too late', 'AnswerTooLate');
}

async function run(course: CheckInCourse): Promise<CheckInResult> {
  const { input, messageId, closesAt } = course;
  const validUntil = input.alert === null ? workflowInfo().startTime.valueOf() + BEGUN_WITHIN : null;
  const { opening, isBegun } = await checkInRecords.openCheckIn({
    input,
    messageId,
    closesAt: isoTime(closesAt),
    validUntil,
  });
  course.opening = opening;
  if (!isBegun) return await notBegun(course, opening);
  tell('The text is being sent.');
  course.texting.push(startText(course));
  for (;;) {
    const patience = Math.max(1, course.nextTimer() - Date.now());
    await condition(() => course.hasHeard(), patience, { summary: 'the reminder, or the close' });
    const ending = await step(course);
    if (ending !== null) return await close(course, ending);
  }
}

/** Whoever asks for an alert goes on with another buddy. */
async function notBegun(course: CheckInCourse, opening: CheckInOpening): Promise<CheckInResult> {
  course.isOver = true;
  if ('state' in opening) return { state: opening.state, response: null };
  tell(`Not begun: ${opening.refused}.`);
  course.state = 'undeliverable';
  await report(course);
  return { state: 'refused', response: null };
}

/** Never rejects. */
async function startText(course: CheckInCourse): Promise<void> {
  const { input, messageId } = course;
  const isStarted = await checkInTexting.startCheckInText({ input, which: 'first', messageId }).catch(() => false);
  if (!isStarted) course.hasTextFailed = true;
}

/** Takes what was heard, in the order in which it counts, then what is due. @returns how it ends, if it does */
async function step(course: CheckInCourse): Promise<Ending | null> {
  await takeVisit(course);
  for (let given = course.answers.shift(); given !== undefined; given = course.answers.shift()) {
    await takeAnswer(course, given);
  }
  for (let news = course.news.shift(); news !== undefined; news = course.news.shift()) {
    const ending = await takeNews(course, news);
    if (ending !== null) return ending;
  }
  if (course.hasTextFailed) return { state: 'undeliverable', counts: false };
  if (course.stop !== null) {
    const state = course.stop === 'unanswered' ? 'unanswered' : 'ended';
    return { state: course.response === null ? state : 'answered', counts: course.isSent };
  }
  if (Date.now() >= course.closesAt) {
    return { state: course.response === null ? 'unanswered' : 'answered', counts: course.isSent };
  }
  if (course.reminderAt !== null && Date.now() >= course.reminderAt) remind(course);
  return null;
}

async function takeVisit(course: CheckInCourse): Promise<void> {
  const { visit, input } = course;
  if (visit === null) return;
  course.visit = null;
  await checkInRecords.noteCheckIn({ requestId: input.requestId, what: 'opened', at: isoTime(Date.now()), ...visit });
  await advance(course, 'opened', 'The link was opened.');
}

async function takeAnswer(course: CheckInCourse, given: GivenAnswer): Promise<void> {
  const { response, noteRecordId } = given;
  const isSame = course.response === response && noteRecordId === null;
  if (isSame || !course.mayStillBeCorrected()) {
    given.taken = 'answered-before';
    return;
  }
  const { requestId } = course.input;
  const answer = { requestId, response, noteRecordId, at: isoTime(Date.now()) };
  if (!(await checkInRecords.takeCheckInAnswer(answer))) {
    // The alert was decided before it: nobody waits for the answer.
    course.stop ??= 'ended';
    return;
  }
  const isFirst = course.response === null;
  if (!isFirst) course.corrections += 1;
  course.response = response;
  course.state = 'answered';
  course.reminderAt = null;
  given.taken = 'taken';
  tell(isFirst ? 'Answered; it may be corrected until it closes.' : 'The answer was corrected.');
  if (isFirst) course.besides.push(withdrawTexts(course));
  tellUser(course, response);
  await report(course);
}

async function takeNews(course: CheckInCourse, news: MessageNews): Promise<Ending | null> {
  const { requestId } = course.input;
  const { state, at } = news;
  if (state !== 'sent') course.isTextOver = true;
  if ((state === 'sent' || state === 'delivered') && !course.isSent) {
    course.isSent = true;
    await checkInRecords.noteCheckIn({ requestId, what: 'sent', at });
    setReminder(course);
    if (state === 'sent') await advance(course, 'sent', 'The provider has the text.');
  }
  if (state === 'delivered') {
    await checkInRecords.noteCheckIn({ requestId, what: 'delivered', at });
    await advance(course, 'delivered', 'The text has arrived.');
  }
  const isWell = state === 'sent' || state === 'delivered' || state === 'unconfirmed';
  if (isWell || course.hasReached()) return null;
  // Of one that was lost nobody knows, and they may have got it.
  return { state: 'undeliverable', counts: course.isSent || state === 'lost' };
}

/** From when it was sent: it may have waited for the buddy's day. */
function setReminder(course: CheckInCourse): void {
  const { reminderAfterMs } = course.input;
  if (reminderAfterMs === null || course.response !== null) return;
  const due = Date.now() + reminderAfterMs;
  if (due < course.closesAt) course.reminderAt = due;
}

function remind(course: CheckInCourse): void {
  const messageId = uuid4();
  course.reminderAt = null;
  course.reminderId = messageId;
  course.texting.push(startReminder(course, messageId));
}

/** Never rejects: the text itself has gone out, and counts. */
async function startReminder({ input }: CheckInCourse, messageId: string): Promise<void> {
  const isStarted = await checkInTexting.startCheckInText({ input, which: 'reminder', messageId }).catch(() => false);
  if (!isStarted) return;
  const note = { requestId: input.requestId, what: 'reminded', at: isoTime(Date.now()), messageId } as const;
  await checkInRecords.noteCheckIn(note);
}

/** What waits for the buddy's day, or their turn, must not come when nobody wants an answer any more. Never rejects. */
async function withdrawTexts(course: CheckInCourse): Promise<void> {
  await Promise.all(course.texting);
  const first = course.isSent || course.isTextOver ? [] : [course.messageId];
  const messageIds = course.reminderId === null ? first : [...first, course.reminderId];
  if (messageIds.length > 0) await checkInTexting.cancelCheckInTexts({ messageIds }).catch(() => undefined);
}

async function close(course: CheckInCourse, { state, counts }: Ending): Promise<CheckInResult> {
  const { requestId } = course.input;
  await checkInRecords.closeCheckIn({ requestId, state, counts, at: isoTime(Date.now()) });
  const isNews = course.state !== state;
  course.state = state;
  course.isOver = true;
  tell(`Over: ${state}.`);
  await withdrawTexts(course);
  if (state === 'unanswered' || state === 'undeliverable') tellUser(course, state);
  if (isNews) await report(course);
  await Promise.all(course.besides);
  return { state, response: course.response };
}

async function advance(course: CheckInCourse, state: CheckInState, sentence: string): Promise<void> {
  if (!course.advance(state)) return;
  tell(sentence);
  await report(course);
}

/** Of an alert the user hears by the alert. */
function tellUser(course: CheckInCourse, news: BuddyNews): void {
  const { alert, buddyId } = course.input;
  if (alert !== null) return;
  course.besides.push(checkInNews.tellOfCheckIn({ buddyId, news, messageId: uuid4() }).catch(() => undefined));
}

async function report({ input, state, response }: CheckInCourse): Promise<void> {
  const { requestId, buddyId, reportsTo } = input;
  await reportTo(reportsTo, CHECK_IN_NEWS, { requestId, buddyId, state, response } satisfies CheckInNews);
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
