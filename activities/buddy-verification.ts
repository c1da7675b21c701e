import { findBuddy } from '../db/buddies';
import {
  answerInvitation,
  claimInvitation,
  type ClaimedInvitation,
  expireInvitation,
  noteInvitationSent,
  noteRenewalAsked,
  type PressedButton,
  takeInvitationBack,
  type VerificationStanding,
  verificationStanding,
} from '../db/buddy-verification';
import { findProfile } from '../db/user-profiles';
import { buddyVerificationWorkflowId, type RenewalAnswer, type VerificationState } from '../domain/buddies';
import { isDestroyed } from '../domain/errors';
import { firstName } from '../domain/first-name';
import { cancelMessage } from '../temporal/messages';
import { messageLinkHash } from '../vault/link-tokens';
import { startBuddyMessage } from './buddy-messages';
import type { ActivityDependencies } from './dependencies';
import { type NewsForUser, tellUser } from './tell-user';

export interface AskedInvitation {
  readonly buddyId: string;
  readonly userId: string;
  readonly invitationId: string;
  /** Of the e-mail, made by the workflow. */
  readonly messageId: string;
}

export interface InvitationToSend {
  readonly buddyId: string;
  readonly version: number;
  readonly messageId: string;
  /** ISO 8601: later than this its link opens nothing. */
  readonly expiresAt: string;
}

const DAY_MS = 86_400_000;
/** The template says "for … days". */
const MOST_DAYS = 60;

/** Rows of a verification, as local activities, and what it starts. */
export function createBuddyVerificationActivities(deps: ActivityDependencies) {
  const { pool, vault, tokenizer, temporal, buddies, mail } = deps;
  return {
    /** One of the three e-mails, or why not; a repeated attempt gets the same answer. */
    async claimInvitation({ buddyId, ...asked }: AskedInvitation): Promise<ClaimedInvitation> {
      const buddy = await findBuddy(pool, buddyId);
      const notFound: ClaimedInvitation = { refused: 'not-found', retryAfterMs: null };
      if (buddy === null || buddy.removedAt !== null) return notFound;
      try {
        // Its tokens are made anew: the key may have been rotated since the entry was made.
        const address = await vault.reveal({ recordId: buddy.emailRecordId, purpose: 'send', actor: 'system' });
        const phone = await vault.reveal({ recordId: buddy.phoneRecordId, purpose: 'route', actor: 'system' });
        return await claimInvitation(pool, {
          ...asked,
          buddyId,
          token: tokenizer.token(address),
          candidates: tokenizer.candidates(address),
          phoneCandidates: tokenizer.candidates(phone),
          hashOf: (version) => messageLinkHash(mail.linkKey, { use: 'buddy-invitation', id: buddyId, version }),
          lifetimeMs: buddies.linkLifetimeMs,
          spacingMs: buddies.invitationSpacingMs,
          targetLimits: buddies.targetLimits,
          inviterLimits: buddies.inviterLimits,
        });
      } catch (error) {
        if (isDestroyed(error)) return notFound;
        throw error;
      }
    },

    answerInvitation: (pressed: PressedButton): Promise<VerificationState> => answerInvitation(pool, pressed),

    expireInvitation: ({ buddyId, version }: { buddyId: string; version: number }): Promise<boolean> =>
      expireInvitation(pool, buddyId, version),

    noteInvitationSent: ({ messageId, at }: { messageId: string; at: string }): Promise<void> =>
      noteInvitationSent(pool, messageId, at),

    takeInvitationBack: ({ buddyId, messageId }: { buddyId: string; messageId: string }): Promise<void> =>
      takeInvitationBack(pool, buddyId, messageId),

    noteRenewalAsked: ({ buddyId, version }: { buddyId: string; version: number }): Promise<RenewalAnswer> =>
      noteRenewalAsked(pool, buddyId, version),

    async verificationStanding({ buddyId }: { buddyId: string }): Promise<VerificationStanding> {
      return verificationStanding(await findBuddy(pool, buddyId));
    },

    /** Starts the e-mail; may be repeated. @returns false when nobody waits for it any more, or there is nobody to write to */
    async sendInvitation({ buddyId, version, messageId, expiresAt }: InvitationToSend): Promise<boolean> {
      const buddy = await findBuddy(pool, buddyId);
      const profile = buddy === null ? null : await findProfile(pool, buddy.userId);
      if (buddy === null || profile === null || buddy.removedAt !== null || buddy.emailToken === null) return false;
      if (buddy.status !== 'pending' || buddy.linkVersion !== version) return false;
      const named = async (recordId: string): Promise<string> =>
        firstName((await vault.reveal({ recordId, purpose: 'send', actor: 'system' })).expose());
      const { subjectId, emailRecordId: recordId, emailToken: token, language } = buddy;
      try {
        await startBuddyMessage(deps, {
          messageId,
          requestedBy: buddy.userId,
          to: { subjectId, recordId, token, country: null, language },
          channel: 'email',
          kind: 'invitation',
          template: 'buddy.invitation',
          variables: {
            buddy: await named(buddy.nameRecordId),
            user: await named(profile.nameRecordId),
            days: Math.min(MOST_DAYS, Math.max(1, Math.round(buddies.linkLifetimeMs / DAY_MS))),
          },
          link: { use: 'buddy-invitation', id: buddyId, version },
          notAfter: new Date(expiresAt),
          reportsTo: buddyVerificationWorkflowId(buddyId),
        });
        return true;
      } catch (error) {
        if (isDestroyed(error)) return false;
        throw error;
      }
    },

    /** One that the provider has goes on to its end. */
    async cancelInvitation({ messageId }: { messageId: string }): Promise<void> {
      await cancelMessage(temporal, messageId);
    },

    tellUser: (news: NewsForUser): Promise<void> => tellUser(deps, news),
  };
}
