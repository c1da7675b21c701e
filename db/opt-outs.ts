/**
 * Who has opted out of what. The scope of a STOP is what it was sent to: a number of the organisation stops all its
 * texts to that phone, a masked number stops that relation. Beside it stands what Twilio blocks: pairs of a phone and a
 * sender of ours. START lifts the scope it was sent to, and unblocks that one pair.
 */
import { z } from 'zod';
import { appendAudit } from './audit';
import { type Db, many, one } from './query';
import type { Held } from './legal-holds';
import { noteBlocked } from './may-send';
import { deleteOld, type OldPage, type OldRows } from './old-rows';
import type { RecipientToken } from './recipients';

/** The scope of every number that is no masked one. */
export const ORGANISATION = 'organisation';

export interface OptOutChange {
  /** The phone that texted. */
  readonly recipient: RecipientToken;
  readonly scope: string;
  /** The number that was texted and the service it is in: what Twilio blocks or unblocks; none where it does neither. */
  readonly senders: readonly string[];
  /** Subject id of whose phone it is. */
  readonly actor: string;
}

/** Opts out; may be repeated. @returns whether they were not opted out before. Run it in a transaction. */
export async function recordOptOut(tx: Db, { recipient, scope, senders, actor }: OptOutChange): Promise<boolean> {
  const { token, tokenVersion, candidates } = recipient;
  const rows = await many(
    tx,
    z.object({ opt_out_id: z.uuid() }),
    `INSERT INTO opt_outs (recipient_token, token_version, scope)
     SELECT $1, $2, $3 WHERE NOT EXISTS (
       SELECT FROM opt_outs WHERE recipient_token = ANY($4) AND scope = $3 AND lifted_at IS NULL)
     ON CONFLICT (recipient_token, scope) WHERE lifted_at IS NULL DO NOTHING RETURNING opt_out_id`,
    [token, tokenVersion, scope, candidates],
  );
  for (const { opt_out_id: objectId } of rows) {
    await appendAudit(tx, { actor, action: 'opt-out.recorded', objectId, purpose: 'text', outcome: 'done' });
  }
  for (const sender of senders) await noteBlocked(tx, { recipientToken: token, tokenVersion, sender, code: null });
  return rows.length > 0;
}

/** Opts in again. @returns whether that changed what this number may send them. Run it in a transaction. */
export async function liftOptOut(tx: Db, { recipient, scope, senders, actor }: OptOutChange): Promise<boolean> {
  const lifted = await many(
    tx,
    z.object({ id: z.uuid(), is_over: z.boolean() }),
    `WITH ledger AS (
       UPDATE opt_outs SET lifted_at = clock_timestamp()
        WHERE recipient_token = ANY($1) AND scope = $2 AND lifted_at IS NULL RETURNING opt_out_id AS id
     ), pairs AS (
       UPDATE provider_blocks SET lifted_at = clock_timestamp()
        WHERE recipient_token = ANY($1) AND sender = ANY($3) AND lifted_at IS NULL RETURNING block_id AS id
     ), others AS (
       -- Still blocked at Twilio, but no reason any more to be silent at the number they have just asked.
       UPDATE provider_blocks SET others_allowed_at = clock_timestamp()
        WHERE recipient_token = ANY($1) AND sender <> ALL($3) AND lifted_at IS NULL AND others_allowed_at IS NULL
        RETURNING block_id AS id
     ) SELECT id, true AS is_over FROM ledger UNION ALL SELECT id, true FROM pairs UNION ALL SELECT id, false FROM others`,
    [recipient.candidates, scope, senders],
  );
  for (const { id: objectId, is_over: isOver } of lifted) {
    if (isOver) await appendAudit(tx, { actor, action: 'opt-out.lifted', objectId, purpose: 'text', outcome: 'done' });
  }
  return lifted.length > 0;
}

/** Whether START and YES mean something from this phone at this number. */
export async function isOptedOut(db: Db, { recipient, scope, senders }: Omit<OptOutChange, 'actor'>): Promise<boolean> {
  const { is_out: isOut } = await one(
    db,
    z.object({ is_out: z.boolean() }),
    `SELECT EXISTS (SELECT FROM opt_outs WHERE recipient_token = ANY($1) AND scope = $2 AND lifted_at IS NULL)
         OR EXISTS (SELECT FROM provider_blocks
                     WHERE recipient_token = ANY($1) AND lifted_at IS NULL
                       AND (sender = ANY($3) OR others_allowed_at IS NULL)) AS is_out`,
    [recipient.candidates, scope, senders],
  );
  return isOut;
}

export interface StoppedNumber {
  readonly contactPointId: string;
  readonly since: Date;
}

/**
 * Which of a person's numbers get no texts from the organisation, because somebody texted STOP from them. Of a number that
 * they only saved nothing is told: it may be a stranger's, and so is the STOP.
 */
export async function stoppedNumbers(db: Db, subjectId: string): Promise<StoppedNumber[]> {
  const rows = await many(
    db,
    z.object({ contact_point_id: z.uuid(), since: z.date() }),
    `SELECT c.contact_point_id, o.since
       FROM contact_points c JOIN opt_outs o ON o.recipient_token = c.token
      WHERE c.subject_id = $1 AND c.deleted_at IS NULL AND c.verified_at IS NOT NULL AND o.scope = $2 AND o.lifted_at IS NULL
      ORDER BY o.since, c.contact_point_id`,
    [subjectId, ORGANISATION],
  );
  return rows.map((row) => ({ contactPointId: row.contact_point_id, since: row.since }));
}

/** How many have asked within this (ms) not to be written to, over everybody; who has asked for texts again still counts. */
export function countOptOuts(
  db: Db,
  windowMs: number,
): Promise<{ readonly stop: number; readonly unsubscribe: number; readonly complaint: number }> {
  // No index is searched for a `clock_timestamp()`, which is volatile.
  const lately = `since > now() - $1 * interval '1 millisecond'`;
  return one(
    db,
    z.object({ stop: z.int(), unsubscribe: z.int(), complaint: z.int() }),
    `SELECT (SELECT count(*)::int FROM opt_outs WHERE ${lately}) AS stop,
            count(*) FILTER (WHERE reason = 'unsubscribed')::int AS unsubscribe,
            count(*) FILTER (WHERE reason = 'complained')::int AS complaint
       FROM mail_blocks WHERE ${lately}`,
    [windowMs],
  );
}

/** Opt-outs that were lifted long ago; one that stands is never forgotten. */
export function deleteLiftedOptOuts(db: Db, rows: OldRows): Promise<OldPage> {
  return deleteOld(db, { ...LIFTED, table: 'opt_outs', key: 'opt_out_id' }, rows);
}

/** The same of what Twilio blocks. */
export function deleteLiftedBlocks(db: Db, rows: OldRows): Promise<OldPage> {
  return deleteOld(db, { ...LIFTED, table: 'provider_blocks', key: 'block_id' }, rows);
}

/** They know a token only: it is somebody's whose number or address it is. */
const LIFTED = {
  time: 't.lifted_at',
  where: 't.lifted_at IS NOT NULL',
  heldWhere: ({ subjects }: Held) =>
    `t.recipient_token IN (SELECT recipient_token FROM recipients WHERE subject_id IN ${subjects}
       UNION SELECT token FROM contact_points WHERE subject_id IN ${subjects} AND token IS NOT NULL)`,
} as const;
