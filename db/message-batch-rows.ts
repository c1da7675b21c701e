/** The recipients of a batch, row by row: what was given, what is wrong with it, and which message became of it. */
import { z } from 'zod';
import {
  MESSAGE_CHANNELS,
  MESSAGE_STATES,
  type MessageChannel,
  type MessageOutcome,
  type MessageReason,
} from '../domain/message';
import { ROW_PROBLEMS, ROW_STATES, type RowProblem, type RowState } from '../domain/message-batch';
import { appendAudit } from './audit';
import { type Db, execute, many, maybeOne, one } from './query';
import { destroyRecord } from './vault-rows';

export interface NewRow {
  /** From 1. */
  readonly row: number;
  readonly problem: RowProblem | null;
  readonly duplicateOf: number | null;
  /** What was given, sealed; null when all of it is known by ids. */
  readonly givenRecordId: string | null;
  readonly subjectId: string | null;
  /** Of a saved number or address. */
  readonly recordId: string | null;
  /** Whether the number or address stood in the row itself. */
  readonly ownsRecord: boolean;
  readonly token: Buffer | null;
  readonly tokenVersion: number | null;
  readonly country: string | null;
  readonly language: string | null;
  /** IANA; null: none was given. */
  readonly zone: string | null;
}

/** One statement a page of rows; a row that is there already stays. */
export async function addRows(db: Db, batchId: string, rows: readonly NewRow[]): Promise<void> {
  const column = <T>(of: (row: NewRow) => T): T[] => rows.map(of);
  await execute(
    db,
    `INSERT INTO message_batch_rows (batch_id, row, problem, duplicate_of, given_record_id, subject_id, record_id,
                                     recipient_token, token_version, country, language, zone, owns_record)
     SELECT $1::uuid, t.row, t.problem, t.duplicate, t.given, t.subject, t.record, t.token, t.version, t.country, t.language,
            t.zone, t.owns
       FROM unnest($2::int[], $3::text[], $4::int[], $5::uuid[], $6::uuid[], $7::uuid[], $8::bytea[], $9::int[],
                   $10::text[], $11::text[], $12::text[], $13::boolean[])
         AS t(row, problem, duplicate, given, subject, record, token, version, country, language, zone, owns)
     ON CONFLICT DO NOTHING`,
    [
      batchId,
      column((r) => r.row),
      column((r) => r.problem),
      column((r) => r.duplicateOf),
      column((r) => r.givenRecordId),
      column((r) => r.subjectId),
      column((r) => r.recordId),
      column((r) => r.token),
      column((r) => r.tokenVersion),
      column((r) => r.country),
      column((r) => r.language),
      column((r) => r.zone),
      column((r) => r.ownsRecord),
    ],
  );
}

const toStart = z
  .object({
    row: z.int(),
    message_id: z.uuid(),
    given_record_id: z.uuid().nullable(),
    subject_id: z.uuid().nullable(),
    record_id: z.uuid().nullable(),
    recipient_token: z.instanceof(Buffer),
    token_version: z.int(),
    country: z.string(),
    language: z.string().nullable(),
    zone: z.string().nullable(),
    content_record_id: z.uuid().nullable(),
    owns_record: z.boolean(),
  })
  .transform((row) => ({
    row: row.row,
    messageId: row.message_id,
    givenRecordId: row.given_record_id,
    subjectId: row.subject_id,
    recordId: row.record_id,
    token: row.recipient_token,
    tokenVersion: row.token_version,
    country: row.country,
    language: row.language,
    zone: row.zone,
    contentRecordId: row.content_record_id,
    /** Whether its number was given with it, and not saved by the recipient. */
    ownsRecord: row.owns_record,
  }));
export type RowToStart = z.output<typeof toStart>;

/** The next rows that can be sent and were not handed to Temporal. */
export function rowsToStart(db: Db, batchId: string, limit: number): Promise<RowToStart[]> {
  return many(
    db,
    toStart,
    `SELECT row, message_id, given_record_id, subject_id, record_id, recipient_token, token_version, country, language,
            zone, content_record_id, owns_record
       FROM message_batch_rows
      WHERE batch_id = $1 AND problem IS NULL AND started_at IS NULL ORDER BY row LIMIT $2`,
    [batchId, limit],
  );
}

/** What was given is under the recipient's own key now. Run it in the transaction that sealed it there. */
export async function noteMoved(
  tx: Db,
  batchId: string,
  row: number,
  to: { readonly subjectId: string; readonly recordId: string; readonly contentRecordId: string | null },
): Promise<void> {
  await execute(
    tx,
    `UPDATE message_batch_rows SET given_record_id = NULL, subject_id = $3, record_id = $4, content_record_id = $5
      WHERE batch_id = $1 AND row = $2`,
    [batchId, row, to.subjectId, to.recordId, to.contentRecordId],
  );
}

/** From here on its message has the token: a second one would outlive what is forgotten with the person. */
export async function noteStarted(db: Db, batchId: string, rows: readonly number[]): Promise<void> {
  await execute(
    db,
    `UPDATE message_batch_rows SET started_at = clock_timestamp(), recipient_token = NULL
      WHERE batch_id = $1 AND row = ANY($2::int[]) AND started_at IS NULL`,
    [batchId, rows],
  );
}

/** What was given for it has ended with its time: nobody can be sent anything. */
export async function noteExpired(db: Db, batchId: string, row: number): Promise<void> {
  await execute(
    db,
    `UPDATE message_batch_rows SET problem = 'expired', recipient_token = NULL WHERE batch_id = $1 AND row = $2`,
    [batchId, row],
  );
}

/** Its message can never be begun: nothing of what was given for it is kept. */
export async function noteNotStartable(tx: Db, batchId: string, row: number): Promise<void> {
  const given = await one(
    tx,
    z.object({ records: z.array(z.uuid()) }),
    `UPDATE message_batch_rows SET problem = 'not-startable', recipient_token = NULL WHERE batch_id = $1 AND row = $2
     RETURNING array_remove(ARRAY[given_record_id, content_record_id, CASE WHEN owns_record THEN record_id END], NULL) AS records`,
    [batchId, row],
  );
  for (const id of given.records) await destroyRecord(tx, id, { reason: 'not-startable', actor: 'system' });
}

const unbegun = z
  .object({ batch_id: z.uuid(), row: z.int(), message_id: z.uuid() })
  .transform((row) => ({ batchId: row.batch_id, row: row.row, messageId: row.message_id }));
export type UnbegunRow = z.output<typeof unbegun>;

/**
 * Rows that were handed to Temporal longer ago than this and whose message has not written its first fact: it may be
 * about to, or its workflow is gone and never will.
 */
export function unbegunRows(db: Db, olderThanMs: number, limit: number): Promise<UnbegunRow[]> {
  return many(
    db,
    unbegun,
    `SELECT r.batch_id, r.row, r.message_id
       FROM message_batches b JOIN message_batch_rows r USING (batch_id)
       LEFT JOIN messages m ON m.message_id = r.message_id
      WHERE (b.state IN ('sending', 'paused') OR b.state = 'cancelled' AND b.ended_at > clock_timestamp() - interval '1 day')
        AND r.problem IS NULL AND r.started_at <= clock_timestamp() - $1 * interval '1 millisecond'
        AND m.message_id IS NULL
      ORDER BY r.started_at LIMIT $2`,
    [olderThanMs, limit],
  );
}

/**
 * Writes the message of such a row as one that ended before it began, so that it is counted, told and out of the way;
 * the number that was given for it is destroyed. A message that has begun after all stays as it is.
 * @returns its channel; null when it was not written
 */
export async function endUnbegunRow(
  tx: Db,
  { batchId, row, messageId }: UnbegunRow,
  { outcome, reason }: { readonly outcome: MessageOutcome; readonly reason: MessageReason },
): Promise<MessageChannel | null> {
  const ended = await maybeOne(
    tx,
    z.object({
      requested_by: z.uuid(),
      record_id: z.uuid(),
      owns_record: z.boolean(),
      country: z.string(),
      kind: z.string(),
      channel: z.enum(MESSAGE_CHANNELS),
    }),
    `INSERT INTO messages (message_id, batch_id, batch_row, requested_by, subject_id, record_id, owns_record,
                           content_record_id, template_id, template_version, language, channel, kind, message_class,
                           urgency, country, state, reason, fallback, request_hash, not_before, not_after, requested_at,
                           ended_at, live)
     SELECT r.message_id, b.batch_id, r.row, b.requested_by, r.subject_id, r.record_id, r.owns_record,
            coalesce(r.content_record_id, b.content_record_id), b.template_id::text, b.template_version,
            coalesce(r.language, b.language), b.channel, b.kind, b.message_class, 'bulk', r.country, $3, $4, b.fallback,
            b.request_hash, b.not_before, b.not_after, b.received_at, clock_timestamp(), false
       FROM message_batch_rows r JOIN message_batches b USING (batch_id)
      WHERE r.batch_id = $1 AND r.row = $2
     ON CONFLICT (message_id) DO NOTHING
     RETURNING requested_by, record_id, owns_record, country, kind, channel`,
    [batchId, row, outcome, reason],
  );
  if (ended === null) return null;
  const of = { objectId: messageId } as const;
  const asked = { ...of, actor: ended.requested_by, purpose: `${ended.country}:${ended.kind}` };
  await appendAudit(tx, { ...asked, action: 'message.requested', outcome: 'done' });
  const isCancelled = outcome === 'cancelled';
  await appendAudit(tx, {
    ...of,
    actor: 'system',
    action: isCancelled ? 'message.cancelled' : 'message.closed',
    purpose: `${ended.country}:${outcome}:0`,
    outcome: isCancelled ? 'done' : 'failed',
  });
  if (ended.owns_record) await destroyRecord(tx, ended.record_id, { reason: 'message-over', actor: 'system' });
  return ended.channel;
}

/** Of a batch that is over: nobody will be sent anything any more. */
export async function forgetRowTokens(tx: Db, batchId: string): Promise<void> {
  await execute(
    tx,
    'UPDATE message_batch_rows SET recipient_token = NULL WHERE batch_id = $1 AND recipient_token IS NOT NULL',
    [batchId],
  );
}

/**
 * Messages of the batch that are not over, after a row; for cancelling them. One that the provider has goes its way, and
 * is not tried again nor said by a call.
 */
export function messagesToCancel(
  db: Db,
  batchId: string,
  afterRow: number,
  limit: number,
): Promise<{ row: number; message_id: string }[]> {
  return many(
    db,
    z.object({ row: z.int(), message_id: z.uuid() }),
    `SELECT r.row, r.message_id FROM message_batch_rows r LEFT JOIN messages m ON m.message_id = r.message_id
      WHERE r.batch_id = $1 AND r.row > $2 AND r.started_at IS NOT NULL
        AND (m.message_id IS NULL OR (m.live))
      ORDER BY r.row LIMIT $3`,
    [batchId, afterRow, limit],
  );
}

/** Sealed rows that were not handed over. */
export async function givenRowsLeft(db: Db, batchId: string, limit: number): Promise<string[]> {
  const rows = await many(
    db,
    z.object({ given_record_id: z.uuid() }),
    `SELECT r.given_record_id FROM message_batch_rows r JOIN vault_records v ON v.record_id = r.given_record_id
      WHERE r.batch_id = $1 AND v.destroyed_at IS NULL LIMIT $2`,
    [batchId, limit],
  );
  return rows.map((row) => row.given_record_id);
}

const shownRow = z
  .object({
    row: z.int(),
    state: z.enum(ROW_STATES),
    problem: z.enum(ROW_PROBLEMS).nullable(),
    duplicate_of: z.int().nullable(),
    message_id: z.uuid().nullable(),
  })
  .transform((row) => ({
    row: row.row,
    state: row.state,
    problem: row.problem,
    duplicateOf: row.duplicate_of,
    /** Null until it was started. */
    messageId: row.message_id,
  }));
export type ShownRow = z.output<typeof shownRow>;

/** In the order of the upload, after a row. @param state null: all of them */
export function listRows(
  db: Db,
  batchId: string,
  { state, afterRow, limit }: { state: RowState | null; afterRow: number; limit: number },
): Promise<ShownRow[]> {
  return many(
    db,
    shownRow,
    `SELECT row, problem, duplicate_of, message_id, state FROM (
       SELECT r.row, r.problem, r.duplicate_of, CASE WHEN r.started_at IS NOT NULL THEN r.message_id END AS message_id,
              CASE WHEN r.problem = 'duplicate' THEN 'duplicate'
                   WHEN r.problem IS NOT NULL THEN 'invalid'
                   WHEN m.state IS NOT NULL THEN m.state
                   WHEN r.started_at IS NOT NULL THEN '${MESSAGE_STATES[0]}'
                   WHEN b.state = 'cancelled' THEN 'cancelled'
                   ELSE 'ready' END AS state
         FROM message_batch_rows r JOIN message_batches b USING (batch_id)
         LEFT JOIN messages m ON m.message_id = r.message_id
        WHERE r.batch_id = $1 AND r.row > $2) shown
      WHERE $3::text IS NULL OR state = $3 ORDER BY row LIMIT $4`,
    [batchId, afterRow, state, limit],
  );
}
