import type { Request, Response } from 'express';
import { alertAskingContact } from '../db/wellbeing-alerts';
import { inTransaction } from '../db/pool';
import type { Db } from '../db/query';
import { contactOfLink, noteContactAnswer, type RegisteredContact } from '../db/registered-contacts';
import { buddyLanguage, CHECK_IN_RESPONSES, type CheckInResponse } from '../domain/buddies';
import { isDestroyed, SubjectErased, SubjectHeld } from '../domain/errors';
import { helplinesFor } from '../domain/helplines';
import { type ContactAsked, hasReached } from '../domain/wellbeing-alert';
import { type ContactPage, renderContact, renderContactGone } from '../web/contact';
import { tellEndings } from './buddy-endings';
import type { ApiDeps } from './deps';
import { hashOfLink, languageAsked, sealVisit } from './link-pages';
import { field, sendPage } from './page-answers';
import type { Routes } from './routes';

/** The page of somebody whom a user has named: agree or refuse, answer an alert, see what is held, have it erased. */
export function contactPage(routes: Routes, deps: ApiDeps): void {
  routes.link('GET /contact/:token', async (req, res) => {
    const contact = await contactOf(deps, req);
    if (contact === null) return sendGone(deps, req, res, 'gone', 404);
    await send(deps, res, contact);
  });

  routes.link('POST /contact/:token', async (req, res) => {
    const contact = await contactOf(deps, req);
    if (contact === null) return sendGone(deps, req, res, 'gone', 404);
    switch (field(req, 'do')) {
      case 'agree':
        return await answered(deps, req, res, contact, 'agreed');
      case 'refuse':
        return await answered(deps, req, res, contact, 'refused');
      case 'answer':
        return await tellAlert(deps, req, res, contact);
      case 'see':
        return await send(deps, res, contact, { held: await heldOf(deps, contact) });
      case 'erase':
        if (field(req, 'sure') !== 'yes') return await send(deps, res, contact, { isErasing: true });
        return await erase(deps, req, res, contact);
      default:
        await send(deps, res, contact);
    }
  });
}

async function contactOf(deps: ApiDeps, req: Request): Promise<RegisteredContact | null> {
  const hash = hashOfLink(req);
  return hash === null ? null : await contactOfLink(deps.pool, hash);
}

async function answered(
  deps: ApiDeps,
  req: Request,
  res: Response,
  contact: RegisteredContact,
  answer: 'agreed' | 'refused',
): Promise<void> {
  try {
    await inTransaction(deps.pool, (tx) =>
      noteContactAnswer(tx, contact, answer, () => sealVisit(deps, req, { subjectId: contact.subjectId }, tx)),
    );
  } catch (error) {
    // Between our look and the press.
    if (error instanceof SubjectErased) return sendGone(deps, req, res, 'gone', 404);
    throw error;
  }
  // An alert that is asking them goes on to whoever comes next.
  if (answer === 'refused') await tellEndings(deps);
  const now = await contactOf(deps, req);
  if (now === null) return sendGone(deps, req, res, 'gone', 404);
  await send(deps, res, now);
}

async function tellAlert(deps: ApiDeps, req: Request, res: Response, contact: RegisteredContact): Promise<void> {
  const response = CHECK_IN_RESPONSES.find((one) => one === field(req, 'response'));
  if (response === undefined) return await send(deps, res, contact);
  const said = await sayTo(deps, contact, response);
  const noted = hasReached(response) ? 'thanks' : 'noted';
  await send(deps, res, contact, { news: said === 'noted' ? noted : said });
}

/** @returns `over` when no alert asks them any more, `kept` where one does that keeps what they said before */
async function sayTo(
  { pool, wellbeing }: ApiDeps,
  contact: RegisteredContact,
  response: CheckInResponse,
): Promise<'noted' | 'kept' | 'over'> {
  const asked = await askedOf(pool, contact);
  return asked === null ? 'over' : await wellbeing.contactAnswers(asked, response);
}

/** Who does not want to be asked is not, whatever the alert has yet to hear. */
async function askedOf(db: Db, { contactId, state }: RegisteredContact): Promise<ContactAsked | null> {
  const isWilling = state === 'named' || state === 'agreed';
  return isWilling ? await alertAskingContact(db, contactId) : null;
}

async function heldOf({ vault }: ApiDeps, contact: RegisteredContact): Promise<NonNullable<ContactPage['held']>> {
  const reveal = async (recordId: string) => {
    try {
      return (await vault.reveal({ recordId, purpose: 'own-view', actor: contact.subjectId })).expose();
    } catch (error) {
      if (isDestroyed(error)) return '–';
      throw error;
    }
  };
  return { name: await reveal(contact.nameRecordId), phone: await reveal(contact.phoneRecordId) };
}

/** With their data goes their being asked; that this user asked them once too often stays, like a STOP. */
async function erase(deps: ApiDeps, req: Request, res: Response, contact: RegisteredContact): Promise<void> {
  await inTransaction(deps.pool, (tx) => noteContactAnswer(tx, contact, 'refused'));
  await tellEndings(deps);
  try {
    await deps.vault.eraseSubject(contact.subjectId, contact.subjectId);
    sendGone(deps, req, res, 'erased', 200);
  } catch (error) {
    if (!(error instanceof SubjectHeld)) throw error;
    sendGone(deps, req, res, 'keptForLaw', 200);
  }
}

async function send(
  deps: ApiDeps,
  res: Response,
  contact: RegisteredContact,
  more: Pick<ContactPage, 'news' | 'held' | 'isErasing'> = {},
): Promise<void> {
  const isAsked = more.news === undefined && (await askedOf(deps.pool, contact)) !== null;
  const { privacyPolicyUrl, helplines } = deps.config;
  const language = buddyLanguage(contact.language);
  const lines = helplinesFor(contact.country, helplines.crisisOverride);
  sendPage(res, renderContact({ language, privacyPolicyUrl, lines, state: contact.state, isAsked, ...more }));
}

function sendGone(
  deps: ApiDeps,
  req: Request,
  res: Response,
  why: 'gone' | 'erased' | 'keptForLaw',
  status: number,
): void {
  sendPage(res, renderContactGone(languageAsked(req), deps.config.privacyPolicyUrl, why), status);
}
