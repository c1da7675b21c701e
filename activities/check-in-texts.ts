/** What a check-in sends: the text, its reminder, and news of it for the user. */
import { findBuddy } from '../db/buddies';
import { findCheckIn } from '../db/check-ins';
import { findProfile } from '../db/user-profiles';
import { buddyLanguage, type CheckInInput, checkInWorkflowId } from '../domain/buddies';
import { isDestroyed } from '../domain/errors';
import { firstNameForText } from '../domain/first-name';
import type { MessageLink } from '../domain/message-links';
import { textSenderFor } from '../domain/sender-choice';
import { cancelMessage } from '../temporal/messages';
import { type BuddyMessage, startBuddyMessage } from './buddy-messages';
import type { ActivityDependencies } from './dependencies';
import { type NewsForUser, tellUser } from './tell-user';

/** A text of an alert that comes later than this asks for yesterday, however long the alert goes on (ms). */
const ALERT_LIFETIME_MS = 24 * 3_600_000;

export interface CheckInText {
  readonly input: CheckInInput;
  readonly which: 'first' | 'reminder';
  /** Made by the workflow: a repeated attempt starts no second text. */
  readonly messageId: string;
}

/** A reminder carries the same link as the text. */
export function checkInLink({ requestId, alert }: Pick<CheckInInput, 'requestId' | 'alert'>): MessageLink {
  return { use: alert === null ? 'buddy-check-in' : 'wellbeing-alert', id: requestId, version: 1 };
}

export function createCheckInTexts(deps: ActivityDependencies) {
  return {
    /**
     * Starts the text, or its reminder. May be repeated.
     * @returns false when it is better not sent: the buddy is not to be asked any more, or somebody was erased
     */
    async startCheckInText(asked: CheckInText): Promise<boolean> {
      try {
        const message = await messageOf(deps, asked);
        if (message === null) return false;
        await startBuddyMessage(deps, message);
        return true;
      } catch (error) {
        if (isDestroyed(error)) return false;
        throw error;
      }
    },

    /** What the provider does not have yet goes to nobody. May be repeated. */
    async cancelCheckInTexts({ messageIds }: { readonly messageIds: readonly string[] }): Promise<void> {
      await Promise.all(messageIds.map((messageId) => cancelMessage(deps.temporal, messageId)));
    },

    /** Tells the user what became of it, where they asked to be told. May be repeated. */
    tellOfCheckIn: (news: NewsForUser): Promise<void> => tellUser(deps, news),
  };
}

async function messageOf(deps: ActivityDependencies, asked: CheckInText): Promise<BuddyMessage | null> {
  const { pool, vault } = deps;
  const { input, which, messageId } = asked;
  const [row, buddy, profile] = await Promise.all([
    findCheckIn(pool, input.requestId),
    findBuddy(pool, input.buddyId),
    findProfile(pool, input.userId),
  ]);
  if (row === null || buddy === null || profile === null || buddy.phoneToken === null || !buddy.canBeAsked) return null;
  const language = buddyLanguage(buddy.language);
  const why = { purpose: 'send', actor: 'system' } as const;
  const buddyName = await vault.reveal({ recordId: buddy.nameRecordId, ...why });
  const userName = await vault.reveal({ recordId: profile.nameRecordId, ...why });
  const { subjectId, phoneRecordId: recordId, phoneToken: token, country } = buddy;
  return {
    messageId,
    requestedBy: input.userId,
    to: { subjectId, recordId, token, country, language },
    channel: 'sms',
    variables: {
      buddy: firstNameForText(buddyName.expose(), language, 'buddy'),
      user: firstNameForText(userName.expose(), language, 'user'),
      ...(input.alert === null ? {} : { days: input.alert.days }),
    },
    link: checkInLink(input),
    notAfter:
      input.alert === null ? row.closesAt : new Date(Math.min(row.closesAt.valueOf(), Date.now() + ALERT_LIFETIME_MS)),
    ...(which === 'first' ? { reportsTo: checkInWorkflowId(input.requestId) } : {}),
    ...manner(deps, asked, country ?? 'ZZ'),
  };
}

/** Of an alert, no sender is chosen: whichever reaches them is better than an answer that comes back to where it was asked. */
function manner(deps: ActivityDependencies, { input, which }: CheckInText, country: string) {
  // Of an alert the user knows nothing: nobody may be told that they wait.
  if (input.alert !== null) return { template: 'buddy.alert', kind: 'alert', messageClass: 'safety' } as const;
  const template = which === 'reminder' ? 'buddy.reminder' : 'buddy.check-in';
  return { template, kind: 'check-in', sender: textSenderFor(deps, country) } as const;
}
