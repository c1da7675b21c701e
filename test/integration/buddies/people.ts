/** Users who have told what they are called, and buddies who have agreed. Everything of theirs is sealed as in life. */
import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { findBuddy, insertBuddy, type Buddy } from '../../../db/buddies';
import { inTransaction } from '../../../db/pool';
import { createSubject } from '../../../db/subjects';
import { saveProfile } from '../../../db/user-profiles';
import type { Vault } from '../../../db/vault-records';
import type { TellMeBy } from '../../../domain/buddies';
import { SealedValue } from '../../../domain/sealed';
import type { Tokenizer } from '../../../vault/tokens';
import { MARKED } from '../../marked-people';

export interface BuddyParts {
  readonly pool: Pool;
  readonly vault: Vault;
  readonly tokenizer: Tokenizer;
}

interface ToldOfThemselves {
  readonly name: string;
  readonly tellMeBy: TellMeBy;
  readonly language: string;
  readonly timeZone: string | null;
}

/** Gives a user their first name. */
export async function giveProfile(
  { pool, vault }: Pick<BuddyParts, 'pool' | 'vault'>,
  userId: string,
  { name = 'Thessaly', tellMeBy = 'app', language = 'en', timeZone = null }: Partial<ToldOfThemselves> = {},
): Promise<void> {
  const nameRecordId = await vault.seal({ subjectId: userId, kind: 'name', value: SealedValue.of('name', name) });
  await inTransaction(pool, (tx) => saveProfile(tx, { userId, nameRecordId, language, tellMeBy, timeZone }));
}

export interface BuddyWanted {
  readonly userId: string;
  readonly phone: string;
  readonly name?: string;
  readonly language?: string;
  readonly country?: string;
  readonly rank?: number;
  /** False: has not answered the invitation yet. */
  readonly isVerified?: boolean;
}

/** A buddy of a user, verified unless it is said otherwise. */
export async function addBuddy(parts: BuddyParts, wanted: BuddyWanted): Promise<Buddy> {
  const { pool, vault, tokenizer } = parts;
  const {
    userId,
    name = MARKED.otherMentorName,
    language = 'en',
    country = 'US',
    rank = 1,
    isVerified = true,
  } = wanted;
  const buddyId = randomUUID();
  const subjectId = await createSubject(pool, userId);
  const phone = SealedValue.of('phone', wanted.phone);
  const email = SealedValue.of('email', `${buddyId}@example.org`);
  const sealed = (kind: 'name' | 'phone' | 'email', value: SealedValue) => vault.seal({ subjectId, kind, value });
  const records = {
    nameRecordId: await sealed('name', SealedValue.of('name', name)),
    phoneRecordId: await sealed('phone', phone),
    emailRecordId: await sealed('email', email),
  };
  await inTransaction(pool, async (tx) => {
    await insertBuddy(tx, {
      buddyId,
      userId,
      subjectId,
      rank,
      ...records,
      relationshipRecordId: null,
      emailToken: tokenizer.token(email),
      phoneToken: tokenizer.token(phone),
      tokenVersion: tokenizer.version,
      country,
      language,
    });
    if (!isVerified) return;
    await tx.query('UPDATE buddy_contacts SET verified = true, verified_at = clock_timestamp() WHERE buddy_id = $1', [
      buddyId,
    ]);
  });
  const buddy = await findBuddy(pool, buddyId);
  if (buddy === null) throw new Error('the buddy was not made');
  return buddy;
}
