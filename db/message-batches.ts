/** Messages to many: the batch itself. Its recipients are in `message-batch-rows.ts`, what became of them in `messages`. */
import type { Pool } from 'pg';
import { z } from 'zod';
import { MESSAGE_CHANNELS, MESSAGE_KINDS, type MessageState } from '../domain/message';
import { BATCH_STATES, type BatchState, type RowProblem } from '../domain/message-batch';
import type { AuditAction } from '../domain/audit-actions';
import { noteAppEvent } from './app-events';
import { appendAudit } from './audit';
import {
  behindSql,
  cursorTime,
  decodeCursor,
  type Page,
  type Place,
  type Placed,
  placeOfRow,
  placeValues,
  toPage,
} from './cursor';
import type { Held } from './legal-holds';
import { forgetRowTokens } from './message-batch-rows';
import { type OldPage, type OldRows, pageOf, takePage } from './old-rows';
import { inTransaction } from './pool';
import { type Db, execute, many, maybeOne, one } from './query';

const batchRow = z
  .object({
    batch_id: z.uuid(),
    requested_by: z.uuid(),
    state: z.enum(BATCH_STATES),
    kind: z.enum(MESSAGE_KINDS),
    message_class: z.enum(['ordinary', 'safety']),
    channel: z.enum(MESSAGE_CHANNELS),
    language: z.string(),
    template_id: z.uuid().nullable(),
    template_version: z.int().nullable(),
    content_record_id: z.uuid().nullable(),
    request_hash: z.string(),
    zone: z.string().nullable(),
    fallback: z.literal('voice').nullable(),
    not_before: z.date().nullable(),
    not_after: z.date().nullable(),
    row_count: z.int(),
    ready_count: z.int(),
    duplicate_count: z.int(),
    invalid_count: z.int(),
    received_at: z.date(),
    checked_at: z.date().nullable(),
    started_at: z.date().nullable(),
    ended_at: z.date().nullable(),
  })
  .transform((row) => ({
    batchId: row.batch_id,
    requestedBy: row.requested_by,
    state: row.state,
    kind: row.kind,
    messageClass: row.message_class,
    channel: row.channel,
    language: row.language,
    templateId: row.template_id,
    templateVersion: row.template_version,
    /** Words that are the same for all; null where each row has its own. */
    contentRecordId: row.content_record_id,
    requestHash: row.request_hash,
    /** IANA, of recipients that name none; null: not given. */
    zone: row.zone,
    fallback: row.fallback,
    notBefore: row.not_before,
    notAfter: row.not_after,
    rowCount: row.row_count,
    readyCount: row.ready_count,
    duplicateCount: row.duplicate_count,
    invalidCount: row.invalid_count,
    receivedAt: row.received_at,
    checkedAt: row.checked_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  }));
export type MessageBatch = z.output<typeof batchRow>;

export type NewBatch = Pick<
  MessageBatch,
  | 'batchId'
  | 'requestedBy'
  | 'kind'
  | 'messageClass'
  | 'channel'
  | 'language'
  | 'templateId'
  | 'templateVersion'
  | 'contentRecordId'
  | 'requestHash'
  | 'zone'
  | 'fallback'
> & { readonly notBefore: string | null; readonly notAfter: string | null };

const COLUMNS = `batch_id, requested_by, state, kind, message_class, channel, language, template_id, template_version,
  content_record_id, request_hash, zone, fallback, not_before, not_after, row_count, ready_count, duplicate_count,
  invalid_count, received_at, checked_at, started_at, ended_at`;

/** The first fact of a batch: its rows are about to be read. */
export async function openBatch(db: Db, batch: NewBatch): Promise<void> {
  await execute(
    db,
    `INSERT INTO message_batches (batch_id, requested_by, state, kind, message_class, channel, language, template_id,
                                  template_version, content_record_id, request_hash, zone, fallback, not_before,
                                  not_after)
     VALUES ($1, $2, 'receiving', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    [
      batch.batchId,
      batch.requestedBy,
      batch.kind,
      batch.messageClass,
      batch.channel,
      batch.language,
      batch.templateId,
      batch.templateVersion,
      batch.contentRecordId,
      batch.requestHash,
      batch.zone,
      batch.fallback,
      batch.notBefore,
      batch.notAfter,
    ],
  );
}

/** All rows are there: counts them. Run it in the transaction that remembers the request. */
export async function finishReceiving(tx: Db, batchId: string): Promise<void> {
  const { requested_by: subjectId } = await one(
    tx,
    z.object({ requested_by: z.uuid() }),
    `UPDATE message_batches b
        SET state = 'checked', checked_at = clock_timestamp(), row_count = r.rows, ready_count = r.ready,
            duplicate_count = r.duplicates, invalid_count = r.rows - r.ready - r.duplicates
       FROM (SELECT count(*)::int AS rows, count(*) FILTER (WHERE problem IS NULL)::int AS ready,
                    count(*) FILTER (WHERE problem = 'duplicate')::int AS duplicates
               FROM message_batch_rows WHERE batch_id = $1) r
      WHERE b.batch_id = $1 AND b.state = 'receiving'
     RETURNING b.requested_by`,
    [batchId],
  );
  await appendAudit(tx, { actor: subjectId, action: 'message-batch.checked', objectId: batchId, outcome: 'done' });
  await noteAppEvent(tx, { subjectId, type: 'message-batch.checked', objectId: batchId, state: 'checked' });
}

/** An upload that broke off, or came twice at once. Its sealed rows end with their time. */
export async function discardBatch(db: Db, batchId: string): Promise<void> {
  await execute(
    db,
    `UPDATE message_batches SET state = 'discarded', ended_at = clock_timestamp()
      WHERE batch_id = $1 AND state = 'receiving'`,
    [batchId],
  );
}

export function findBatch(db: Db, batchId: string): Promise<MessageBatch | null> {
  return maybeOne(db, batchRow, `SELECT ${COLUMNS} FROM message_batches WHERE batch_id = $1`, [batchId]);
}

/** Newest first. @param requestedBy only those of one person; null: all */
export async function listBatches(
  db: Db,
  { requestedBy, cursor, limit }: { requestedBy: string | null; cursor: string | null; limit: number },
): Promise<Page<MessageBatch>> {
  const after = cursor === null ? null : decodeCursor(cursor);
  const rows = await many(
    db,
    z.object({ cursor_at: z.string(), batch_id: z.uuid(), row: z.unknown() }),
    `SELECT ${cursorTime('received_at')} AS cursor_at, batch_id, NULL AS row FROM message_batches
      WHERE state NOT IN ('receiving', 'discarded') AND ($2::uuid IS NULL OR requested_by = $2)
        AND ($3::timestamptz IS NULL OR (received_at, batch_id) < ($3::timestamptz, $4::uuid))
      ORDER BY received_at DESC, batch_id DESC LIMIT $1`,
    [limit + 1, requestedBy, after?.at ?? null, after?.id ?? null],
  );
  const batches = await many(db, batchRow, `SELECT ${COLUMNS} FROM message_batches WHERE batch_id = ANY($1)`, [
    rows.map((row) => row.batch_id),
  ]);
  const page = toPage(
    rows,
    limit,
    (row) => row.batch_id,
    (row) => batches.find(({ batchId }) => batchId === row.batch_id),
  );
  return { ...page, rows: page.rows.filter((batch) => batch !== undefined) };
}

const ACTION: Partial<Record<BatchState, AuditAction>> = {
  sending: 'message-batch.sending',
  paused: 'message-batch.paused',
  completed: 'message-batch.completed',
  cancelled: 'message-batch.cancelled',
};

/**
 * Notes a new state with its audit entry and what the app is told, once; a state that it has already, or a batch that is
 * over, stays as it is.
 * @returns the state it has now
 * @throws {Error} when there is no such batch
 */
export async function noteBatchState(pool: Pool, batchId: string, state: BatchState): Promise<BatchState> {
  return await inTransaction(pool, async (tx) => {
    const changed = await maybeOne(
      tx,
      z.object({ requested_by: z.uuid() }),
      `UPDATE message_batches
          SET state = $2, started_at = CASE WHEN $2 = 'sending' THEN coalesce(started_at, clock_timestamp()) ELSE started_at END,
              ended_at = CASE WHEN $2 IN ('completed', 'cancelled') THEN clock_timestamp() END
        WHERE batch_id = $1 AND state <> $2 AND state IN ('checked', 'sending', 'paused')
       RETURNING requested_by`,
      [batchId, state],
    );
    if (changed !== null) {
      const { requested_by: subjectId } = changed;
      if (state === 'cancelled') await forgetRowTokens(tx, batchId);
      const action = ACTION[state];
      // Who asked for it is in an entry of its own: it need not be whose batch it is, and may be a sweep.
      if (action !== undefined) await appendAudit(tx, { actor: 'system', action, objectId: batchId, outcome: 'done' });
      await noteAppEvent(tx, { subjectId, type: `message-batch.${state}`, objectId: batchId, state });
      return state;
    }
    const { state: now } = await one(
      tx,
      z.object({ state: z.enum(BATCH_STATES) }),
      'SELECT state FROM message_batches WHERE batch_id = $1',
      [batchId],
    );
    return now;
  });
}

/** Batches that say they go on, given longer ago than this: the sweep asks whether their workflow is still there. */
export function batchesGoingOn(
  db: Db,
  olderThanMs: number,
  limit: number,
  after: Place | null = null,
): Promise<Placed<{ batchId: string }>[]> {
  return many(
    db,
    z
      .object({ batch_id: z.uuid() })
      .transform((row) => ({ batchId: row.batch_id }))
      .and(placeOfRow),
    `SELECT batch_id, ${cursorTime('received_at')} AS cursor_at, batch_id AS cursor_id FROM message_batches
      WHERE state IN ('sending', 'paused') AND received_at <= clock_timestamp() - $1 * interval '1 millisecond'
        AND ${behindSql('received_at', 'batch_id', 3)}
      ORDER BY received_at, batch_id LIMIT $2`,
    [olderThanMs, limit, ...placeValues(after)],
  );
}

/** How many of its messages are in which state, counted from the messages themselves. */
export async function countMessages(db: Db, batchId: string): Promise<Partial<Record<MessageState, number>>> {
  const rows = await many(
    db,
    z.object({ state: z.string(), count: z.int() }),
    'SELECT state, count(*)::int AS count FROM messages WHERE batch_id = $1 GROUP BY state',
    [batchId],
  );
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

/**
 * Rows handed to Temporal (`started`), those of them whose message is not over (`open`), and of these the ones that the
 * provider does not have yet (`unsent`): a receipt that never comes must not keep others from being sent.
 */
export async function countOpen(
  db: Db,
  batchId: string,
): Promise<{ started: number; open: number; unsent: number; left: number }> {
  return await one(
    db,
    z.object({ started: z.int(), open: z.int(), unsent: z.int(), left: z.int() }),
    `SELECT r.started, greatest(0, r.started - m.over) AS open,
            greatest(0, r.started - m.over - m.sent) AS unsent, r.left
       FROM (SELECT count(*) FILTER (WHERE started_at IS NOT NULL)::int AS started,
                    count(*) FILTER (WHERE started_at IS NULL)::int AS left
               FROM message_batch_rows WHERE batch_id = $1 AND problem IS NULL) r,
            (SELECT count(*) FILTER (WHERE NOT live)::int AS over, count(*) FILTER (WHERE state = 'sent')::int AS sent
               FROM messages WHERE batch_id = $1) m`,
    [batchId],
  );
}

/**
 * Deletes batches with their rows that ended longer ago than this, or were given that long ago and never started.
 * Records that only they named are destroyed with what nothing names.
 */
export function deleteOldBatches(db: Db, rows: OldRows): Promise<OldPage> {
  const time = 'coalesce(t.ended_at, t.received_at)';
  const old = { table: 'message_batches', key: 'batch_id', time, where: "t.state NOT IN ('sending', 'paused')" };
  const heldWhere = ({ subjects }: Held) =>
    `t.requested_by IN ${subjects} OR t.batch_id IN (SELECT batch_id FROM message_batch_rows WHERE subject_id IN ${subjects})`;
  const of = 'batch_id IN (SELECT key FROM page WHERE NOT is_held)';
  const acts = `rows AS (DELETE FROM message_batch_rows WHERE ${of}),
     gone AS (DELETE FROM message_batches WHERE ${of} RETURNING 1)`;
  return takePage(db, pageOf({ ...old, heldWhere }, rows), acts, rows);
}

/** Rows with something wrong, by what it is. */
export async function countProblems(db: Db, batchId: string): Promise<Partial<Record<RowProblem, number>>> {
  const rows = await many(
    db,
    z.object({ problem: z.string(), count: z.int() }),
    `SELECT problem, count(*)::int AS count FROM message_batch_rows
      WHERE batch_id = $1 AND problem IS NOT NULL GROUP BY problem`,
    [batchId],
  );
  return Object.fromEntries(rows.map(({ problem, count }) => [problem, count]));
}
