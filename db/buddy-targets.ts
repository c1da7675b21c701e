/**
 * How often one person is asked, over all users: nobody can be pestered through many accounts. And how many e-mails one
 * user has sent: no account writes to ever new people. Counted from what was really sent, behind a lock, so that it
 * holds when many ask at once.
 */
import { z } from 'zod';
import type { RecipientStep } from '../domain/recipient-limits';
import { type Db, execute, one } from './query';
import { limitValues } from './recipient-limits';

/** `invitations`: e-mails to an address. `check-ins`: texts to a number, asked for by users. `contacts`: told that they were named. */
export type TargetKind = 'invitations' | 'check-ins' | 'contacts';

const SOURCES: Readonly<Record<TargetKind, string>> = {
  invitations: 'SELECT asked_at AS at FROM buddy_invitations WHERE counts AND email_token = ANY($1::bytea[])',
  'check-ins': `SELECT requested_at AS at FROM buddy_check_in_requests
                 WHERE counts AND kind = 'user' AND phone_token = ANY($1::bytea[])`,
  contacts: 'SELECT named_at AS at FROM registered_contacts WHERE phone_token = ANY($1::bytea[])',
};

/** Requests for the same person follow each other, until the transaction ends. @param token under the current key */
export async function lockTarget(tx: Db, token: Buffer): Promise<void> {
  await execute(tx, 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`buddy-target:${token.toString('hex')}`]);
}

/**
 * How long until this person may be asked again, by whomever, ms; 0: now. Behind {@link lockTarget}.
 * @param tokens under every live version of the token key
 */
export async function targetWaitMs(
  tx: Db,
  kind: TargetKind,
  tokens: readonly Buffer[],
  limits: readonly RecipientStep[],
): Promise<number> {
  return turnWaitMs(tx, SOURCES[kind], tokens, limits);
}

const INVITATIONS_OF_USER = `SELECT i.asked_at AS at FROM buddy_invitations i JOIN buddy_contacts b USING (buddy_id)
  WHERE i.counts AND b.user_id = $1`;

/** How long until this user may have another e-mail sent, to whomever, ms; 0: now. Behind `lockBuddiesOf`. */
export async function inviterWaitMs(tx: Db, userId: string, limits: readonly RecipientStep[]): Promise<number> {
  return turnWaitMs(tx, INVITATIONS_OF_USER, userId, limits);
}

/** @param source query of the times (`at`) at which somebody was asked, of whom $1 says */
async function turnWaitMs(
  tx: Db,
  source: string,
  whose: string | readonly Buffer[],
  limits: readonly RecipientStep[],
): Promise<number> {
  const { wait_ms: waitMs } = await one(
    tx,
    z.object({ wait_ms: z.coerce.number() }),
    `SELECT coalesce(max(turn.wait_ms), 0) AS wait_ms
       FROM unnest($2::int[], $3::bigint[]) AS step(count, within_ms)
      CROSS JOIN LATERAL (
            SELECT greatest(1, ceil(extract(epoch FROM asked.at - clock_timestamp()) * 1000 + step.within_ms))::bigint
                     AS wait_ms
              FROM (${source}) asked
             WHERE asked.at > clock_timestamp() - step.within_ms * interval '1 millisecond'
             ORDER BY asked.at DESC OFFSET step.count - 1 LIMIT 1) turn`,
    [whose, ...limitValues(limits)],
  );
  return waitMs;
}
