/** A buddy who is not to be asked any more, for whatever reason: one place that says what that means. */
import { z } from 'zod';
import type { BuddyEvent } from '../domain/buddies';
import { noteAppEvent } from './app-events';
import { appendAudit } from './audit';
import { type Buddy, noteBuddyEvent } from './buddies';
import { noteRefusal } from './buddy-refusals';
import { type Db, execute, many, maybeOne } from './query';
import { tellEach } from './tell-each';

/** `blocked`: a withdrawal after which this user can never ask again, whatever else is lifted. `removed`: by the user. */
export type BuddyEnding = Extract<BuddyEvent, 'declined' | 'withdrawn' | 'blocked' | 'removed'>;

export interface EndedBuddy {
  readonly buddy: Buddy;
  readonly how: BuddyEnding;
  /** Subject id of who did it. */
  readonly actor: string;
  /** Of the link it was done by; null: by none. */
  readonly version: number | null;
  readonly ipRecordId?: string | null;
  readonly userAgentRecordId?: string | null;
}

const AUDITED = {
  declined: 'buddy.declined',
  withdrawn: 'buddy.withdrawn',
  blocked: 'buddy.blocked',
  removed: 'buddy.removed',
} as const;

/**
 * Ends it: never asked again, the newest link opens nothing but the buddy's own rights, and the same user cannot invite
 * the same address or number again, unless it was the user who removed them. May be repeated. Behind `lockBuddy`, in one
 * transaction; whoever calls it tells the running workflows when that has committed, and a relay does where they do not.
 * @returns whether anything changed
 */
export async function endBuddy(tx: Db, { buddy, how, actor, version, ...visit }: EndedBuddy): Promise<boolean> {
  const { buddyId, userId, emailToken, phoneToken, tokenVersion } = buddy;
  let isRefused = false;
  if (how !== 'removed') {
    const tokens = [emailToken, phoneToken].filter((token) => token !== null);
    isRefused = await noteRefusal(tx, { userId, tokens, tokenVersion, reason: how });
  }
  const hasEnded = (await execute(tx, CHANGES[how], [buddyId])) > 0;
  // Somebody who had ended before may still withdraw or block: what is new is that they cannot be invited again.
  if (!hasEnded && !(isRefused && (how === 'withdrawn' || how === 'blocked'))) return false;
  await noteBuddyEvent(tx, { buddyId, event: how, version, ...visit });
  const audited = how === 'withdrawn' || how === 'blocked' ? { purpose: 'link' } : {};
  await appendAudit(tx, { actor, action: AUDITED[how], objectId: buddyId, outcome: 'done', ...audited });
  const state = how === 'declined' || how === 'removed' ? how : 'opted-out';
  if (hasEnded) await noteAppEvent(tx, { subjectId: userId, type: `buddy.${state}`, objectId: buddyId, state });
  return true;
}

// Of one who had not agreed yet the verification tells; after a STOP the user knows.
const WITHDRAWN = `UPDATE buddy_contacts
    SET opted_out_at = coalesce(opted_out_at, clock_timestamp()), opted_out_by = 'page', is_active = false, is_end_untold = true,
        withdrawal_news_id = CASE WHEN verified AND is_active AND opted_out_at IS NULL THEN gen_random_uuid()
                                  ELSE withdrawal_news_id END
  WHERE buddy_id = $1 AND removed_at IS NULL AND (is_active OR opted_out_by IS DISTINCT FROM 'page')`;

const CHANGES: Readonly<Record<BuddyEnding, string>> = {
  declined: `UPDATE buddy_contacts SET declined_at = clock_timestamp(), is_active = false, is_end_untold = true
    WHERE buddy_id = $1 AND removed_at IS NULL AND is_active AND NOT verified`,
  withdrawn: WITHDRAWN,
  blocked: WITHDRAWN,
  removed: `UPDATE buddy_contacts
      SET removed_at = clock_timestamp(), is_active = false, is_end_untold = true, email_token = NULL, phone_token = NULL,
          verification_token_hash = NULL, withdrawal_news_id = NULL
    WHERE buddy_id = $1 AND removed_at IS NULL`,
};

/** Buddies whose running workflows have yet to hear that they are not asked any more. */
export async function untoldEndings(db: Db, limit: number): Promise<string[]> {
  const rows = await many(
    db,
    z.object({ buddy_id: z.uuid() }),
    'SELECT buddy_id FROM buddy_contacts WHERE is_end_untold ORDER BY buddy_id LIMIT $1',
    [limit],
  );
  return rows.map(({ buddy_id: buddyId }) => buddyId);
}

/** The check-ins of a buddy that somebody may still be waiting for. */
export async function openCheckInsOf(db: Db, buddyId: string): Promise<string[]> {
  const rows = await many(
    db,
    z.object({ request_id: z.uuid() }),
    'SELECT request_id FROM buddy_check_in_requests WHERE buddy_id = $1 AND closed_at IS NULL ORDER BY requested_at',
    [buddyId],
  );
  return rows.map(({ request_id: requestId }) => requestId);
}

/**
 * @param seen the row as it was when they were told; one that has changed since stays untold, and is told again. Left out:
 *   however it is
 */
export async function markEndingTold(db: Db, buddyId: string, seen: string | null = null): Promise<void> {
  await execute(
    db,
    `UPDATE buddy_contacts SET is_end_untold = false
      WHERE buddy_id = $1 AND is_end_untold AND xmin::text = coalesce($2, xmin::text)`,
    [buddyId, seen],
  );
}

/** A buddy who had agreed and has withdrawn, of which the user is to be told as they wished. */
export interface WithdrawalToTell {
  readonly buddyId: string;
  /** Of the message that tells it, whoever begins it and however often. */
  readonly messageId: string;
}

const withdrawalRow = z
  .object({ buddy_id: z.uuid(), withdrawal_news_id: z.uuid() })
  .transform((row): WithdrawalToTell => ({ buddyId: row.buddy_id, messageId: row.withdrawal_news_id }));

/**
 * Tells users of withdrawals that they were not told of yet. What one of them cannot be told does not keep the others from
 * theirs.
 * @param tell may be repeated; where it throws, it is told again by the next pass
 * @param onFailure throws to end it: the others would only wait too
 * @returns how many were told
 */
export async function tellUntoldWithdrawals(
  db: Db,
  tell: (withdrawal: WithdrawalToTell) => Promise<void>,
  onFailure: (error: unknown) => void,
  limit: number,
): Promise<number> {
  const untold = `SELECT buddy_id, withdrawal_news_id FROM buddy_contacts
    WHERE withdrawal_news_id IS NOT NULL ORDER BY buddy_id LIMIT $1`;
  const told = `UPDATE buddy_contacts SET withdrawal_news_id = NULL WHERE buddy_id = $1 AND withdrawal_news_id = $2`;
  const tellOne = async (withdrawal: WithdrawalToTell): Promise<true> => {
    await tell(withdrawal);
    await execute(db, told, [withdrawal.buddyId, withdrawal.messageId]);
    return true;
  };
  return await tellEach(await many(db, withdrawalRow, untold, [limit]), tellOne, onFailure);
}

/** Whose running workflows are to hear something. */
export interface EndingToTell {
  readonly buddyId: string;
  readonly checkInIds: readonly string[];
}

/**
 * Tells what is untold, of these buddies or of all. What one of them cannot be told does not keep the others from theirs.
 * @param tell throws what Temporal says; the buddy then stays untold
 * @param onFailure throws to end it: the others would only wait too
 * @returns how many were told
 */
export async function tellUntoldEndings(
  db: Db,
  tell: (ending: EndingToTell) => Promise<void>,
  onFailure: (error: unknown) => void,
  limit: number,
): Promise<number> {
  const tellOne = async (buddyId: string): Promise<boolean> => {
    const seen = await maybeOne(
      db,
      z.object({ version: z.string() }),
      'SELECT xmin::text AS version FROM buddy_contacts WHERE buddy_id = $1 AND is_end_untold',
      [buddyId],
    );
    if (seen === null) return false;
    await tell({ buddyId, checkInIds: await openCheckInsOf(db, buddyId) });
    await markEndingTold(db, buddyId, seen.version);
    return true;
  };
  return await tellEach(await untoldEndings(db, limit), tellOne, onFailure);
}
