import type { Request, Response } from 'express';
import { type Buddy, findBuddy } from '../db/buddies';
import { type Invitation, invitationOfLink } from '../db/buddy-invitations';
import { invitationsLeftFor, standingOf } from '../db/buddy-verification';
import { findProfile } from '../db/user-profiles';
import { buddyLanguage, type RenewalAnswer, type VerificationState } from '../domain/buddies';
import { isDestroyed, SubjectErased } from '../domain/errors';
import { firstName } from '../domain/first-name';
import { invitationTimes } from '../domain/invitation-times';
import { ProcessIsOver, QuestionRefused, TemporalNotInTime } from '../temporal/errors';
import { linkHash } from '../vault/link-tokens';
import {
  type InvitationStanding,
  renderInvitationExpired,
  renderInvitationQuestion,
  renderInvitationState,
} from '../web/buddy-verification';
import type { Page } from '../web/layout';
import { isMissed } from './buddy-invitations';
import type { ApiDeps } from './deps';
import { ANSWER_WITHIN } from './limits';
import { hashOfLink, languageAsked, sealVisit } from './link-pages';
import { field, sendPage } from './page-answers';
import type { Routes } from './routes';

interface Opened {
  readonly buddy: Buddy;
  readonly invitation: Invitation;
  readonly token: string;
}

/** Unlike what is asked for, how it stands is told with its status: a link that ran out is gone, one of nobody not found. */
const STATUS: Readonly<Record<InvitationStanding, number>> = {
  accepted: 200,
  declined: 200,
  'renewal-asked': 200,
  withdrawn: 410,
  replaced: 410,
  'asked-enough': 410,
  unknown: 404,
  tampered: 400,
};

/**
 * The pages behind the links of an invitation. Mail programs and scanners follow links: a GET shows one button and changes
 * nothing, only the button acts. Whoever has the link has the mail; nothing else is asked of them.
 */
export function buddyVerifyPage(routes: Routes, deps: ApiDeps): void {
  routes.link('GET /api/buddy/verify', async (req, res) => {
    const { token, action } = req.query;
    const opened = await open(deps, typeof token === 'string' ? token : '', hashOfLink(req));
    if (action !== 'accept' && action !== 'decline') return sendState(deps, req, res, 'tampered', opened);
    if (opened === null) return sendState(deps, req, res, 'unknown', null);
    const { buddy, invitation } = opened;
    const standing = standingOf(buddy, invitation.version);
    if (standing !== null) return sendStanding(deps, req, res, standing, opened);
    const page = await question(deps, opened, action);
    if (page === null) return sendState(deps, req, res, 'unknown', null);
    sendPage(res, page);
  });

  routes.link('POST /api/buddy/verify', async (req, res) => {
    const [token, action] = [field(req, 'token'), field(req, 'action')];
    const opened = await open(deps, token, linkHash(token));
    if (action !== 'accept' && action !== 'decline' && action !== 'renew') {
      return sendState(deps, req, res, 'tampered', opened);
    }
    if (opened === null) return sendState(deps, req, res, 'unknown', null);
    if (action === 'renew') return sendRenewal(deps, req, res, opened);
    const { buddy, invitation } = opened;
    const standing = standingOf(buddy, invitation.version);
    // What is answered by now is given once more: its process may have lost what the row has kept.
    const isRepeated = standing === (action === 'accept' ? 'verified' : 'declined');
    const now = standing === null || isRepeated ? await answer(deps, req, opened, action) : standing;
    await sendStanding(deps, req, res, now, opened);
  });
}

/** Null for what is nobody's link, and for one of somebody who was taken off the list. */
async function open({ pool }: ApiDeps, token: string, hash: Buffer | null): Promise<Opened | null> {
  const invitation = hash === null ? null : await invitationOfLink(pool, hash);
  const buddy = invitation === null ? null : await findBuddy(pool, invitation.buddyId);
  return invitation === null || buddy === null || buddy.removedAt !== null ? null : { buddy, invitation, token };
}

async function question(
  { pool, vault, config }: ApiDeps,
  { buddy, token }: Opened,
  action: 'accept' | 'decline',
): Promise<Page | null> {
  const revealed = async (recordId: string): Promise<string> =>
    (await vault.reveal({ recordId, purpose: 'own-view', actor: buddy.subjectId })).expose();
  const profile = await findProfile(pool, buddy.userId);
  if (profile === null) return null;
  try {
    const [phone, own, user] = [
      await revealed(buddy.phoneRecordId),
      await revealed(buddy.nameRecordId),
      await revealed(profile.nameRecordId),
    ];
    const language = buddyLanguage(buddy.language);
    return renderInvitationQuestion({
      action,
      token,
      language,
      privacyPolicyUrl: config.privacyPolicyUrl,
      user: firstName(user),
      buddy: firstName(own),
      lastDigits: phone.slice(-2),
      times: invitationTimes(config, language),
    });
  } catch (error) {
    // One of the two was erased: there is nothing to be asked any more.
    if (isDestroyed(error)) return null;
    throw error;
  }
}

/** What the process says; where it is over, what the row says. */
async function answer(
  deps: ApiDeps,
  req: Request,
  { buddy, invitation }: Opened,
  action: 'accept' | 'decline',
): Promise<VerificationState> {
  const { buddyId, subjectId } = buddy;
  const { version } = invitation;
  try {
    const visit = await sealVisit(deps, req, { subjectId });
    const pressed = { action, version, ...visit, validUntil: Date.now() + ANSWER_WITHIN };
    return await deps.buddies.answer(buddyId, pressed, ANSWER_WITHIN);
  } catch (error) {
    if (error instanceof SubjectErased) return 'withdrawn';
    if (!(error instanceof ProcessIsOver) && !(error instanceof QuestionRefused)) throw error;
    const standing = standingOf(await findBuddy(deps.pool, buddyId), version);
    if (standing !== null) return standing;
    // Too late for this press, which may be repeated; or ended by hand, and only the user can begin it anew.
    if (error instanceof QuestionRefused) throw new TemporalNotInTime();
    return 'expired';
  }
}

async function sendRenewal(deps: ApiDeps, req: Request, res: Response, opened: Opened): Promise<void> {
  const { buddy, invitation } = opened;
  const { buddyId, userId } = buddy;
  const standing = standingOf(buddy, invitation.version);
  if (standing !== null && standing !== 'expired') return sendStanding(deps, req, res, standing, opened);
  const begun = { buddyId, userId, country: buddy.country ?? 'ZZ' };
  const renewal = { version: invitation.version, validUntil: Date.now() + ANSWER_WITHIN };
  const told: RenewalAnswer =
    invitation.renewalAskedAt === null
      ? await deps.buddies.renew(begun, renewal, ANSWER_WITHIN).catch((error: unknown) => {
          throw isMissed(error) ? new TemporalNotInTime() : error;
        })
      : 'asked-before';
  if (told === 'asked' || told === 'asked-before') return sendState(deps, req, res, 'renewal-asked', opened);
  if (told === 'used-up') return sendState(deps, req, res, 'asked-enough', opened);
  const now = standingOf(await findBuddy(deps.pool, buddyId), invitation.version);
  await sendStanding(deps, req, res, now ?? 'expired', opened);
}

async function sendStanding(
  deps: ApiDeps,
  req: Request,
  res: Response,
  standing: VerificationState,
  opened: Opened,
): Promise<void> {
  switch (standing) {
    case 'verified':
      return sendState(deps, req, res, 'accepted', opened);
    case 'declined':
    case 'replaced':
    case 'withdrawn':
      return sendState(deps, req, res, standing, opened);
    case 'expired': {
      const { buddy, invitation, token } = opened;
      if (invitation.renewalAskedAt !== null) return sendState(deps, req, res, 'renewal-asked', opened);
      const left = await invitationsLeftFor(deps.pool, buddy);
      if (left === 0) return sendState(deps, req, res, 'asked-enough', opened);
      const frame = { language: buddyLanguage(buddy.language), privacyPolicyUrl: deps.config.privacyPolicyUrl };
      sendPage(res, renderInvitationExpired({ ...frame, token }), 410);
    }
  }
}

function sendState({ config }: ApiDeps, req: Request, res: Response, state: InvitationStanding, opened: Opened | null) {
  const language = opened === null ? languageAsked(req) : buddyLanguage(opened.buddy.language);
  const frame = { language, privacyPolicyUrl: config.privacyPolicyUrl, token: opened?.token ?? null };
  sendPage(res, renderInvitationState(state, frame), STATUS[state]);
}
