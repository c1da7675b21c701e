/** Addresses that are not written to; asked in the statement that claims an e-mail (`may-send.ts`). */
import { z } from 'zod';
import { type Db, execute, maybeOne } from './query';

/** `bounced`: the mailbox is not there. `complained`: its owner called a mail of ours spam. */
export type MailBlockReason = 'bounced' | 'complained' | 'unsubscribed';

const WEAKEST_FIRST: readonly MailBlockReason[] = ['unsubscribed', 'bounced', 'complained'];

/**
 * Blocks an address. May be repeated; a complaint outranks the others, and a mailbox that is not there one that has only
 * unsubscribed: neither may be lifted by a link that stands in every mail.
 * @param tokenVersion that is current; a token that was made before, and somebody else knows, keeps its own
 * @returns whether that is new
 */
export async function blockAddress(
  db: Db,
  recipientToken: Buffer,
  tokenVersion: number,
  reason: MailBlockReason,
): Promise<boolean> {
  const changed = await execute(
    db,
    `INSERT INTO mail_blocks (recipient_token, token_version, reason)
     SELECT $1, coalesce(
         (SELECT token_version FROM recipients WHERE recipient_token = $1),
         (SELECT token_version FROM contact_points WHERE token = $1 AND deleted_at IS NULL LIMIT 1),
         $2::int), $3
     ON CONFLICT (recipient_token) DO UPDATE SET reason = EXCLUDED.reason
       WHERE array_position($4, EXCLUDED.reason) > array_position($4, mail_blocks.reason)`,
    [recipientToken, tokenVersion, reason, WEAKEST_FIRST],
  );
  return changed === 1;
}

/** Takes back what the owner of the mailbox said by a link. @returns false when the address was not blocked for that */
export async function liftUnsubscribed(db: Db, recipientToken: Buffer): Promise<boolean> {
  const lifted = await execute(db, `DELETE FROM mail_blocks WHERE recipient_token = $1 AND reason = 'unsubscribed'`, [
    recipientToken,
  ]);
  return lifted === 1;
}

/** Why an address is not written to, under any live version of its token; null: it is. */
export async function whyBlocked(db: Db, candidates: readonly Buffer[]): Promise<MailBlockReason | null> {
  const row = await maybeOne(
    db,
    z.object({ reason: z.enum(['bounced', 'complained', 'unsubscribed']) }),
    'SELECT reason FROM mail_blocks WHERE recipient_token = ANY($1) ORDER BY reason LIMIT 1',
    [candidates],
  );
  return row?.reason ?? null;
}

/** An e-mail of ours, found by what its carrier tells of it. */
export interface SentMail {
  readonly dispatchId: string;
  readonly messageId: string | null;
  /** Null once it was forgotten. */
  readonly recipientToken: Buffer | null;
}

/** By our own id, which came back as a tag, else by the carrier's; null for a mail that is not ours. */
export async function findSentMail(db: Db, dispatchId: string | null, sid: string): Promise<SentMail | null> {
  const row = await maybeOne(
    db,
    z.object({
      dispatch_id: z.uuid(),
      message_id: z.uuid().nullable(),
      recipient_token: z.instanceof(Buffer).nullable(),
    }),
    `SELECT dispatch_id, message_id, recipient_token FROM dispatches
      WHERE channel = 'email' AND (dispatch_id = $1 OR sid = $2) ORDER BY dispatch_id = $1 DESC NULLS LAST LIMIT 1`,
    [dispatchId, sid],
  );
  if (row === null) return null;
  return { dispatchId: row.dispatch_id, messageId: row.message_id, recipientToken: row.recipient_token };
}
