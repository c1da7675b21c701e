import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { CheckInResponse } from '../../domain/buddies';
import { pressed, tokenInMail, tokensInTexts } from '../buddy-links';
import { MARKED } from '../marked-people';
import type { TestStack } from '../stack';
import { isTokenOf, persistently, rows, until } from './kill-stack';
import type { PlannedBuddies } from './round-plan';

export interface User {
  readonly who: { readonly role: 'user'; readonly subject: string };
  readonly userId: string;
}

export interface Buddy {
  readonly buddyId: string;
  readonly phone: string;
  readonly email: string;
}

/** Somebody whose four buddies have agreed before the first round; an alert asks the first two in every round. */
export interface Circle extends User {
  readonly buddies: readonly Buddy[];
}

export interface AnsweredAlert {
  readonly alertId: string;
  readonly eventIds: readonly string[];
  /** Who were asked have said this, by the id of their check-in. */
  readonly answers: ReadonlyMap<string, CheckInResponse>;
  /** How many it has asked. */
  readonly asked: number;
}

/** What was done in a round, for whom. */
export interface BuddiesOfRound {
  readonly accepted: Buddy;
  readonly declined: Buddy;
  readonly userIds: readonly string[];
  /** `lost`: nobody can know of its text, which is not repeated; so it has no answer. */
  readonly checkIn: { readonly requestId: string; readonly end: 'answered' | 'lost' };
  readonly alert: AnsweredAlert;
}

/**
 * Longer than a lease, its settling and a part that comes back, one after the other; and than the net below an invitation
 * (`NOBODY_ASKED`), for a worker that dies between its row and the word of it.
 */
const MAIL_WITHIN = 90_000;
/** Nobody reads their mail more often, and the simulator shares two cores with everything else. */
const ASKED_EVERY = 750;
const ALERTED_PHONES = [6, 7, 8, 9].map((last) => `+1303555019${last}`);

export async function makeCircle(stack: TestStack): Promise<Circle> {
  const user = await newUser(stack);
  const become = async (phone: string): Promise<Buddy> => {
    const buddy = await invited(stack, user, phone);
    await answerInvitation(stack, buddy, 'accept');
    return buddy;
  };
  const buddies: Buddy[] = [];
  // One after the other: the first is asked first.
  for (const phone of ALERTED_PHONES) buddies.push(await become(phone));
  return { ...user, buddies };
}

/** All at once, each as the apps, mail programs and phones of people do it. */
export async function goThroughBuddies(
  stack: TestStack,
  planned: PlannedBuddies,
  circle: Circle,
): Promise<BuddiesOfRound> {
  const [agreeing, refusing, alert] = await Promise.all([
    agreeAndAnswer(stack, planned),
    declineInvitation(stack, planned),
    answerAlert(stack, planned, circle),
  ]);
  return {
    accepted: agreeing.buddy,
    declined: refusing.buddy,
    userIds: [agreeing.userId, refusing.userId, circle.userId],
    checkIn: agreeing.checkIn,
    alert,
  };
}

async function agreeAndAnswer(stack: TestStack, { phones: [phone], invitedAt }: PlannedBuddies) {
  await delay(invitedAt);
  const user = await newUser(stack);
  const buddy = await invited(stack, user, phone);
  await answerInvitation(stack, buddy, 'accept');
  const json = { buddyContactId: buddy.buddyId, userId: user.userId };
  const { requestId } = await asked(stack, '/api/buddy/send-checkin', json, user);
  const checkIn = await answerCheckIn(stack, user, buddy, String(requestId));
  return { buddy, userId: user.userId, checkIn };
}

async function declineInvitation(stack: TestStack, { phones: [, phone], declinedAt }: PlannedBuddies) {
  await delay(declinedAt);
  const user = await newUser(stack);
  const buddy = await invited(stack, user, phone);
  await answerInvitation(stack, buddy, 'decline');
  return { buddy, userId: user.userId };
}

async function newUser(stack: TestStack): Promise<User> {
  const who = { role: 'user', subject: randomUUID() } as const;
  const json = { firstName: MARKED.mentorName };
  const { body } = await persistently(stack, '/api/users/me/profile', { json, method: 'PUT' }, who);
  return { who, userId: String(body['userId']) };
}

/** Names somebody, and has them asked by e-mail. */
async function invited(stack: TestStack, user: User, phone: string): Promise<Buddy> {
  const email = `${randomUUID()}@example.org`;
  const { otherMentorName: name, relationship } = MARKED;
  const { buddyId } = await asked(stack, '/api/buddy', { name, phoneNumber: phone, email, relationship }, user);
  const buddy = { buddyId: String(buddyId), phone, email };
  await asked(stack, '/api/buddy/send-verification', { buddyContactId: buddy.buddyId, userId: user.userId }, user);
  return buddy;
}

/** As an app that asks until it is answered, by one key. */
async function asked(stack: TestStack, path: string, json: object, { who }: User): Promise<Record<string, unknown>> {
  const init = { json, headers: { 'Idempotency-Key': randomUUID() } };
  const { status, body } = await persistently(stack, path, init, who);
  if (status >= 300) throw new Error(`${path} was refused: ${status} ${JSON.stringify(body)}`);
  return body;
}

/** Follows the link in the mail, as its mail program has done before, and presses the button. */
async function answerInvitation(stack: TestStack, { email }: Buddy, action: 'accept' | 'decline'): Promise<void> {
  await until(`the mail to ${email}`, MAIL_WITHIN, async () => (await tokenInMail(stack, email)) !== null, ASKED_EVERY);
  const token = (await tokenInMail(stack, email)) ?? '';
  await page(stack, `/api/buddy/verify?token=${token}&action=${action}`, {});
  await page(stack, '/api/buddy/verify', pressed({ token, action }));
}

async function answerCheckIn(
  stack: TestStack,
  { who }: User,
  { phone }: Buddy,
  requestId: string,
): Promise<BuddiesOfRound['checkIn']> {
  const link = await linkOf(stack, requestId, phone, 'buddy/checkin');
  if (link === null) return { requestId, end: 'lost' };
  await openAndAnswer(stack, link, 'called');
  const { body } = await persistently(stack, `/api/buddy/check-ins/${requestId}`, {}, who);
  const { state, response, note } = body;
  if (state !== 'answered' || response !== 'called' || note !== MARKED.note)
    throw new Error(`check-in ${requestId} is ${String(state)}, ${String(response)} when it was answered`);
  return { requestId, end: 'answered' };
}

/** The buddy's own page; null when the text was lost, and nothing of it left. */
async function linkOf(
  stack: TestStack,
  requestId: string,
  phone: string,
  where: 'buddy/checkin' | 'buddy/alert',
): Promise<string | null> {
  let link: string | null = null;
  await until(
    `the text of check-in ${requestId}`,
    MAIL_WITHIN,
    async () => {
      const [row] = await rows(stack, 'SELECT link_hash, state FROM buddy_check_in_requests WHERE request_id = $1', [
        requestId,
      ]);
      const hash = row?.['link_hash'];
      const token = (await tokensInTexts(stack, phone, where)).find(
        (one) => hash instanceof Buffer && isTokenOf(one, hash),
      );
      if (token !== undefined) link = `/${where}/${token}`;
      return token !== undefined || row?.['state'] === 'undeliverable';
    },
    ASKED_EVERY,
  );
  return link;
}

async function openAndAnswer(stack: TestStack, link: string, response: string): Promise<void> {
  await page(stack, link, {});
  await page(stack, link, pressed({ step: 'open' }));
  await page(stack, link, pressed({ step: 'answer', response, note: MARKED.note }));
}

async function page(stack: TestStack, path: string, init: RequestInit): Promise<void> {
  const { status } = await persistently(stack, path, init, undefined);
  if (status !== 200) throw new Error(`the page of a link was answered ${status}: ${path.slice(0, 24)}`);
}

/** Three low scores in one batch, sent until they are taken; one of those whom the alert asks has been in touch. */
async function answerAlert(
  stack: TestStack,
  { alertAt, answering, goesOn }: PlannedBuddies,
  { userId, buddies }: Circle,
): Promise<AnsweredAlert> {
  await delay(alertAt);
  const events = [3, 2, 1].map((ago) => ({
    eventId: randomUUID(),
    userId,
    score: MARKED.score,
    risk: 'low',
    measuredAt: new Date(Date.now() - ago).toISOString(),
  }));
  const alertId = await alertOf(stack, userId, events);
  const answers = new Map<string, CheckInResponse>();
  const say = async (nth: number, response: CheckInResponse): Promise<void> => {
    const { buddyId = '', phone = '' } = buddies[nth] ?? {};
    const requestId = await checkInOf(stack, alertId, buddyId);
    const link = await linkOf(stack, requestId, phone, 'buddy/alert');
    if (link === null) throw new Error(`the text of alert ${alertId} was not sent`);
    await openAndAnswer(stack, link, response);
    answers.set(requestId, response);
  };
  if (goesOn) await Promise.all([say(0, 'cannot-reach'), say(1, 'unavailable')]);
  await say(goesOn ? 2 + answering : answering, 'messaged');
  return { alertId, eventIds: events.map(({ eventId }) => eventId), answers, asked: goesOn ? 4 : 2 };
}

/** The one that these scores begin. */
async function alertOf(stack: TestStack, userId: string, events: readonly object[]): Promise<string> {
  const from = new Date();
  const analysis = { role: 'service', subject: 'the-analysis' } as const;
  const { status } = await persistently(stack, '/api/wellbeing/scores', { json: { events } }, analysis);
  if (status !== 200) throw new Error(`scores were answered ${status}`);
  const due = await rows(stack, 'SELECT alert_id FROM wellbeing_alerts WHERE user_id = $1 AND due_at >= $2', [
    userId,
    from,
  ]);
  if (due.length !== 1) throw new Error(`${due.length} alerts were begun by one batch of scores`);
  return String(due[0]?.['alert_id']);
}

async function checkInOf(stack: TestStack, alertId: string, buddyId: string): Promise<string> {
  const look = () =>
    rows(stack, 'SELECT request_id FROM buddy_check_in_requests WHERE alert_id = $1 AND buddy_id = $2', [
      alertId,
      buddyId,
    ]);
  await until(`alert ${alertId} to ask`, MAIL_WITHIN, async () => (await look()).length > 0);
  return String((await look())[0]?.['request_id']);
}
