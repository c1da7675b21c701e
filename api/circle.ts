import { randomUUID } from 'node:crypto';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { type Buddy, findBuddy, listBuddies, lockBuddiesOf, rankBuddies } from '../db/buddies';
import { inTransaction } from '../db/pool';
import { findRegisteredContact } from '../db/registered-contacts';
import { findWellbeingAlert } from '../db/wellbeing-alerts';
import { type Removal, renderCircle, renderRemoval } from '../web/circle';
import { type CircleDone, circleWords } from '../web/circle-words';
import { addBuddy, shownBuddies } from './buddies';
import { newBuddy, newProfile } from './buddies-shapes';
import { removeBuddy } from './buddy-changes';
import { reachable } from './buddy-checks';
import { sendInvitation } from './buddy-invitations';
import { checkedId } from './checked-input';
import { askCheckIn } from './check-ins';
import { circleLanguage, circleView } from './circle-view';
import type { ApiDeps } from './deps';
import { numberToRing } from './given-numbers';
import { field, seeOther, sendPage } from './page-answers';
import type { Visitor } from './page-sessions';
import { Problem, type ProblemCode } from './problems';
import { dropContact, nameContact, ownView } from './registered-contact';
import { newRegisteredContact } from './registered-contact-shapes';
import type { Routes } from './routes';
import { writeProfile } from './user-profile';
import { closeAlert, type Closing } from './wellbeing-alerts';

/** A user's own page: whom they have named, how far each has agreed, and what came of asking. */
export function circle(routes: Routes, deps: ApiDeps): void {
  routes.page('GET /circle', async (req, res, visitor) => {
    sendPage(res, renderCircle(await circleView(deps, req, visitor)));
  });

  routes.page('POST /circle/profile', async (req, res, visitor) => {
    const given = newProfile.safeParse(fields(req, ['firstName', 'language', 'tellMeBy', 'timeZone']));
    if (!given.success) return back(res, firstPlace(given.error) === 'timeZone' ? 'wrong-zone' : 'first-name');
    await writeProfile(deps, visitor, given.data);
    back(res, 'saved');
  });

  routes.page('POST /circle/buddies', async (req, res, visitor) => {
    await done(res, 'added', () => add(deps, req, visitor));
  });

  routes.page('POST /circle/buddies/:buddyId/send', async (req, res, visitor) => {
    await done(res, 'sent', async () => {
      const { buddyId, userId } = await ownBuddy(deps, req, visitor);
      await sendInvitation(deps, { userId, buddyId, invitationId: randomUUID() });
    });
  });

  routes.page('POST /circle/buddies/:buddyId/check-in', async (req, res, visitor) => {
    await done(res, 'asked', async () => {
      const { buddyId } = await ownBuddy(deps, req, visitor);
      await askCheckIn(deps, visitor, { requestId: randomUUID(), buddyId });
    });
  });

  routes.page('POST /circle/buddies/:buddyId/up', (req, res, visitor) => move(deps, req, res, visitor, -1));
  routes.page('POST /circle/buddies/:buddyId/down', (req, res, visitor) => move(deps, req, res, visitor, 1));

  routes.page('GET /circle/buddies/:buddyId/remove', async (req, res, visitor) => {
    const { buddyId } = await ownBuddy(deps, req, visitor);
    const buddy = (await shownBuddies(deps, visitor.subjectId)).find((one) => one.buddyId === buddyId);
    if (buddy === undefined) return back(res, 'gone');
    await sendRemoval(deps, req, res, visitor, (words) => ({
      name: buddy.name,
      question: words.removeQuestion,
      why: words.removeWhy,
      action: `/circle/buddies/${buddyId}/remove`,
    }));
  });

  routes.page('POST /circle/buddies/:buddyId/remove', async (req, res, visitor) => {
    await done(res, 'removed', async () => removeBuddy(deps, await ownBuddy(deps, req, visitor)));
  });

  circleContact(routes, deps);

  routes.page('POST /circle/alerts/:alertId/close', async (req, res, visitor) => {
    const alert = await findWellbeingAlert(deps.pool, checkedId(req, 'alertId'));
    if (alert === null || alert.userId !== visitor.subjectId) return back(res, 'alert-gone');
    back(res, CLOSING_SAID[await closeAlert(deps, visitor, alert)]);
  });
}

/** Who is asked when no buddy answers. */
function circleContact(routes: Routes, deps: ApiDeps): void {
  routes.page('POST /circle/contact', async (req, res, visitor) => {
    await done(res, 'contact-saved', () => contact(deps, req, visitor), CONTACT_SAID);
  });

  routes.page('GET /circle/contact/remove', async (req, res, visitor) => {
    const named = await findRegisteredContact(deps.pool, visitor.subjectId);
    if (named === null) return back(res, 'contact-gone');
    const name = await ownView(deps, named, 'nameRecordId');
    await sendRemoval(deps, req, res, visitor, (words) => ({
      name: name ?? words.nameless,
      question: words.removeContactQuestion,
      why: words.removeContactWhy,
      action: '/circle/contact/remove',
    }));
  });

  routes.page('POST /circle/contact/remove', async (_req, res, { subjectId }) => {
    await done(res, 'contact-removed', () => dropContact(deps, subjectId), CONTACT_SAID);
  });
}

/** What a press came to, in the address of the page that shows it. */
const SAID: Partial<Record<ProblemCode, CircleDone>> = {
  'not-found': 'gone',
  'profile-required': 'no-profile',
  'too-many-buddies': 'full',
  'buddy-already-named': 'twice',
  'buddy-is-oneself': 'yourself',
  'buddy-has-refused': 'refused',
  'buddy-asked-lately': 'too-soon',
  'too-many-invitations': 'many-sent',
  'too-many-requests': 'too-soon',
  'buddy-asked-enough': 'used-up',
  'buddy-already-verified': 'already-verified',
  'buddy-cannot-be-asked': 'not-now',
  'phone-number-invalid': 'wrong-phone',
  'phone-number-not-allowed': 'wrong-phone',
  'country-not-allowed': 'wrong-phone',
  'email-address-invalid': 'wrong-email',
};

const CLOSING_SAID: Readonly<Record<Closing, CircleDone>> = {
  closed: 'ended',
  'closed-before': 'ended-before',
  'not-closed': 'not-ended',
};

/** The same, of the registered contact. */
const CONTACT_SAID: typeof SAID = {
  'not-found': 'contact-gone',
  'contact-has-refused': 'contact-refused',
  'too-many-requests': 'target-limit',
};

/** @throws {Problem} what the page has no words for: then the problem has a page of its own */
async function done(
  res: Response,
  well: CircleDone,
  act: () => Promise<CircleDone | void>,
  said: typeof SAID = {},
): Promise<void> {
  try {
    back(res, (await act()) ?? well);
  } catch (error) {
    const word = error instanceof Problem ? (said[error.code] ?? SAID[error.code]) : undefined;
    if (word === undefined) throw error;
    back(res, word);
  }
}

function back(res: Response, word: CircleDone): void {
  seeOther(res, `/circle?done=${word}`);
}

/** Fields that are empty count as left out. */
function fields(req: Request, names: readonly string[]): Record<string, string> {
  const given = names.map((name) => [name, field(req, name).trim()] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== ''));
}

async function ownBuddy(deps: ApiDeps, req: Request, { subjectId }: Visitor): Promise<Buddy> {
  const buddy = await findBuddy(deps.pool, checkedId(req, 'buddyId'));
  if (buddy === null || buddy.userId !== subjectId || buddy.removedAt !== null) throw new Problem('not-found');
  return buddy;
}

async function add(deps: ApiDeps, req: Request, { subjectId }: Visitor): Promise<CircleDone | void> {
  const given = newBuddy.safeParse(fields(req, ['name', 'relationship', 'phoneNumber', 'email', 'language']));
  if (!given.success) return placeOf(given.error);
  const to = reachable(deps, given.data);
  await inTransaction(deps.pool, (tx) => addBuddy(deps, tx, subjectId, given.data, to));
}

function firstPlace({ issues }: z.ZodError): PropertyKey | undefined {
  return issues[0]?.path[0];
}

function placeOf(error: z.ZodError): CircleDone {
  const place = firstPlace(error);
  return place === 'phoneNumber' ? 'wrong-phone' : place === 'email' ? 'wrong-email' : 'wrong-name';
}

async function move(deps: ApiDeps, req: Request, res: Response, visitor: Visitor, by: 1 | -1): Promise<void> {
  await done(res, 'moved', async () => {
    const { buddyId, userId } = await ownBuddy(deps, req, visitor);
    await inTransaction(deps.pool, async (tx) => {
      await lockBuddiesOf(tx, userId);
      const order = (await listBuddies(tx, userId)).map((one) => one.buddyId);
      const from = order.indexOf(buddyId);
      order.splice(from, 1);
      order.splice(Math.max(0, from + by), 0, buddyId);
      await rankBuddies(tx, userId, order);
    });
  });
}

async function contact(deps: ApiDeps, req: Request, { subjectId: userId }: Visitor): Promise<CircleDone | void> {
  const given = newRegisteredContact.safeParse(fields(req, ['name', 'phoneNumber', 'language']));
  if (!given.success) return placeOf(given.error) === 'wrong-phone' ? 'wrong-phone' : 'contact-name';
  const { name, phoneNumber, language } = given.data;
  const number = numberToRing(phoneNumber, '#/phoneNumber', deps.config);
  await nameContact(deps, { userId, name, number, language });
}

async function sendRemoval(
  deps: ApiDeps,
  req: Request,
  res: Response,
  visitor: Visitor,
  removal: (words: ReturnType<typeof circleWords>) => Removal,
): Promise<void> {
  const { formToken } = visitor;
  const { privacyPolicyUrl } = deps.config;
  const language = await circleLanguage(deps, req, visitor);
  sendPage(res, renderRemoval({ language, formToken, privacyPolicyUrl }, removal(circleWords(language))));
}
