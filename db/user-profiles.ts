/** What a user tells of themselves for their buddies. */
import { z } from 'zod';
import { TELL_ME_BY, type TellMeBy } from '../domain/buddies';
import { type Db, execute, maybeOne } from './query';

export interface UserProfile {
  readonly userId: string;
  /** Vault record of the first name. */
  readonly nameRecordId: string;
  /** ISO 639-1. */
  readonly language: string;
  readonly tellMeBy: TellMeBy;
  /** IANA; null: they have not said. */
  readonly timeZone: string | null;
  readonly updatedAt: Date;
}

const profileRow = z
  .object({
    user_id: z.uuid(),
    name_record_id: z.uuid(),
    language: z.string(),
    tell_me_by: z.enum(TELL_ME_BY),
    time_zone: z.string().nullable(),
    updated_at: z.date(),
  })
  .transform(
    (row): UserProfile => ({
      userId: row.user_id,
      nameRecordId: row.name_record_id,
      language: row.language,
      tellMeBy: row.tell_me_by,
      timeZone: row.time_zone,
      updatedAt: row.updated_at,
    }),
  );

/** Null for a user who has told nothing yet. */
export function findProfile(db: Db, userId: string): Promise<UserProfile | null> {
  return maybeOne(
    db,
    profileRow,
    'SELECT user_id, name_record_id, language, tell_me_by, time_zone, updated_at FROM user_profiles WHERE user_id = $1',
    [userId],
  );
}

/** IANA; null for a user who has not said, and for somebody who is none. */
export async function toldZone(db: Db, userId: string): Promise<string | null> {
  const row = z.object({ time_zone: z.string().nullable() });
  const told = await maybeOne(db, row, 'SELECT time_zone FROM user_profiles WHERE user_id = $1', [userId]);
  return told?.time_zone ?? null;
}

/** Run it in a transaction. @returns the record that named them before, which nothing names any more; null: none */
export async function saveProfile(tx: Db, profile: Omit<UserProfile, 'updatedAt'>): Promise<string | null> {
  // Of two at once the second one waits, and sees the record of the first.
  await execute(tx, 'SELECT FROM subjects WHERE subject_id = $1 FOR NO KEY UPDATE', [profile.userId]);
  const before = await findProfile(tx, profile.userId);
  await execute(
    tx,
    `INSERT INTO user_profiles (user_id, name_record_id, language, tell_me_by, time_zone) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (user_id) DO UPDATE SET name_record_id = EXCLUDED.name_record_id, language = EXCLUDED.language,
       tell_me_by = EXCLUDED.tell_me_by, time_zone = EXCLUDED.time_zone, updated_at = clock_timestamp()`,
    [profile.userId, profile.nameRecordId, profile.language, profile.tellMeBy, profile.timeZone],
  );
  return before?.nameRecordId ?? null;
}
