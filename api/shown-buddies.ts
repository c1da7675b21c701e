import type { z } from 'zod';
import type { Buddy } from '../db/buddies';
import type { InvitationOutlook } from '../db/buddy-invitations';
import { invitationsLeft } from '../domain/buddies';
import { isDestroyed } from '../domain/errors';
import type { buddyShape } from './buddies-shapes';
import type { ApiDeps } from './deps';
import { isoTime } from './iso-time';

export type ShownBuddy = z.input<typeof buddyShape>;

/** An entry as its user sees it, with name and number; null when the buddy was erased a moment ago. */
export async function shownBuddy(
  { vault }: Pick<ApiDeps, 'vault'>,
  buddy: Buddy,
  outlook: InvitationOutlook | undefined,
): Promise<ShownBuddy | null> {
  const revealed = async (recordId: string): Promise<string> =>
    (await vault.reveal({ recordId, purpose: 'own-view', actor: buddy.userId })).expose();
  try {
    const { relationshipRecordId } = buddy;
    return {
      buddyId: buddy.buddyId,
      rank: buddy.rank,
      status: buddy.status,
      name: await revealed(buddy.nameRecordId),
      phoneNumber: await revealed(buddy.phoneRecordId),
      email: await revealed(buddy.emailRecordId),
      relationship: relationshipRecordId === null ? null : await revealed(relationshipRecordId),
      language: buddy.language,
      country: buddy.country,
      invitations: shownInvitations(buddy, outlook),
      canBeAsked: buddy.canBeAsked,
      createdAt: buddy.createdAt.toISOString(),
      verifiedAt: isoTime(buddy.verifiedAt),
    };
  } catch (error) {
    if (isDestroyed(error)) return null;
    throw error;
  }
}

function shownInvitations(buddy: Buddy, outlook: InvitationOutlook | undefined): ShownBuddy['invitations'] {
  const { sent, sentOfNumber } = outlook ?? { sent: 0, sentOfNumber: 0 };
  const isOpen = buddy.status === 'pending' || buddy.status === 'expired';
  const left = isOpen ? invitationsLeft({ sent, sentOfNumber }) : 0;
  const nextAt = outlook?.nextAt ?? null;
  return {
    sent,
    left,
    nextAt: left > 0 && nextAt !== null && nextAt > new Date() ? nextAt.toISOString() : null,
    lastSentAt: isoTime(buddy.lastSentAt),
    linkExpiresAt: buddy.status === 'pending' ? isoTime(buddy.linkExpiresAt) : null,
    renewalAskedAt: isOpen ? isoTime(outlook?.renewalAskedAt ?? null) : null,
  };
}
