/** Links by which an admin listens to a recording; only their hashes are here. */
import { z } from 'zod';
import { appendAudit } from './audit';
import { type Db, execute, maybeOne, one } from './query';

/** @returns until when it opens */
export async function keepRecordingLink(
  tx: Db,
  link: { readonly hash: Buffer; readonly recordingId: string; readonly madeBy: string; readonly forMs: number },
): Promise<Date> {
  const { hash, recordingId, madeBy, forMs } = link;
  const row = await one(
    tx,
    z.object({ expires_at: z.date() }),
    `INSERT INTO recording_links (link_hash, recording_id, made_by, expires_at)
     VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 millisecond') RETURNING expires_at`,
    [hash, recordingId, madeBy, forMs],
  );
  await appendAudit(tx, {
    actor: madeBy,
    action: 'call-recording.link-made',
    objectId: recordingId,
    outcome: 'done',
  });
  return row.expires_at;
}

export interface TakenLink {
  readonly recordingId: string;
  readonly recordingSid: string;
  readonly madeBy: string;
}

/**
 * Uses a link up, in one statement: of two who open it at the same moment one gets it. Give it a transaction, so that
 * whoever listens is in the audit trail before a sound is heard.
 * @returns null for a link that is none, is over or used up, or whose recording is going or gone
 */
export async function takeRecordingLink(tx: Db, hash: Buffer): Promise<TakenLink | null> {
  const row = await maybeOne(
    tx,
    z.object({ recording_id: z.uuid(), recording_sid: z.string(), made_by: z.uuid() }),
    `UPDATE recording_links l SET used_at = clock_timestamp()
       FROM call_recordings r
      WHERE l.link_hash = $1 AND l.used_at IS NULL AND l.expires_at > clock_timestamp()
        AND r.recording_id = l.recording_id AND r.state = 'completed'
        AND r.deleted_at IS NULL AND r.delete_because IS NULL
      RETURNING r.recording_id, r.recording_sid, l.made_by`,
    [hash],
  );
  if (row === null) return null;
  const { recording_id: recordingId, recording_sid: recordingSid, made_by: madeBy } = row;
  await appendAudit(tx, { actor: madeBy, action: 'call-recording.opened', objectId: recordingId, outcome: 'done' });
  return { recordingId, recordingSid, madeBy };
}

/** Nothing was heard, because the provider did not answer: it opens once more, with an entry that says so. */
export async function giveBackRecordingLink(tx: Db, hash: Buffer, { recordingId, madeBy }: TakenLink): Promise<void> {
  await execute(tx, 'UPDATE recording_links SET used_at = NULL WHERE link_hash = $1', [hash]);
  await appendAudit(tx, { actor: madeBy, action: 'call-recording.opened', objectId: recordingId, outcome: 'failed' });
}
