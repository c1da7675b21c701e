/** What people were asked by text and may answer by text: from that number, to that phone, within a day. */
import { z } from 'zod';
import { noteAppEvent } from './app-events';
import { type Db, execute, many } from './query';

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

export type OpenQuestion = Pick<NewQuestion, 'questionId' | 'kind' | 'answers'>;

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
  .object({ question_id: z.uuid(), kind: z.enum(QUESTION_KINDS), answers: z.array(z.string()).nullable() })
  .transform((row): OpenQuestion => ({ questionId: row.question_id, kind: row.kind, answers: row.answers }));

/** The open questions of this phone at this number, newest first; locked until the transaction ends. */
export function openQuestions(
  tx: Db,
  { candidates, senders }: { readonly candidates: readonly Buffer[]; readonly senders: readonly string[] },
): Promise<OpenQuestion[]> {
  return many(
    tx,
    questionRow,
    `SELECT question_id, kind, answers FROM open_questions
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
    'SELECT question_id, kind, answers FROM open_questions WHERE question_id = ANY($1::uuid[])',
    [[questionId, otherQuestionId]],
  );
  const first = rows.find((row) => row.questionId === questionId)?.kind;
  const second = rows.find((row) => row.questionId === otherQuestionId)?.kind;
  return first === undefined || second === undefined ? null : [first, second];
}

/** @param body as it came; case and blanks around it do not count */
export function fitsQuestion({ answers }: Pick<OpenQuestion, 'answers'>, body: string): boolean {
  return answers === null ? body.trim() !== '' : answers.includes(body.trim().toUpperCase());
}

/** Closes a question that was answered, and tells the app so. Only the first answer counts. */
export async function closeQuestion(tx: Db, questionId: string): Promise<boolean> {
  const [closed] = await many(
    tx,
    z.object({ subject_id: z.uuid() }),
    `UPDATE open_questions SET closed_at = clock_timestamp()
      WHERE question_id = $1 AND closed_at IS NULL RETURNING subject_id`,
    [questionId],
  );
  if (closed === undefined) return false;
  const event = { subjectId: closed.subject_id, objectId: questionId, state: 'answered' };
  await noteAppEvent(tx, { ...event, type: 'question.answered' });
  return true;
}
