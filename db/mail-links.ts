/** The links by which somebody asks for no further e-mail; only their hashes are here. */
import { z } from 'zod';
import type { Held } from './legal-holds';
import { deleteOld, type OldPage, type OldRows } from './old-rows';
import { type Db, execute, maybeOne } from './query';

export interface UnsubscribeLink {
  readonly messageId: string;
  readonly recipientToken: Buffer;
}

/** Before the mail leaves. May be repeated: a repeat carries the same link. */
export async function keepUnsubscribeLink(db: Db, linkHash: Buffer, link: UnsubscribeLink): Promise<void> {
  await execute(
    db,
    `INSERT INTO unsubscribe_links (link_hash, message_id, recipient_token) VALUES ($1, $2, $3)
     ON CONFLICT (link_hash) DO NOTHING`,
    [linkHash, link.messageId, link.recipientToken],
  );
}

export interface FoundLink extends UnsubscribeLink {
  /** To whom the e-mail was written; null once its row is gone. */
  readonly subjectId: string | null;
}

/** The link of this hash; null when there is none (any more). */
export async function findUnsubscribeLink(db: Db, linkHash: Buffer): Promise<FoundLink | null> {
  const row = await maybeOne(
    db,
    z.object({ message_id: z.uuid(), recipient_token: z.instanceof(Buffer), subject_id: z.uuid().nullable() }),
    `SELECT l.message_id, l.recipient_token, m.subject_id
       FROM unsubscribe_links l LEFT JOIN messages m ON m.message_id = l.message_id WHERE l.link_hash = $1`,
    [linkHash],
  );
  if (row === null) return null;
  return { messageId: row.message_id, recipientToken: row.recipient_token, subjectId: row.subject_id };
}

/** Somebody used it; the first time stays. */
export async function noteLinkUsed(db: Db, linkHash: Buffer): Promise<void> {
  await execute(
    db,
    'UPDATE unsubscribe_links SET used_at = clock_timestamp() WHERE link_hash = $1 AND used_at IS NULL',
    [linkHash],
  );
}

/** Links in e-mails of long ago. What was asked by one stays as a block of the address. */
export function deleteOldLinks(db: Db, rows: OldRows): Promise<OldPage> {
  const old = { table: 'unsubscribe_links', key: 'link_hash', type: 'bytea', time: 't.made_at' } as const;
  const heldWhere = ({ messages }: Held) => `t.message_id IN ${messages}`;
  return deleteOld(db, { ...old, heldWhere }, rows);
}
