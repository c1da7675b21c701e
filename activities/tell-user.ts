import { findBuddy } from '../db/buddies';
import { savedDestination } from '../db/recipients';
import { findProfile } from '../db/user-profiles';
import { buddyLanguage } from '../domain/buddies';
import { type BuddyNews, buddyNews } from '../domain/buddy-news';
import { isDestroyed } from '../domain/errors';
import { firstNameForText } from '../domain/first-name';
import { type BuddyMessageParts, startBuddyMessage } from './buddy-messages';

export interface NewsForUser {
  readonly buddyId: string;
  readonly news: BuddyNews;
  /** Made by the workflow: a repeated attempt starts no second message. */
  readonly messageId: string;
}

/** News of yesterday is in the app by then. */
const LIFETIME_MS = 12 * 3_600_000;

/**
 * Tells the user what a buddy did, where they asked to be told by text or e-mail; the app is told with the change itself.
 * Nobody who has not verified their number or address is told there. May be repeated.
 */
export async function tellUser(parts: BuddyMessageParts, { buddyId, news, messageId }: NewsForUser): Promise<void> {
  const { pool, vault } = parts;
  const buddy = await findBuddy(pool, buddyId);
  const profile = buddy === null ? null : await findProfile(pool, buddy.userId);
  if (buddy === null || profile === null || profile.tellMeBy === 'app') return;
  const channel = profile.tellMeBy;
  const kind = channel === 'sms' ? 'phone' : 'email';
  const to = await savedDestination(pool, { kind, subjectId: buddy.userId });
  if (to === null || !to.isVerified) return;
  const language = buddyLanguage(profile.language);
  try {
    const name = await vault.reveal({ recordId: buddy.nameRecordId, purpose: 'send', actor: 'system' });
    await startBuddyMessage(parts, {
      messageId,
      requestedBy: buddy.userId,
      to: { ...to, language },
      channel,
      kind: 'update',
      template: 'buddy.news',
      variables: { news: buddyNews(news, firstNameForText(name.expose(), language, 'buddy'), language) },
      notAfter: new Date(Date.now() + LIFETIME_MS),
    });
  } catch (error) {
    // One of them was erased meanwhile: there is nobody to tell of, or to tell.
    if (!isDestroyed(error)) throw error;
  }
}
