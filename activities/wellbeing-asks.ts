/** How those are asked whom an alert asks: buddies by a check-in, the contact by a text, the organisation by mail or call. */
import { findBuddy } from '../db/buddies';
import { findMessage } from '../db/messages';
import { contactToAsk, noteContactLink, type RegisteredContact } from '../db/registered-contacts';
import { findProfile } from '../db/user-profiles';
import { alertAskingContact, hasAlertEnded, wasContactAsked } from '../db/wellbeing-alerts';
import { buddyLanguage, type BuddyLanguage } from '../domain/buddies';
import { isDestroyed } from '../domain/errors';
import type { AnsweringParty, EscalationChannel, EscalationStep } from '../domain/escalation-policy';
import { firstNameForText } from '../domain/first-name';
import type { Ask } from '../domain/wellbeing-alert';
import { startSystemCheckIn } from '../temporal/check-ins';
import { cancelMessage } from '../temporal/messages';
import { cancelVoiceAlert } from '../temporal/voice-alerts';
import { tellCheckInOver } from '../temporal/wellbeing-alerts';
import { messageLinkHash } from '../vault/link-tokens';
import { startBuddyMessage } from './buddy-messages';
import type { ActivityDependencies } from './dependencies';
import { asksNotBegun } from './failures';
import { callOrganisation, tellService } from './wellbeing-organisation';

export interface StartAsks {
  readonly alertId: string;
  readonly userId: string;
  readonly days: number;
  readonly position: number;
  readonly step: EscalationStep;
  readonly asks: readonly Ask[];
  /** How long a buddy can answer, ms; left out by runs that were begun before the alert said so. */
  readonly closesAfterMs?: number;
  /** Id of the workflow that hears how they go. */
  readonly reportsTo: string;
}

/** A text that comes later than this asks for yesterday (ms). */
const LIFETIME_MS = 12 * 3_600_000;
const TELL_WITHIN_MS = 5_000;

/**
 * May be repeated: each ask is begun once under its id. What cannot be begun does not keep the others from it.
 * @returns those that can never reach anybody
 * @throws ApplicationFailure `AsksNotBegun` with the ids of those that could not be begun, yet or ever
 */
export async function startAsks(deps: ActivityDependencies, asked: StartAsks): Promise<string[]> {
  const lost: string[] = [];
  const failed: string[] = [];
  await Promise.all(
    asked.asks.map(async (ask) => {
      try {
        if (!(await startOne(deps, asked, ask))) lost.push(ask.askId);
      } catch (error) {
        failed.push(ask.askId);
        deps.logger.warn({ alertId: asked.alertId, objectId: ask.askId, error }, 'somebody could not be asked yet');
      }
    }),
  );
  // With those that never can be: once it is given up, nobody waits for them either.
  if (failed.length > 0) throw asksNotBegun([...failed, ...lost]);
  return lost;
}

async function startOne(deps: ActivityDependencies, asked: StartAsks, ask: Ask): Promise<boolean> {
  const { step } = asked;
  try {
    if (await hasAlertEnded(deps.pool, asked.alertId)) {
      // By an attempt that was thought lost: nobody would end what it begins now, or what an earlier one began.
      await takeBack(deps, step, ask);
      return false;
    }
    if (ask.by === 'check-in') return await askBuddy(deps, asked, ask);
    if (step.who === 'registered-contact') return await textContact(deps, asked, ask.askId);
    return await askOrganisation(deps, asked, ask);
  } catch (error) {
    // Erased meanwhile: there is nobody to ask, or nobody to ask for.
    if (isDestroyed(error)) return false;
    throw error;
  }
}

async function askOrganisation(
  deps: ActivityDependencies,
  { alertId, step, reportsTo }: StartAsks,
  { askId, by }: Ask,
): Promise<boolean> {
  const isBegun =
    by === 'call'
      ? await callOrganisation(deps, { who: step.who, askId, reportsTo })
      : await tellService(deps, { alertId, messageId: askId, channel: step.channel, isOver: false, reportsTo });
  if (step.who === 'emergency' || !(await hasAlertEnded(deps.pool, alertId))) return isBegun;
  // It ended between our look and this, and there was nothing yet that could be ended.
  await takeBack(deps, step, { askId, by });
  return false;
}

/** Attempts of a word that ends something: with the alert over, nothing repeats the activity that says it. */
const MOST_WORDS = 3;

/** Check-ins are ended by the alert; what a human has set off is done, whatever has come of the alert. */
async function takeBack(
  { temporal, logger }: ActivityDependencies,
  { who }: EscalationStep,
  { askId, by }: Pick<Ask, 'askId' | 'by'>,
): Promise<void> {
  if (by === 'check-in' || who === 'emergency') return;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await (by === 'call' ? cancelVoiceAlert(temporal, askId) : cancelMessage(temporal, askId));
      return;
    } catch (error) {
      if (attempt >= MOST_WORDS) throw error;
      logger.warn({ objectId: askId, error }, 'what an alert that is over had begun could not be ended yet');
    }
  }
}

async function askBuddy(deps: ActivityDependencies, asked: StartAsks, { askId, buddyId }: Ask): Promise<boolean> {
  const buddy = buddyId === null ? null : await findBuddy(deps.pool, buddyId);
  if (buddy === null || !buddy.canBeAsked) return false;
  const { reminderAfterMs, closesAfterMs } = deps.buddies.checkIn;
  const input = {
    requestId: askId,
    buddyId: buddy.buddyId,
    userId: asked.userId,
    alert: { alertId: asked.alertId, days: asked.days },
    reminderAfterMs,
    closesAfterMs: asked.closesAfterMs ?? closesAfterMs,
    reportsTo: asked.reportsTo,
  };
  await startSystemCheckIn(deps.temporal, input, buddy.country ?? 'ZZ');
  return true;
}

async function textContact(
  deps: ActivityDependencies,
  { userId, days, reportsTo }: StartAsks,
  messageId: string,
): Promise<boolean> {
  const contact = await contactOfStep(deps, userId, messageId);
  if (contact !== null) {
    const text = { template: 'buddy.contact-alert', more: { days }, reportsTo };
    const isBegun = await textTo(deps, contact, messageId, text);
    // They may have refused between our look and the text, whose end nobody could ask for then.
    if ((await contactOfStep(deps, userId, messageId))?.contactId === contact.contactId) return isBegun;
  }
  // Also where an earlier attempt has begun it.
  await cancelMessage(deps.temporal, messageId);
  return false;
}

/** Whom the step asks by this text; null when they do not want it, or somebody else was named since it began. */
async function contactOfStep(
  { pool }: Pick<ActivityDependencies, 'pool'>,
  userId: string,
  messageId: string,
): Promise<RegisteredContact | null> {
  const contact = await contactToAsk(pool, userId);
  if ('nobody' in contact) return null;
  return (await alertAskingContact(pool, contact.contactId))?.messageId === messageId ? contact : null;
}

/** One link for each naming: it is never made anew. */
const CONTACT_LINK_VERSION = 1;

/** The link to a contact's page; known as theirs before any text with it leaves. */
export async function contactLink({ pool, mail }: Pick<ActivityDependencies, 'pool' | 'mail'>, contactId: string) {
  const link = { use: 'registered-contact', id: contactId, version: CONTACT_LINK_VERSION } as const;
  await noteContactLink(pool, contactId, messageLinkHash(mail.linkKey, link));
  return link;
}

async function textTo(
  deps: ActivityDependencies,
  contact: RegisteredContact,
  messageId: string,
  text: {
    readonly template: string;
    readonly more?: Readonly<Record<string, number>>;
    readonly reportsTo?: string;
  },
): Promise<boolean> {
  const { contactId: id, phoneToken: token, subjectId, phoneRecordId: recordId, country, userId } = contact;
  if (token === null) return false;
  const { reportsTo, template } = text;
  // Their page says how to get no more of them, and links the policy.
  const link = await contactLink(deps, id);
  await startBuddyMessage(deps, {
    messageId,
    requestedBy: userId,
    to: { subjectId, recordId, token, country, language: contact.language },
    channel: 'sms',
    kind: 'check-in',
    // Several have been asked before, and nobody was reached.
    messageClass: 'safety',
    template,
    variables: { ...(await namesFor(deps, contact)), ...text.more },
    notAfter: new Date(Date.now() + LIFETIME_MS),
    link,
    ...(reportsTo === undefined ? {} : { reportsTo }),
  });
  return true;
}

/** First names, as a text to the contact says them. */
export async function namesFor(
  { pool, vault }: Pick<ActivityDependencies, 'pool' | 'vault'>,
  { userId, nameRecordId, language }: RegisteredContact,
): Promise<{ contact: string; user: string }> {
  const written: BuddyLanguage = buddyLanguage(language);
  const profile = await findProfile(pool, userId);
  const reveal = async (recordId: string) =>
    (await vault.reveal({ recordId, purpose: 'send', actor: 'system' })).expose();
  const user = profile === null ? '' : await reveal(profile.nameRecordId);
  return {
    contact: firstNameForText(await reveal(nameRecordId), written, 'buddy'),
    user: firstNameForText(user, written, 'user'),
  };
}

export interface EndAsks {
  readonly alertId: string;
  readonly userId: string;
  /** Whether those who were written to are written to once more; buddies see it on the page of their link. */
  readonly isTold: boolean;
  /** Whether they were waited for in vain; left out by runs that were begun before the alert said so. */
  readonly isInVain?: boolean;
  readonly asks: readonly {
    readonly askId: string;
    readonly by: Ask['by'];
    readonly party: AnsweringParty;
    /** That they were asked over. */
    readonly channel: EscalationChannel;
    /** Of the message that tells them. */
    readonly newsId: string;
  }[];
}

/** May be repeated. What could not be ended does not keep the others from it. */
export async function endAsks(deps: ActivityDependencies, ending: EndAsks): Promise<void> {
  const { alertId, userId, isTold, isInVain = false, asks } = ending;
  const ended = await Promise.allSettled(
    asks.map(async ({ askId, by, party, channel, newsId }) => {
      if (by === 'check-in') return await tellCheckInOver(deps.temporal, askId, TELL_WITHIN_MS, isInVain);
      if (by === 'call') return void (await cancelVoiceAlert(deps.temporal, askId));
      const stopped = await cancelMessage(deps.temporal, askId);
      // Where the text had not left yet, or was never begun, nobody knows of anything.
      // Repeated, it finds the text cancelled already.
      const hasLeft =
        typeof stopped === 'object'
          ? stopped.state !== 'cancelled'
          : stopped !== 'not-found' || hasBegun((await findMessage(deps.pool, askId))?.state);
      if (!isTold || !hasLeft) return;
      if (party === 'registered-contact') await tellContactOver(deps, { userId, askId, newsId });
      else await tellService(deps, { alertId, messageId: newsId, channel, isOver: true });
    }),
  );
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

function hasBegun(state: string | undefined): boolean {
  return state !== undefined && state !== 'cancelled';
}

/** Whoever was named since knows of nothing that could be over. */
async function tellContactOver(
  deps: ActivityDependencies,
  { userId, askId, newsId }: { readonly userId: string; readonly askId: string; readonly newsId: string },
): Promise<void> {
  const contact = await contactToAsk(deps.pool, userId);
  if ('nobody' in contact || !(await wasContactAsked(deps.pool, contact.contactId, askId))) return;
  try {
    await textTo(deps, contact, newsId, { template: 'buddy.contact-over' });
  } catch (error) {
    if (!isDestroyed(error)) throw error;
  }
}
