/** Rows of messages: what GET shows, what the lists hold. */
import { z } from 'zod';
import {
  MESSAGE_CHANNELS,
  MESSAGE_KINDS,
  MESSAGE_REASONS,
  MESSAGE_STATES,
  type MessageChannel,
  type MessageKind,
  type MessageState,
} from '../domain/message';
import { cursorTime, decodeCursor, type Page, toPage } from './cursor';
import type { Held } from './legal-holds';
import { deleteOld, type OldPage, type OldRows } from './old-rows';
import { type Db, many, maybeOne } from './query';

const messageRow = z
  .object({
    message_id: z.uuid(),
    batch_id: z.uuid().nullable(),
    requested_by: z.uuid(),
    subject_id: z.uuid(),
    template_id: z.string().nullable(),
    template_name: z.string().nullable(),
    template_version: z.int().nullable(),
    language: z.string(),
    channel: z.enum(MESSAGE_CHANNELS),
    kind: z.enum(MESSAGE_KINDS),
    message_class: z.enum(['ordinary', 'safety']),
    urgency: z.enum(['emergency', 'normal', 'bulk']),
    country: z.string(),
    state: z.enum(MESSAGE_STATES),
    reason: z.enum(MESSAGE_REASONS).nullable(),
    error_code: z.string().nullable(),
    error_class: z.string().nullable(),
    sid: z.string().nullable(),
    segments: z.int().nullable(),
    attempts: z.int(),
    next_attempt_at: z.date().nullable(),
    fallback: z.literal('voice').nullable(),
    fallback_alert_id: z.uuid().nullable(),
    request_hash: z.string(),
    not_before: z.date().nullable(),
    not_after: z.date().nullable(),
    requested_at: z.date(),
    sent_at: z.date().nullable(),
    ended_at: z.date().nullable(),
    live: z.boolean(),
    cursor_at: z.string(),
  })
  .readonly();

/** A message without its words and its number, which are in the vault. */
export type MessageRow = z.output<typeof messageRow>;

const MESSAGE_COLUMNS = `m.message_id, m.batch_id, m.requested_by, m.subject_id, m.template_id,
  t.name AS template_name, m.template_version, m.language, m.channel, m.kind, m.message_class, m.urgency, m.country,
  m.state, m.reason, m.error_code, m.error_class, m.sid, m.segments, m.attempts, m.next_attempt_at, m.fallback,
  m.fallback_alert_id, m.request_hash, m.not_before, m.not_after, m.requested_at, m.sent_at, m.ended_at, m.live,
  ${cursorTime('m.opened_at')} AS cursor_at`;

/** @param source `messages m`, or a join with it */
const selectMessages = (source: string) =>
  `SELECT ${MESSAGE_COLUMNS} FROM ${source} LEFT JOIN templates t ON t.template_id = m.template_id::uuid`;

/** The message, whoever's it is; the caller checks. */
export function findMessage(db: Db, messageId: string): Promise<MessageRow | null> {
  return maybeOne(db, messageRow, `${selectMessages('messages m')} WHERE m.message_id = $1`, [messageId]);
}

export interface MessageFilter {
  /** Only what this person got or asked for; undefined: everybody's. */
  readonly of?: string | undefined;
  readonly state?: MessageState | undefined;
  /** Who got it. */
  readonly subjectId?: string | undefined;
  readonly channel?: MessageChannel | undefined;
  readonly kind?: MessageKind | undefined;
  readonly batchId?: string | undefined;
  /** ISO 8601; both included. */
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  readonly limit: number;
  readonly cursor?: string | null | undefined;
}

/**
 * Messages, newest first, a page at a time. Conditions are only in the statement where they are asked for: each of the
 * few statements that come of it can use the index that was made for it. Of one person it is the newest of two pages: no
 * index has in its order what somebody got or asked for.
 */
export async function listMessages(db: Db, filter: MessageFilter): Promise<Page<MessageRow>> {
  const values: unknown[] = [];
  const conditions: string[] = [];
  const where = (condition: (place: string) => string, value: unknown): void => {
    if (value === undefined || value === null) return;
    values.push(value);
    conditions.push(condition(`$${values.length}`));
  };
  where((p) => `m.state = ${p}`, filter.state);
  // Said twice, so that the indexes of what failed and of what waits are seen to fit.
  if (filter.state !== undefined && FAILED.includes(filter.state)) {
    conditions.push(`m.state IN (${FAILED.map((state) => `'${state}'`).join(', ')})`);
  }
  if (filter.state === 'waiting') conditions.push(`m.state = 'waiting'`);
  where((p) => `m.subject_id = ${p}`, filter.subjectId);
  where((p) => `m.channel = ${p}`, filter.channel);
  where((p) => `m.kind = ${p}`, filter.kind);
  where((p) => `m.batch_id = ${p}`, filter.batchId);
  where((p) => `m.opened_at >= ${p}::timestamptz`, filter.from);
  where((p) => `m.opened_at <= ${p}::timestamptz`, filter.until);
  const before = filter.cursor == null ? null : decodeCursor(filter.cursor);
  if (before !== null) {
    values.push(before.at, before.id);
    conditions.push(`(m.opened_at, m.message_id) < ($${values.length - 1}::timestamptz, $${values.length}::uuid)`);
  }
  values.push(filter.limit + 1);
  const newest = `ORDER BY m.opened_at DESC, m.message_id DESC LIMIT $${values.length}`;
  const pageWhere = (all: readonly string[]) => `${all.length > 0 ? `WHERE ${all.join(' AND ')}` : ''} ${newest}`;
  let statement = `${selectMessages('messages m')} ${pageWhere(conditions)}`;
  if (filter.of !== undefined) {
    values.push(filter.of);
    const theirs = ['subject_id', 'requested_by'].map(
      (column) =>
        `(SELECT m.message_id FROM messages m ${pageWhere([`m.${column} = $${values.length}`, ...conditions])})`,
    );
    statement = `${selectMessages(`(${theirs.join(' UNION ')}) AS theirs JOIN messages m USING (message_id)`)} ${newest}`;
  }
  const rows = await many(db, messageRow, statement, values);
  return toPage(
    rows,
    filter.limit,
    (row) => row.message_id,
    (row) => row,
  );
}

const FAILED: readonly MessageState[] = ['undelivered', 'failed', 'lost'];

const tryRow = z
  .object({
    state: z.string(),
    sid: z.string().nullable(),
    error_code: z.string().nullable(),
    error_class: z.string().nullable(),
    created_at: z.date(),
    settled_at: z.date().nullable(),
  })
  .readonly();

/** Every dispatch of a message, in the order in which they were made. */
export function messageTries(db: Db, messageId: string): Promise<z.output<typeof tryRow>[]> {
  return many(
    db,
    tryRow,
    `SELECT state, sid, error_code, error_class, created_at, settled_at FROM dispatches
      WHERE message_id = $1 ORDER BY created_at, dispatch_id`,
    [messageId],
  );
}

const receiptRow = z
  .object({
    sid: z.string().nullable(),
    status: z.string().nullable(),
    error_code: z.string().nullable(),
    received_at: z.date(),
    copies: z.int(),
  })
  .readonly();

/** Everything the provider told of a message, in the order in which it came. */
export function messageReceipts(db: Db, messageId: string): Promise<z.output<typeof receiptRow>[]> {
  return many(
    db,
    receiptRow,
    `SELECT sid, status, error_code, received_at, copies FROM webhook_events
      WHERE message_id = $1 AND status IS NOT NULL ORDER BY received_at, seen_key`,
    [messageId],
  );
}

/**
 * Deletes rows of messages that ended longer ago than this. Records that only they named are destroyed with what nothing
 * names.
 */
export function deleteOldMessages(db: Db, rows: OldRows): Promise<OldPage> {
  const old = { table: 'messages', key: 'message_id', time: 't.ended_at', where: 'NOT t.live' };
  const heldWhere = ({ messages }: Held) => `t.message_id IN ${messages}`;
  return deleteOld(db, { ...old, heldWhere }, rows);
}
