import { GivenRowUnreadable, isDestroyed, RecordDestroyed, VaultOpenError } from '../domain/errors';
import { type BatchState, MOST_OPEN, PAGE_OF_ROWS } from '../domain/message-batch';
import { readGivenRow } from '../domain/message-batch-row';
import { sealableWords } from '../domain/message-words';
import type { MessageInput } from '../domain/message';
import {
  givenRowsLeft,
  messagesToCancel,
  noteExpired,
  noteMoved,
  noteNotStartable,
  noteStarted,
  type RowToStart,
  rowsToStart,
} from '../db/message-batch-rows';
import { countOpen, findBatch, type MessageBatch, noteBatchState } from '../db/message-batches';
import { inTransaction } from '../db/pool';
import { recipientSubject } from '../db/recipients';
import { toldZone } from '../db/user-profiles';
import { destroyRecord } from '../db/vault-rows';
import { TemporalRefused } from '../temporal/errors';
import { cancelMessage, startMessage } from '../temporal/messages';
import type { ActivityDependencies } from './dependencies';
import { withHeartbeat } from './heartbeat';

/** What a page has found and done. */
export interface StartedPage {
  /** Messages that this page has started. */
  readonly started: number;
  /** Messages of the batch that are under way. */
  readonly open: number;
  /** Rows that can be sent and were not started. */
  readonly left: number;
  /** Whether there is no place for one more before another is sent, or over. */
  readonly isFull: boolean;
}

/** Rows that one page works on at the same time: sealing waits for the key ring, starting for Temporal. */
const SIDE_BY_SIDE = 5;

/** What a batch asks of the outside. Each may be repeated from any instant: a row has one message for ever. */
export function createMessageBatchActivities(deps: ActivityDependencies) {
  const { pool, temporal } = deps;
  return {
    noteBatchState: ({ batchId, state }: { batchId: string; state: BatchState }): Promise<BatchState> =>
      noteBatchState(pool, batchId, state),

    /** Starts the messages of the next rows, as many as there are places for. */
    startMessagePage: ({ batchId }: { batchId: string }): Promise<StartedPage> =>
      withHeartbeat(async () => {
        const batch = await findBatch(pool, batchId);
        if (batch === null) throw new Error('There is no such batch');
        const before = await countOpen(pool, batchId);
        const places = Math.max(0, MOST_OPEN - before.unsent);
        const rows = await rowsToStart(pool, batchId, Math.min(PAGE_OF_ROWS, places));
        const started = await sideBySide(rows, (row) => startRow(deps, batch, row));
        const isFull = before.unsent + started >= MOST_OPEN;
        return { started, open: before.open + started, left: Math.max(0, before.left - rows.length), isFull };
      }),

    /** Cancels what the provider does not have yet. @returns where to go on; null when there is nothing left */
    cancelMessagePage: ({ batchId, afterRow }: { batchId: string; afterRow: number }): Promise<number | null> =>
      withHeartbeat(async () => {
        const page = await messagesToCancel(pool, batchId, afterRow, PAGE_OF_ROWS);
        await sideBySide(page, async ({ message_id: id }) => {
          await cancelMessage(temporal, id);
          return true;
        });
        return page.at(-1)?.row ?? null;
      }),

    /** Destroys what was given for rows that will never be sent. @returns how many */
    destroyGivenPage: ({ batchId }: { batchId: string }): Promise<number> =>
      withHeartbeat(async () => {
        const records = await givenRowsLeft(pool, batchId, PAGE_OF_ROWS);
        const why = { reason: 'batch-cancelled', actor: 'system' } as const;
        return await sideBySide(records, (id) => inTransaction(pool, (tx) => destroyRecord(tx, id, why)));
      }),
  };
}

/** @returns false when it can never be started: its row says so, and the batch goes on without it */
async function startRow(deps: ActivityDependencies, batch: MessageBatch, row: RowToStart): Promise<boolean> {
  const { pool, temporal } = deps;
  try {
    // `over` is as good: an earlier run of this page had started it.
    await startMessage(temporal, await messageOf(deps, batch, row));
  } catch (error) {
    if (isDestroyed(error)) {
      await noteExpired(pool, batch.batchId, row.row);
    } else if (FOR_EVER.some((kind) => error instanceof kind)) {
      await inTransaction(pool, (tx) => noteNotStartable(tx, batch.batchId, row.row));
    } else throw error;
    return false;
  }
  await noteStarted(pool, batch.batchId, [row.row]);
  return true;
}

/** What no repetition mends. Everything else may pass: Postgres, Temporal or the key ring is away. */
const FOR_EVER = [GivenRowUnreadable, TemporalRefused, VaultOpenError];

async function messageOf(deps: ActivityDependencies, batch: MessageBatch, row: RowToStart): Promise<MessageInput> {
  const { subjectId, recordId, contentRecordId } =
    row.givenRecordId === null ? row : await handOver(deps, batch, row, row.givenRecordId);
  const words = contentRecordId ?? batch.contentRecordId;
  if (subjectId === null || recordId === null || words === null) throw new RecordDestroyed();
  return {
    messageId: row.messageId,
    batchId: batch.batchId,
    batchRow: row.row,
    requestedBy: batch.requestedBy,
    subjectId,
    recordId,
    ownsRecord: row.ownsRecord,
    recipientToken: row.token.toString('hex'),
    country: row.country,
    channel: batch.channel,
    kind: batch.kind,
    messageClass: batch.messageClass,
    urgency: 'bulk',
    language: row.language ?? batch.language,
    content: { templateId: batch.templateId, templateVersion: batch.templateVersion, recordId: words },
    notBefore: batch.notBefore?.toISOString() ?? null,
    notAfter: batch.notAfter?.toISOString() ?? null,
    zone: await zoneOf(deps, batch, row, subjectId),
    fallback: batch.fallback,
    sender: null,
    requestHash: batch.requestHash,
    requestedAt: batch.receivedAt.toISOString(),
  };
}

/** What is said of one recipient; else what they have told themselves; and only then what is said of all. */
async function zoneOf(
  { pool }: ActivityDependencies,
  batch: MessageBatch,
  row: RowToStart,
  subjectId: string,
): Promise<string | null> {
  if (row.zone !== null || batch.zone === null) return row.zone;
  return (await toldZone(pool, subjectId)) ?? batch.zone;
}

/**
 * What was sealed under the key of whoever gave it is sealed again under the key of the person it is about, whose rights
 * act on it from then on; the old record is destroyed in the same transaction.
 */
async function handOver(
  { pool, vault, retention }: ActivityDependencies,
  batch: MessageBatch,
  row: RowToStart,
  givenRecordId: string,
) {
  const given = readGivenRow(await vault.reveal({ recordId: givenRecordId, purpose: 'hand-over', actor: 'system' }));
  const until = batch.notAfter?.valueOf() ?? Date.now();
  const numberUntil = new Date(until + retention.numberForOneMessage);
  const wordsUntil = new Date(until + retention.messageBody);
  return await inTransaction(pool, async (tx) => {
    const { token, tokenVersion } = row;
    const subjectId = row.subjectId ?? (await recipientSubject(tx, { token, tokenVersion, candidates: [token] }));
    const recordId =
      given.to === null
        ? row.recordId
        : await vault.seal({ subjectId, kind: given.to.kind, value: given.to, expiresAt: numberUntil }, tx);
    if (recordId === null) throw new RecordDestroyed();
    const contentRecordId =
      given.variables === null
        ? null
        : await vault.seal(
            { subjectId, kind: 'text', value: sealableWords({ variables: given.variables }), expiresAt: wordsUntil },
            tx,
          );
    const moved = { subjectId, recordId, contentRecordId };
    await noteMoved(tx, batch.batchId, row.row, moved);
    await destroyRecord(tx, givenRecordId, { reason: 'handed-over', actor: 'system' });
    return moved;
  });
}

/**
 * Some at the same time. Each of those who act stops at its first failure, so one bad item keeps no other back, and an
 * outage is not asked a hundred times.
 * @returns how many came out true
 * @throws the first failure, when nobody acts any more
 */
async function sideBySide<T>(items: readonly T[], act: (item: T) => Promise<boolean>): Promise<number> {
  const waiting = items.values();
  let done = 0;
  const worker = async (): Promise<void> => {
    for (const item of waiting) if (await act(item)) done += 1;
  };
  const ends = await Promise.allSettled(Array.from({ length: SIDE_BY_SIDE }, worker));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return done;
}
