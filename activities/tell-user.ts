import { type Buddy, findBuddy } from '../db/buddies';
import { savedDestination } from '../db/recipients';
import { findProfile } from '../db/user-profiles';
import { buddyLanguage } from '../domain/buddies';
import { type BuddyNews, buddyNews } from '../domain/buddy-news';
import { isDestroyed } from '../domain/errors';
import { plainFirstName } from '../domain/first-name';
import { type BuddyMessageParts, startBuddyMessage } from './buddy-messages';

export interface NewsForUser {
  readonly buddyId: string;
  readonly news: BuddyNews;
  /** Made before the first attempt: a repeated one starts no second message. */
  readonly messageId: string;
}

/** News of yesterday is in the app by then. */
const LIFETIME_MS = 12 * 3_600_000;

/**
 * Tells the user what a buddy did, where they asked to be told by text or e-mail; the app is told with the change itself.
 * Nobody who has not verified their number or address is told there. May be repeated.
 */
export async function tellUser(parts: BuddyMessageParts, { buddyId, news, messageId }: NewsForUser): Promise<void> {
  const { pool } = parts;
  const buddy = await findBuddy(pool, buddyId);
  const profile = buddy === null ? null : await findProfile(pool, buddy.userId);
  if (buddy === null || profile === null || profile.tellMeBy === 'app') return;
  const channel = profile.tellMeBy;
  const kind = channel === 'sms' ? 'phone' : 'email';
  const to = await savedDestination(pool, { kind, subjectId: buddy.userId });
  if (to === null || !to.isVerified) return;
  const language = buddyLanguage(profile.language);
  try {
    const name = await nameOf(parts, buddy);
    // Of somebody who is gone there is nothing to say but that they are.
    if (name === null && news !== 'withdrawn') return;
    const shown = name === null ? null : plainFirstName(name);
    await startBuddyMessage(parts, {
      messageId,
      requestedBy: buddy.userId,
      to: { ...to, language },
      channel,
      kind: 'update',
      template: 'buddy.news',
      variables: { news: buddyNews(news, shown, language) },
      notAfter: new Date(Date.now() + LIFETIME_MS),
    });
  } catch (error) {
    // Erased meanwhile: there is nobody to tell.
    if (!isDestroyed(error)) throw error;
  }
}

/** @returns null when they were erased */
async function nameOf({ vault }: BuddyMessageParts, { nameRecordId: recordId }: Buddy): Promise<string | null> {
  try {
    return (await vault.reveal({ recordId, purpose: 'send', actor: 'system' })).expose();
  } catch (error) {
    if (isDestroyed(error)) return null;
    throw error;
  }
}
