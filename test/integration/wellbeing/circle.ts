/** Users with buddies who have agreed, made without the ways by which they would come to be. */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { createSubject } from '../../../db/subjects';
import type { ScoreEvent } from '../../../db/wellbeing-scores';
import type { Vault } from '../../../db/vault-records';
import { SealedValue } from '../../../domain/sealed';
import { MARKED } from '../../marked-people';

const HOUR = 3_600_000;

export async function buddyOf(
  { pool, vault }: { readonly pool: Pool; readonly vault: Vault },
  userId: string,
  rank: number,
  change = '',
): Promise<string> {
  const subjectId = await createSubject(pool, userId);
  const seal = (kind: 'name' | 'email' | 'phone', text: string) =>
    vault.seal({ subjectId, kind, value: SealedValue.of(kind, text) });
  const buddyId = randomUUID();
  await pool.query(
    `INSERT INTO buddy_contacts (buddy_id, user_id, subject_id, rank, name_record_id, email_record_id, phone_record_id,
                                 email_token, phone_token, token_version, country, verified, verified_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, 'US', true, now())`,
    [
      buddyId,
      userId,
      subjectId,
      rank,
      await seal('name', MARKED.mentorName),
      await seal('email', MARKED.email),
      await seal('phone', MARKED.userPhone),
      randomBytes(32),
      randomBytes(32),
    ],
  );
  if (change !== '') await pool.query(`UPDATE buddy_contacts SET ${change} WHERE buddy_id = $1`, [buddyId]);
  return buddyId;
}

export function scoreOf(userId: string, score: number, hoursAgo: number, more: Partial<ScoreEvent> = {}): ScoreEvent {
  const measuredAt = new Date(Date.now() - hoursAgo * HOUR);
  return { eventId: randomUUID(), userId, score, risk: 'low', measuredAt, ...more };
}

/** As the analysis sends it. */
export function sent(event: ScoreEvent): object {
  return { ...event, measuredAt: event.measuredAt.toISOString() };
}
