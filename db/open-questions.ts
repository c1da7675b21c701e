/** What people were asked by text and may answer by text: from that number, to that phone, within a day. */
import { z } from 'zod';
import { CHECK_IN_RESPONSES, type CheckInResponse } from '../domain/buddies';
import type { TextedAnswer } from '../domain/check-in-answers';
import { readFeedback } from '../domain/feedback';
import { noteAppEvent } from './app-events';
import { type Db, execute, many, maybeOne } from './query';

export const QUESTION_KINDS = ['survey', 'check-in'] as const;
export type QuestionKind = (typeof QUESTION_KINDS)[number];

export interface NewQuestion {
  readonly questionId: string;
  readonly kind: QuestionKind;
  /** The call, check-in or survey it belongs to. */
  readonly objectId: string;
  /** Who was asked. */
  readonly subjectId: string;
  readonly recipientToken: Buffer;
  /** The number or Messaging Service of ours that asked. */
  readonly sender: string;
  /** Which answers fit, in capitals; null: any. Never a word of opting out, which is no answer. */
  readonly answers: readonly string[] | null;
}

export type OpenQuestion = Pick<NewQuestion, 'questionId' | 'kind' | 'objectId' | 'answers'>;

/** Longer ago, and a text is about something else. */
const OPEN_FOR = `interval '24 hours'`;

/** Opens a question, with the text that asks it. May be repeated. */
export async function askQuestion(tx: Db, question: NewQuestion): Promise<void> {
  const { questionId, kind, objectId, subjectId, recipientToken, sender, answers } = question;
  await execute(
    tx,
    `INSERT INTO open_questions (question_id, kind, object_id, subject_id, recipient_token, sender, answers)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (question_id) DO NOTHING`,
    [questionId, kind, objectId, subjectId, recipientToken, sender, answers],
  );
}

const questionRow = z
  .object({
    question_id: z.uuid(),
    kind: z.enum(QUESTION_KINDS),
    object_id: z.uuid(),
    answers: z.array(z.string()).nullable(),
  })
  .transform(
    (row): OpenQuestion => ({
      questionId: row.question_id,
      kind: row.kind,
      objectId: row.object_id,
      answers: row.answers,
    }),
  );

/** The open questions of this phone at this number, newest first; locked until the transaction ends. */
export function openQuestions(
  tx: Db,
  { candidates, senders }: { readonly candidates: readonly Buffer[]; readonly senders: readonly string[] },
): Promise<OpenQuestion[]> {
  return many(
    tx,
    questionRow,
    `SELECT question_id, kind, object_id, answers FROM open_questions
      WHERE recipient_token = ANY($1) AND sender = ANY($2) AND closed_at IS NULL
        AND asked_at > clock_timestamp() - ${OPEN_FOR}
      ORDER BY asked_at DESC, question_id FOR UPDATE`,
    [candidates, senders],
  );
}

/** Of the two questions that a text may answer, in the order in which they are offered. */
export async function kindsOfQuestions(
  db: Db,
  { questionId, otherQuestionId }: { readonly questionId: string | null; readonly otherQuestionId: string | null },
): Promise<[QuestionKind, QuestionKind] | null> {
  const rows = await many(
    db,
    questionRow,
    'SELECT question_id, kind, object_id, answers FROM open_questions WHERE question_id = ANY($1::uuid[])',
    [[questionId, otherQuestionId]],
  );
  const first = rows.find((row) => row.questionId === questionId)?.kind;
  const second = rows.find((row) => row.questionId === otherQuestionId)?.kind;
  return first === undefined || second === undefined ? null : [first, second];
}

/** @param body as it came; case and blanks around it do not count, and words may follow the number of a survey */
export function fitsQuestion({ kind, answers }: Pick<OpenQuestion, 'kind' | 'answers'>, body: string): boolean {
  if (kind === 'survey' && answers !== null) {
    const rating = readFeedback(body)?.rating;
    return rating !== undefined && answers.includes(String(rating));
  }
  return answers === null ? body.trim() !== '' : answers.includes(body.trim().toUpperCase());
}

/**
 * Closes a question that was answered, and tells the app so. Only the first answer counts.
 * @param response of a check-in, kept until its workflow has it
 * @returns what was asked
 */
export async function closeQuestion(
  tx: Db,
  questionId: string,
  response: CheckInResponse | null = null,
): Promise<Pick<NewQuestion, 'kind' | 'objectId'> | null> {
  const [closed] = await many(
    tx,
    z.object({ subject_id: z.uuid(), kind: z.enum(QUESTION_KINDS), object_id: z.uuid() }),
    `UPDATE open_questions SET closed_at = clock_timestamp(), response = CASE WHEN kind = 'check-in' THEN $2 END
      WHERE question_id = $1 AND closed_at IS NULL RETURNING subject_id, kind, object_id`,
    [questionId, response],
  );
  if (closed === undefined) return null;
  const event = { subjectId: closed.subject_id, objectId: questionId, state: 'answered' };
  await noteAppEvent(tx, { ...event, type: 'question.answered' });
  return { kind: closed.kind, objectId: closed.object_id };
}

/** Closes a question that was answered in another way, or is not asked any more: a text is about something else then. */
export async function withdrawQuestion(tx: Db, questionId: string): Promise<void> {
  await execute(
    tx,
    'UPDATE open_questions SET closed_at = clock_timestamp() WHERE question_id = $1 AND closed_at IS NULL',
    [questionId],
  );
}

/** @returns null for a question that is no check-in, or that nobody has answered by text */
export async function textedAnswer(db: Db, questionId: string): Promise<TextedAnswer | null> {
  const row = await maybeOne(
    db,
    z.object({ object_id: z.uuid(), response: z.enum(CHECK_IN_RESPONSES) }),
    `SELECT object_id, response FROM open_questions
      WHERE question_id = $1 AND kind = 'check-in' AND response IS NOT NULL`,
    [questionId],
  );
  return row === null ? null : { requestId: row.object_id, response: row.response };
}
