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
} from '@temporalio/workflow';
import {
  BUDDY_VERIFICATION,
  type BuddyVerificationInput,
  type Invite,
  type InviteAnswer,
  type Renewal,
  type RenewalAnswer,
  type VerificationAnswer,
  type VerificationOutcome,
  type VerificationState,
} from '../domain/buddies';
import type { BuddyNews } from '../domain/buddy-news';
import { MESSAGE_NEWS, type MessageNews } from '../domain/message';
import { inviting, tellingUser, verificationRecords } from './activity-options';
import { tell } from './visibility';

const inviteUpdate = defineUpdate<InviteAnswer, [Invite]>(BUDDY_VERIFICATION.invite);
const renewUpdate = defineUpdate<RenewalAnswer, [Renewal]>(BUDDY_VERIFICATION.renew);
const answerUpdate = defineUpdate<VerificationState, [VerificationAnswer]>(BUDDY_VERIFICATION.answer);
const endedSignal = defineSignal(BUDDY_VERIFICATION.ended);
const newsSignal = defineSignal<[MessageNews]>(MESSAGE_NEWS);

/** Net: whoever begins it asks something with the same request, and may have given up before that was read. */
const NOBODY_ASKED = '1 minute';

/** An e-mail that was asked for. */
interface Mail {
  readonly messageId: string;
  readonly version: number;
  readonly expiresAt: string;
  /** Whether its message was begun, and whether the provider has it. */
  isBegun: boolean;
  hasLeft: boolean;
}

interface Course {
  readonly input: BuddyVerificationInput;
  /** What was asked and waits for its turn: one step of the row at a time, whoever asks. */
  readonly asked: (() => Promise<void>)[];
  /** The newest link, and when it runs out (epoch ms). */
  link: { readonly version: number; readonly endsAt: number } | null;
  readonly mails: Mail[];
  readonly news: MessageNews[];
  readonly toTell: BuddyNews[];
  outcome: VerificationOutcome | null;
  /** The row knows more than we do. */
  mustLook: boolean;
  wasAsked: boolean;
  isStopped: boolean;
  /** Acts that nobody who asks has to wait for, under way. */
  acting: number;
}

/**
 * Asks somebody whether they want to be a buddy: sends the e-mails that its user asks for, owns the time that the newest
 * link has, takes the answer, and tells the user how it came out. What is asked when it is over begins another run; the
 * row decides whether that may be.
 */
export async function buddyVerification(input: BuddyVerificationInput): Promise<VerificationOutcome> {
  const course: Course = {
    input,
    asked: [],
    link: null,
    mails: [],
    news: [],
    toTell: [],
    outcome: null,
    mustLook: false,
    wasAsked: false,
    isStopped: false,
    acting: 0,
  };
  listen(course);
  // Cancelling from the Web UI lets the link run out: without this run nobody would take its answer.
  CancellationScope.current().cancelRequested.catch(() => {
    course.isStopped = true;
  });
  const outcome = await CancellationScope.nonCancellable(() => run(course));
  tell(`Over: ${outcome}.`);
  if (course.isStopped) throw new CancelledFailure('the verification was stopped by an operator');
  return outcome;
}

function listen(course: Course): void {
  const validator = ({ validUntil }: { readonly validUntil: number }) => {
    if (Date.now() > validUntil) throw ApplicationFailure.nonRetryable('too late', 'QuestionTooLate');
  };
  setHandler(inviteUpdate, (invite) => inTurn(course, () => claim(course, invite)), { validator });
  setHandler(answerUpdate, (pressed) => inTurn(course, () => answer(course, pressed)), { validator });
  setHandler(renewUpdate, (renewal) => inTurn(course, () => renew(course, renewal)), { validator });
  setHandler(newsSignal, (news) => void course.news.push(news));
  setHandler(endedSignal, () => {
    course.mustLook = true;
  });
}

/** Has the course do something for whoever asks, when what came before is done. */
async function inTurn<T>(course: Course, step: () => Promise<T>): Promise<T> {
  let done: { readonly result: T } | null = null;
  course.asked.push(async () => {
    done = { result: await step() };
    course.wasAsked = true;
  });
  await condition(() => done !== null);
  if (done === null) throw new TypeError('what has been done has a result');
  return (done as { readonly result: T }).result;
}

async function claim(course: Course, { invitationId }: Invite): Promise<InviteAnswer> {
  const claimed = await verificationRecords.claimInvitation({ ...course.input, invitationId, messageId: uuid4() });
  if ('refused' in claimed) return claimed;
  const { messageId, isNew, ...granted } = claimed;
  const { version, expiresAt } = granted;
  const isKnown = course.mails.some((mail) => mail.messageId === messageId);
  if (!isKnown) course.mails.push({ messageId, version, expiresAt, isBegun: false, hasLeft: false });
  if (isNew) {
    course.link = { version, endsAt: Date.parse(expiresAt) };
    course.outcome = null;
  } else course.mustLook = true;
  return granted;
}

async function answer(course: Course, pressed: VerificationAnswer): Promise<VerificationState> {
  const { buddyId } = course.input;
  const state = await verificationRecords.answerInvitation({ buddyId, ...pressed });
  if (state !== 'verified' && state !== 'declined') course.mustLook = true;
  // Two who press at once: the second is told the same, and the user once.
  else if (course.outcome !== state) {
    course.outcome = state;
    course.toTell.push(state === 'verified' ? 'accepted' : 'declined');
  }
  return state;
}

async function renew(course: Course, { version }: Renewal): Promise<RenewalAnswer> {
  const state = await verificationRecords.noteRenewalAsked({ buddyId: course.input.buddyId, version });
  if (state === 'asked') course.toTell.push('renewal-asked');
  return state;
}

/** One thing after the other, until it is decided and nobody is being answered any more. */
async function run(course: Course): Promise<VerificationOutcome> {
  for (;;) {
    await waitForMore(course);
    await doWhatIsDue(course);
    if (course.outcome === null || isDue(course)) continue;
    // Whoever asks in the meantime is not forgotten.
    await condition(() => isDue(course) || (course.acting === 0 && allHandlersFinished()));
    if (!isDue(course)) return course.outcome;
  }
}

/** Whether there is something to do before anything else happens. */
function isDue({ asked, mails, news, toTell, outcome, mustLook, isStopped }: Course): boolean {
  const isMailDue = outcome === null && mails.some(({ isBegun }) => !isBegun);
  const isAsked = asked.length > 0 || news.length > 0 || mustLook;
  return isAsked || toTell.length > 0 || isMailDue || (isStopped && outcome === null);
}

async function waitForMore(course: Course): Promise<void> {
  const isReady = () => isDue(course) || course.outcome !== null;
  if (isReady()) return;
  if (course.link === null) {
    // With the first question this run was begun; when it is answered, the row says what there is to wait for.
    if (!course.wasAsked) await condition(isReady, NOBODY_ASKED, { summary: 'net below: what was asked' });
    return;
  }
  const { version, endsAt } = course.link;
  tell(`Link ${version} waits for its answer until ${new Date(endsAt).toISOString()}.`);
  await condition(isReady, Math.max(1, endsAt - Date.now()), { summary: 'the link runs out' });
}

async function doWhatIsDue(course: Course): Promise<void> {
  const step = course.asked.shift();
  if (step !== undefined) return step();
  if (course.mustLook) return look(course);
  const news = course.news.shift();
  if (news !== undefined) return hear(course, news);
  const forUser = course.toTell.shift();
  if (forUser !== undefined) return tellTheUser(course, forUser);
  if (course.outcome !== null) return;
  const mail = course.mails.find(({ isBegun }) => !isBegun);
  if (mail !== undefined) return send(course, mail);
  if (course.link === null) return look(course);
  if (course.isStopped || Date.now() >= course.link.endsAt) return expire(course, course.link.version);
}

/** Nobody who presses a button waits for a message to be begun. */
function act(course: Course, doing: () => Promise<void>): void {
  course.acting += 1;
  void doing().finally(() => {
    course.acting -= 1;
  });
}

function send(course: Course, mail: Mail): void {
  const { messageId, version, expiresAt } = mail;
  const { buddyId } = course.input;
  mail.isBegun = true;
  act(course, async () => {
    const isSent = await inviting.sendInvitation({ buddyId, version, messageId, expiresAt }).catch(() => false);
    if (!isSent) course.asked.push(() => takeBack(course, messageId));
  });
}

/** What becomes of an e-mail: only one that left something is known to the buddy. */
async function hear(course: Course, { messageId, state, at }: MessageNews): Promise<void> {
  const mail = course.mails.find((one) => one.messageId === messageId);
  if (mail === undefined) return;
  if (state === 'sent' || state === 'delivered' || state === 'unconfirmed' || state === 'undelivered') {
    if (!mail.hasLeft) await verificationRecords.noteInvitationSent({ messageId, at });
    mail.hasLeft = true;
    if (state === 'undelivered') course.toTell.push('not-delivered-invitation');
    return;
  }
  // Nobody can know: it counts.
  if (state === 'lost') return;
  if (mail.hasLeft) course.toTell.push('not-delivered-invitation');
  else await takeBack(course, messageId);
}

async function takeBack(course: Course, messageId: string): Promise<void> {
  await verificationRecords.takeInvitationBack({ buddyId: course.input.buddyId, messageId });
  // Of one that is decided, by another link or a withdrawal, there is nothing more to say.
  if (course.outcome === null) course.toTell.push('not-delivered-invitation');
  course.mustLook = true;
}

async function look(course: Course): Promise<void> {
  course.mustLook = false;
  const wasOpen = course.link !== null;
  const { buddyId } = course.input;
  const { outcome, link, isRemoved } = await verificationRecords.verificationStanding({ buddyId });
  // What a button has decided here is decided.
  if (course.outcome === 'verified' || course.outcome === 'declined') return;
  course.link = link === null ? null : { version: link.version, endsAt: Date.parse(link.expiresAt) };
  // Written by an answer that was lost on its way back into the history: nobody has told the user of it yet.
  if (wasOpen && course.outcome === null && outcome === 'verified') course.toTell.push('accepted');
  if (wasOpen && course.outcome === null && outcome === 'declined') course.toTell.push('declined');
  course.outcome = outcome;
  if (outcome !== 'withdrawn' || !wasOpen) return;
  callBack(course);
  if (!isRemoved) course.toTell.push('declined');
}

/** What has not left is not to be read by somebody who wants no more of it. */
function callBack(course: Course): void {
  for (const { messageId, isBegun, hasLeft } of course.mails) {
    if (!isBegun || hasLeft) continue;
    act(course, () => inviting.cancelInvitation({ messageId }).catch(() => undefined));
  }
}

async function expire(course: Course, version: number): Promise<void> {
  // An answer or a withdrawal that is in the row already was faster.
  if (!(await verificationRecords.expireInvitation({ buddyId: course.input.buddyId, version }))) {
    course.mustLook = true;
    return;
  }
  course.outcome = 'expired';
  course.toTell.push('expired');
}

function tellTheUser(course: Course, news: BuddyNews): void {
  const told = { buddyId: course.input.buddyId, news, messageId: uuid4() };
  act(course, () => tellingUser.tellUser(told).catch(() => undefined));
}
