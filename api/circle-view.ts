/** What stands on a user's own page, gathered for {@link renderCircle}. */
import type { Request } from 'express';
import { checkInWaitMs, listCheckIns } from '../db/check-ins';
import { findRegisteredContact } from '../db/registered-contacts';
import { listWellbeingAlerts, stepsOfAlert, type WellbeingAlert } from '../db/wellbeing-alerts';
import { findProfile } from '../db/user-profiles';
import { buddyLanguage } from '../domain/buddies';
import { countryOfNumber } from '../domain/phone-number';
import { zonesOfCountry } from '../domain/quiet-hours';
import type { CircleBuddy, CircleCheckIn, CircleView } from '../web/circle';
import type { CircleAlert } from '../web/circle-alerts';
import type { CircleContact } from '../web/circle-contact';
import { isCircleDone } from '../web/circle-words';
import type { LinkLanguage } from '../web/link-page';
import { shownBuddies } from './buddies';
import { noteOf } from './check-ins';
import type { ApiDeps } from './deps';
import { languageAsked } from './link-pages';
import type { Visitor } from './page-sessions';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { ownView } from './registered-contact';
import type { ShownBuddy } from './shown-buddies';
import { shownProfile } from './user-profile';

const CHECK_INS = 10;
const ALERTS = 5;

/** As the user has said, else as their browser does. */
export async function circleLanguage({ pool }: ApiDeps, req: Request, { subjectId }: Visitor): Promise<LinkLanguage> {
  const profile = await findProfile(pool, subjectId);
  return profile === null ? languageAsked(req) : buddyLanguage(profile.language);
}

/** @param req says which page of answers, in `older`, and what was done, in `done` */
export async function circleView(deps: ApiDeps, req: Request, visitor: Visitor): Promise<CircleView> {
  const { config } = deps;
  const { subjectId: userId, formToken } = visitor;
  const [profile, buddies, contact] = await Promise.all([
    shownProfile(deps, visitor),
    shownBuddies(deps, userId),
    contactOf(deps, userId),
  ]);
  const [checkIns, alerts] = await Promise.all([
    checkInsOf(deps, req, visitor, buddies),
    alertsOf(deps, userId, buddies),
  ]);
  const word = req.query['done'];
  return {
    language: profile === null ? languageAsked(req) : buddyLanguage(profile.language),
    zone: profile?.timeZone ?? organisationZone(config),
    profile:
      profile === null
        ? null
        : {
            firstName: profile.firstName,
            language: buddyLanguage(profile.language),
            tellMeBy: profile.tellMeBy,
            timeZone: profile.timeZone,
          },
    buddies: await Promise.all(buddies.map((buddy, index) => shown(deps, buddy, index + 1))),
    most: config.buddies.most,
    ...checkIns,
    contact,
    alerts,
    done: isCircleDone(word) ? word : null,
    formToken,
    privacyPolicyUrl: config.privacyPolicyUrl,
  };
}

/** Of a country with several zones none is the organisation's. */
function organisationZone({ twilio }: Pick<ApiDeps['config'], 'twilio'>): string {
  const zones = zonesOfCountry(countryOfNumber(twilio.phoneNumbers[0] ?? '') ?? '');
  return (zones.length === 1 ? zones[0] : undefined) ?? 'UTC';
}

async function shown({ pool }: ApiDeps, buddy: ShownBuddy, place: number): Promise<CircleBuddy> {
  const { invitations } = buddy;
  const waitMs = buddy.canBeAsked ? await checkInWaitMs(pool, buddy.buddyId) : 0;
  return {
    buddyId: buddy.buddyId,
    name: buddy.name,
    relationship: buddy.relationship,
    phone: buddy.phoneNumber,
    email: buddy.email,
    place,
    status: buddy.status,
    invitation: {
      sent: invitations.sent,
      left: invitations.left,
      nextAt: timeOf(invitations.nextAt),
      linkUntil: timeOf(invitations.linkExpiresAt),
      renewalAskedAt: timeOf(invitations.renewalAskedAt),
    },
    canBeAsked: buddy.canBeAsked,
    nextCheckInAt: waitMs > 0 ? new Date(Date.now() + waitMs) : null,
  };
}

function timeOf(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}

async function checkInsOf(
  deps: ApiDeps,
  req: Request,
  visitor: Visitor,
  buddies: readonly ShownBuddy[],
): Promise<Pick<CircleView, 'checkIns' | 'older'>> {
  const { pool, tokenizer } = deps;
  const scope: CursorScope = ['GET /circle', visitor.subjectId];
  const older = req.query['older'];
  const cursor = checkedCursor(tokenizer, scope, typeof older === 'string' ? older : undefined);
  const page = await listCheckIns(pool, { userId: visitor.subjectId, limit: CHECK_INS, cursor });
  const checkIns = page.rows.map(
    async (row): Promise<CircleCheckIn> => ({
      buddyName: nameIn(buddies, row.buddyId),
      isByUs: row.kind === 'system',
      at: row.requestedAt,
      state: row.state,
      response: row.response,
      note: await noteOf(deps, visitor, row),
    }),
  );
  const next = signedCursor(tokenizer, scope, page.nextCursor);
  return {
    checkIns: await Promise.all(checkIns),
    older: next === null ? null : `/circle?older=${encodeURIComponent(next)}`,
  };
}

function nameIn(buddies: readonly ShownBuddy[], wanted: string): string | null {
  return buddies.find(({ buddyId }) => buddyId === wanted)?.name ?? null;
}

async function contactOf(deps: ApiDeps, userId: string): Promise<CircleContact | null> {
  const contact = await findRegisteredContact(deps.pool, userId);
  if (contact === null) return null;
  const { state, language, toldAt } = contact;
  const name = await ownView(deps, contact, 'nameRecordId');
  const phone = await ownView(deps, contact, 'phoneRecordId');
  return { name, phone, state, language: buddyLanguage(language), toldAt };
}

async function alertsOf({ pool }: ApiDeps, userId: string, buddies: readonly ShownBuddy[]): Promise<CircleAlert[]> {
  const { rows } = await listWellbeingAlerts(pool, { userId, limit: ALERTS, cursor: null });
  const shownAlert = async (alert: WellbeingAlert): Promise<CircleAlert> => {
    const steps = await stepsOfAlert(pool, alert.alertId);
    const named = steps.map((step) => ({
      ...step,
      buddies: step.buddies.map(({ buddyId, state, response }) => ({
        name: nameIn(buddies, buddyId),
        state,
        response,
      })),
    }));
    return { ...alert, steps: named };
  };
  return Promise.all(rows.map(shownAlert));
}
