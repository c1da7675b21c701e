/** Texts to our numbers, as rows: sender and words are in the vault, named here until they are swept. */
import { z } from 'zod';
import { heldBySubject } from './legal-holds';
import { deleteOld, type OldPage, type OldRows } from './old-rows';
import { type Db, execute, maybeOne, one } from './query';

export const ROUTES_OF_TEXTS = [
  'opt-out',
  'opt-in',
  'help',
  'answer',
  /** It may be the answer to two questions, and they are asked to which. */
  'which-question',
  /** They have said to which. */
  'choice',
  'unknown',
  /** From something that is no phone, or from ourselves. */
  'ignored',
] as const;
export type RouteOfText = (typeof ROUTES_OF_TEXTS)[number];

/** Templates that answer by themselves. */
export type AutomaticAnswer = 'opt-out-confirmed' | 'opted-in' | 'help' | 'which-question';

export interface NewInboundText {
  readonly inboundId: string;
  readonly seenKey: string;
  readonly messageSid: string;
  readonly subjectId: string | null;
  readonly senderToken: Buffer | null;
  readonly tokenVersion: number | null;
  readonly senderRecordId: string | null;
  readonly bodyRecordId: string | null;
  readonly country: string | null;
  readonly ourNumber: string;
  readonly serviceSid: string | null;
  readonly optOutType: string | null;
}

export interface InboundText extends NewInboundText {
  readonly answerMessageId: string;
  readonly receivedAt: Date;
  readonly routedAs: RouteOfText | null;
  readonly questionId: string | null;
  readonly otherQuestionId: string | null;
  /** Null: it is not answered by itself. */
  readonly answer: AutomaticAnswer | null;
}

const inboundRow = z
  .object({
    inbound_id: z.uuid(),
    seen_key: z.string(),
    message_sid: z.string(),
    subject_id: z.uuid().nullable(),
    sender_token: z.instanceof(Buffer).nullable(),
    token_version: z.int().nullable(),
    sender_record_id: z.uuid().nullable(),
    body_record_id: z.uuid().nullable(),
    country: z.string().nullable(),
    our_number: z.string(),
    service_sid: z.string().nullable(),
    opt_out_type: z.string().nullable(),
    answer_message_id: z.uuid(),
    received_at: z.date(),
    routed_as: z.enum(ROUTES_OF_TEXTS).nullable(),
    question_id: z.uuid().nullable(),
    other_question_id: z.uuid().nullable(),
    answer: z.enum(['opt-out-confirmed', 'opted-in', 'help', 'which-question']).nullable(),
  })
  .transform(
    (row): InboundText => ({
      inboundId: row.inbound_id,
      seenKey: row.seen_key,
      messageSid: row.message_sid,
      subjectId: row.subject_id,
      senderToken: row.sender_token,
      tokenVersion: row.token_version,
      senderRecordId: row.sender_record_id,
      bodyRecordId: row.body_record_id,
      country: row.country,
      ourNumber: row.our_number,
      serviceSid: row.service_sid,
      optOutType: row.opt_out_type,
      answerMessageId: row.answer_message_id,
      receivedAt: row.received_at,
      routedAs: row.routed_as,
      questionId: row.question_id,
      otherQuestionId: row.other_question_id,
      answer: row.answer,
    }),
  );
const COLUMNS = `inbound_id, seen_key, message_sid, subject_id, sender_token, token_version, sender_record_id,
  body_record_id, country, our_number, service_sid, opt_out_type, answer_message_id, received_at, routed_as,
  question_id, other_question_id, answer`;

/** In the transaction that stores the event and seals what it names. */
export async function insertInboundText(tx: Db, text: NewInboundText): Promise<void> {
  await execute(
    tx,
    `INSERT INTO inbound_texts (inbound_id, seen_key, message_sid, subject_id, sender_token, token_version,
                                sender_record_id, body_record_id, country, our_number, service_sid, opt_out_type)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      text.inboundId,
      text.seenKey,
      text.messageSid,
      text.subjectId,
      text.senderToken,
      text.tokenVersion,
      text.senderRecordId,
      text.bodyRecordId,
      text.country,
      text.ourNumber,
      text.serviceSid,
      text.optOutType,
    ],
  );
}

/** The text of a stored event, or null; without a lock. */
export function findInboundText(db: Db, seenKey: string): Promise<InboundText | null> {
  return maybeOne(db, inboundRow, `SELECT ${COLUMNS} FROM inbound_texts WHERE seen_key = $1`, [seenKey]);
}

/** The same, locked: of two that handle it at once the second finds what the first decided. */
export function lockInboundText(tx: Db, inboundId: string): Promise<InboundText> {
  return one(tx, inboundRow, `SELECT ${COLUMNS} FROM inbound_texts WHERE inbound_id = $1 FOR UPDATE`, [inboundId]);
}

export interface Routing {
  readonly routedAs: RouteOfText;
  readonly questionId?: string;
  readonly otherQuestionId?: string;
  readonly answer: AutomaticAnswer | null;
}

/** What it was, once and for good. */
export async function noteRouting(tx: Db, inboundId: string, routing: Routing): Promise<InboundText> {
  return await one(
    tx,
    inboundRow,
    `UPDATE inbound_texts
        SET routed_at = clock_timestamp(), routed_as = $2, question_id = $3, other_question_id = $4, answer = $5,
            answered_at = CASE WHEN $5::text IS NOT NULL THEN clock_timestamp() END
      WHERE inbound_id = $1 RETURNING ${COLUMNS}`,
    [inboundId, routing.routedAs, routing.questionId, routing.otherQuestionId, routing.answer],
  );
}

/** Lets texts from one phone follow each other until the transaction ends; the interval counts from what they wrote. */
export async function lockSender(tx: Db, token: Buffer): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`inbound-text:${token.toString('hex')}`]);
}

/** Whether this phone has got an automatic answer within the interval. */
export async function wasAnsweredLately(tx: Db, candidates: readonly Buffer[], intervalMs: number): Promise<boolean> {
  const { was_answered: wasAnswered } = await one(
    tx,
    z.object({ was_answered: z.boolean() }),
    `SELECT EXISTS (SELECT FROM inbound_texts
                     WHERE sender_token = ANY($1)
                       AND answered_at > clock_timestamp() - $2 * interval '1 millisecond') AS was_answered`,
    [candidates, intervalMs],
  );
  return wasAnswered;
}

/** The newest text of this phone to this number that may answer two questions, both still open. */
export async function undecidedText(
  tx: Db,
  { candidates, ourNumber }: { readonly candidates: readonly Buffer[]; readonly ourNumber: string },
): Promise<{ inboundId: string; bodyRecordId: string; questionIds: readonly [string, string] } | null> {
  const row = await maybeOne(
    tx,
    z.object({
      inbound_id: z.uuid(),
      body_record_id: z.uuid(),
      question_id: z.uuid(),
      other_question_id: z.uuid(),
    }),
    `SELECT inbound_id, body_record_id, question_id, other_question_id FROM inbound_texts
      WHERE sender_token = ANY($1) AND our_number = $2 AND other_question_id IS NOT NULL
        AND received_at > clock_timestamp() - interval '24 hours'
      ORDER BY received_at DESC LIMIT 1`,
    [candidates, ourNumber],
  );
  if (row === null) return null;
  const questionIds = [row.question_id, row.other_question_id] as const;
  return { inboundId: row.inbound_id, bodyRecordId: row.body_record_id, questionIds };
}

/** They have said which question it answers. */
export async function settleUndecided(tx: Db, inboundId: string, questionId: string): Promise<void> {
  await execute(
    tx,
    `UPDATE inbound_texts SET question_id = $2, other_question_id = NULL, routed_as = 'answer' WHERE inbound_id = $1`,
    [inboundId, questionId],
  );
}

/** Rows whose records are gone by then. */
export function deleteOldTexts(db: Db, rows: OldRows): Promise<OldPage> {
  const old = { table: 'inbound_texts', key: 'inbound_id', time: 't.received_at' };
  return deleteOld(db, { ...old, heldWhere: heldBySubject }, rows);
}

/** Questions that no text names any more. */
export function deleteOldQuestions(db: Db, rows: OldRows): Promise<OldPage> {
  const where = ['question_id', 'other_question_id']
    .map((column) => `NOT EXISTS (SELECT FROM inbound_texts i WHERE i.${column} = t.question_id)`)
    .join(' AND ');
  const old = { table: 'open_questions', key: 'question_id', time: 't.asked_at', where };
  return deleteOld(db, { ...old, heldWhere: heldBySubject }, rows);
}
